//! What the encoders write.

use crate::error::{Error, Result};
use crate::reader::FILE_STORES;
use crate::resource::Output;
use crate::secret::Secret;
use crate::settings::{Grammar, Malformed, Setting, file_stores};

use super::encoding::Encoding;

/// The server configuration of one deployment.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// What is printed above it, where there are others.
    pub title: Option<String>,
    /// The name of the deployment, or `acme/vision` for a team of it.
    pub deployment: String,
    /// The server's address, for the formats that require it where `HOST` is not among the entries.
    pub host: Option<String>,
    /// The Kubernetes namespace of the server.
    pub namespace: Option<String>,
    /// The version of the server, for the format that requires it.
    pub server_version: Option<String>,
    pub entries: Vec<Entry>,
    /// The buckets of other teams, which the settings name.
    pub other_stores: Option<Entry>,
    /// Whether there is more than storage among the entries.
    pub has_settings: bool,
    /// Whether a secret may be written where the format has no reference for it.
    pub reveals: bool,
}

/// One variable of the server configuration.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub value: Secret,
    /// The value without its secrets, if it has any.
    pub masked: Option<String>,
}

impl Entry {
    /// One without a secret.
    pub(crate) fn open(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Secret::new(value.to_owned()), masked: None }
    }

    /// Adds this bucket of a team to `others`.
    fn join(&mut self, others: &Self) {
        let shown = |entry: &Self| entry.masked.clone().unwrap_or_else(|| entry.text().to_owned());
        if self.is_secret() || others.is_secret() {
            self.masked = Some(file_stores::with(&shown(others), &shown(self)));
        }
        self.value = Secret::new(file_stores::with(others.text(), self.text()));
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.masked.is_some()
    }

    pub(crate) fn text(&self) -> &str {
        self.value.reveal()
    }
}

impl From<&Output> for Entry {
    fn from(output: &Output) -> Self {
        Self::open(output.name, &output.value)
    }
}

impl From<Setting> for Entry {
    fn from(setting: Setting) -> Self {
        let (name, masked) = (setting.name.clone(), setting.masked());
        Self { name, value: setting.into_value(), masked }
    }
}

impl Configuration {
    /// The storage of `deployment` alone.
    pub(crate) fn of_storage(deployment: &str, outputs: &[Output]) -> Self {
        let entries = outputs.iter().map(Entry::from).collect();
        Self { deployment: deployment.to_owned(), entries, ..Self::default() }
    }

    /// Joins the bucket of a team with those of other teams.
    pub(crate) fn join_stores(&mut self) {
        let ours = self.entries.iter_mut().find(|entry| entry.name == FILE_STORES);
        if let (Some(ours), Some(others)) = (ours, self.other_stores.take()) {
            ours.join(&others);
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.entry(name).map(Entry::text)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The value of `name` as its grammar reads it, for a form that takes it apart.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a malformed one.
    pub(super) fn parsed<G: Grammar>(&self, name: &str, encoding: Encoding) -> Result<Option<G>> {
        let unable = |malformed: Malformed| encoding.unable(name, &malformed, malformed.hint());
        self.value(name).map(G::parse).transpose().map_err(unable)
    }

    /// The server's address.
    pub(super) fn address(&self, encoding: Encoding) -> Result<&str> {
        let host = self.value("HOST").or(self.host.as_deref());
        host.ok_or_else(|| {
            Error::input(format!("cannot write `{}`: HOST is not set", encoding.name()))
                .hint("add `HOST=https://wandb.acme.com` to the settings")
        })
    }

    /// The name of the Kubernetes Secret.
    pub(super) fn secret_name(&self) -> String {
        let what = if self.has_settings { "settings" } else { "storage" };
        // That of a team is another, and no deployment's: their names have no dot.
        format!("{}-wandb-{what}", self.deployment.replace('/', "."))
    }
}
