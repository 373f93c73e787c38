//! The emulators, and what each of them cannot show.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::gap::Gap;

const MINISTACK: &[Gap] = &[
    Gap::new("signatures: any secret is accepted (not in presigned URLs)"),
    Gap::new("propagation: every change is visible at once"),
    Gap::new("bucket policies against their own account: its root is never refused (IAM users are)"),
];

const MOTO: &[Gap] = &[
    Gap::new("signatures: any secret is accepted"),
    Gap::new("propagation: every change is visible at once"),
    Gap::without(
        "tags in CreateBucket: ignored, so a bucket is created first and marked second",
        &[
            "interrupt::in_the_middle_it_finishes_what_is_under_way_and_says_how_to_go_on",
            "interrupt::what_is_written_and_not_yet_read_back_is_told_as_done",
            "interrupt::the_second_one_does_not_wait",
        ],
    ),
    Gap::without(
        "EventBridge in a notification configuration: accepted and forgotten",
        &["foreign_entries::delivery_to_eventbridge_survives"],
    ),
    Gap::new("defaults of a new bucket: no public access block, ownership or encryption to read"),
    Gap::new("conditions in bucket policies: ignored (the proxy spares it the TLS-only statement)"),
    Gap::new("queue policies: stored, not enforced on delivery"),
    Gap::new("public access: the proxy refuses every anonymous request, whatever the policy says"),
    Gap::without(
        "the partition of credentials: STS answers with that of the region it is asked in",
        &["plan_formats::credentials_of_another_partition_are_refused"],
    ),
    Gap::without(
        "permissions: users, roles and their policies allow everything",
        &["a_user_may_do_what_the_policy_says"],
    ),
    Gap::without(
        "CORS preflight of a method the rules lack: answered 200",
        &[
            "verify::a_fresh_deployment_passes_every_check",
            "verify::a_browser_that_is_refused_fails_it",
            "verify::a_bucket_that_every_page_may_use_fails_it",
        ],
    ),
    Gap::new("removing a delete marker while an ObjectRemoved notification is configured: 500"),
];

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

    /// What a test cannot see on this backend, even through the strict proxy.
    pub fn cannot_show(self) -> &'static [Gap] {
        match self {
            Self::Ministack => MINISTACK,
            Self::Moto => MOTO,
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
