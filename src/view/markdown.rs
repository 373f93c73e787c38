//! A plan for a pull-request comment, with the steps as a table and as a Mermaid graph.

use std::collections::BTreeMap;

use super::escape::{code, fenced, label, text};
use super::value::Shown;
use super::{human, words};
use crate::plan::{Action, Change, Goal, Plan, Step};
use crate::resource::Address;

/// The whole plan as one comment.
pub fn plan(plan: &Plan) -> String {
    let shown: Vec<_> = plan.steps.iter().filter(|step| human::is_shown(step)).collect();
    let blocks = [
        header(plan),
        table(&shown),
        changes(&shown),
        graph(&shown),
        notes(plan),
        outputs(plan),
        digest(plan),
    ];
    let mut page = blocks.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    page.push('\n');
    page
}

fn header(plan: &Plan) -> Option<String> {
    let purpose = match plan.goal {
        Goal::Present { .. } => "provision",
        Goal::Absent => "tear down",
    };
    let (name, scope) = (code(&plan.deployment), text(&plan.scope));
    Some(format!("### wbstore: {purpose} {name} in {scope}\n\n**{}**", text(&human::conclusion(plan))))
}

fn table(steps: &[&Step]) -> Option<String> {
    let rows: Vec<_> = steps.iter().map(|step| row(step)).collect();
    let head = "| | action | resource | waits for | remarks |\n|---|---|---|---|---|\n";
    (!rows.is_empty()).then(|| format!("{head}{}", rows.join("\n")))
}

fn row(step: &Step) -> String {
    // Taken apart, so that a new field of a step does not go unseen; `changes` has its own table.
    let Step {
        address,
        action,
        waits_for,
        goes_with,
        changes: _,
        reason,
        hint,
        kept,
        findings,
        ends: _,
        leaves: _,
    } = step;
    let waits: Vec<_> = waits_for.iter().map(|address| code(&address.to_string())).collect();
    let remarks: Vec<_> = [
        reason.as_deref().map(text),
        hint.as_deref().map(|hint| format!("**hint:** {}", text(hint))),
        goes_with.as_ref().map(|parent| format!("deleted with {}", code(&parent.to_string()))),
        (!kept.is_empty()).then(|| text(&human::keeps(kept))),
    ]
    .into_iter()
    .flatten()
    .chain(findings.iter().map(|finding| text(finding)))
    .collect();
    let symbol = if *action == Action::NoOp { String::new() } else { code(&action.symbol().to_string()) };
    format!(
        "| {symbol} | {} | {} | {} | {} |",
        words::verb(*action),
        code(&address.to_string()),
        waits.join("<br>"),
        remarks.join("<br>"),
    )
}

fn changes(steps: &[&Step]) -> Option<String> {
    let count: usize = steps.iter().map(|step| step.changes.len()).sum();
    if count == 0 {
        return None;
    }
    let rows: String =
        steps.iter().flat_map(|step| step.changes.iter().map(|change| field(step, change))).collect();
    Some(format!(
        "<details><summary>{}</summary>\n\n\
         | resource | field | now | planned |\n|---|---|---|---|\n{rows}\n</details>",
        words::plural(count, "field", "fields"),
    ))
}

fn field(step: &Step, change: &Change) -> String {
    let Shown { old, new } = Shown::of(change);
    let side = |value: Option<String>| value.map_or_else(|| "_not set_".to_owned(), |value| code(&value));
    let (address, name) = (code(&step.address.to_string()), code(&change.field));
    format!("| {address} | {name} | {} | {} |\n", side(old), side(new))
}

/// Arrows point from what is done first to what waits for it.
fn graph(steps: &[&Step]) -> Option<String> {
    let steps: Vec<_> = steps.iter().filter(|step| step.action.acts()).collect();
    if steps.is_empty() {
        return None;
    }
    // Addresses are no safe node ids; their places are.
    let ids: BTreeMap<&Address, usize> =
        steps.iter().enumerate().map(|(id, step)| (&step.address, id)).collect();
    let mut lines = vec!["graph LR".to_owned()];
    for (id, step) in steps.iter().enumerate() {
        // A symbol in front would read as a list, which Mermaid refuses; the verb says the same.
        let words = format!("{} {}", words::verb(step.action), step.address);
        lines.push(format!("  s{id}[\"{}\"]", label(&words)));
    }
    for (id, step) in steps.iter().enumerate() {
        for first in step.waits_for.iter().filter_map(|address| ids.get(address)) {
            lines.push(format!("  s{first} --> s{id}"));
        }
        if let Some(parent) = step.goes_with.as_ref().and_then(|address| ids.get(address)) {
            lines.push(format!("  s{parent} -.->|deletes| s{id}"));
        }
    }
    Some(fenced("mermaid", &lines))
}

fn notes(plan: &Plan) -> Option<String> {
    let lines = plan.notes.iter().map(|note| format!("- {}", text(note)));
    human::has_notes(plan).then(|| lines.collect::<Vec<_>>().join("\n"))
}

fn outputs(plan: &Plan) -> Option<String> {
    let lines = plan.outputs.iter().map(|output| format!("{}={}", output.name, output.value));
    human::has_outputs(plan)
        .then(|| format!("Server configuration:\n\n{}", fenced("", &lines.collect::<Vec<_>>())))
}

fn digest(plan: &Plan) -> Option<String> {
    if !human::is_applicable(plan) {
        return None;
    }
    let Some(digest) = &plan.digest else { return Some(text(human::WITHOUT_DIGEST)) };
    Some(match plan.goal {
        Goal::Present { .. } => {
            let command = code(&format!("wbstore provision … --expect {digest}"));
            format!("To apply exactly this plan: {command}")
        }
        Goal::Absent => format!("Digest: {}", code(digest.as_str())),
    })
}
