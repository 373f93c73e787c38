//! What wbstore's statements in the policy of a bucket are for, and what each is called.

use crate::name::StorageName;
use crate::resource::Address;

/// What a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Requests without TLS are denied.
    Tls,
    /// The reader of a team's bucket may use it.
    Reader,
}

impl Purpose {
    /// The `Sid` of the statement of `storage`.
    pub(crate) fn sid(self, storage: &StorageName) -> String {
        let entry = storage.entry_id();
        match self {
            Self::Tls => entry,
            Self::Reader => format!("{entry}-Reader"),
        }
    }

    /// The address of the one in the policy of `bucket` on `cloud`.
    pub(crate) fn at(self, cloud: &'static str, bucket: &str) -> Address {
        Address::new(cloud, self.kind(), bucket)
    }

    /// The kind in that address.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Tls => "tls-policy",
            Self::Reader => "reader",
        }
    }

    /// The one that is written before: a policy is written whole, so that its statements are written one after the
    /// other.
    pub(crate) fn follows(self) -> Option<Self> {
        (self == Self::Reader).then_some(Self::Tls)
    }
}
