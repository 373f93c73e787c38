//! All that the control plane knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::claims::{Issuer, Principal};
use super::operations::Operation;
use super::trouble::Armed;

/// The state of one double.
#[derive(Debug)]
pub(super) struct World {
    pub(super) issuer: Issuer,
    /// Tells this double from others at the same Azurite.
    pub(super) owner: String,
    pub(super) blob_url: String,
    pub(super) queue_url: String,
    /// The id of the subscription that it starts with.
    pub(super) home: String,
    /// By id.
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// By name, which is global.
    pub(super) accounts: BTreeMap<String, Account>,
    /// By id in lower case.
    pub(super) event_subscriptions: BTreeMap<String, EventSubscription>,
    /// By id in lower case.
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) locks: Vec<Lock>,
    /// By name.
    pub(super) operations: BTreeMap<String, Operation>,
    /// Client id and action.
    pub(super) denied: Vec<(String, String)>,
    /// Client id and the custom role that it has, in place of one that allows everything.
    pub(super) roles: Vec<(String, Value)>,
    /// Names of event subscriptions that vanish once while they are created.
    pub(super) vanishing: Vec<String>,
    pub(super) troubles: Vec<Armed>,
    /// The names of deleted containers and queues, and how many requests for each are still refused.
    pub(super) resting: BTreeMap<String, usize>,
    /// Properties that the company's policy sets on every account.
    pub(super) policy: Map<String, Value>,
    /// Where poll URLs lead instead of back here.
    pub(super) poll_host: Option<String>,
    sequence: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Subscription {
    pub(super) tenant: String,
    /// Location and tags, by name in lower case.
    pub(super) groups: BTreeMap<String, Group>,
    /// By namespace in lower case.
    pub(super) providers: BTreeMap<String, Registration>,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) tags: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registration {
    NotRegistered,
    /// Done after so many more looks.
    Registering(usize),
    Registered,
}

/// A storage account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) subscription: String,
    pub(super) group: String,
    pub(super) location: String,
    pub(super) kind: String,
    pub(super) sku: String,
    pub(super) tags: Map<String, Value>,
    /// Those that can be set.
    pub(super) properties: Map<String, Value>,
    /// Those of its blob service but CORS, which is Azurite's.
    pub(super) blob_service: Map<String, Value>,
    pub(super) keys: [Key; 2],
    pub(super) created: String,
    pub(super) state: State,
    /// How many requests to its data plane still fail.
    pub(super) lag: usize,
    /// Its tables.
    pub(super) tables: Vec<String>,
    /// Its file shares.
    pub(super) shares: Vec<String>,
    /// Its management policy; null when there is none.
    pub(super) lifecycle: Value,
    /// Legal holds and the like, by container.
    pub(super) holds: BTreeMap<String, Value>,
}

/// The value of `provisioningState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Done after so many more looks at the resource or the operation.
    Creating(usize),
    /// Ends in failure after so many.
    Failing(usize),
    Succeeded,
    Failed,
}

impl State {
    /// Somebody looks.
    pub(super) fn look(&mut self) {
        *self = match *self {
            Self::Creating(0) => Self::Succeeded,
            Self::Failing(0) => Self::Failed,
            Self::Creating(left) => Self::Creating(left - 1),
            Self::Failing(left) => Self::Failing(left - 1),
            done => done,
        };
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Creating(_) | Self::Failing(_) => "Creating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) value: String,
    pub(super) created: String,
}

impl Key {
    /// 64 random bytes, as Azure makes them.
    pub(super) fn fresh() -> Self {
        use base64::Engine as _;
        let bytes: Vec<u8> = (0..64).map(|_| fastrand::u8(..)).collect();
        Self { value: base64::engine::general_purpose::STANDARD.encode(bytes), created: now() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct EventSubscription {
    pub(super) id: String,
    pub(super) name: String,
    /// The account whose events these are.
    pub(super) source: String,
    pub(super) properties: Map<String, Value>,
    pub(super) state: State,
}

/// A system topic.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) location: String,
    /// Made along with the first event subscription, and gone with the last.
    pub(super) implicit: bool,
}

/// A management lock.
#[derive(Clone, Debug)]
pub struct Lock {
    /// What it is on: a subscription, a group or a resource.
    pub scope: String,
    /// Its name there.
    pub name: String,
    /// What it forbids.
    pub level: Level,
}

/// What a lock forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Deletion.
    CanNotDelete,
    /// Any change, and any `POST`.
    ReadOnly,
}

impl World {
    pub(super) fn new(blob_url: &str, queue_url: &str) -> Self {
        let principal = Principal::fresh();
        let registered = ["microsoft.storage", "microsoft.eventgrid", "microsoft.authorization"];
        let group = Group { name: "acme".into(), location: "westeurope".into(), tags: Map::new() };
        let subscription = Subscription {
            tenant: principal.tenant.clone(),
            groups: [("acme".to_owned(), group)].into(),
            providers: registered.map(|name| (name.to_owned(), Registration::Registered)).into(),
        };
        let home = guid();
        Self {
            issuer: Issuer::new(principal),
            owner: guid(),
            blob_url: blob_url.to_owned(),
            queue_url: queue_url.to_owned(),
            subscriptions: [(home.clone(), subscription)].into(),
            home,
            accounts: BTreeMap::new(),
            event_subscriptions: BTreeMap::new(),
            topics: BTreeMap::new(),
            locks: vec![],
            operations: BTreeMap::new(),
            denied: vec![],
            roles: vec![],
            vanishing: vec![],
            troubles: vec![],
            resting: BTreeMap::new(),
            policy: Map::new(),
            poll_host: None,
            sequence: 0,
        }
    }

    /// Rises with every event, as a blob's sequencer does.
    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The account with this id.
    pub(super) fn account_at(&self, id: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.id().eq_ignore_ascii_case(id))
    }

    /// Whether to refuse a request because its name is that of something deleted a moment ago.
    pub(super) fn refuse_resting(&mut self, name: &str) -> bool {
        let Some(left) = self.resting.get_mut(name) else { return false };
        *left -= 1;
        if *left == 0 {
            self.resting.remove(name);
        }
        true
    }
}

impl Account {
    pub(super) fn id(&self) -> String {
        let Self { name, subscription, group, .. } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        )
    }

    /// A container that may not be deleted, if there is one.
    /// <https://github.com/Azure/azure-powershell/issues/26148>
    pub(super) fn held(&self) -> Option<&str> {
        self.holds.keys().next().map(String::as_str)
    }

    /// A boolean property that has a default.
    pub(super) fn allows(&self, property: &str, default: bool) -> bool {
        self.properties.get(property).and_then(Value::as_bool).unwrap_or(default)
    }
}

impl Lock {
    pub(super) fn id(&self) -> String {
        format!("{}/providers/Microsoft.Authorization/locks/{}", self.scope, self.name)
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "id": self.id(), "name": self.name, "type": "Microsoft.Authorization/locks",
            "properties": { "level": format!("{:?}", self.level) },
        })
    }
}

/// A random UUID of version 4.
pub(super) fn guid() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62) | 4 << 76 | 2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The time, as ARM writes it.
pub(super) fn now() -> String {
    jiff::Timestamp::now().to_string()
}
