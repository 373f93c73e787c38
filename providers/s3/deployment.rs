//! One deployment on an S3-compatible store: the stack that results from the options.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::addressing::{Addressing, is_coreweave};
use super::bucket::{Done, Greeting, StoreBucket, greet};
use super::bucket_name::BucketName;
use super::cors::StoreCors;
use super::inventory;
use super::mark::{self, MARKS};
use super::objects::Contents;
use super::options::S3Options;
use super::policy;
use super::server_key::ServerKey;
use super::session::{Api, Session};
use super::setting::{OurStatement, Setting, StoreSetting};
use super::store_url::StoreUrl;
use super::verify::{self, TeamReader};
use crate::empty::Objects;
use crate::error::{Error, Result};
use crate::expiry::{Expiry, Voucher};
use crate::http::Reads;
use crate::inventory::Inventory;
use crate::mark::Marking;
use crate::origins::Origins;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::{Provider, Wanted, queue_note};
use crate::providers::s3_protocol::cors::BrowserRule;
use crate::providers::s3_protocol::policy_document::Purpose;
use crate::providers::s3_protocol::policy_document::statements::reader_may_use;
use crate::reader::{COREWEAVE, FILE_STORES, Reader, node_command};
use crate::resource::{AnyResource, Bound, Output, Stack};
use crate::retry::unless_busy;
use crate::secret::{Instead, Secret, Withheld};
use crate::settings::bucket_address::StoreAddress;
use crate::settings::file_stores;
use crate::verify::{CheckSender, VerifyOptions};
use crate::versioning::VERSIONS;

/// The warning of `--use-my-key`.
const MY_KEY: &str = "--use-my-key: the server gets the key of this environment, which may also change and delete buckets; a \
                      key of its own is safer (`wbstore policy s3 --for node`)";

/// A deployment on a store.
pub(crate) struct S3 {
    options: S3Options,
    wanted: Wanted,
    api: Arc<Api>,
    bucket: BucketName,
    derived_bucket: BucketName,
    public_endpoint: StoreUrl,
    /// Whether one of its endpoints is CoreWeave's.
    coreweave: bool,
    /// The key that the server gets, if one is known.
    server_key: Option<Arc<ServerKey>>,
    notes: Vec<String>,
    assumptions: Vec<String>,
}

impl S3 {
    /// Finds credentials, endpoint and the addressing that the store accepts.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) without usable credentials, [`Kind::Input`](crate::error::Kind::Input) for options that do not fit.
    pub(super) async fn connect(options: S3Options, wanted: Wanted) -> Result<Box<dyn Provider>> {
        options.check(&wanted)?;
        let session = Session::open(&options, &wanted).await?;
        let mut s3 = Self::new(&session, options, wanted)?;
        let credentials = session.credentials().await?;
        s3.greet(&session).await?;
        if s3.options.use_my_key {
            if credentials.session_token().is_some() {
                return Err(Error::input("--use-my-key: the credentials of this environment are temporary")
                    .hint("add `--server-credentials FILE` with a key that does not expire"));
            }
            let secret = Secret::new(credentials.secret_access_key().to_owned());
            s3.server_key = Some(Arc::new(ServerKey { id: credentials.access_key_id().to_owned(), secret }));
        }
        if s3.wanted.renews_unnamed() {
            let marks = mark::read(&s3.api, s3.bucket.as_str()).await?;
            let entries = marks.map(|marks| marks.entries).unwrap_or_default();
            s3.wanted.renew(MARKS.read(&entries).lease_of(&s3.wanted.name))?;
        }
        Ok(Box::new(s3))
    }

    /// The deployment as it would be; a store has no account.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for options that do not fit.
    pub(super) async fn offline(
        options: S3Options,
        wanted: Wanted,
        account: Option<&str>,
    ) -> Result<Box<dyn Provider>> {
        options.check(&wanted)?;
        if account.is_some() {
            return Err(Error::input("--account-id has no meaning on an S3-compatible store")
                .hint("omit `--account-id`: the names depend on endpoint and region"));
        }
        let session = Session::offline(&options, &wanted).await?;
        let mut s3 = Self::new(&session, options, wanted)?;
        s3.assumptions
            .push("the store was not asked what it knows of tags, CORS rules and policies".to_owned());
        Ok(Box::new(s3))
    }

    fn new(session: &Session, options: S3Options, wanted: Wanted) -> Result<Self> {
        let coreweave = [Some(&session.endpoint), session.public_endpoint.as_ref()]
            .into_iter()
            .flatten()
            .any(is_coreweave);
        options.check_team(&wanted, coreweave, &session.bucket(&options, &wanted))?;
        let server_key = options.server_key()?;
        let public = session.public_endpoint.as_ref().unwrap_or(&session.endpoint);
        Ok(Self {
            api: session.api(session.addressing),
            bucket: session.bucket(&options, &wanted),
            derived_bucket: session.derived_bucket(&wanted),
            public_endpoint: public.clone(),
            coreweave,
            server_key,
            notes: session.notes.clone(),
            assumptions: vec![],
            options,
            wanted,
        })
    }

    /// Sends the calls of the server, with the key of `--server-credentials` or that of this environment.
    ///
    /// # Errors
    /// As [`S3::connect`], and those that prevent all checks.
    pub(super) async fn verify_as_node(
        options: S3Options,
        wanted: Wanted,
        verify: &VerifyOptions,
        checks: CheckSender,
    ) -> Result<()> {
        options.check(&wanted)?;
        let mut session = Session::open(&options, &wanted).await?;
        let caller = match options.server_key()? {
            Some(key) => {
                session = session.with_key(&key);
                format!("the key {} of the server", key.id)
            }
            None => format!("the key {} of this environment", session.credentials().await?.access_key_id()),
        };
        let s3 = Self::new(&session, options, wanted)?;
        let S3Options { public_endpoint, names, .. } = &s3.options;
        let (public, asked) = (public_endpoint.as_ref(), names.address.addressing);
        verify::prove_as_node(&s3.api, public, &s3.bucket, asked, caller, verify, checks).await
    }

    /// Finds out once, and not by every resource, that the endpoint is no store, that it does not accept the key, or that it
    /// requires the bucket in the host name.
    async fn greet(&mut self, session: &Session) -> Result<()> {
        let greeted = unless_busy(|| greet(&self.api, self.bucket.as_str())).await?;
        if greeted == Greeting::VirtualOnly && self.options.names.address.addressing == Addressing::Auto {
            self.api = session.api(Addressing::Virtual);
        }
        Ok(())
    }

    fn resources(&self, goal: Goal) -> Vec<Box<dyn AnyResource>> {
        let (wanted, api, name) = (&self.wanted, &self.api, self.bucket.as_str());
        let leaving = goal == Goal::Absent;
        let origins = wanted.origins.as_ref().map(Origins::sorted).unwrap_or_default();
        let rule = BrowserRule::new(self.wanted.name.entry_id(), origins);
        let done: Arc<Done> = Arc::default();
        let expiry = wanted.only_expired.then(|| Expiry {
            derived: self.bucket == self.derived_bucket,
            own_lease: true,
            holder: None,
            vouchers: vec![Voucher::any(StoreCors::at(name))],
        });
        let mark = Marking::of(wanted, &MARKS).expiring(expiry);
        let bucket = StoreBucket {
            name: name.to_owned(),
            // An adoption takes it with the mark of one, so that teardown keeps it.
            may_be_left: self.bucket == self.derived_bucket && goal != Goal::Present { adopt: true },
            rule: rule.clone(),
            place: None,
            done: Arc::clone(&done),
            tags: mark.tags().clone(),
            mark,
        };
        let cors = StoreCors { bucket: name.to_owned(), rule, leaving, done };
        let mut resources = vec![Bound::boxed(bucket, api)];
        if leaving {
            resources.push(Bound::boxed(Objects::<Contents>::new(StoreBucket::at(name), wanted), api));
        }
        resources.push(Bound::boxed(cors, api));
        resources.extend(
            self.settings(leaving)
                .map(|setting| Bound::boxed(StoreSetting::new(name, setting, leaving), api)),
        );
        resources
    }

    /// What was asked for beyond the bucket and its rule. A teardown looks for the one that may be left on an adopted bucket.
    fn settings(&self, leaving: bool) -> impl Iterator<Item = Setting> {
        let S3Options { block_public_access, require_tls, encrypt, .. } = &self.options;
        let storage = &self.wanted.name;
        let tls = OurStatement::tls(storage, &self.bucket_arn());
        let reader = self.reader_statement().or_else(|| {
            // Its content is of no account where it is to be removed.
            (leaving && storage.team.is_some()).then_some(Value::Null)
        });
        [
            block_public_access.then_some(Setting::PublicAccessBlock),
            encrypt.then_some(Setting::Encryption),
            (!leaving && self.wanted.versioning.is_wanted()).then_some(Setting::Versioning),
            (*require_tls || leaving).then_some(Setting::Statement(tls)),
            reader.map(|statement| Setting::Statement(OurStatement::reader(storage, statement))),
        ]
        .into_iter()
        .flatten()
    }

    fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    /// The statement that lets W&B into a team's bucket on CoreWeave; other stores give access by keys.
    fn reader_statement(&self) -> Option<Value> {
        let organization = self.options.wandb_org_id.as_ref().filter(|_| self.coreweave)?;
        let storage = &self.wanted.name;
        storage.team.as_ref()?;
        let reader = self.options.reader();
        let principal = match &reader {
            Reader::SelfManaged | Reader::Dedicated => COREWEAVE.dedicated,
            Reader::MultiTenant => COREWEAVE.multi_tenant,
            Reader::Named(principal) => principal.as_str(),
        };
        let condition = json!({ "StringLike": { "wandb:OrgID": [organization] } });
        Some(reader_may_use(
            &Purpose::Reader.sid(storage),
            &self.bucket_arn(),
            &json!({ "CW": principal }),
            Some(&condition),
        ))
    }

    /// BUCKET with this key.
    fn address(&self, id: &str, secret: &str) -> String {
        let coreweave = is_coreweave(&self.public_endpoint);
        let address = StoreAddress {
            coreweave,
            id,
            secret,
            host: self.public_endpoint.host(),
            port: self.public_endpoint.port(),
            bucket: self.bucket.as_str(),
            region: self.api.region.as_str(),
            tls: self.public_endpoint.is_https(),
            force_path_style: self.api.addressing.is_path(),
        };
        address.to_string()
    }

    /// BUCKET without a secret: masked, or with placeholders where the server's key is not known.
    fn shown_address(&self) -> String {
        match &self.server_key {
            Some(key) => self.address(&key.id, "***"),
            None => self.address("KEY_ID", "SECRET"),
        }
    }

    fn outputs(&self) -> Vec<Output> {
        if self.wanted.name.team.is_some() {
            let value = if self.coreweave { file_stores::COREWEAVE.to_owned() } else { self.shown_address() };
            return vec![Output { name: FILE_STORES, value }];
        }
        let storage = [
            Output { name: "BUCKET", value: self.shown_address() },
            Output { name: "BUCKET_QUEUE", value: "internal://".to_owned() },
        ];
        storage.into_iter().chain(self.wanted.versioning.output()).collect()
    }

    fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = [self.wanted.remarks.as_slice(), &self.notes].concat();
        if goal == Goal::Absent {
            return notes;
        }
        if let Some(why) = self.public_endpoint.unreachable() {
            let option =
                if self.options.public_endpoint.is_some() { "--public-endpoint" } else { "--endpoint" };
            notes.push(format!(
                "{option} {why}, and browsers upload and download at the address in BUCKET: name one that they reach with \
                 --public-endpoint"
            ));
        }
        let name = if self.wanted.name.team.is_some() { FILE_STORES } else { "BUCKET" };
        if self.options.use_my_key {
            notes.push(MY_KEY.to_owned());
        } else if self.server_key.is_none() && !(self.coreweave && name == FILE_STORES) {
            notes.push(format!(
                "{name} has the placeholders KEY_ID and SECRET: add `--server-credentials FILE` with the key of the server, \
                 or replace them"
            ));
        }
        notes.extend(self.wanted.versioning.notes(VERSIONS));
        if name == FILE_STORES {
            notes.extend(self.options.reader().next_steps());
            return notes;
        }
        notes.push(
            "beyond W&B's guide: browsers may also use HEAD and read ETag, which large uploads need"
                .to_owned(),
        );
        notes.push(queue_note(None));
        notes
    }
}

impl Provider for S3 {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        if goal != Goal::Absent && self.coreweave && self.wanted.name.team.is_some() {
            self.options.require_org_id()?;
        }
        let Api { endpoint, region, .. } = &*self.api;
        Ok(Stack {
            deployment: self.wanted.name.to_string(),
            scope: format!("s3 endpoint {endpoint}, region {region}"),
            resources: self.resources(goal),
            outputs: if goal == Goal::Absent { vec![] } else { self.outputs() },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.mutations),
            assumptions: self.assumptions.clone(),
            guards: vec![],
            reads: Reads::default(),
        })
    }

    fn verify<'a>(&'a self, options: &'a VerifyOptions, checks: CheckSender) -> BoxFuture<'a, Result<()>> {
        let S3Options { public_endpoint, names, .. } = &self.options;
        let (public, asked) = (public_endpoint.as_ref(), names.address.addressing);
        let reader = self.wanted.name.team.as_ref().map(|_| TeamReader {
            node: node_command("s3", &self.wanted, " --server-credentials FILE"),
            reader: self.options.reader(),
            statement: self.reader_statement(),
        });
        Box::pin(verify::prove(&self.api, public, &self.bucket, asked, reader, options, checks))
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(inventory::list(&self.api))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        policy::policy(audience, &self.bucket, self.wanted.versioning)
    }

    fn next_steps(&self) -> Vec<String> {
        if self.wanted.name.team.is_none() {
            return vec![];
        }
        let dialog = if self.coreweave {
            format!(
                "in W&B's dialog, choose CoreWeave, and enter the name of the bucket only, {}",
                self.bucket
            )
        } else {
            "in W&B's dialog, choose AWS, and enter the address of the bucket as the bucket path".to_owned()
        };
        let reader = self.options.reader();
        reader.next_steps().into_iter().chain([dialog]).collect()
    }

    fn withheld(&self) -> Option<Withheld<'_>> {
        let is_team = self.wanted.name.team.is_some();
        let key = self.server_key.as_ref().filter(|_| !(self.coreweave && is_team))?;
        Some(Withheld {
            name: if is_team { FILE_STORES } else { "BUCKET" },
            instead: Instead::Masked(self.shown_address()),
            warning: self.options.use_my_key.then_some(MY_KEY),
            secret: Box::pin(async { Ok(Secret::new(self.address(&key.id, key.secret.reveal()))) }),
        })
    }
}
