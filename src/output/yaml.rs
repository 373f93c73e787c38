//! What the encoders with named entries share: the entries in their order, and the YAML writer.

use serde::{Serialize, Serializer};
use serde_saphyr::{DoubleQuoted, SerializerOptions};

use crate::error::{Error, Kind, Result};
use crate::resource::Output;

/// Outputs as a map of names to values, in the order in which the provider names them.
pub(super) struct Entries<'a> {
    outputs: Vec<&'a Output>,
    quoted: bool,
}

impl<'a> Entries<'a> {
    /// Values as the format writes them by itself.
    pub(super) fn bare(outputs: impl IntoIterator<Item = &'a Output>) -> Self {
        Self { outputs: outputs.into_iter().collect(), quoted: false }
    }

    /// Values between double quotes, so that no YAML reader, 1.1 or 1.2, takes one for a number, a
    /// date or a truth value.
    pub(super) fn quoted(outputs: impl IntoIterator<Item = &'a Output>) -> Self {
        Self { quoted: true, ..Self::bare(outputs) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.outputs.iter().map(|output| (output.name, &output.value));
        if self.quoted {
            serializer.collect_map(entries.map(|(name, value)| (name, DoubleQuoted(value))))
        } else {
            serializer.collect_map(entries)
        }
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
