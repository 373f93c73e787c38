//! What is done to a resource.

use serde::Serialize;

/// What is done to one resource. The symbol is the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It does not exist and will be created.
    Create,
    /// It is ours and differs.
    Update,
    /// It has no mark; it gets ours, and is changed where it differs.
    Adopt,
    /// It is ours and will be removed.
    Delete,
    /// It was adopted: our mark is taken off and the rest stays.
    Release,
    /// It is not ours to delete and stays.
    Keep,
    /// It must not be touched, so nothing is.
    Refuse,
    /// It is as it should be.
    NoOp,
}

impl Action {
    /// The symbol that stands before the step wherever a plan is shown.
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
