//! The emulators, and what each of them cannot show.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// An AWS emulator the suite runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// The faithful one: checks queue policies, destinations and accounts.
    Ministack,
    /// The second opinion: written by other people, with other gaps.
    Moto,
}

impl Backend {
    /// Its name on the command line and in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Moto => "moto",
        }
    }

    /// Whether a user without a permission is refused.
    pub fn enforces_permissions(self) -> bool {
        self == Self::Ministack
    }

    /// What a test cannot see on this backend, even through the strict proxy.
    pub fn cannot_show(self) -> &'static [&'static str] {
        match self {
            Self::Ministack => &[
                "signatures: any secret is accepted (not in presigned URLs)",
                "propagation: every change is visible at once",
                "bucket policies against their own account: its root is never refused (IAM users are)",
            ],
            Self::Moto => &[
                "signatures: any secret is accepted",
                "propagation: every change is visible at once",
                "tags in CreateBucket: ignored, so a bucket is created first and marked second",
                "EventBridge in a notification configuration: accepted and forgotten",
                "defaults of a new bucket: no public access block, ownership or encryption to read",
                "conditions in bucket policies: ignored (the proxy spares it the TLS-only statement)",
                "queue policies: stored, not enforced on delivery",
                "public access: the proxy refuses every anonymous request, whatever the policy says",
                "the partition of credentials: STS answers with that of the region it is asked in",
                "permissions: users, roles and their policies allow everything",
                "CORS preflight of a method the rules lack: answered 200",
                "removing a delete marker while an ObjectRemoved notification is configured: 500",
            ],
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "ministack" => Ok(Self::Ministack),
            "moto" => Ok(Self::Moto),
            _ => Err(Error::new(format!("no backend is called {name:?}")).hint("ministack or moto")),
        }
    }
}
