//! What the user asks for on AWS.

use crate::error::{Error, Result};
use crate::inventory::{Deployment, Part};
use crate::provider::Wanted;
use crate::providers::aws::bucket_name::BucketName;
use crate::providers::aws::kms_key::KmsKeyArn;
use crate::providers::aws::queue_name::{QueueChoice, QueueName};
use crate::providers::aws::region::Region;

/// What the user asks for, checked word by word before the first request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What every cloud is told.
    pub wanted: Wanted,
    /// The region, where one is named.
    pub region: Option<Region>,
    /// The bucket, where one is named.
    pub bucket: Option<BucketName>,
    /// Which queue for the bucket's events.
    pub queue: QueueChoice,
    /// Whether there is a queue for run events, and its name where one is given.
    pub notifications_queue: Option<Option<QueueName>>,
    /// The KMS key that new objects are encrypted with.
    pub kms_key: Option<KmsKeyArn>,
}

impl Request {
    /// The default of everything that is AWS's own.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            region: None,
            bucket: None,
            queue: QueueChoice::default(),
            notifications_queue: None,
            kms_key: None,
        }
    }

    /// The options that name where the deployment is and what its parts are called.
    pub(crate) fn names(&self) -> Vec<(&'static str, String)> {
        let region = self.region.iter().map(|region| ("--region", region.to_string()));
        let bucket = self.bucket.iter().map(|bucket| ("--bucket", bucket.to_string()));
        let run_events = self.run_events_queue();
        let run_events = run_events.iter().map(|queue| ("--notifications-queue", queue.to_string()));
        let queue = self.events_queue().map_or_else(|| "internal".to_owned(), |queue| queue.to_string());
        region.chain(bucket).chain([("--queue", queue)]).chain(run_events).collect()
    }

    /// Checks what only the region can tell, and what the names say of each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self, region: &Region) -> Result<()> {
        if let Some(key) = &self.kms_key {
            key.require_region(region)?;
        }
        let queue = self.events_queue();
        if queue.is_some() && queue == self.run_events_queue() {
            return Err(Error::input("--queue and --notifications-queue name the same queue")
                .hint("give them two names: the server would take its own messages for uploads"));
        }
        Ok(())
    }

    /// The queue that gets the bucket's events; none with `--queue internal`.
    pub(super) fn events_queue(&self) -> Option<QueueName> {
        self.queue.resolve(&self.wanted.name, QueueName::default_for)
    }

    /// The queue for the run events that the server publishes, where one is wanted.
    pub(super) fn run_events_queue(&self) -> Option<QueueName> {
        let default = || QueueName::notifications_for(&self.wanted.name);
        self.notifications_queue.as_ref().map(|given| given.clone().unwrap_or_else(default))
    }

    /// With the region and the names that the marks of `deployment` give, so that nothing of it is
    /// left behind.
    ///
    /// # Errors
    /// When a mark holds a name that cannot be, which we never wrote.
    pub fn with_parts(mut self, deployment: &Deployment) -> Result<Self> {
        self.region = Some(deployment.region.parse()?);
        // Only what the marks say counts; of several parts of a kind the last is the bucket's own.
        self.bucket = None;
        self.queue = QueueChoice::Internal;
        self.notifications_queue = None;
        for Part { kind, name } in deployment.named() {
            match kind.as_str() {
                _ if name.is_empty() => {}
                "bucket" => self.bucket = Some(name.parse()?),
                "queue" => self.queue = QueueChoice::Named(name.parse()?),
                "notifications-queue" => self.notifications_queue = Some(Some(name.parse()?)),
                _ => {}
            }
        }
        Ok(self)
    }
}
