//! Long-running operations as a state machine, one response at a time (Azure Resource Manager documentation,
//! "Track asynchronous Azure operations"; Z4).

use std::time::Duration;

use crate::providers::azure::arm::answer::{Answer, Said};
use crate::text::clean;

/// How often in a row a resource that was accepted may be missing before it counts as gone: reads lag, by
/// seconds.
const MISSING: u8 = 5;

/// How a running operation is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// `Azure-AsyncOperation`: the body has a `status`.
    Status(String),
    /// `Location`: 202 until it is done.
    Location(String),
    /// No URL, or one that is lost: the resource's own `provisioningState`.
    Resource,
    /// As [`Watch::Resource`], of one that was missing so many times in a row.
    Missing(u8),
    /// As [`Watch::Resource`], of a resource that is going away.
    Absence,
}

impl Watch {
    /// Of a resource that another operation may be creating: it is soon visible if so, and otherwise the call is
    /// sent again.
    pub(super) const MAYBE_BEGUN: Self = Self::Missing(MISSING - 2);
}

/// The state of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It succeeded.
    Done,
    /// It is running: how to poll it, and the minimum wait before that.
    Running(Watch, Option<Duration>),
    /// It failed.
    Failed(Said),
    /// The resource has vanished: somebody deleted it, or its creation was given up.
    Vanished,
}

/// The state of the operation in the success `answer` to a PUT, PATCH, POST or DELETE.
pub(super) fn begun(answer: &Answer, deleting: bool) -> Stage {
    let wait = answer.retry_after();
    let state = provisioning_state(answer);
    let under_way = answer.status == 202 || state.is_some_and(|state| !is_terminal(state));
    if let Some(url) = answer.header("azure-asyncoperation")
        && (under_way || answer.status == 201)
    {
        return Stage::Running(Watch::Status(url.to_owned()), wait);
    }
    if answer.status == 202 {
        let resource = if deleting { Watch::Absence } else { Watch::Resource };
        let watch = answer.header("location").map_or(resource, |url| Watch::Location(url.to_owned()));
        return Stage::Running(watch, wait);
    }
    if deleting { Stage::Done } else { at_rest(answer) }
}

/// The state of the operation in `answer`, the response to polling `watch`.
pub(super) fn watched(watch: &Watch, answer: &Answer) -> Stage {
    let wait = answer.retry_after();
    // The record of an operation is kept for a limited time; the resource itself has the state.
    let forgotten = matches!(answer.status, 404 | 410);
    match watch {
        Watch::Status(_) | Watch::Location(_) if forgotten => Stage::Running(Watch::Resource, None),
        Watch::Status(url) => match answer.body["status"].as_str() {
            None => Stage::Done,
            Some(state) if is_success(state) => Stage::Done,
            Some(state) if is_terminal(state) => failed(answer, state),
            Some(_) => {
                // A poll may move on to another URL.
                let url = answer.header("azure-asyncoperation").unwrap_or(url);
                Stage::Running(Watch::Status(url.to_owned()), wait)
            }
        },
        Watch::Location(url) if answer.status == 202 => {
            Stage::Running(Watch::Location(answer.header("location").unwrap_or(url).to_owned()), wait)
        }
        Watch::Location(_) => at_rest(answer),
        Watch::Absence if forgotten => Stage::Done,
        Watch::Absence => Stage::Running(Watch::Absence, wait),
        // It was accepted and cannot be seen yet.
        Watch::Resource if forgotten => Stage::Running(Watch::Missing(1), wait),
        Watch::Missing(times) if forgotten && *times >= MISSING => Stage::Vanished,
        Watch::Missing(times) if forgotten => Stage::Running(Watch::Missing(times + 1), wait),
        Watch::Resource | Watch::Missing(_) => at_rest(answer),
    }
}

/// The state that the resource in `answer` gives for itself. Without one it is done.
fn at_rest(answer: &Answer) -> Stage {
    match provisioning_state(answer) {
        None => Stage::Done,
        Some(state) if is_success(state) => Stage::Done,
        Some(state) if is_terminal(state) => failed(answer, state),
        Some(_) => Stage::Running(Watch::Resource, answer.retry_after()),
    }
}

fn provisioning_state(answer: &Answer) -> Option<&str> {
    answer.body["properties"]["provisioningState"].as_str()
}

fn is_success(state: &str) -> bool {
    state.eq_ignore_ascii_case("Succeeded")
}

fn is_terminal(state: &str) -> bool {
    is_success(state) || ["Failed", "Canceled", "Cancelled"].iter().any(|end| state.eq_ignore_ascii_case(end))
}

fn failed(answer: &Answer, state: &str) -> Stage {
    let said = answer.said();
    Stage::Failed(if said.code.is_empty() { Said { code: clean(state), ..said } } else { said })
}

#[cfg(test)]
mod tests;
