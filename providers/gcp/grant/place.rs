//! Where a role is granted: the policy, and the label that notes that wbstore granted it.

use serde_json::json;

use crate::error::Result;
use crate::http::Method;
use crate::mark::Entries;
use crate::providers::gcp::bucket::{self, GcsBucket};
use crate::providers::gcp::failure::Refusal;
use crate::providers::gcp::iam_policy::{Policy, VERSION};
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::pubsub;
use crate::providers::gcp::rest::{Rest, found, segment};
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::Subscription;
use crate::providers::gcp::topic::Topic;
use crate::resource::Address;

/// Something with an IAM policy, by its short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Topic(String),
    Subscription(String),
    Bucket(String),
    /// A service account, which wbstore never owns. Grants on it are noted on `bucket`.
    ServiceAccount {
        /// Its e-mail address.
        email: String,
        /// The bucket of the deployment.
        bucket: String,
    },
}

impl Place {
    /// The address of the grant itself.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Topic(name) => Address::new("gcp", "publisher", name),
            Self::Subscription(name) => Address::new("gcp", "subscription-access", name),
            Self::Bucket(name) => Address::new("gcp", "bucket-access", name),
            Self::ServiceAccount { email, .. } => Address::new("gcp", "signer", email),
        }
    }

    /// The resources that must exist first.
    pub(crate) fn needs(&self) -> Address {
        match self {
            Self::Topic(name) => Topic::at(name),
            Self::Subscription(name) => Subscription::at(name),
            Self::Bucket(bucket) | Self::ServiceAccount { bucket, .. } => GcsBucket::at(bucket),
        }
    }

    /// The label that notes what we gave.
    pub(crate) fn receipt(&self) -> &'static str {
        match self {
            Self::ServiceAccount { .. } => mark::SIGNER,
            _ => mark::GRANTED,
        }
    }

    /// The label that notes what was given to another account before, until that is revoked.
    pub(crate) fn former_receipt(&self) -> &'static str {
        match self {
            Self::ServiceAccount { .. } => mark::FORMER_SIGNER,
            _ => mark::FORMER_GRANTED,
        }
    }

    /// The label that notes which roles were given, where those are not all.
    pub(crate) fn roles_receipt(&self) -> Option<&'static str> {
        (!matches!(self, Self::ServiceAccount { .. })).then_some(mark::ROLES)
    }

    /// What begins the names of the permissions, such as `pubsub.topics`.
    pub(crate) fn service(&self) -> &'static str {
        match self {
            Self::Topic(_) => "pubsub.topics",
            Self::Subscription(_) => "pubsub.subscriptions",
            Self::Bucket(_) => "storage.buckets",
            Self::ServiceAccount { .. } => "iam.serviceAccounts",
        }
    }

    /// The labels of the resource that has the note; `None` if it does not exist.
    pub(crate) async fn labels(&self, api: &Api) -> Result<Option<Entries>> {
        match self.bucket() {
            Some(bucket) => bucket::calls::labels_of(api, bucket).await,
            None => pubsub::labels_of(api, &self.needs()).await,
        }
    }

    /// Writes the notes, each a name of a mark's entry with its value, or removes those without one.
    pub(crate) async fn note(&self, api: &Api, notes: &[(&str, Option<String>)]) -> Result<()> {
        let edit = |mut labels: Entries| {
            for (name, value) in notes {
                match value {
                    Some(value) => labels.insert(LABELS.key(name), value.clone()),
                    None => labels.remove(&LABELS.key(name)),
                };
            }
            labels
        };
        match self.bucket() {
            Some(bucket) => bucket::calls::relabel(api, bucket, edit).await,
            None => pubsub::relabel(api, &self.needs(), |labels| Ok(edit(labels))).await,
        }
    }

    /// The bucket that keeps the note; elsewhere the place itself does.
    fn bucket(&self) -> Option<&str> {
        match self {
            Self::Topic(_) | Self::Subscription(_) => None,
            Self::Bucket(bucket) | Self::ServiceAccount { bucket, .. } => Some(bucket),
        }
    }

    /// The policy; `None` if the resource does not exist.
    pub(crate) async fn policy(&self, api: &Api) -> Result<Option<Policy>> {
        let (rest, path) = self.resource(api).await?;
        let (method, path) = match self {
            Self::Bucket(_) => (Method::GET, format!("{path}/iam?optionsRequestedPolicyVersion={VERSION}")),
            Self::Topic(_) | Self::Subscription(_) => {
                (Method::GET, format!("{path}:getIamPolicy?options.requestedPolicyVersion={VERSION}"))
            }
            // A read-only POST.
            Self::ServiceAccount { .. } => {
                (Method::POST, format!("{path}:getIamPolicy?options.requestedPolicyVersion={VERSION}"))
            }
        };
        let target = match self {
            Self::Bucket(name) => GcsBucket::at(name),
            _ => self.address(),
        };
        let answer = match method {
            Method::GET => rest.once_a_look(&path).await?,
            method => rest.look(method, &path).await?,
        };
        found(&answer, &format!("{}.getIamPolicy", self.service()), target)
    }

    /// Writes the policy, whose etag is that of the read it comes from. The outer error is one without
    /// an answer.
    pub(crate) async fn set_policy(
        &self,
        api: &Api,
        policy: &Policy,
    ) -> Result<std::result::Result<(), Refusal>> {
        let (rest, path) = self.resource(api).await?;
        match self {
            Self::Bucket(_) => rest.write(Method::PUT, &format!("{path}/iam"), Some(&json!(policy))).await,
            _ => {
                let body = json!({ "policy": policy });
                rest.write(Method::POST, &format!("{path}:setIamPolicy"), Some(&body)).await
            }
        }
    }

    /// The API that has the place, and where.
    async fn resource<'a>(&self, api: &'a Api) -> Result<(&'a Rest, String)> {
        Ok(match self {
            Self::Topic(_) | Self::Subscription(_) => (api.pubsub().await?, pubsub::path(api, &self.needs())),
            Self::Bucket(name) => (api.storage_json().await?, bucket::calls::path(name)),
            Self::ServiceAccount { email, .. } => {
                (api.iam().await?, format!("/v1/projects/-/serviceAccounts/{}", segment(email)))
            }
        })
    }
}
