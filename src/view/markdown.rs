//! A plan for a pull-request comment, with the steps as a table and as a Mermaid graph.

use std::collections::BTreeMap;

use serde_json::Value;

use super::escape::{code, fenced, label, text};
use super::human::{self, Extent};
use super::value::shown;
use super::words;
use crate::plan::{Action, Change, Goal, Plan, PlanSet, Step, Unplanned};
use crate::resource::Address;

/// The whole plan as one comment.
pub fn plan(plan: &Plan) -> String {
    page(body(plan).into_iter().chain(digest(plan)))
}

/// The plans of several deployments as one comment, with one digest for all.
pub fn plans(set: &PlanSet<'_>) -> String {
    let failed = set.failed.iter().map(|Unplanned { deployment, error, hint, .. }| {
        let hint = hint.as_deref().map(|hint| format!("<br>**hint:** {}", text(hint))).unwrap_or_default();
        format!("### wbstore: {} was not planned\n\n{}{hint}", code(deployment), text(error))
    });
    let summary = format!("**{}**", text(&human::summary(set)));
    let is_any_applicable = set.plans.iter().any(|plan| human::is_applicable(plan));
    let digest = is_any_applicable.then(|| match &set.digest {
        Some(digest) => {
            let command = code(&format!("wbstore provision --expect {digest}"));
            format!("To apply exactly these plans: {command}")
        }
        None => text(human::WITHOUT_COMMON_DIGEST),
    });
    page(set.plans.iter().flat_map(|plan| body(plan)).chain(failed).chain([summary]).chain(digest))
}

fn page(blocks: impl Iterator<Item = String>) -> String {
    let mut page = blocks.collect::<Vec<_>>().join("\n\n");
    page.push('\n');
    page
}

fn body(plan: &Plan) -> Vec<String> {
    let listed: Vec<_> = human::listed(plan, Extent::Whole).collect();
    let blocks = [
        header(plan),
        table(&listed),
        unlisted(plan),
        changes(&listed),
        graph(&listed),
        notes(plan),
        outputs(plan),
    ];
    blocks.into_iter().flatten().collect()
}

fn header(plan: &Plan) -> Option<String> {
    let purpose = match plan.goal {
        Goal::Present { .. } => "provision",
        Goal::Absent => "tear down",
    };
    let (name, scope) = (code(&plan.deployment), text(&plan.scope));
    Some(format!(
        "### wbstore: {purpose} {name} in {scope}\n\n**{}**",
        text(&human::conclusion(plan, Extent::Whole))
    ))
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
        holds,
        wording: _,
    } = step;
    let waits: Vec<_> = waits_for.iter().map(|address| code(&address.to_string())).collect();
    let remarks: Vec<_> = [
        reason.as_deref().map(text),
        hint.as_deref().map(|hint| format!("**hint:** {}", text(hint))),
        goes_with.as_ref().map(|parent| format!("deleted with {}", code(&parent.to_string()))),
        holds.as_ref().filter(|_| *action == Action::Delete).map(|held| format!("contains {}", text(held))),
        (!kept.is_empty()).then(|| format!("keeps {}", text(&human::kept_entries(kept)))),
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

fn unlisted(plan: &Plan) -> Option<String> {
    let unchanged = human::unlisted(plan, Extent::Whole);
    let resources = words::plural(unchanged, "unchanged resource", "unchanged resources");
    (unchanged > 0 && !plan.is_empty()).then(|| format!("Not listed: {resources}."))
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
    let side = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "_not set_".to_owned(), |value| code(&shown(value)))
    };
    let Change { field, old, new } = change;
    let (address, name) = (code(&step.address.to_string()), code(field));
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
