//! All that is in the double.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::caller::Caller;
use super::control::Switches;
use super::policy::Policy;
use super::pubsub::resources::{Subscription, Topic};
use super::refusal::{Answer, Refusal};
use super::roles;
use super::storage::bucket::Bucket;
use super::storage::event::Event;
use super::storage::uploads::Upload;

/// The one project that can be worked in.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) number: String,
}

impl Project {
    /// Whether a request means it: by id or by number.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id == id || self.number == id
    }

    pub(super) fn account(&self, name: &str) -> String {
        format!("{name}@{}.iam.gserviceaccount.com", self.id)
    }

    /// <https://cloud.google.com/storage/docs/projects#service-agents>
    pub(super) fn agent(&self) -> String {
        format!("service-{}@gs-project-accounts.iam.gserviceaccount.com", self.number)
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) project: Project,
    pub(super) buckets: BTreeMap<String, Bucket>,
    /// Names that other projects' buckets have.
    pub(super) elsewhere: BTreeSet<String>,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// Service accounts and who may act as them.
    pub(super) accounts: BTreeMap<String, Policy>,
    /// What accounts may do in the whole project; who is not in it may do what policies say.
    pub(super) rights: BTreeMap<String, Rights>,
    /// What accounts that may not do everything have done by these rights.
    pub(super) used: RefCell<BTreeMap<String, BTreeSet<String>>>,
    /// The permissions that those accounts lacked.
    pub(super) lacked: RefCell<BTreeMap<String, BTreeSet<String>>>,
    pub(super) custom_roles: roles::Custom,
    pub(super) switches: Switches,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// The uploads in parts that have begun: the object's name, and what was sent so far.
    pub(super) parts: BTreeMap<String, (String, Vec<u8>)>,
    /// What has happened to objects and is not yet told.
    pub(super) events: Vec<Event>,
    last: i64,
}

/// What an account may do in the whole project.
#[derive(Clone, Debug)]
pub(super) enum Rights {
    All,
    Only(BTreeSet<String>),
}

impl State {
    pub(super) fn new(id: Option<String>) -> Self {
        let number = fresh_number();
        let id = id.unwrap_or_else(|| format!("wbstore-{}", &number[2..]));
        let project = Project { id, number };
        let operator = project.account("operator");
        Self {
            buckets: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            accounts: BTreeMap::from([(operator.clone(), Policy::default())]),
            rights: BTreeMap::from([(operator, Rights::All)]),
            used: RefCell::default(),
            lacked: RefCell::default(),
            custom_roles: roles::Custom::new(),
            switches: Switches::default(),
            uploads: BTreeMap::new(),
            parts: BTreeMap::new(),
            events: vec![],
            last: 0,
            project,
        }
    }

    /// A service account exists from now on.
    pub(super) fn know(&mut self, email: &str) {
        self.accounts.entry(email.to_owned()).or_default();
    }

    /// A number that no other call gets: generations, upload ids, ack ids. They are microseconds,
    /// as Cloud Storage's generations are.
    pub(super) fn next(&mut self) -> i64 {
        self.last = Timestamp::now().as_microsecond().max(self.last + 1);
        self.last
    }

    /// Whether somebody may do something, to a thing with a policy or in the project.
    pub(super) fn may(&self, caller: &Caller, permission: &str, policy: Option<&Policy>) -> bool {
        if self.switches.denies(caller, permission) {
            return false;
        }
        let may = self.holds(caller, permission, policy);
        if let Caller::Account(email) = caller
            && let Some(Rights::Only(_)) = self.rights.get(email)
        {
            let log = if may { &self.used } else { &self.lacked };
            log.borrow_mut().entry(email.clone()).or_default().insert(permission.to_owned());
        }
        may
    }

    /// Whether somebody is granted a permission; to ask is no use of it.
    pub(super) fn holds(&self, caller: &Caller, permission: &str, policy: Option<&Policy>) -> bool {
        if self.switches.denies(caller, permission) {
            return false;
        }
        let granted =
            |member: &str| policy.is_some_and(|policy| policy.lets(&self.custom_roles, member, permission));
        match caller {
            Caller::Anonymous => granted("allUsers"),
            Caller::Account(email) => {
                let rights = self.rights.get(email);
                rights.is_some_and(|rights| match rights {
                    Rights::All => true,
                    Rights::Only(some) => some.contains(permission),
                }) || granted(&format!("serviceAccount:{email}"))
                    || granted("allAuthenticatedUsers")
                    || granted("allUsers")
            }
        }
    }

    /// Whether an API can be called at all.
    pub(super) fn serves(&self, service: &str, quota_project: Option<&str>) -> Answer<()> {
        let consumer = format!("projects/{}", self.project.number);
        if self.switches.wants_quota_project && quota_project.is_none() {
            // https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
            return Err(Refusal::denied(format!(
                "Your application is authenticating by using local Application Default Credentials. The \
                 {service} API requires a quota project, which is not set by default. To learn how to set \
                 your quota project, see \
                 https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds ."
            ))
            .info(
                "SERVICE_DISABLED",
                "googleapis.com",
                &[("service", service.to_owned()), ("consumer", "projects/764086051850".to_owned())],
            ));
        }
        if self.switches.disabled.contains(service) {
            // https://cloud.google.com/apis/design/errors#error_info
            let link = format!(
                "https://console.developers.google.com/apis/api/{service}/overview?project={}",
                self.project.number
            );
            return Err(Refusal::denied(format!(
                "{service} has not been used in project {} before or it is disabled. Enable it by visiting \
                 {link} then retry. If you enabled this API recently, wait a few minutes for the action to \
                 propagate to our systems and retry.",
                self.project.number
            ))
            .reason("accessNotConfigured")
            .info(
                "SERVICE_DISABLED",
                "googleapis.com",
                &[("service", service.to_owned()), ("consumer", consumer), ("activationUrl", link)],
            ));
        }
        if self.switches.perimeter.contains(service) {
            // https://cloud.google.com/vpc-service-controls/docs/troubleshooting#debugging
            return Err(Refusal::denied(
                "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: \
                 3Dqk5vTNm2R8sX0bQ7aZ",
            )
            .reason("vpcServiceControls")
            .info(
                "SECURITY_POLICY_VIOLATED",
                "googleapis.com",
                &[("service", service.to_owned()), ("consumer", consumer)],
            ));
        }
        if self.switches.billing_off && service == "storage.googleapis.com" {
            // https://cloud.google.com/storage/docs/json_api/v1/status-codes#403-forbidden
            return Err(Refusal::denied(
                "The billing account for the owning project is disabled in state absent",
            )
            .reason("accountDisabled"));
        }
        Ok(())
    }

    /// Refuses a policy that the cloud would refuse wherever it is set.
    pub(super) fn admits(&self, policy: &Policy) -> Answer<()> {
        for binding in &policy.bindings {
            if roles::permissions(&binding.role).is_none() {
                return Err(Refusal::invalid(format!(
                    "Role {} is not supported for this resource.",
                    binding.role
                )));
            }
            for member in &binding.members {
                self.admits_member(member)?;
            }
        }
        Ok(())
    }

    fn admits_member(&self, member: &str) -> Answer<()> {
        if matches!(member, "allUsers" | "allAuthenticatedUsers") {
            return Ok(());
        }
        let Some((kind, name)) = member.split_once(':') else {
            return Err(Refusal::invalid(format!("Invalid argument: '{member}'")));
        };
        match kind {
            "serviceAccount" => {
                if self.switches.restricted_members.iter().any(|refused| name.ends_with(refused.as_str())) {
                    // https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains
                    return Err(Refusal::precondition(
                        "One or more users named in the policy do not belong to a permitted customer, \
                         perhaps due to an organization policy \
                         (constraints/iam.allowedPolicyMemberDomains).",
                    ));
                }
                let ours = name.ends_with(&format!("@{}.iam.gserviceaccount.com", self.project.id));
                let malformed = !name.contains('@');
                if malformed || (ours && !self.accounts.contains_key(name)) {
                    return Err(Refusal::invalid(format!("Service account {name} does not exist.")));
                }
                Ok(())
            }
            "user" | "group" | "domain" | "principal" | "principalSet" | "deleted" | "projectOwner"
            | "projectEditor" | "projectViewer" => Ok(()),
            _ => Err(Refusal::invalid(format!("Invalid argument: '{member}'"))),
        }
    }
}

/// Twelve digits that no other project in this run has.
fn fresh_number() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = u64::from(process::id()) % 100_000;
    let clock = Timestamp::now().as_millisecond().unsigned_abs() % 1_000;
    let next = NEXT.fetch_add(1, Ordering::Relaxed) % 1_000;
    format!("{}", 100_000_000_000 + process * 1_000_000 + clock * 1_000 + next)
}
