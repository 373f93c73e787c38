//! What the user asks for on Google Cloud.

use crate::error::{Error, Result};
use crate::inventory::{Deployment, Part};
use crate::provider::Wanted;
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::kms_key::KmsKeyName;
use crate::providers::gcp::location::Location;
use crate::providers::gcp::project::ProjectId;
use crate::providers::gcp::pubsub_name::{QueueChoice, SubscriptionName, TopicName};
use crate::providers::gcp::service_account::ServiceAccount;
use crate::providers::gcp::soft_delete::SoftDelete;

/// What the user asks for, checked word by word before the first request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What every cloud is told.
    pub wanted: Wanted,
    /// The project, where one is named.
    pub project: Option<ProjectId>,
    /// The bucket's location, where one is named.
    pub location: Option<Location>,
    /// The bucket, where one is named.
    pub bucket: Option<BucketName>,
    /// Which queue for the bucket's events.
    pub queue: QueueChoice,
    /// The topic, where one is named.
    pub topic: Option<TopicName>,
    /// The subscription, where one is named.
    pub subscription: Option<SubscriptionName>,
    /// The account the server runs as, where it is to be given access.
    pub service_account: Option<ServiceAccount>,
    /// Whether changes and deletions are told of too, as the published guide has it.
    pub all_events: bool,
    /// The Cloud KMS key that new objects are encrypted with.
    pub kms_key: Option<KmsKeyName>,
    /// How long deleted objects are kept; the project's own default where nothing is said.
    pub soft_delete: Option<SoftDelete>,
}

impl Request {
    /// The default of everything that is Google Cloud's own.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            project: None,
            location: None,
            bucket: None,
            queue: QueueChoice::default(),
            topic: None,
            subscription: None,
            service_account: None,
            all_events: false,
            kms_key: None,
            soft_delete: None,
        }
    }

    /// The options that name where the deployment is and what its parts are called.
    pub(crate) fn names(&self) -> Vec<(&'static str, String)> {
        let mut names = vec![];
        names.extend(self.project.iter().map(|project| ("--project", project.to_string())));
        names.extend(self.location.iter().map(|location| ("--location", location.to_string())));
        names.extend(self.bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        match self.events() {
            Some((topic, subscription)) => {
                names.extend([("--topic", topic.to_string()), ("--subscription", subscription.to_string())])
            }
            None => names.push(("--queue", "internal".to_owned())),
        }
        names
    }

    /// Checks what the options say of each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(key) = &self.kms_key {
            key.require_location(&self.location())?;
        }
        let named = [
            ("--topic", self.topic.is_some()),
            ("--subscription", self.subscription.is_some()),
            ("--all-events", self.all_events),
        ];
        match named.into_iter().find(|(_, given)| *given) {
            Some((option, _)) if self.queue == QueueChoice::Internal => Err(Error::input(format!(
                "{option} has no meaning with --queue internal, which makes no queue"
            ))
            .hint("leave one of the two out")),
            _ => Ok(()),
        }
    }

    /// The project.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn project(&self) -> Result<&ProjectId> {
        self.project.as_ref().ok_or_else(|| {
            Error::input("no project is named")
                .hint("add --project, or set GOOGLE_CLOUD_PROJECT; `gcloud config get project` prints yours")
        })
    }

    /// The bucket's location.
    pub(super) fn location(&self) -> Location {
        self.location.clone().unwrap_or_else(Location::us)
    }

    /// The bucket.
    pub(super) fn bucket(&self, project: &ProjectId) -> BucketName {
        let default = || BucketName::default_for(&self.wanted.name, project, &self.location());
        self.bucket.clone().unwrap_or_else(default)
    }

    /// The topic and the subscription that get the bucket's events; none with `--queue internal`.
    pub(super) fn events(&self) -> Option<(TopicName, SubscriptionName)> {
        let name = &self.wanted.name;
        let topic = || self.topic.clone().unwrap_or_else(|| TopicName::default_for(name));
        let subscription =
            || self.subscription.clone().unwrap_or_else(|| SubscriptionName::default_for(name));
        (self.queue == QueueChoice::Pubsub).then(|| (topic(), subscription()))
    }

    /// With the location and the names that the marks of `deployment` give, so that nothing of it is
    /// left behind.
    ///
    /// # Errors
    /// When a mark holds a name that cannot be, which we never wrote.
    pub fn with_parts(mut self, deployment: &Deployment) -> Result<Self> {
        // Without a bucket there is no location to go by.
        if !deployment.region.is_empty() {
            self.location = Some(deployment.region.parse()?);
        }
        // Only what the marks say counts; of several parts of a kind the last is the bucket's own.
        (self.bucket, self.topic, self.subscription) = (None, None, None);
        self.queue = QueueChoice::Internal;
        for Part { kind, name } in deployment.named() {
            match kind.as_str() {
                "bucket" if !name.is_empty() => self.bucket = Some(name.parse()?),
                "signer" if !name.is_empty() => self.service_account = Some(name.parse()?),
                "topic" | "subscription" => {
                    self.queue = QueueChoice::Pubsub;
                    match kind.as_str() {
                        _ if name.is_empty() => {}
                        "topic" => self.topic = Some(name.parse()?),
                        _ => self.subscription = Some(name.parse()?),
                    }
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::new(Wanted::named("acme".parse().unwrap()))
    }

    fn part(kind: &str, name: &str) -> Part {
        Part { kind: kind.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(request().check().is_ok());
        let key = "projects/acme-prod/locations/eu/keyRings/r/cryptoKeys/k".parse().unwrap();
        assert!(Request { kms_key: Some(key), ..request() }.check().is_err());
        let internal = || Request { queue: QueueChoice::Internal, ..request() };
        assert!(internal().check().is_ok());
        let error = Request { topic: Some("acme".parse().unwrap()), ..internal() }.check().unwrap_err();
        assert!(error.to_string().starts_with("--topic has no meaning"), "{error}");
        assert!(Request { all_events: true, ..internal() }.check().is_err());
        assert!(request().project().is_err());
    }

    #[test]
    fn only_what_the_marks_say_is_torn_down() {
        let deployment = |parts| Deployment {
            name: "acme".to_owned(),
            region: "EU".to_owned(),
            created: None,
            expires: None,
            parts,
            refers_to: vec![],
            missing: vec![],
        };
        let named = Request { bucket: Some("other".parse().unwrap()), ..request() };
        let all = vec![part("bucket", "b-1"), part("topic", "t-1"), part("subscription", "s-1")];
        let found = named.clone().with_parts(&deployment(all)).unwrap();
        assert_eq!(found.location().as_str(), "EU");
        assert_eq!(found.bucket.as_ref().map(BucketName::as_str), Some("b-1"));
        let (topic, subscription) = found.events().unwrap();
        assert_eq!((topic.as_str(), subscription.as_str()), ("t-1", "s-1"));
        let internal = named.with_parts(&deployment(vec![part("bucket", "b-1")])).unwrap();
        assert_eq!(internal.events(), None);
    }
}
