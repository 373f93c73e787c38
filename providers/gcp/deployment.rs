//! One deployment on Google Cloud: the stack that results from the options.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::empty::{Objects, Store as _};
use crate::error::Result;
use crate::expiry::{Expiry, Voucher};
use crate::http::Reads;
use crate::inventory::Inventory;
use crate::mark::{INTERNAL, Marking, QUEUE};
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::{Provider, Wanted, look_ahead, queue_note, required_account_id, while_reading};
use crate::providers::gcp::bucket::{self, GcsBucket};
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::cors::Cors;
use crate::providers::gcp::grant::{self, Grant, Place};
use crate::providers::gcp::location::LOCATIONS;
use crate::providers::gcp::mark::{LABELS, PUBSUB};
use crate::providers::gcp::notification::Notification;
use crate::providers::gcp::objects::GcsStore;
use crate::providers::gcp::options::{GcpOptions, GcpParts};
use crate::providers::gcp::project::{ProjectId, ProjectNumber};
use crate::providers::gcp::pubsub_name::{SubscriptionName, TopicName};
use crate::providers::gcp::service_account::ServiceAccount;
use crate::providers::gcp::session::{Api, Session};
use crate::providers::gcp::soft_delete::SHORTEST;
use crate::providers::gcp::subscription::Subscription;
use crate::providers::gcp::topic::Topic;
use crate::providers::gcp::verify::{GcsNode, GcsSite, TeamReader};
use crate::providers::gcp::{iam, inventory};
use crate::reader::FILE_STORES;
use crate::resource::{AnyResource, Bound, Output, Stack};
use crate::verify::{CheckSender, VerifyOptions, verify, verify_as_node};
use crate::versioning::VERSIONS;

/// A deployment on Google Cloud, with its project known.
pub(crate) struct Gcp {
    options: GcpOptions,
    wanted: Wanted,
    project: ProjectId,
    api: Arc<Api>,
    notes: Vec<String>,
    /// What has been read while the service agent was.
    reads: Reads,
}

impl Gcp {
    /// Finds credentials, and reads the project's service agent.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) without usable credentials,
    /// [`Kind::Input`](crate::error::Kind::Input) for a project that does not exist or options that
    /// contradict each other.
    pub(super) async fn connect(options: GcpOptions, wanted: Wanted) -> Result<Box<dyn Provider>> {
        let options = options.of(&wanted)?;
        options.check()?;
        let project = options.project()?.clone();
        let session = Session::open()?;
        let api = session.clone().api(project.as_str(), "");
        let mut gcp = Self { options, wanted, project, api, notes: vec![], reads: Reads::default() };
        let agent = session.agent(gcp.project.as_str());
        let agent = while_reading(agent, gcp.look_ahead()).await?;
        gcp.api = gcp.api.with_agent(&agent);
        if gcp.wanted.renews_unnamed() {
            let labels = bucket::calls::labels_of(&gcp.api, gcp.bucket().as_str()).await?.unwrap_or_default();
            gcp.wanted.renew(LABELS.read(&labels).lease_of(&gcp.wanted.name))?;
        }
        Ok(Box::new(gcp))
    }

    /// The deployment as it would be in the project with the number `account`; no request is sent.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a number that is none, or options that contradict
    /// each other.
    pub(super) async fn offline(
        options: GcpOptions,
        wanted: Wanted,
        account: Option<&str>,
    ) -> Result<Box<dyn Provider>> {
        let command = "gcloud projects describe PROJECT --format='value(projectNumber)'";
        let number: ProjectNumber = required_account_id(account, command)?;
        let options = options.of(&wanted)?;
        options.check()?;
        let project = options.project()?.clone();
        let agent = format!("service-{number}@gs-project-accounts.iam.gserviceaccount.com");
        let notes =
            vec![format!("Cloud Storage's service agent is assumed to be {agent}; its address was not read")];
        let api = Session::offline()?.api(project.as_str(), &agent);
        Ok(Box::new(Self { options, wanted, project, api, notes, reads: Reads::default() }))
    }

    /// The permissions that the operator requires; no request is sent.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for options that contradict each other.
    pub(super) fn operator_permissions(options: GcpOptions, wanted: Wanted) -> Result<Vec<String>> {
        let options = options.of(&wanted)?;
        options.check()?;
        let project = options.project()?.clone();
        let api = Session::offline()?.api(project.as_str(), "");
        let gcp = Self { options, wanted, project, api, notes: vec![], reads: Reads::default() };
        let role = gcp.policy(Audience::Operator)?.document;
        let listed = role["includedPermissions"].as_array().into_iter().flatten();
        Ok(listed.filter_map(|permission| permission.as_str().map(str::to_owned)).collect())
    }

    /// The reads of the first look do not depend on the service agent: only what is compared and written does.
    async fn look_ahead(&self) {
        let Some(goal) = self.wanted.goal else { return };
        let bucket = self.bucket();
        let contents = async {
            if goal == Goal::Absent {
                drop(GcsStore::look(&self.api, bucket.as_str()).await);
            }
        };
        let Ok(resources) = self.resources(goal) else { return };
        futures::join!(look_ahead(&resources, &self.reads), self.reads.within(contents));
    }

    /// Sends the calls of the server, with the credentials of this environment or of the impersonated account. The
    /// project is not read: the server may not.
    ///
    /// # Errors
    /// As [`Gcp::connect`], and those of [`verify_as_node`].
    pub(super) async fn verify_as_node(
        options: GcpOptions,
        wanted: Wanted,
        verify: &VerifyOptions,
        checks: CheckSender,
    ) -> Result<()> {
        let options = options.of(&wanted)?;
        options.check()?;
        let project = options.project()?.clone();
        let mut session = Session::open()?;
        let impersonated = options.impersonated.as_ref().map(ToString::to_string);
        if let Some(email) = &impersonated {
            session = session.impersonating(email).await?;
        }
        let api = session.api(project.as_str(), "");
        let gcp = Self { options, wanted, project, api, notes: vec![], reads: Reads::default() };
        let (bucket, events) = (gcp.bucket(), gcp.events());
        let node =
            GcsNode::new(&gcp.api, &gcp.wanted.name.deployment, &bucket, events, impersonated.as_deref())?;
        verify_as_node(node, verify, checks).await
    }

    fn parts(&self) -> &GcpParts {
        &self.options.names.parts
    }

    fn bucket(&self) -> BucketName {
        self.parts().bucket.clone().unwrap_or_else(|| self.derived_bucket())
    }

    fn derived_bucket(&self) -> BucketName {
        BucketName::default_for(&self.wanted.name, &self.project, &self.parts().location())
    }

    /// The topic and the subscription that get the bucket's events; none with `--queue internal`.
    fn events(&self) -> Option<(TopicName, SubscriptionName)> {
        self.parts().events(&self.wanted.name.deployment)
    }

    /// Who may use the bucket, where it is a team's. A teardown may do without.
    ///
    /// # Errors
    /// As [`GcpOptions::reader_of`].
    fn reader(&self, goal: Goal) -> Result<Option<TeamReader>> {
        match self.options.reader_of(&self.wanted) {
            Err(_) if goal == Goal::Absent => Ok(None),
            reader => reader,
        }
    }

    fn resources(&self, goal: Goal) -> Result<Vec<Box<dyn AnyResource>>> {
        let (wanted, service_account) = (&self.wanted, &self.options.names.service_account);
        let name = &wanted.name.deployment;
        let (api, bucket, events) = (&self.api, self.bucket(), self.events());
        let labels = |expiry| Marking::of(wanted, &LABELS).expiring(expiry);
        let mut resources: Vec<Box<dyn AnyResource>> = vec![];
        if let Some((topic, subscription)) = &events {
            let (topic_name, subscription_name) = (topic, subscription);
            let (topic, subscription) = (topic.as_str(), subscription.as_str());
            let expiry = |derived| {
                let full = format!("//pubsub.googleapis.com/{}", api.topic_name(topic));
                wanted.only_expired.then(|| Expiry {
                    derived,
                    // The names then come from the marks, so there is a bucket if one is named.
                    own_lease: self.parts().bucket.is_none(),
                    holder: Some(GcsBucket::at(bucket.as_str())),
                    vouchers: vec![Voucher::showing(Notification::at(bucket.as_str()), "topic", full)],
                })
            };
            let made = Topic {
                name: topic.to_owned(),
                leaving: (goal == Goal::Absent).then(|| subscription.to_owned()),
                message_regions: self.parts().location().message_regions(),
                labels: labels(expiry(*topic_name == TopicName::default_for(name))),
            };
            resources.push(Bound::boxed(made, api));
            let labels = labels(expiry(*subscription_name == SubscriptionName::default_for(name)));
            let account = service_account.as_ref().map(ServiceAccount::as_str);
            let made = Subscription::new(subscription, api.topic_name(topic), account, labels);
            resources.push(Bound::boxed(made, api));
            let publisher = Grant::new(
                Place::Topic(topic.to_owned()),
                &wanted.name,
                grant::PUBLISHER,
                &api.agent,
                goal == Goal::Absent,
            );
            resources.push(Bound::boxed(publisher, api));
        }
        let reader = self.reader(goal)?;
        resources.push(Bound::boxed(self.made_bucket(goal, reader.as_ref()), api));
        if goal == Goal::Absent {
            let parent = GcsBucket::at(bucket.as_str());
            resources.push(Bound::boxed(Objects::<GcsStore>::new(parent, wanted), api));
        }
        if let Some((topic, subscription)) = &events {
            let names = (topic.as_str(), subscription.as_str());
            let (all, leaving) = (self.options.all_events, goal == Goal::Absent);
            let told = Notification::new(api, bucket.as_str(), names, name, all, leaving);
            resources.push(Bound::boxed(told, api));
        }
        if let Some(TeamReader { account, roles, .. }) = &reader {
            let place = Place::Bucket(bucket.to_string());
            let leaving = goal == Goal::Absent;
            let access = Grant::new(place, &wanted.name, roles, account.as_str(), leaving);
            resources.push(Bound::boxed(access, api));
        }
        if let Some(account) = service_account {
            let email = account.as_str();
            let mut grant = |place, roles| {
                let leaving = goal == Goal::Absent;
                resources.push(Bound::boxed(Grant::new(place, &wanted.name, roles, email, leaving), api));
            };
            if reader.is_none() {
                grant(Place::Bucket(bucket.to_string()), grant::OBJECT_ADMIN);
            }
            if let Some((_, subscription)) = &events {
                grant(Place::Subscription(subscription.to_string()), grant::SUBSCRIBER);
            }
            let itself = Place::ServiceAccount { email: email.to_owned(), bucket: bucket.to_string() };
            grant(itself, grant::TOKEN_CREATOR);
        }
        Ok(resources)
    }

    fn made_bucket(&self, goal: Goal, reader: Option<&TeamReader>) -> GcsBucket {
        let wanted = &self.wanted;
        let service_account =
            reader.map(|reader| &reader.account).or(self.options.names.service_account.as_ref());
        let is_team = wanted.name.team.is_some();
        let GcpOptions { kms_key, soft_delete, .. } = &self.options;
        let queue = if self.events().is_some() { PUBSUB } else { INTERNAL };
        let expiry = wanted.only_expired.then(|| Expiry {
            derived: self.bucket() == self.derived_bucket(),
            own_lease: true,
            holder: None,
            vouchers: vec![Voucher::any(Notification::at(self.bucket().as_str()))],
        });
        GcsBucket {
            name: self.bucket().to_string(),
            leaving: goal == Goal::Absent,
            requires_soft_delete: is_team && soft_delete.is_none(),
            service_account: service_account.map(ToString::to_string),
            metageneration: 0,
            location: self.parts().location().to_string(),
            storage_class: "STANDARD".to_owned(),
            uniform_access: true,
            public_access_prevention: "enforced".to_owned(),
            soft_delete: soft_delete
                .as_ref()
                .map(ToString::to_string)
                .or_else(|| is_team.then(|| SHORTEST.to_owned())),
            versioning: wanted.versioning.is_wanted().then_some(true),
            kms_key: kms_key.as_ref().map(ToString::to_string),
            cors: wanted.origins.as_ref().map(|origins| Cors::for_pages_of(origins.sorted())),
            labels: Marking::of(wanted, &LABELS).with(QUEUE, queue).expiring(expiry),
        }
    }

    fn outputs(&self) -> Vec<Output> {
        if self.wanted.name.team.is_some() {
            return vec![Output { name: FILE_STORES, value: format!("gs://{}", self.bucket()) }];
        }
        let queue = self.events().map_or_else(
            || "internal://".to_owned(),
            |(topic, subscription)| format!("pubsub:/{}/{topic}/{subscription}", self.project),
        );
        let storage = [
            Output { name: "BUCKET", value: format!("gs://{}", self.bucket()) },
            Output { name: "BUCKET_QUEUE", value: queue },
        ];
        storage.into_iter().chain(self.wanted.versioning.output()).collect()
    }

    fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = [self.wanted.remarks.as_slice(), &self.notes].concat();
        if goal == Goal::Absent {
            return notes;
        }
        notes.extend(LOCATIONS.warning(self.parts().location().as_str()));
        notes.extend(self.wanted.versioning.notes(VERSIONS));
        if self.wanted.name.team.is_some() {
            if self.options.kms_key.is_some() {
                notes.push(
                    "W&B's page asks for keys that Google manages on a team's bucket; without `--kms-key` it has them"
                        .to_owned(),
                );
            }
            notes.extend(self.options.names.reader().next_steps());
            return notes;
        }
        let mut note = |text: &str| notes.push(text.to_owned());
        note(
            "beyond W&B's guide: browsers may use GET, PUT and HEAD and read ETag, without which uploads from a \
             page fail; the guide sets no CORS for Google Cloud",
        );
        let has_queue = self.events().is_some();
        if has_queue {
            note(
                "beyond W&B's guide: Cloud Storage's service agent may publish to the topic, without which no event \
                 arrives, and the subscription never expires",
            );
            if self.options.all_events {
                note("as in W&B's guide, events of updates and deletions are sent too");
            } else {
                note(
                    "unlike W&B's guide, only object-created events are sent, as on the other clouds; \
                     `--all-events` also sends updates and deletions",
                );
            }
        }
        notes.push(queue_note(has_queue.then_some("Pub/Sub")));
        match &self.options.names.service_account {
            Some(account) => notes.push(format!(
                "{account} is allowed to sign as itself, which signed URLs require; whoever runs as it can \
                 create tokens for it"
            )),
            None => notes.push(
                "the server's service account is granted nothing; add --service-account, or create its role \
                 with `wbstore policy gcp --for node`"
                    .to_owned(),
            ),
        }
        notes
    }
}

impl Provider for Gcp {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        Ok(Stack {
            deployment: self.wanted.name.to_string(),
            scope: format!(
                "gcp project {}, {}{}",
                self.project,
                self.parts().location(),
                self.api.elsewhere()
            ),
            resources: self.resources(goal)?,
            outputs: if goal == Goal::Absent { vec![] } else { self.outputs() },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.mutations),
            // The address of the service agent follows from the number of the project.
            assumptions: vec![],
            guards: vec![],
            reads: self.reads.clone(),
        })
    }

    fn verify<'a>(&'a self, options: &'a VerifyOptions, checks: CheckSender) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (deployment, events) = (&self.wanted.name.deployment, self.events());
            let site = GcsSite::new(&self.api, deployment, &self.bucket(), events)?;
            let reader = self.options.reader_of(&self.wanted)?;
            verify(site.read_by(reader), options, checks).await
        })
    }

    fn next_steps(&self) -> Vec<String> {
        if self.wanted.name.team.is_none() {
            return vec![];
        }
        let reader = self.options.names.reader();
        let dialog = format!(
            "in W&B's dialog, choose Google Cloud, and enter as the bucket path gs://{}",
            self.bucket()
        );
        reader.next_steps().into_iter().chain([dialog]).collect()
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(inventory::list(&self.api))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        let (bucket, events) = (self.bucket(), self.events());
        let impersonation = match &self.options.names.service_account {
            Some(account) => self.options.trust.impersonation(account, &self.project)?,
            None => None,
        };
        let subjects = iam::Subjects {
            storage: &self.wanted.name,
            project: &self.project,
            bucket: &bucket,
            subscription: events.as_ref().map(|(_, subscription)| subscription),
            service_account: self.options.names.service_account.as_ref(),
            kms_key: self.options.kms_key.as_ref(),
            storage_agent: &self.api.agent,
            impersonation: impersonation.as_ref(),
        };
        let mut policy = iam::policy(audience, &subjects)?;
        if audience != Audience::ExpiryJob {
            policy.notes.extend(self.notes.iter().cloned());
        }
        Ok(policy)
    }
}
