//! The managed identity that the server's pods sign in as, by Microsoft Entra Workload ID.
//!
//! The commands are those of the AKS documentation, "Deploy and configure Microsoft Entra Workload ID on an AKS cluster".

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::identity::{EntraId, OidcIssuer};
use crate::error::{Error, Result};
use crate::name::StorageName;
use crate::names::{Rule, checked_name, digits};
use crate::option::parsed;
use crate::pods::{ACCOUNTS, AZURE_ACCOUNT, PodIdentity, PodOptions, Pods, Trust, refuse_without_trust};

checked_name! {
    /// The name of a user-assigned managed identity (Azure Resource Manager documentation, "Naming rules and
    /// restrictions for Azure resources", Microsoft.ManagedIdentity).
    IdentityName,
    what: "identity name",
    form: "3 to 128 letters, digits, - and _, such as `wandb`",
    letters: "a-zA-Z0-9_-",
    first: "a-zA-Z0-9",
    last: "a-zA-Z0-9_-",
    length: 3..=128,
    collection: "userAssignedIdentities",
    ..Rule::ANY
}

impl IdentityName {
    /// The identity of the server that uses `storage`.
    fn default_for(storage: &StorageName) -> Self {
        Self { text: format!("wbstore-{}-{}", storage.stem(), digits(&storage.parts(&["identity"]))) }
    }
}

/// How the server is given its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TrustHow {
    /// Pods whose service account in Kubernetes is federated with a managed identity
    WorkloadIdentity,
}

/// The value of `--trust`.
const WORKLOAD_IDENTITY: &str = "workload-identity";

/// The options of `policy` for the pods of the server.
#[derive(Args, Clone, Debug, Default)]
#[command(mut_arg("service_accounts", |option| option.visible_alias("service-account")))]
#[group(skip)]
pub(crate) struct TrustOptions {
    /// Also print the managed identity that has the role, and what lets pods sign in as it
    #[arg(long, value_enum, value_name = "HOW")]
    trust: Option<TrustHow>,
    #[command(flatten)]
    pods: PodOptions,
    /// With --trust: issuer of the tokens of the server's pods
    #[arg(long, value_name = "URL", value_parser = parsed::<OidcIssuer>())]
    oidc_issuer: Option<OidcIssuer>,
    /// With --trust: name of the managed identity [default: derived from the deployment]
    #[arg(long, value_name = "NAME", value_parser = parsed::<IdentityName>())]
    identity_name: Option<IdentityName>,
}

impl TrustOptions {
    /// The pods and the issuer of their tokens, if they are asked for.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for options that are missing or have no effect, and for more pods
    /// than an identity can have.
    pub(super) fn pods(&self) -> Result<Option<(Pods, OidcIssuer)>> {
        if self.trust.is_none() {
            let [namespace, accounts] = self.pods.given();
            let issuer = ("--oidc-issuer", self.oidc_issuer.is_some());
            let name = ("--identity-name", self.identity_name.is_some());
            return refuse_without_trust(&[namespace, accounts, issuer, name]).map(|()| None);
        }
        let issuer = self.oidc_issuer.clone().ok_or_else(|| {
            Error::input("--trust requires the issuer of the tokens of the server's pods").hint(
                "add `--oidc-issuer URL`; `az aks show --name CLUSTER --resource-group GROUP --query \
                 oidcIssuerProfile.issuerUrl --output tsv` prints it",
            )
        })?;
        let pods = self.pods.pods(&[AZURE_ACCOUNT])?;
        if pods.accounts.len() > MOST_CREDENTIALS {
            return Err(Error::input(format!(
                "{} service accounts are named, but an identity has at most {MOST_CREDENTIALS} federated credentials",
                pods.accounts.len()
            ))
            .hint(format!("name at most {MOST_CREDENTIALS} with `{ACCOUNTS}`")));
        }
        Ok(Some((pods, issuer)))
    }

    /// How it is asked for.
    ///
    /// # Errors
    /// As [`TrustOptions::pods`].
    pub(super) fn asked(&self) -> Result<Option<Trust>> {
        Ok(self.pods()?.map(|(pods, _)| Trust { how: WORKLOAD_IDENTITY, annotated: Some(pods) }))
    }

    /// The identity that uses `storage`, with its `client` and `tenant` where they are known.
    pub(super) fn federation(
        &self,
        storage: &StorageName,
        client: Option<&EntraId>,
        tenant: Option<&EntraId>,
    ) -> Result<Option<Federation>> {
        let name = || self.identity_name.clone().unwrap_or_else(|| IdentityName::default_for(storage));
        Ok(self.pods()?.map(|(pods, issuer)| Federation {
            identity: name(),
            is_of_team: storage.team.is_some(),
            client: client.cloned(),
            tenant: tenant.cloned(),
            issuer,
            pods,
        }))
    }
}

/// Microsoft Entra documentation, "Important considerations and restrictions for federated identity credentials".
const MOST_CREDENTIALS: usize = 20;

/// The audience that Entra requires of every issuer.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A managed identity and the pods that sign in as it.
#[derive(Debug)]
pub(super) struct Federation {
    pub identity: IdentityName,
    /// A team's container names the identity itself, so that the annotation stays that of the deployment.
    is_of_team: bool,
    client: Option<EntraId>,
    tenant: Option<EntraId>,
    issuer: OidcIssuer,
    pods: Pods,
}

impl Federation {
    /// The federated credentials, one for each service account.
    pub(super) fn credentials(&self) -> Vec<Value> {
        let Pods { namespace, accounts } = &self.pods;
        let credentials = accounts.iter().zip(self.pods.subjects());
        let credentials = credentials.map(|(account, subject)| {
            // Another cluster may have a service account of the same name, and an existing credential is replaced.
            let hash = digits(&[self.issuer.as_str(), namespace.as_str(), account]);
            let stem: String = account.replace('.', "-").chars().take(100).collect();
            let name = format!("{stem}-{hash}");
            json!({ "name": name, "issuer": self.issuer, "subject": subject, "audiences": [AUDIENCE] })
        });
        credentials.collect()
    }

    /// Whether the values for Kubernetes have words in the place of IDs.
    pub(super) fn has_placeholders(&self) -> bool {
        !self.is_of_team && (self.client.is_none() || self.tenant.is_none())
    }

    /// The identity with its `role` and its credentials.
    pub(super) fn document(&self, role: Value) -> Value {
        json!({ "role": role, "identity": self.identity, "federatedCredentials": self.credentials() })
    }

    /// What the pods require in Kubernetes to have it.
    pub(super) fn pods(&self) -> PodIdentity {
        let one = |key: &str, value: &str| Map::from_iter([(key.to_owned(), json!(value))]);
        let (mut annotations, mut global) = (Map::new(), Map::new());
        if !self.is_of_team {
            let client = self.client.as_ref().map_or("CLIENT_ID", EntraId::as_str);
            let tenant = self.tenant.as_ref().map_or("TENANT_ID", EntraId::as_str);
            annotations = one("azure.workload.identity/client-id", client);
            let identity = json!({ "clientId": client, "tenantId": tenant });
            global.insert("azureStorageIdentity".to_owned(), identity);
        }
        let labels = one("azure.workload.identity/use", "true");
        PodIdentity { pods: self.pods.clone(), annotations, labels, global }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn an_identity_has_a_name_that_azure_accepts() {
        obeys(
            &IdentityName::RULE,
            &["wandb", "Wandb_1-a", &"i".repeat(128)],
            &[
                ("", "the identity name is empty", "use 3 to 128"),
                ("ab", "has 2 characters", "use 3 to 128"),
                ("a'b", "contains `'` at position 2", "use 3 to 128"),
                ("-ab", "begins with `-`", "use 3 to 128"),
            ],
        );
        defaults_are_valid(IdentityName::default_for);
    }

    fn federation(accounts: &[&str], team: Option<&str>) -> Result<Option<Federation>> {
        let service_accounts = accounts.iter().map(|name| name.parse().unwrap()).collect();
        let options = TrustOptions {
            trust: Some(TrustHow::WorkloadIdentity),
            pods: PodOptions { namespace: Some("wandb".parse().unwrap()), service_accounts },
            oidc_issuer: Some("https://oidc.acme.com/a".parse().unwrap()),
            identity_name: None,
        };
        options.federation(&storage("acme", team), None, None)
    }

    #[test]
    fn each_service_account_has_one_credential_with_a_name_that_azure_accepts() {
        let long = "a.".repeat(126) + "a";
        let names = ["wandb-app", "wandb.app", &long];
        let credentials = federation(&names, None).unwrap().unwrap().credentials();
        assert_eq!(credentials.len(), 3);
        for (credential, account) in credentials.iter().zip(names) {
            let name = credential["name"].as_str().unwrap();
            assert!((3..=120).contains(&name.len()), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
            assert_eq!(credential["subject"], format!("system:serviceaccount:wandb:{account}"));
        }
        assert_ne!(credentials[0]["name"], credentials[1]["name"]);
    }

    #[test]
    fn an_identity_has_twenty_credentials_and_no_more() {
        let names: Vec<String> = (0..21).map(|n| format!("s{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(federation(&names[..20], None).is_ok());
        assert!(federation(&names, None).unwrap_err().what_next().unwrap().contains("at most 20"));
        assert!(federation(&[], None).is_ok(), "those of the chart fit");
    }

    #[test]
    fn the_identity_of_a_team_is_in_its_address_and_not_in_the_annotation() {
        let of_team = federation(&["wandb-app"], Some("vision")).unwrap().unwrap().pods();
        assert!(of_team.annotations.is_empty() && of_team.global.is_empty() && !of_team.labels.is_empty());
        let of_deployment = federation(&["wandb-app"], None).unwrap().unwrap().pods();
        assert_eq!(of_deployment.annotations["azure.workload.identity/client-id"], "CLIENT_ID");
    }
}
