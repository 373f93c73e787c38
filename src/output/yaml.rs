//! What the encoders of documents share: a tree of values in a fixed order, and the YAML writer.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_saphyr::{DoubleQuoted, SerializerOptions};

use crate::error::{Error, Kind, Result};

/// A value of a document. Texts are written between double quotes, so that no YAML reader, 1.1 or 1.2, takes one
/// for a number, a date or a truth value.
pub(super) enum Node {
    Text(String),
    /// A word of the format itself, without quotes.
    Word(&'static str),
    Number(u64),
    Truth(bool),
    List(Vec<Map>),
    Map(Map),
}

/// Fields in the order in which they are added.
#[derive(Default)]
pub(super) struct Map(Vec<(String, Node)>);

impl Map {
    pub(super) fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// `None` for one without fields.
    pub(super) fn filled(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Map>> for Node {
    fn from(list: Vec<Map>) -> Self {
        Self::List(list)
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Node {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<u16> for Node {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => DoubleQuoted(text).serialize(serializer),
            Self::Word(word) => serializer.serialize_str(word),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Writes `document` as YAML.
pub(crate) fn to_string(document: &impl Serialize) -> Result<String> {
    let mut options = SerializerOptions::default();
    // A folded value is right but hard to compare by eye with what the plan said.
    options.prefer_block_scalars = false;
    serde_saphyr::to_string_with_options(document, options)
        .map_err(|error| Error::new(Kind::Failed, "failed to write YAML").because(error))
}
