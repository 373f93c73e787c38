//! A Kubernetes Secret: all variables, to be read with `envFrom`, or those that another document refers to.

use super::configuration::{Configuration, Entry};
use super::encoding::Encoding;
use super::yaml::{self, Map, Node};
use crate::error::Result;

/// `entries` as they are.
pub(super) fn encode(configuration: &Configuration, entries: &[&Entry]) -> Result<String> {
    // A Secret can hold a NUL; the environment that is built from it cannot.
    if let Some(entry) = entries.iter().find(|entry| entry.text().contains('\0')) {
        return Err(Encoding::K8sSecret.refuse(entry, "a NUL"));
    }
    let data = entries.iter().fold(Map::default(), |data, entry| data.with(&entry.name, entry.text()));
    manifest(configuration, data)
}

/// The Secret with `data`.
fn manifest(configuration: &Configuration, data: Map) -> Result<String> {
    yaml::to_string(
        &Map::default()
            .with("apiVersion", Node::Word("v1"))
            .with("kind", Node::Word("Secret"))
            .with("metadata", metadata(configuration, &configuration.secret_name()))
            .with("type", Node::Word("Opaque"))
            .with("stringData", data),
    )
}

/// What an object called `name` is known by.
pub(super) fn metadata(configuration: &Configuration, name: &str) -> Map {
    Map::default()
        .with("name", name)
        .maybe("namespace", configuration.namespace.as_deref())
        .with("labels", Map::default().with("app.kubernetes.io/managed-by", Node::Word("wbstore")))
}

/// The Secret that a document refers to, as it comes about.
pub(super) struct Referred {
    name: String,
    data: Map,
    is_empty: bool,
}

impl Referred {
    pub(super) fn new(configuration: &Configuration) -> Self {
        Self { name: configuration.secret_name(), data: Map::default(), is_empty: true }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Holds `value` under `key`.
    pub(super) fn hold(&mut self, key: &str, value: impl Into<String>) {
        self.data = std::mem::take(&mut self.data).with(key, value.into());
        self.is_empty = false;
    }

    /// Holds `value` under `key`, and returns the reference as Kubernetes writes it.
    pub(super) fn selector(&mut self, key: &str, value: impl Into<String>) -> Map {
        self.hold(key, value);
        Map::default().with("name", self.name.as_str()).with("key", key)
    }

    /// The same for a variable of a container.
    pub(super) fn variable(&mut self, key: &str, value: impl Into<String>) -> Map {
        let selector = self.selector(key, value);
        Map::default().with("valueFrom", Map::default().with("secretKeyRef", selector))
    }

    /// The manifest, if anything is referred to.
    pub(super) fn manifest(self, configuration: &Configuration) -> Result<Option<String>> {
        if self.is_empty {
            return Ok(None);
        }
        manifest(configuration, self.data).map(Some)
    }
}
