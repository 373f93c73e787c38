//! A plan for a person at a terminal. Every value that is shown is complete: a reviewer reads them.

use anstyle::Style;

use super::page::Page;
use super::palette::{self, BAD, FAINT, GOOD, HEAD, HINT, WARN};
use super::value::shown;
use super::words;
use crate::plan::{Action, Change, Counts, Goal, Plan, PlanSet, Step, Unplanned};
use crate::resource::Address;

/// The columns before what belongs to a step.
const DETAIL: usize = 6;

/// The line in place of a digest.
pub(super) const WITHOUT_DIGEST: &str =
    "No digest: the notes list what was assumed. An online plan prints a digest for --expect.";

/// The same for the plans of several deployments.
pub(super) const WITHOUT_COMMON_DIGEST: &str = "No digest: a deployment could not be planned, or the notes list what was assumed. Plans of all deployments that \
     were checked online have one for --expect.";

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What went wrong or may go wrong, and nothing else.
    Troubles,
    /// A line for each step, with all that went wrong or may go wrong.
    Short,
    /// What a reviewer needs.
    Whole,
    /// Everything.
    Verbose,
}

/// The plan from the header to the digest, or the part of it that `extent` covers, wrapped at `width` columns.
pub fn plan(plan: &Plan, extent: Extent, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    body(plan, extent, &mut page);
    if extent == Extent::Troubles {
        return page.into_text();
    }
    digest(plan, extent, &mut page);
    format!("\n{}", page.into_text())
}

/// The plans of several deployments, with one digest for all.
pub fn plans(set: &PlanSet<'_>, extent: Extent, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    for (index, plan) in set.plans.iter().enumerate() {
        if index > 0 && extent != Extent::Troubles {
            page.gap();
        }
        body(plan, extent, &mut page);
    }
    for Unplanned { deployment, error, hint, .. } in &set.failed {
        page.gap();
        page.item(0, BAD, "Not planned:", &format!("{deployment}: {error}"));
        hint.iter().for_each(|hint| page.item(0, HINT, "hint:", hint));
    }
    if extent == Extent::Troubles {
        return page.into_text();
    }
    page.gap();
    page.sentence(HEAD, &summary(set));
    let is_any_applicable = set.plans.iter().any(|plan| is_applicable(plan));
    match &set.digest {
        _ if !is_any_applicable => {}
        Some(digest) if extent == Extent::Short => page.sentence(Style::new(), &format!("Digest: {digest}")),
        Some(digest) => {
            page.sentence(Style::new(), &format!("To apply exactly these plans later: --expect {digest}"));
        }
        None => page.sentence(Style::new(), WITHOUT_COMMON_DIGEST),
    }
    format!("\n{}", page.into_text())
}

/// How many deployments there are, and what would be done with them.
pub(super) fn summary(set: &PlanSet<'_>) -> String {
    let count = |is: fn(&Plan) -> bool| set.plans.iter().filter(|plan| is(plan)).count();
    let counts: Vec<_> = [
        (count(is_applicable), "with changes"),
        (count(|plan| !plan.is_refused() && plan.is_empty()), "unchanged"),
        (count(Plan::is_refused), "refused"),
        (set.failed.len(), "not planned"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    let all = words::plural(set.plans.len() + set.failed.len(), "deployment", "deployments");
    format!("{all}: {}.", counts.join(", "))
}

/// The plan without its digest.
fn body(plan: &Plan, extent: Extent, page: &mut Page) {
    if extent != Extent::Troubles {
        header(plan, page);
    }
    for (index, step) in listed(plan, extent).enumerate() {
        if index == 0 || matches!(extent, Extent::Whole | Extent::Verbose) {
            page.gap();
        }
        one(step, extent, page);
    }
    if extent == Extent::Troubles {
        return;
    }
    if has_notes(plan) {
        page.gap();
        page.sentence(HEAD, "Notes");
        plan.notes.iter().for_each(|note| page.bullet(2, note));
    }
    if extent != Extent::Short && has_outputs(plan) {
        page.gap();
        page.sentence(HEAD, "Server configuration");
        plan.outputs.iter().for_each(|output| page.verbatim(2, &format!("{}={}", output.name, output.value)));
    }
    page.gap();
    closing(plan, extent, page);
}

/// The last sentence of a plan: what would be done, or why nothing is. It counts the steps that are listed.
pub(super) fn conclusion(plan: &Plan, extent: Extent) -> String {
    let refused = plan.refusals().count();
    if refused > 0 {
        let steps = words::plural(refused, "step", "steps");
        return format!("Refused: {steps} cannot be applied, so nothing is changed.");
    }
    if !plan.is_empty() {
        let unchanged = listed(plan, extent).filter(|step| step.action == Action::NoOp).count();
        let entries_kept = listed(plan, extent).map(|step| step.kept.len()).sum();
        return format!("Plan: {}.", words::counts(&Counts { unchanged, entries_kept, ..plan.counts }));
    }
    let name = &plan.deployment;
    match plan.goal {
        Goal::Present { .. } => format!("No changes: all resources of {name} exist and are as described."),
        Goal::Absent if plan.counts.keep > 0 => {
            format!("Nothing to delete: the existing resources do not belong to {name}.")
        }
        Goal::Absent => format!("Nothing to delete: {name} does not exist."),
    }
}

/// The steps that a view of this extent shows.
pub(super) fn listed(plan: &Plan, extent: Extent) -> impl Iterator<Item = &Step> {
    let exists = plan.goal != Goal::Absent;
    plan.steps.iter().filter(move |step| match extent {
        Extent::Troubles => step.action == Action::Refuse || !step.findings.is_empty(),
        Extent::Short | Extent::Whole => step.action != Action::NoOp || !step.findings.is_empty(),
        Extent::Verbose => step.action != Action::NoOp || !step.findings.is_empty() || exists,
    })
}

/// How many resources are unchanged and not listed. A teardown has none: what does not exist is no resource.
pub(super) fn unlisted(plan: &Plan, extent: Extent) -> usize {
    let unchanged = listed(plan, extent).filter(|step| step.action == Action::NoOp).count();
    plan.counts.unchanged.saturating_sub(unchanged)
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

fn header(plan: &Plan, page: &mut Page) {
    let (purpose, manner) = match plan.goal {
        Goal::Present { adopt: false } => ("provision", ""),
        Goal::Present { adopt: true } => ("provision", ", adopting resources without a mark"),
        Goal::Absent => ("tear down", ""),
    };
    page.sentence(HEAD, &format!("Plan to {purpose} {} in {}{manner}", plan.deployment, plan.scope));
}

fn one(step: &Step, extent: Extent, page: &mut Page) {
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
        holds,
        wording: _,
    } = step;
    let is_whole = matches!(extent, Extent::Whole | Extent::Verbose);
    let style = palette::of(*action);
    let mut name = address.to_string();
    if !is_whole && *action == Action::Update {
        let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
        name = format!("{name}: {}", fields.join(", "));
    }
    if let Some(held) = holds.as_ref().filter(|_| !is_whole && *action == Action::Delete) {
        name = format!("{name}: {held}");
    }
    page.item(2, style, &format!("{} {:<7}", action.symbol(), words::verb(*action)), &name);
    if is_whole {
        fields(step, extent, page);
        match action {
            Action::Adopt => page.item(DETAIL, style, ">", "gets this deployment's mark"),
            Action::Release => page.item(DETAIL, style, "<", "loses this deployment's mark and is kept"),
            _ => {}
        }
    }
    if let Some(reason) = reason {
        let style = if *action == Action::Refuse { BAD } else { FAINT };
        page.item(DETAIL, style, "because", reason);
    }
    if let Some(hint) = hint {
        page.item(DETAIL, HINT, "hint:", hint);
    }
    if extent == Extent::Verbose && !waits_for.is_empty() {
        page.item(DETAIL, FAINT, "waits for", &list(waits_for));
    }
    if let Some(parent) = goes_with.as_ref().filter(|_| is_whole) {
        page.item(DETAIL, FAINT, "deleted with", &parent.to_string());
    }
    if is_whole && !kept.is_empty() {
        page.item(DETAIL, FAINT, "keeps", &kept_entries(kept));
    }
    for finding in findings {
        page.item(DETAIL, WARN, "note:", finding);
    }
}

/// `2 entries of others: a, b`.
pub(super) fn kept_entries(kept: &[String]) -> String {
    format!("{} of others: {}", words::plural(kept.len(), "entry", "entries"), kept.join(", "))
}

/// What changes, a sign on each line: the permission in words, then field by field.
fn fields(step: &Step, extent: Extent, page: &mut Page) {
    let Step { action, changes, wording, holds, .. } = step;
    let is_verbose = extent == Extent::Verbose;
    if let Some(held) = holds.as_ref().filter(|_| *action == Action::Delete) {
        page.item(DETAIL, palette::of(Action::Delete), "-", held);
        if !is_verbose {
            return;
        }
    }
    let is_said = says_permission(step);
    if is_said {
        let old = wording.old.as_ref().filter(|_| *action != Action::Create);
        old.into_iter().for_each(|text| page.item(DETAIL, palette::of(Action::Delete), "-", text));
        wording.new.iter().for_each(|text| page.item(DETAIL, GOOD, "+", text));
    }
    let fields: Vec<_> = changes.iter().filter(|change| is_verbose || !is_hidden(step, change)).collect();
    let width = fields.iter().map(|change| change.field.chars().count()).max().unwrap_or_default() + 1;
    for Change { field, old, new } in fields {
        let name = format!("{field}:");
        let [old, new] = [old, new].map(|value| value.as_ref().map(shown));
        let (sign, text) = match (action, old, new) {
            (Action::Create, _, Some(new)) | (_, None, Some(new)) => (Action::Create, new),
            (_, Some(old), None) => (Action::Delete, old),
            (_, Some(old), Some(new)) => (Action::Update, format!("{old} -> {new}")),
            (_, None, None) => continue,
        };
        let lead = sign.symbol().to_string();
        page.item(DETAIL, palette::of(sign), &lead, &format!("{name:<width$} {text}"));
    }
}

/// Whether the words for a permission say all that changes of it.
fn says_permission(step: &Step) -> bool {
    let Step { action, changes, wording, .. } = step;
    let covered = || changes.iter().filter(|change| wording.covers(&change.field));
    let is_new = covered().any(|change| change.new.is_some());
    let is_old = covered().any(|change| change.old.is_some()) && *action != Action::Create;
    (is_new || is_old)
        && (!is_new || wording.new.is_some())
        && (!is_old || wording.old.is_some())
        && (*action == Action::Create || wording.old != wording.new)
}

/// Whether `change` is left out unless everything is asked for: words say it, or there is nothing in it to review. An
/// update shows all of the rest, as the reason for it.
fn is_hidden(step: &Step, change: &Change) -> bool {
    let Step { action, wording, .. } = step;
    if wording.covers(&change.field) && says_permission(step) {
        return true;
    }
    let is_empty = change.new.as_ref().and_then(|new| new.as_array()).is_some_and(Vec::is_empty);
    match action {
        Action::Create => wording.is_bookkeeping(&change.field) || is_empty,
        Action::Adopt => wording.is_bookkeeping(&change.field),
        _ => false,
    }
}

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn closing(plan: &Plan, extent: Extent, page: &mut Page) {
    if let Some(text) = not_shown(plan, extent) {
        page.sentence(FAINT, &text);
    }
    let style = if plan.is_refused() { BAD } else { HEAD };
    page.sentence(style, &conclusion(plan, extent));
}

fn digest(plan: &Plan, extent: Extent, page: &mut Page) {
    match &plan.digest {
        _ if !is_applicable(plan) => {}
        Some(digest) if extent == Extent::Short => page.sentence(Style::new(), &format!("Digest: {digest}")),
        Some(digest) => {
            page.sentence(Style::new(), &format!("To apply exactly this plan later: --expect {digest}"));
        }
        None => page.sentence(Style::new(), WITHOUT_DIGEST),
    }
}

/// What the plan leaves out, and how to see it.
fn not_shown(plan: &Plan, extent: Extent) -> Option<String> {
    let unlisted = unlisted(plan, extent);
    let any = |test: fn(&Step, &Change) -> bool| {
        let mut changes =
            listed(plan, extent).flat_map(|step| step.changes.iter().map(move |one| (step, one)));
        changes.any(|(step, change)| test(step, change))
    };
    let mut parts = vec![];
    if unlisted > 0 && !plan.is_empty() {
        parts.push(words::plural(unlisted, "unchanged resource", "unchanged resources"));
    }
    match extent {
        Extent::Short if any(|_, _| true) => parts.push("the fields of each resource".to_owned()),
        Extent::Whole => {
            if any(|step, change| step.wording.covers(&change.field) && says_permission(step)) {
                parts.push("policy documents".to_owned());
            }
            if any(|step, change| !step.wording.covers(&change.field) && is_hidden(step, change)) {
                parts.extend(["ids", "marks"].map(str::to_owned));
            }
        }
        _ => {}
    }
    let (last, others) = parts.split_last()?;
    let list = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!("Not shown: {list} (`--verbose` shows them)."))
}
