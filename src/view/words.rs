//! The words for what is done, so that all views use the same ones.

use std::time::Duration;

use crate::plan::{Action, Counts};
use crate::text::Count;

/// The action in a plan: `create`.
pub(super) fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Adopt => "adopt",
        Action::Delete => "delete",
        Action::Release => "release",
        Action::Keep => "keep",
        Action::Refuse => "refuse",
        Action::NoOp => "unchanged",
    }
}

/// The action of a running step: `creating`.
pub(super) fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Adopt => "adopting",
        Action::Delete => "deleting",
        Action::Release => "releasing",
        Action::Keep => "keeping",
        Action::Refuse => "refusing",
        Action::NoOp => "leaving",
    }
}

/// The action of a finished step: `created`.
pub(super) fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Adopt => "adopted",
        Action::Delete => "deleted",
        Action::Release => "released",
        Action::Keep => "kept",
        Action::Refuse => "refused",
        Action::NoOp => "unchanged",
    }
}

/// `1 entry`, `2 entries`.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", Count(count as u64), if count == 1 { one } else { many })
}

/// The closing counts of a plan: the three that are always shown, then those that are not zero.
pub(super) fn counts(counts: &Counts) -> String {
    let Counts { create, update, adopt, delete, release, keep, refuse, unchanged, entries_kept } = *counts;
    let mut text = format!("{create} to create, {update} to update, {delete} to delete");
    for (count, words) in [
        (adopt, "to adopt"),
        (release, "to release"),
        (keep, "kept"),
        (refuse, "refused"),
        (unchanged, "unchanged"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    if entries_kept > 0 {
        text.push_str(&format!("; {} of others kept", plural(entries_kept, "entry", "entries")));
    }
    text
}

/// A short duration, with the digits that matter: `0.4s`, `42s`, `3m 5s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// What follows the number of what is done: `objects, 3 errors`.
pub(super) fn after_count(unit: &str, errors: u64) -> String {
    match errors {
        0 => unit.to_owned(),
        1 => format!("{unit}, 1 error"),
        errors => format!("{unit}, {} errors", Count(errors)),
    }
}

/// How much longer a wait lasts, in whole seconds and never less than is true: `42s`, `2m 5s`.
pub(crate) fn countdown(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1000);
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m {}s", seconds / 60, seconds % 60) }
}
