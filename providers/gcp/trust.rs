//! The Google service account that the server's pods act as, by Workload Identity Federation for GKE.
//!
//! Of the two ways in the GKE documentation, "Authenticate to Google Cloud APIs from GKE workloads", this is the second:
//! service accounts of Kubernetes that impersonate one of Google's. The first, roles for the principals of the pods
//! themselves, has no service account that could sign URLs: `signBlob` signs as a service account (IAM Service Account
//! Credentials API, `projects.serviceAccounts.signBlob`).

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::project::ProjectId;
use super::service_account::ServiceAccount;
use crate::error::Result;
use crate::option::parsed;
use crate::pods::{PodIdentity, PodOptions, Pods, Trust, refuse_without_trust};

/// How the server is given its service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TrustHow {
    /// Pods on GKE whose service account in Kubernetes is annotated with the one of Google
    WorkloadIdentity,
}

/// The value of `--trust`.
const WORKLOAD_IDENTITY: &str = "workload-identity";

/// The options of `policy` for the pods of the server.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub(crate) struct TrustOptions {
    /// Also print what lets pods act as --service-account
    #[arg(long, value_enum, value_name = "HOW")]
    trust: Option<TrustHow>,
    #[command(flatten)]
    pods: PodOptions,
    /// With --trust: project of the GKE cluster [default: --project]
    #[arg(long, value_name = "PROJECT", value_parser = parsed::<ProjectId>())]
    cluster_project: Option<ProjectId>,
}

impl TrustOptions {
    /// The pods, if they are asked for.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for options that are missing or have no effect.
    pub(super) fn pods(&self) -> Result<Option<Pods>> {
        if self.trust.is_some() {
            return self.pods.pods(&[]).map(Some);
        }
        let [namespace, accounts] = self.pods.given();
        let project = ("--cluster-project", self.cluster_project.is_some());
        refuse_without_trust(&[namespace, accounts, project]).map(|()| None)
    }

    /// How it is asked for.
    ///
    /// # Errors
    /// As [`TrustOptions::pods`].
    pub(super) fn asked(&self) -> Result<Option<Trust>> {
        Ok(self.pods()?.map(|pods| Trust { how: WORKLOAD_IDENTITY, annotated: Some(pods) }))
    }

    /// What lets the pods act as `account`, of a deployment in `project`.
    pub(super) fn impersonation(
        &self,
        account: &ServiceAccount,
        project: &ProjectId,
    ) -> Result<Option<Impersonation>> {
        let pool = format!("{}.svc.id.goog", self.cluster_project.as_ref().unwrap_or(project));
        Ok(self.pods()?.map(|pods| Impersonation { account: account.clone(), pool, pods }))
    }
}

/// Pods that act as a service account.
#[derive(Debug)]
pub(super) struct Impersonation {
    account: ServiceAccount,
    /// The workload identity pool of the cluster's project.
    pool: String,
    pods: Pods,
}

impl Impersonation {
    /// The pods as members of a binding (GKE documentation, "Authenticate to Google Cloud APIs from GKE workloads").
    pub(super) fn members(&self) -> Vec<String> {
        let Pods { namespace, accounts } = &self.pods;
        accounts
            .iter()
            .map(|account| format!("serviceAccount:{}[{namespace}/{account}]", self.pool))
            .collect()
    }

    /// `role` for the buckets, and what the policy of the service account has to contain.
    pub(super) fn document(&self, role: Value) -> Value {
        let itself = [format!("serviceAccount:{}", self.account)];
        json!({
            "role": role,
            "serviceAccount": self.account,
            "serviceAccountPolicy": { "bindings": [
                { "role": "roles/iam.workloadIdentityUser", "members": self.members() },
                { "role": "roles/iam.serviceAccountTokenCreator", "members": itself },
            ] },
        })
    }

    /// What the pods require in Kubernetes to have it.
    pub(super) fn pods(&self) -> PodIdentity {
        let annotations =
            Map::from_iter([("iam.gke.io/gcp-service-account".to_owned(), json!(self.account))]);
        PodIdentity { pods: self.pods.clone(), annotations, labels: Map::new(), global: Map::new() }
    }
}
