//! One deployment on Google Cloud: the stack that comes of what was asked for.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc::UnboundedSender;

use crate::empty::Objects;
use crate::error::Result;
use crate::expiry::{Expiry, Voucher};
use crate::inventory::Inventory;
use crate::mark::{INTERNAL, Marking, QUEUE};
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::Provider;
use crate::providers::gcp::bucket::{self, Bucket};
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::cors::Cors;
use crate::providers::gcp::grant::{self, Grant, Place};
use crate::providers::gcp::location::LOCATIONS;
use crate::providers::gcp::mark::{LABELS, PUBSUB};
use crate::providers::gcp::notification::Notification;
use crate::providers::gcp::objects::GcsBucket;
use crate::providers::gcp::project::{ProjectId, ProjectNumber};
use crate::providers::gcp::pubsub_name::{SubscriptionName, TopicName};
use crate::providers::gcp::request::Request;
use crate::providers::gcp::session::{Api, Session};
use crate::providers::gcp::subscription::Subscription;
use crate::providers::gcp::topic::Topic;
use crate::providers::gcp::verify::GcsSite;
use crate::providers::gcp::{iam, inventory};
use crate::resource::{AnyResource, Bound, Output, Stack};
use crate::verify::{Checking, VerifyOptions, verify};

/// How long deleted objects are kept where nothing is said: Cloud Storage's own default, made explicit
/// (Cloud Storage docs, "Soft delete"; G16).
const SOFT_DELETE: &str = "7d";

/// A deployment on Google Cloud, with its project known.
pub struct Gcp {
    request: Request,
    project: ProjectId,
    api: Arc<Api>,
    notes: Vec<String>,
}

impl Gcp {
    /// Finds credentials, and asks for the project's service agent.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) without usable credentials,
    /// [`Kind::Input`](crate::error::Kind::Input) for a project that is not there or a request that
    /// contradicts itself.
    pub async fn connect(request: Request) -> Result<Self> {
        request.check()?;
        let project = request.project()?.clone();
        let session = Session::open()?;
        let agent = session.agent(project.as_str()).await?;
        let api = session.api(project.as_str(), &agent);
        let mut gcp = Self { request, project, api, notes: vec![] };
        if gcp.request.wanted.renews_unnamed() {
            let labels = bucket::calls::labels_of(&gcp.api, gcp.bucket().as_str()).await?.unwrap_or_default();
            gcp.request.wanted.renew(LABELS.read(&labels).lease_of(&gcp.request.wanted.name))?;
        }
        Ok(gcp)
    }

    /// The deployment as it would be in the project with `number`, without asking anybody.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a request that contradicts itself.
    pub fn offline(request: Request, number: &ProjectNumber) -> Result<Self> {
        request.check()?;
        let project = request.project()?.clone();
        let agent = format!("service-{number}@gs-project-accounts.iam.gserviceaccount.com");
        let notes = vec![format!(
            "the address of Cloud Storage's service agent is the usual one, {agent}, and was not asked for"
        )];
        let api = Session::offline()?.api(project.as_str(), &agent);
        Ok(Self { request, project, api, notes })
    }

    fn bucket(&self) -> BucketName {
        self.request.bucket(&self.project)
    }

    fn bucket_is_derived(&self) -> bool {
        let (name, location) = (&self.request.wanted.name, self.request.location());
        self.bucket() == BucketName::default_for(name, &self.project, &location)
    }

    fn resources(&self, goal: Goal) -> Vec<Box<dyn AnyResource>> {
        let Request { wanted, service_account, .. } = &self.request;
        let name = &wanted.name;
        let (api, bucket, events) = (&self.api, self.bucket(), self.request.events());
        let labels = |expiry| Marking::of(wanted, &LABELS).expiring(expiry);
        let mut resources: Vec<Box<dyn AnyResource>> = vec![];
        if let Some((topic, subscription)) = &events {
            let (topic_name, subscription_name) = (topic, subscription);
            let (topic, subscription) = (topic.as_str(), subscription.as_str());
            let expiry = |derived| {
                let full = format!("//pubsub.googleapis.com/{}", api.topic_name(topic));
                wanted.only_expired.then(|| Expiry {
                    derived,
                    // The names come from the marks then, so that there is a bucket if one is named.
                    own_lease: self.request.bucket.is_none(),
                    holder: Some(Bucket::at(bucket.as_str())),
                    vouchers: vec![Voucher::showing(Notification::at(bucket.as_str()), "topic", full)],
                })
            };
            let made = Topic {
                name: topic.to_owned(),
                leaving: (goal == Goal::Absent).then(|| subscription.to_owned()),
                labels: labels(expiry(*topic_name == TopicName::default_for(name))),
            };
            resources.push(Bound::boxed(made, api));
            let labels = labels(expiry(*subscription_name == SubscriptionName::default_for(name)));
            let made = Subscription::new(subscription, api.topic_name(topic), labels);
            resources.push(Bound::boxed(made, api));
            let publisher = Grant::new(Place::Topic(topic.to_owned()), name, grant::PUBLISHER, &api.agent);
            resources.push(Bound::boxed(publisher, api));
        }
        resources.push(Bound::boxed(self.made_bucket(goal), api));
        if goal == Goal::Absent {
            let (delete, by) = (wanted.delete_objects, wanted.empty_by);
            let parent = Bucket::at(bucket.as_str());
            resources.push(Bound::boxed(Objects::<GcsBucket>::new(parent, name, delete, by), api));
        }
        if let Some((topic, subscription)) = &events {
            let names = (topic.as_str(), subscription.as_str());
            let told = Notification::new(api, bucket.as_str(), names, name, self.request.all_events);
            resources.push(Bound::boxed(told, api));
        }
        if let Some(account) = service_account {
            let email = account.as_str();
            let mut grant = |place, role| {
                resources.push(Bound::boxed(Grant::new(place, name, role, email), api));
            };
            grant(Place::Bucket(bucket.to_string()), grant::OBJECT_ADMIN);
            if let Some((_, subscription)) = &events {
                grant(Place::Subscription(subscription.to_string()), grant::SUBSCRIBER);
            }
            let itself = Place::ServiceAccount { email: email.to_owned(), bucket: bucket.to_string() };
            grant(itself, grant::TOKEN_CREATOR);
        }
        resources
    }

    fn made_bucket(&self, goal: Goal) -> Bucket {
        let Request { wanted, kms_key, soft_delete, service_account, .. } = &self.request;
        let queue = if self.request.events().is_some() { PUBSUB } else { INTERNAL };
        let expiry = wanted.only_expired.then(|| Expiry {
            derived: self.bucket_is_derived(),
            own_lease: true,
            holder: None,
            vouchers: vec![Voucher::any(Notification::at(self.bucket().as_str()))],
        });
        Bucket {
            name: self.bucket().to_string(),
            leaving: goal == Goal::Absent,
            service_account: service_account.as_ref().map(ToString::to_string),
            soft_delete_asked: soft_delete.is_some(),
            metageneration: 0,
            location: self.request.location().to_string(),
            storage_class: "STANDARD".to_owned(),
            uniform_access: true,
            public_access_prevention: "enforced".to_owned(),
            soft_delete: soft_delete.as_ref().map_or_else(|| SOFT_DELETE.to_owned(), ToString::to_string),
            kms_key: kms_key.as_ref().map(ToString::to_string),
            cors: wanted.origin.as_ref().map(|origin| Cors::for_pages_of(origin.to_string())),
            labels: Marking::of(wanted, &LABELS).with(QUEUE, queue).expiring(expiry),
        }
    }

    fn outputs(&self) -> Vec<Output> {
        let queue = self.request.events().map_or_else(
            || "internal://".to_owned(),
            |(topic, subscription)| format!("pubsub:/{}/{topic}/{subscription}", self.project),
        );
        vec![
            Output { name: "BUCKET", value: format!("gs://{}", self.bucket()) },
            Output { name: "BUCKET_QUEUE", value: queue },
        ]
    }

    fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = [self.request.wanted.remarks.as_slice(), &self.notes].concat();
        if goal == Goal::Absent {
            return notes;
        }
        notes.extend(LOCATIONS.warning(self.request.location().as_str()));
        let mut note = |text: &str| notes.push(text.to_owned());
        note(
            "beyond W&B's guide: browsers may use GET, PUT and HEAD and read ETag, without which uploads from a \
             page fail; the guide sets no CORS for Google Cloud",
        );
        if self.request.events().is_some() {
            note(
                "beyond W&B's guide: Cloud Storage's service agent may publish to the topic, without which no event \
                 arrives, and the subscription never expires",
            );
            if self.request.all_events {
                note("as in W&B's guide, changes and deletions of objects are told too");
            } else {
                note(
                    "unlike W&B's guide, only new objects are told, as on the other clouds; --all-events tells of \
                     changes and deletions too",
                );
            }
            note(
                "W&B's Kubernetes operator reads uploads from its own Redis queue (internal://); Pub/Sub is for \
                 servers that are given BUCKET_QUEUE themselves. `--queue internal` makes none",
            );
        } else {
            note("BUCKET_QUEUE=internal:// is the server's own Redis queue; no events are set up");
        }
        match &self.request.service_account {
            Some(account) => notes.push(format!(
                "{account} gets the right to sign as itself, which signed URLs take; whoever runs as it can make \
                 tokens of it"
            )),
            None => note(
                "the server's own account gets no rights; add --service-account, or take them from `wbstore policy \
                 gcp --for node`",
            ),
        }
        notes
    }
}

impl Provider for Gcp {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        Ok(Stack {
            deployment: self.request.wanted.name.to_string(),
            scope: format!(
                "gcp project {}, {}{}",
                self.project,
                self.request.location(),
                self.api.elsewhere()
            ),
            resources: self.resources(goal),
            outputs: if goal == Goal::Absent { vec![] } else { self.outputs() },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.mutations),
            // The address of the service agent follows from the number of the project.
            assumptions: vec![],
            guards: vec![],
        })
    }

    fn verify<'a>(
        &'a self,
        options: &'a VerifyOptions,
        checks: UnboundedSender<Checking>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (deployment, events) = (&self.request.wanted.name, self.request.events());
            verify(GcsSite::new(&self.api, deployment, &self.bucket(), events)?, options, checks).await
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(inventory::list(&self.api))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        let (bucket, events) = (self.bucket(), self.request.events());
        let subjects = iam::Subjects {
            deployment: &self.request.wanted.name,
            project: &self.project,
            bucket: &bucket,
            subscription: events.as_ref().map(|(_, subscription)| subscription),
            service_account: self.request.service_account.as_ref(),
            kms_key: self.request.kms_key.as_ref(),
            storage_agent: &self.api.agent,
        };
        let mut policy = iam::policy(audience, &subjects)?;
        if audience != Audience::ExpiryJob {
            policy.notes.extend(self.notes.iter().cloned());
        }
        Ok(policy)
    }
}
