//! What is done to a resource.

use serde::Serialize;

/// What is done to one resource. The symbol is the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It does not exist and will be created.
    Create,
    /// It belongs to the deployment and differs.
    Update,
    /// It has no mark; it is marked, and updated where it differs.
    Adopt,
    /// It belongs to the deployment and will be deleted.
    Delete,
    /// It was adopted: the mark is removed and the rest is kept.
    Release,
    /// It does not belong to the deployment and is kept.
    Keep,
    /// It must not be changed, so the whole plan is refused.
    Refuse,
    /// It has no difference.
    NoOp,
}

impl Action {
    /// The symbol before the step in a plan.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Adopt => '>',
            Self::Delete => '-',
            Self::Release => '<',
            Self::Keep => '.',
            Self::Refuse => '!',
            Self::NoOp => ' ',
        }
    }

    /// Whether the engine has something to do.
    pub fn acts(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Adopt | Self::Delete | Self::Release)
    }
}
