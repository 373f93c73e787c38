//! Where a role is given: whose policy it is, and where it is noted that we gave it.

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_iam_v1::model::{GetPolicyOptions, Policy};
use serde_json::json;

use crate::error::Result;
use crate::http::Method;
use crate::mark::Entries;
use crate::providers::gcp::bucket::{self, GcsBucket};
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::iam_policy::VERSION;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::rest::{self, segment};
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::{self, Subscription};
use crate::providers::gcp::topic::{self, Topic};
use crate::resource::Address;

/// Something with an IAM policy, by its short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A topic.
    Topic(String),
    /// A subscription.
    Subscription(String),
    /// A bucket.
    Bucket(String),
    /// A service account, which is never ours. What we give there is noted on `bucket`.
    ServiceAccount {
        /// Its e-mail address.
        email: String,
        /// The bucket of the deployment.
        bucket: String,
    },
}

impl Place {
    /// Where the grant itself stands.
    pub fn address(&self) -> Address {
        match self {
            Self::Topic(name) => Address::new("gcp", "publisher", name),
            Self::Subscription(name) => Address::new("gcp", "subscription-access", name),
            Self::Bucket(name) => Address::new("gcp", "bucket-access", name),
            Self::ServiceAccount { email, .. } => Address::new("gcp", "signer", email),
        }
    }

    /// What has to be there first.
    pub fn needs(&self) -> Address {
        match self {
            Self::Topic(name) => Topic::at(name),
            Self::Subscription(name) => Subscription::at(name),
            Self::Bucket(bucket) | Self::ServiceAccount { bucket, .. } => GcsBucket::at(bucket),
        }
    }

    /// The label that notes what we gave.
    pub fn receipt(&self) -> &'static str {
        match self {
            Self::ServiceAccount { .. } => mark::SIGNER,
            _ => mark::GRANTED,
        }
    }

    /// What begins the names of the permissions, such as `pubsub.topics`.
    pub fn service(&self) -> &'static str {
        match self {
            Self::Topic(_) => "pubsub.topics",
            Self::Subscription(_) => "pubsub.subscriptions",
            Self::Bucket(_) => "storage.buckets",
            Self::ServiceAccount { .. } => "iam.serviceAccounts",
        }
    }

    /// The labels of what keeps the note; `None` where that is not there.
    pub async fn labels(&self, api: &Api) -> Result<Option<Entries>> {
        match self {
            Self::Topic(name) => topic::labels_of(api, name).await,
            Self::Subscription(name) => subscription::labels_of(api, name).await,
            Self::Bucket(bucket) | Self::ServiceAccount { bucket, .. } => {
                bucket::calls::labels_of(api, bucket).await
            }
        }
    }

    /// Writes the note, or takes it away.
    pub async fn note(&self, api: &Api, value: Option<&str>) -> Result<()> {
        let key = &LABELS.key(self.receipt());
        let edit = |mut labels: Entries| {
            match value {
                Some(value) => labels.insert(key.to_owned(), value.to_owned()),
                None => labels.remove(key),
            };
            labels
        };
        match self {
            Self::Topic(name) => match topic::labels_of(api, name).await? {
                Some(labels) if labels.get(key).map(String::as_str) != value => {
                    topic::relabel(api, name, edit(labels)).await
                }
                _ => Ok(()),
            },
            Self::Subscription(name) => match subscription::labels_of(api, name).await? {
                Some(labels) if labels.get(key).map(String::as_str) != value => {
                    subscription::relabel(api, name, edit(labels)).await
                }
                _ => Ok(()),
            },
            Self::Bucket(bucket) | Self::ServiceAccount { bucket, .. } => {
                bucket::calls::relabel(api, bucket, edit).await
            }
        }
    }

    /// The policy; `None` where the place is not there.
    pub async fn policy(&self, api: &Api) -> Result<Option<Policy>> {
        let options = GetPolicyOptions::new().set_requested_policy_version(VERSION);
        let resource = match self {
            Self::Topic(name) => api.topic_name(name),
            Self::Subscription(name) => api.subscription_name(name),
            Self::Bucket(name) => return bucket::calls::policy(api, name).await,
            Self::ServiceAccount { email, .. } => return self.account_policy(api, email).await,
        };
        let request = api.schemas().await?.get_iam_policy().set_resource(resource).set_options(options);
        match request.with_idempotency(true).send().await {
            Ok(policy) => Ok(Some(policy)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(failure(&error, &format!("{}.getIamPolicy", self.service()), self.address())),
        }
    }

    /// Writes the policy, whose etag is that of the read it comes from. The outer error is one without
    /// an answer.
    pub async fn set_policy(&self, api: &Api, policy: Policy) -> Result<std::result::Result<(), Refusal>> {
        let sent = match self {
            Self::Topic(name) => {
                let request = api.schemas().await?.set_iam_policy().set_resource(api.topic_name(name));
                api.mutate(request.set_policy(policy).with_idempotency(false).send()).await
            }
            Self::Subscription(name) => {
                let request = api.schemas().await?.set_iam_policy().set_resource(api.subscription_name(name));
                api.mutate(request.set_policy(policy).with_idempotency(false).send()).await
            }
            Self::Bucket(name) => {
                let request = api.control().await?.set_iam_policy().set_resource(api.bucket_name(name));
                api.mutate(request.set_policy(policy).with_idempotency(false).send()).await
            }
            Self::ServiceAccount { email, .. } => {
                let path = format!("{}:setIamPolicy", account(email));
                let answer =
                    api.iam().await?.send(Method::POST, &path, Some(&json!({ "policy": policy }))).await?;
                return Ok(match Refusal::of_answer(&answer) {
                    Some(refusal) => Err(refusal),
                    None => Ok(()),
                });
            }
        };
        match sent {
            Ok(_) => Ok(Ok(())),
            Err(error) => match Refusal::of(&error) {
                Some(refusal) => Ok(Err(refusal)),
                None => Err(failure(&error, &format!("{}.setIamPolicy", self.service()), self.address())),
            },
        }
    }

    /// REST reference, `projects.serviceAccounts.getIamPolicy`: a POST that only looks.
    async fn account_policy(&self, api: &Api, email: &str) -> Result<Option<Policy>> {
        let path = format!("{}:getIamPolicy?options.requestedPolicyVersion={VERSION}", account(email));
        let answer = api.iam().await?.look(Method::POST, &path).await?;
        if Refusal::of_answer(&answer).is_some_and(|refusal| refusal.is_not_found()) {
            return Ok(None);
        }
        rest::read(&answer, &format!("{}.getIamPolicy", self.service()), self.address()).map(Some)
    }
}

fn account(email: &str) -> String {
    format!("/v1/projects/-/serviceAccounts/{}", segment(email))
}
