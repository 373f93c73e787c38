//! One deployment on AWS: the stack that results from the options.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::empty::Objects;
use crate::error::{Error, Result};
use crate::expiry::{Expiry, Voucher};
use crate::http::Reads;
use crate::inventory::Inventory;
use crate::mark::{INTERNAL, Marking, QUEUE, ROLE};
use crate::origins::Origins;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::{Provider, Wanted, queue_note, required_account_id};
use crate::providers::aws::bucket::{self, S3Bucket, Warnings};
use crate::providers::aws::bucket_name::BucketName;
use crate::providers::aws::bucket_statement::BucketStatement;
use crate::providers::aws::cors::Cors;
use crate::providers::aws::encryption::Encryption;
use crate::providers::aws::mark::{NOTIFICATIONS_QUEUE, TAGS};
use crate::providers::aws::notification::Notification;
use crate::providers::aws::options::{AwsOptions, AwsParts, BucketNamespace};
use crate::providers::aws::principal::PrincipalArn;
use crate::providers::aws::public_access_block::PublicAccessBlock;
use crate::providers::aws::queue::Queue;
use crate::providers::aws::queue_name::QueueName;
use crate::providers::aws::region::REGIONS;
use crate::providers::aws::role_name::RoleName;
use crate::providers::aws::session::{Api, Session};
use crate::providers::aws::trust::NodeRole;
use crate::providers::aws::verify::{S3Site, TeamReader};
use crate::providers::aws::versioning::BucketVersioning;
use crate::providers::aws::{iam, inventory};
use crate::providers::s3_protocol::objects::S3Store;
use crate::providers::s3_protocol::policy_document;
use crate::reader::{FILE_STORES, Reader, node_command};
use crate::resource::{AnyResource, Bound, Guard, Output, Stack};
use crate::verify::{CheckSender, VerifyOptions, verify, verify_as_node};
use crate::versioning::VERSIONS;

/// A deployment on AWS, with its account known.
pub(crate) struct Aws {
    options: AwsOptions,
    wanted: Wanted,
    api: Arc<Api>,
    /// The session that checks whether the credentials belong to the configured account.
    doubt: Option<Arc<Session>>,
    /// The custom endpoints, as the end of the scope.
    elsewhere: String,
    notes: Vec<String>,
    assumptions: Vec<String>,
}

impl Aws {
    /// Finds credentials, region and account.
    ///
    /// If the source of the credentials has the account, STS is called in parallel with the first reads
    /// instead of before them.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) without usable credentials,
    /// [`Kind::Input`](crate::error::Kind::Input) for a region or key that does not fit.
    pub(super) async fn connect(options: AwsOptions, wanted: Wanted) -> Result<Box<dyn Provider>> {
        let options = options.of(&wanted)?;
        let session = Session::open(options.names.region.clone()).await?;
        options.check(&wanted.name.deployment, session.region())?;
        let stated = session.stated_account().await?;
        // A region that may not exist is tried before the rest.
        let stated = stated.filter(|_| REGIONS.has(session.region().as_str()));
        let doubtful = stated.is_some();
        let account = match stated {
            Some(account) => account,
            None => session.identity().await?,
        };
        options.names.parts.check_namespace(&account, session.region())?;
        let notes = assumptions(&session, "");
        let (api, elsewhere) = (session.api(account), session.elsewhere()?);
        let doubt = doubtful.then(|| Arc::new(session));
        let mut aws = Self { options, wanted, api, doubt, elsewhere, notes, assumptions: vec![] };
        if aws.wanted.renews_unnamed() {
            let tags = bucket::tags(&aws.api, aws.bucket().as_str()).await?.unwrap_or_default();
            aws.wanted.renew(TAGS.read(&tags).lease_of(&aws.wanted.name))?;
        }
        Ok(Box::new(aws))
    }

    /// The deployment as it would be in `account`, in the region that an online run would use.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for an account, a region or a key that does not fit.
    pub(super) async fn offline(
        options: AwsOptions,
        wanted: Wanted,
        account: Option<&str>,
    ) -> Result<Box<dyn Provider>> {
        let options = options.of(&wanted)?;
        let account =
            required_account_id(account, "aws sts get-caller-identity --query Account --output text")?;
        let session = Session::offline(options.names.region.clone()).await?;
        options.check(&wanted.name.deployment, session.region())?;
        options.names.parts.check_namespace(&account, session.region())?;
        let assumptions = assumptions(&session, "; on EC2, an online run uses the region of the instance");
        let (api, elsewhere) = (session.api(account), session.elsewhere()?);
        Ok(Box::new(Self { options, wanted, api, doubt: None, elsewhere, notes: vec![], assumptions }))
    }

    /// Sends the calls of the server, with the credentials of this environment or those of
    /// [`AwsOptions::assume_role`].
    ///
    /// # Errors
    /// As [`Aws::connect`], and those that prevent all checks.
    pub(super) async fn verify_as_node(
        options: AwsOptions,
        wanted: Wanted,
        verify: &VerifyOptions,
        checks: CheckSender,
    ) -> Result<()> {
        let options = options.of(&wanted)?;
        let mut session = Session::open(options.names.region.clone()).await?;
        if let Some(role) = &options.assume_role {
            session = session.assuming(role).await;
        }
        options.check(&wanted.name.deployment, session.region())?;
        let (account, caller) = session.caller().await?;
        options.names.parts.check_namespace(&account, session.region())?;
        let (api, has_key) = (session.api(account), options.kms_key.is_some());
        let elsewhere = session.elsewhere()?;
        let aws = Self { options, wanted, api, doubt: None, elsewhere, notes: vec![], assumptions: vec![] };
        let site = S3Site::new(&aws.api, &aws.bucket(), aws.events_queue().as_ref())?;
        verify_as_node(site.of_node(caller, has_key), verify, checks).await
    }

    fn parts(&self) -> &AwsParts {
        &self.options.names.parts
    }

    fn bucket(&self) -> BucketName {
        self.parts().bucket.clone().unwrap_or_else(|| self.derived_bucket())
    }

    fn derived_bucket(&self) -> BucketName {
        let (name, Api { account, region, .. }) = (&self.wanted.name, &*self.api);
        // Of a bucket that was found by its mark, the name alone shows the namespace.
        let found = self.parts().bucket.as_ref().is_some_and(BucketName::is_regional);
        if found || self.parts().bucket_namespace == Some(BucketNamespace::AccountRegional) {
            return BucketName::regional_for(name, account, region);
        }
        BucketName::default_for(name, account, region)
    }

    /// The queue that gets the bucket's events; none with `--queue internal`.
    fn events_queue(&self) -> Option<QueueName> {
        self.parts().events_queue(&self.wanted.name.deployment)
    }

    /// The queue for the run events that the server publishes, where one is wanted.
    fn run_events_queue(&self) -> Option<QueueName> {
        self.parts().run_events_queue(&self.wanted.name.deployment)
    }

    /// Who may use the bucket, where it is a team's.
    ///
    /// # Errors
    /// As [`AwsOptions::principal`].
    fn reader(&self) -> Result<Option<TeamReader>> {
        if self.wanted.name.team.is_none() {
            return Ok(None);
        }
        Ok(Some(TeamReader {
            storage: self.wanted.name.clone(),
            reader: self.options.reader(),
            principal: self.options.principal()?,
            node: node_command("aws", &self.wanted, ""),
        }))
    }

    /// The role that the server has, where `policy` prints it: for a team's bucket that of the deployment's server.
    fn node_role(&self) -> Result<Option<NodeRole>> {
        let Some(trusted) = self.options.trust.trusted()? else { return Ok(None) };
        let Api { account, region, .. } = &*self.api;
        let team_role = self.options.node_role.as_ref();
        let account = team_role.map_or(account, PrincipalArn::account).clone();
        let name = match (self.options.team_role()?, &self.options.trust.role_name) {
            (Some(name), _) => name,
            (None, Some(name)) => name.clone(),
            (None, None) => RoleName::default_for(&self.wanted.name.deployment, &account, region),
        };
        let arn = || format!("arn:{}:iam::{account}:role/{name}", region.partition().id);
        let arn = team_role.map_or_else(arn, ToString::to_string);
        Ok(Some(NodeRole { account, name, arn, exists: self.wanted.name.team.is_some(), trusted }))
    }

    fn resources(&self, goal: Goal) -> Result<Vec<Box<dyn AnyResource>>> {
        let wanted = &self.wanted;
        let Wanted { name, origins, .. } = wanted;
        let notifications_queue = self.run_events_queue();
        let (api, region, account) = (&self.api, &self.api.region, &self.api.account);
        let (bucket, queue, id) = (self.bucket(), self.events_queue(), wanted.name.entry_id());
        let bucket_arn = region.bucket_arn(&bucket);
        let marked = |role: &str| Marking::of(wanted, &TAGS).with(ROLE, role);
        let mut tags =
            Marking::of(wanted, &TAGS).with(QUEUE, queue.as_ref().map_or(INTERNAL, QueueName::as_str));
        if let Some(queue) = &notifications_queue {
            tags = tags.with(NOTIFICATIONS_QUEUE, queue.as_str());
        }

        // The names then come from the marks, so there is a bucket if one is named.
        let own_lease = self.parts().bucket.is_none();
        let holder = S3Bucket::at(bucket.as_str());
        let expiry = |derived| {
            let holder = Some(holder.clone());
            wanted.only_expired.then_some(Expiry { derived, own_lease, holder, vouchers: vec![] })
        };
        let events = queue.clone();
        let mut resources = vec![];
        if let Some(queue) = &queue {
            let arn = region.queue_arn(account, queue);
            let statement =
                policy_document::statements::s3_may_send(&id, &arn, &bucket_arn, account.as_str());
            let tags = marked("events").expiring(expiry(*queue == QueueName::default_for(&name.deployment)));
            resources.push(Bound::boxed(Queue::new(queue.as_str(), id.clone(), Some(statement), tags), api));
        }
        if let Some(queue) = &notifications_queue {
            let tags = marked("notifications")
                .expiring(expiry(*queue == QueueName::notifications_for(&name.deployment)));
            let made = Queue::new(queue.as_str(), id.clone(), None, tags);
            let companion = events.as_ref().map(ToString::to_string).filter(|_| wanted.only_expired);
            resources.push(Bound::boxed(Queue { companion, ..made }, api));
        }
        let expiry = wanted.only_expired.then(|| Expiry {
            derived: bucket == self.derived_bucket(),
            own_lease: true,
            holder: None,
            vouchers: [BucketStatement::tls_at(bucket.as_str()), Notification::at(bucket.as_str())]
                .map(Voucher::any)
                .to_vec(),
        });
        let made = S3Bucket {
            name: bucket.to_string(),
            region: region.to_string(),
            object_ownership: "BucketOwnerEnforced".to_owned(),
            leaving: goal == Goal::Absent,
            is_regional: bucket.is_regional(),
            // An adoption takes it with the mark of one, so that teardown keeps it.
            may_be_left: bucket == self.derived_bucket() && goal != Goal::Present { adopt: true },
            created: Arc::default(),
            was_rejected: Arc::default(),
            warnings: Warnings::default(),
            tags: tags.expiring(expiry),
        };
        resources.push(Bound::boxed(made, api));
        if goal == Goal::Absent {
            let parent = S3Bucket::at(bucket.as_str());
            resources.push(Bound::boxed(Objects::<S3Store>::new(parent, wanted), api));
        }
        // Settings that are deleted with the bucket and hold nothing of others: a teardown need not read them.
        if goal != Goal::Absent {
            resources.push(Bound::boxed(PublicAccessBlock::all(bucket.as_str()), api));
            let key = self.options.kms_key.as_ref().map(ToString::to_string);
            resources.push(Bound::boxed(Encryption::with(bucket.as_str(), key), api));
            if wanted.versioning.is_wanted() {
                resources.push(Bound::boxed(BucketVersioning::enabled(bucket.as_str()), api));
            }
        }
        let reader = if goal == Goal::Absent { None } else { self.reader()? };
        let reader = reader.as_ref().map(|reader| reader.principal.as_str());
        for statement in BucketStatement::all(bucket.as_str(), name, &bucket_arn, reader) {
            resources.push(Bound::boxed(statement, api));
        }
        let origins = origins.as_ref().map(Origins::sorted).unwrap_or_default();
        resources.push(Bound::boxed(Cors::new(bucket.as_str(), id.clone(), origins), api));
        if let Some(queue) = &queue {
            let arn = region.queue_arn(account, queue);
            resources.push(Bound::boxed(Notification::new(bucket.as_str(), queue.as_str(), id, arn), api));
        }
        Ok(resources)
    }

    /// The address of a team's bucket, in the form of W&B's page, where the region may only be omitted if it is the
    /// server's.
    fn team_address(&self) -> String {
        let (region, suffix) = (&self.api.region, self.api.region.partition().dns_suffix);
        format!("s3://s3.{region}.{suffix}/{}?region={region}", self.bucket())
    }

    fn outputs(&self) -> Vec<Output> {
        if self.wanted.name.team.is_some() {
            return vec![Output { name: FILE_STORES, value: self.team_address() }];
        }
        let queue = self.events_queue();
        let queue = queue.map_or_else(|| "internal://".to_owned(), |queue| format!("sqs://{queue}"));
        let mut outputs = vec![
            Output { name: "BUCKET", value: format!("s3://{}", self.bucket()) },
            Output { name: "BUCKET_QUEUE", value: queue },
            Output { name: "AWS_REGION", value: self.api.region.to_string() },
        ];
        if let Some(queue) = self.run_events_queue() {
            outputs.push(Output { name: "NOTIFICATIONS_QUEUE", value: format!("sqs://{queue}") });
        }
        if let Some(key) = &self.options.kms_key {
            outputs.push(Output { name: "AWS_S3_KMS_ID", value: key.to_string() });
        }
        outputs.extend(self.wanted.versioning.output());
        outputs
    }

    fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = [self.wanted.remarks.as_slice(), &self.notes].concat();
        if goal == Goal::Absent {
            return notes;
        }
        notes.extend(REGIONS.warning(self.api.region.as_str()));
        if self.api.region.partition().id != "aws" {
            notes.push(
                "where S3 rejects tags of a new bucket, as in some partitions, the bucket is tagged right after"
                    .to_owned(),
            );
        }
        notes.extend(self.wanted.versioning.notes(VERSIONS));
        if self.wanted.name.team.is_some() {
            notes.extend(self.team_notes());
            return notes;
        }
        notes.push(
            "beyond W&B's guide: browsers may also use HEAD and read ETag, which large uploads need"
                .to_owned(),
        );
        let has_queue = self.events_queue().is_some();
        if has_queue {
            notes.push(
                "beyond W&B's guide: only S3, for this bucket and account, may send to the queue; \
                 the guide opens it to all principals"
                    .to_owned(),
            );
        }
        notes.push(queue_note(has_queue.then_some("a queue on AWS")));
        notes
    }
}

impl Aws {
    fn team_notes(&self) -> Vec<String> {
        let key = match &self.options.kms_key {
            Some(_) => {
                "the key's own policy has to allow the reader too: `wbstore policy aws --for team-key` with the same \
                 arguments prints its statements, and `wbstore verify aws` reads them back"
            }
            None => {
                "W&B's page requires a KMS key for a team's bucket, and asks for its ARN when the team is created; \
                 without `--kms-key` S3's own keys are used"
            }
        };
        let reader = self.options.reader();
        [key.to_owned()].into_iter().chain(reader.next_steps()).collect()
    }
}

impl Provider for Aws {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        let guard = |session: &Arc<Session>| -> Guard {
            let (session, account) = (Arc::clone(session), self.api.account.clone());
            Box::new(move || {
                let (session, account) = (Arc::clone(&session), account.clone());
                Box::pin(async move {
                    let actual = session.identity().await?;
                    if actual == account {
                        return Ok(());
                    }
                    Err(Error::input(format!(
                        "the credentials belong to account {actual}, but account {account} is configured"
                    ))
                    .hint("unset AWS_ACCOUNT_ID, or correct aws_account_id in the profile"))
                })
            })
        };
        Ok(Stack {
            deployment: self.wanted.name.to_string(),
            scope: format!("aws account {}, {}{}", self.api.account, self.api.region, self.elsewhere),
            resources: self.resources(goal)?,
            outputs: if goal == Goal::Absent { vec![] } else { self.outputs() },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.mutations),
            assumptions: self.assumptions.clone(),
            guards: self.doubt.iter().map(guard).collect(),
            reads: Reads::default(),
        })
    }

    fn verify<'a>(&'a self, options: &'a VerifyOptions, checks: CheckSender) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let site = S3Site::new(&self.api, &self.bucket(), self.events_queue().as_ref())?;
            verify(site.read_by(self.reader()?), options, checks).await
        })
    }

    fn next_steps(&self) -> Vec<String> {
        if self.wanted.name.team.is_none() {
            return vec![];
        }
        let key = self.options.kms_key.as_ref();
        let key = key.map(|key| format!(", and as KMS key ARN {key}")).unwrap_or_default();
        let dialog =
            format!("in W&B's dialog, choose AWS, and enter as the bucket path {}{key}", self.team_address());
        let reader = self.options.reader();
        let principal = self.options.principal().ok();
        let elsewhere = principal.filter(|principal| {
            let is_wandbs = matches!(reader, Reader::Dedicated | Reader::MultiTenant);
            !is_wandbs && *principal.account() != self.api.account
        });
        let own_policy = elsewhere.map(|principal| {
            format!(
                "{principal} is of another account, whose own policy has to allow it the bucket too: wbstore policy aws \
                 --for node with the same arguments prints one"
            )
        });
        reader.next_steps().into_iter().chain(own_policy).chain([dialog]).collect()
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(inventory::list(&self.api))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        let (bucket, queue, notifications) = (self.bucket(), self.events_queue(), self.run_events_queue());
        let reader = if audience == Audience::TeamKey { self.reader()? } else { None };
        let role = self.node_role()?;
        let subjects = iam::Subjects {
            region: &self.api.region,
            account: &self.api.account,
            bucket: &bucket,
            queue: queue.as_ref(),
            notifications_queue: notifications.as_ref(),
            kms_key: self.options.kms_key.as_ref(),
            reader: reader.as_ref().map(|reader| &reader.principal),
            is_team: self.wanted.name.team.is_some(),
            role: role.as_ref(),
            has_versions: self.wanted.versioning.is_wanted(),
        };
        let mut policy = iam::policy(audience, &subjects)?;
        policy.notes.extend(self.notes.iter().chain(&self.assumptions).cloned());
        Ok(policy)
    }
}

/// What is not known of the place and was assumed.
fn assumptions(session: &Session, but: &str) -> Vec<String> {
    let assumed = session.region_is_assumed();
    let region = session.region();
    let note = || format!("no region is configured, so {region} is used; `--region` chooses another{but}");
    assumed.then(note).into_iter().collect()
}
