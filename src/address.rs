//! The address of a resource.

use std::fmt;

use serde::{Serialize, Serializer};

/// `cloud/kind/name`: unique within a stack, printed to people, stable between runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    cloud: &'static str,
    kind: &'static str,
    name: String,
}

impl Address {
    /// The address of `name`, a resource of `kind`, in `cloud`.
    pub fn new(cloud: &'static str, kind: &'static str, name: impl Into<String>) -> Self {
        Self { cloud, kind, name: name.into() }
    }

    /// What kind of resource this is, such as `bucket`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The name of the resource in its cloud.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.cloud, self.kind, self.name)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
