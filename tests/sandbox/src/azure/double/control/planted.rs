//! An account to plant.

use serde_json::{Map, Value};

use crate::azure::double::store::{Account, Key, State, now};

/// An account that somebody else made: `StorageV2`, in the first subscription and its group, unless
/// told otherwise.
#[derive(Clone, Debug)]
pub struct Planted {
    name: String,
    place: Option<(String, String)>,
    kind: String,
    sku: String,
    key: Option<String>,
    tags: Map<String, Value>,
    properties: Map<String, Value>,
}

impl Planted {
    /// A plain one.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            place: None,
            kind: "StorageV2".to_owned(),
            sku: "Standard_LRS".to_owned(),
            key: None,
            tags: Map::new(),
            properties: Map::new(),
        }
    }

    /// In another subscription and group.
    #[must_use]
    pub fn within(mut self, subscription: &str, group: &str) -> Self {
        self.place = Some((subscription.to_owned(), group.to_owned()));
        self
    }

    /// Of another kind: `Storage` is the first version, `BlockBlobStorage` is premium.
    #[must_use]
    pub fn kind(mut self, kind: &str, sku: &str) -> Self {
        kind.clone_into(&mut self.kind);
        sku.clone_into(&mut self.sku);
        self
    }

    /// With a known first key, in base64.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.into());
        self
    }

    /// With a property such as `isHnsEnabled`.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn account(self, subscription: &str) -> Account {
        let (subscription, group) =
            self.place.unwrap_or_else(|| (subscription.to_owned(), "acme".to_owned()));
        let mut keys = [Key::fresh(), Key::fresh()];
        if let Some(value) = self.key {
            keys[0].value = value;
        }
        Account {
            name: self.name,
            subscription,
            group,
            location: "westeurope".to_owned(),
            kind: self.kind,
            sku: self.sku,
            tags: self.tags,
            properties: self.properties,
            blob_service: Map::new(),
            keys,
            created: now(),
            state: State::Succeeded,
            lag: 0,
            tables: vec![],
            shares: vec![],
            lifecycle: Value::Null,
            holds: Default::default(),
        }
    }
}
