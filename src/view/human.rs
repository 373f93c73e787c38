//! A plan for a person at a terminal. Every value is complete: a reviewer reads them.

use super::clean::clean;
use super::palette::{self, BAD, FAINT, HEAD, HINT, paint};
use super::value::Shown;
use super::words;
use crate::plan::{Action, Change, Goal, Plan, Step};
use crate::resource::Address;

/// From this width on, in characters, old and new are on lines of their own.
const WIDE: usize = 96;

/// The line in place of a digest.
pub(super) const WITHOUT_DIGEST: &str =
    "No digest: the notes list what was assumed. An online plan prints a digest for --expect.";

/// The whole plan, from the header to the digest.
pub fn plan(plan: &Plan) -> String {
    let blocks = [header(plan), steps(plan), notes(plan), outputs(plan), closing(plan)];
    let mut text = blocks.into_iter().flatten().collect::<Vec<_>>().join("\n");
    text.insert(0, '\n');
    text
}

/// The last sentence of a plan: what would be done, or why nothing is.
pub(super) fn conclusion(plan: &Plan) -> String {
    let refused = plan.refusals().count();
    if refused > 0 {
        let steps = words::plural(refused, "step", "steps");
        return format!("Refused: {steps} cannot be applied, so nothing is changed.");
    }
    if !plan.is_empty() {
        return format!("Plan: {}.", words::counts(&plan.counts));
    }
    let name = clean(&plan.deployment);
    match plan.goal {
        Goal::Present { .. } => format!("No changes: all resources of {name} exist and are as described."),
        Goal::Absent if plan.counts.keep > 0 => {
            format!("Nothing to delete: the existing resources do not belong to {name}.")
        }
        Goal::Absent => format!("Nothing to delete: {name} does not exist."),
    }
}

/// Whether a view shows this step: it does something, or has something to say.
pub(super) fn is_shown(step: &Step) -> bool {
    step.action != Action::NoOp || !step.findings.is_empty()
}

/// Whether the engine could apply the plan and would have something to do.
pub(super) fn is_applicable(plan: &Plan) -> bool {
    !plan.is_empty() && plan.refusals().next().is_none()
}

/// Whether the server configuration is shown: not for a teardown, and not for a refused plan.
pub(super) fn has_outputs(plan: &Plan) -> bool {
    plan.goal != Goal::Absent && !plan.outputs.is_empty() && plan.refusals().next().is_none()
}

/// Whether there is something for a reviewer to read notes on.
pub(super) fn has_notes(plan: &Plan) -> bool {
    !plan.notes.is_empty() && (!plan.is_empty() || plan.is_refused())
}

fn header(plan: &Plan) -> Option<String> {
    let (purpose, manner) = match plan.goal {
        Goal::Present { adopt: false } => ("provision", ""),
        Goal::Present { adopt: true } => ("provision", ", adopting resources without a mark"),
        Goal::Absent => ("tear down", ""),
    };
    let (name, scope) = (clean(&plan.deployment), clean(&plan.scope));
    Some(format!("{}\n", paint(HEAD, format!("Plan to {purpose} {name} in {scope}{manner}"))))
}

fn steps(plan: &Plan) -> Option<String> {
    let text: String = plan.steps.iter().filter(|step| is_shown(step)).map(step).collect();
    (!text.is_empty()).then_some(text)
}

fn step(step: &Step) -> String {
    // Taken apart, so that a new field of a step does not go unseen.
    let Step {
        address,
        action,
        waits_for,
        goes_with,
        changes,
        reason,
        hint,
        kept,
        findings,
        ends: _,
        leaves: _,
    } = step;
    let head = format!("{} {:<7}", action.symbol(), words::verb(*action));
    let mut text = format!("  {} {}\n", paint(palette::of(*action), head), clean(&address.to_string()));
    let mut detail = |line: String| {
        text.push_str("      ");
        text.push_str(&line);
        text.push('\n');
    };
    for line in fields(*action, changes) {
        detail(line);
    }
    match action {
        Action::Adopt => detail("gets this deployment's mark".to_owned()),
        Action::Release => detail("loses this deployment's mark and is kept".to_owned()),
        _ => {}
    }
    if let Some(reason) = reason {
        let style = if *action == Action::Refuse { BAD } else { FAINT };
        detail(format!("{} {}", paint(style, "because"), clean(reason)));
    }
    if let Some(hint) = hint {
        detail(format!("{} {}", paint(HINT, "hint:"), clean(hint)));
    }
    if !waits_for.is_empty() {
        detail(format!("{} {}", paint(FAINT, "waits for"), list(waits_for)));
    }
    if let Some(parent) = goes_with {
        detail(format!("{} {}", paint(FAINT, "deleted with"), clean(&parent.to_string())));
    }
    if !kept.is_empty() {
        detail(keeps(kept));
    }
    for finding in findings {
        detail(format!("{} {}", paint(FAINT, "note:"), clean(finding)));
    }
    text
}

/// `keeps 2 entries of others: a, b`.
pub(super) fn keeps(kept: &[String]) -> String {
    let names: Vec<_> = kept.iter().map(|entry| clean(entry)).collect();
    format!("keeps {} of others: {}", words::plural(kept.len(), "entry", "entries"), names.join(", "))
}

fn fields(action: Action, changes: &[Change]) -> Vec<String> {
    let width = changes.iter().map(|change| change.field.chars().count()).max().unwrap_or_default() + 1;
    changes.iter().flat_map(|change| field(action, change, width)).collect()
}

fn field(action: Action, change: &Change, width: usize) -> Vec<String> {
    let name = format!("{}:", clean(&change.field));
    let Shown { old, new } = Shown::of(change);
    // A create shows only the new value, a delete only the old one.
    match (action, &old, &new) {
        (Action::Create, _, Some(value)) | (Action::Delete, Some(value), None) => {
            return vec![format!("{name:<width$} {value}")];
        }
        _ => {}
    }
    let unset = || "(not set)".to_owned();
    let (old, new) = (old.unwrap_or_else(unset), new.unwrap_or_else(unset));
    if width + old.chars().count() + new.chars().count() <= WIDE {
        return vec![format!("{name:<width$} {old} → {new}")];
    }
    vec![name, format!("  from {old}"), format!("  to   {new}")]
}

fn list(addresses: &[Address]) -> String {
    let names: Vec<_> = addresses.iter().map(|address| clean(&address.to_string()).into_owned()).collect();
    names.join(", ")
}

fn notes(plan: &Plan) -> Option<String> {
    let lines = plan.notes.iter().map(|note| format!("  - {}\n", clean(note)));
    has_notes(plan).then(|| format!("{}\n{}", paint(HEAD, "Notes"), lines.collect::<String>()))
}

fn outputs(plan: &Plan) -> Option<String> {
    let lines = plan.outputs.iter().map(|output| format!("  {}={}\n", output.name, clean(&output.value)));
    has_outputs(plan)
        .then(|| format!("{}\n{}", paint(HEAD, "Server configuration"), lines.collect::<String>()))
}

fn closing(plan: &Plan) -> Option<String> {
    let style = if plan.is_refused() { BAD } else { HEAD };
    let mut text = format!("{}\n", paint(style, conclusion(plan)));
    match &plan.digest {
        _ if !is_applicable(plan) => {}
        Some(digest) => text.push_str(&format!("To apply exactly this plan later: --expect {digest}\n")),
        None => text.push_str(&format!("{WITHOUT_DIGEST}\n")),
    }
    Some(text)
}
