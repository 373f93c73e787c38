//! What topics and subscriptions are called.

use super::super::refusal::{Answer, Refusal};
use super::super::state::State;

/// A full name: `projects/<id>/topics/<topic>` or `projects/<id>/subscriptions/<subscription>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Topic(String),
    Subscription(String),
}

impl Name {
    pub(super) fn new(state: &State, project: &str, kind: &str, id: &str) -> Answer<Self> {
        ours(state, project)?;
        let full = format!("projects/{}/{kind}/{id}", state.project.id);
        // https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
        let letter = id.starts_with(|c: char| c.is_ascii_alphabetic());
        let form = |c: char| c.is_ascii_alphanumeric() || "-_.~+%".contains(c);
        if !(3..=255).contains(&id.len()) || !letter || !id.chars().all(form) || id.starts_with("goog") {
            return Err(Refusal::invalid(format!(
                "Invalid resource name given (name={full}). Refer to \
                 https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
            )));
        }
        match kind {
            "topics" => Ok(Self::Topic(full)),
            "subscriptions" => Ok(Self::Subscription(full)),
            _ => Err(Refusal::unknown_call(kind)),
        }
    }

    /// A full name that somebody wrote.
    pub(super) fn read(state: &State, full: &str) -> Answer<Self> {
        match full.split('/').collect::<Vec<_>>()[..] {
            ["projects", project, kind, id] => Self::new(state, project, kind, id),
            _ => Err(Refusal::invalid(format!("Invalid resource name given (name={full})."))),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Topic(full) | Self::Subscription(full) => full,
        }
    }

    /// The last part.
    pub(super) fn id(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// As permissions have it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Topic(_) => "topics",
            Self::Subscription(_) => "subscriptions",
        }
    }
}

/// Refuses any other project.
pub(super) fn ours(state: &State, project: &str) -> Answer<()> {
    if state.project.is(project) {
        return Ok(());
    }
    Err(Refusal::missing(format!(
        "Requested project not found or user does not have access to it (project={project}). Make sure to \
         specify the unique project identifier and not the Google Cloud Console display name."
    )))
}
