//! What the marks of a deployment say where the options leave it open: how its parts are called, and whether it has a
//! queue.

use crate::change::Change;
use crate::console::Console;
use crate::error::{Error, Kind, Result};
use crate::plan::{Action, Plan};
use crate::provider::{CloudOptions, Provider, Wanted};

/// What the marks say of a deployment that some options describe.
pub(super) enum ByMarks {
    /// Nothing else, as far as is known.
    AsDescribed,
    /// Something else where the options leave it open.
    Otherwise {
        /// The options, with what the marks say.
        options: Box<dyn CloudOptions>,
        /// What is different, one sentence each.
        notes: Vec<String>,
    },
    /// Something else than an option says.
    Contradicted(Error),
}

/// Reads the marks of the account, where the `change` looks as if the options left something open.
///
/// # Errors
/// [`Kind::Interrupted`]; marks that cannot be read say nothing.
pub(super) async fn as_marked(
    options: &dyn CloudOptions,
    wanted: &Wanted,
    provider: &dyn Provider,
    change: &Change,
    console: &mut Console,
) -> Result<ByMarks> {
    if !may_be_called_otherwise(&change.plan) {
        return Ok(ByMarks::AsDescribed);
    }
    let looking = format!("searching {}", options.holdings());
    let inventory = match console.busy(&looking, provider.list()).await {
        Ok(inventory) => inventory,
        Err(error) if error.kind() == Kind::Interrupted => return Err(error),
        Err(error) => {
            console.note(&format!("the marks of {} were not read: {}", wanted.name, error.chain()));
            return Ok(ByMarks::AsDescribed);
        }
    };
    let (mut fitting, mut contradicted) = (vec![], None);
    let named = |storage: Result<_>| storage.is_ok_and(|storage| storage == wanted.name);
    for deployment in inventory.deployments.iter().filter(|deployment| named(deployment.storage())) {
        let marked = options.with_parts(deployment)?;
        match contradiction(options, marked.as_ref(), wanted) {
            None => fitting.push((deployment, marked)),
            Some(error) => contradicted = Some(error),
        }
    }
    if fitting.len() > 1 {
        let regions: Vec<&str> = fitting.iter().map(|(deployment, _)| deployment.region.as_str()).collect();
        console.note(&format!("several deployments are called {}: in {}", wanted.name, regions.join(", ")));
        return Ok(ByMarks::AsDescribed);
    }
    let Some((_, marked)) = fitting.pop() else {
        return Ok(contradicted.map_or(ByMarks::AsDescribed, ByMarks::Contradicted));
    };
    let notes = differences(options, marked.as_ref(), wanted, &change.plan);
    Ok(if notes.is_empty() { ByMarks::AsDescribed } else { ByMarks::Otherwise { options: marked, notes } })
}

/// Whether something that `plan` describes is missing, or marked for another queue.
fn may_be_called_otherwise(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| {
        step.action == Action::Create || step.changes.iter().any(|change| change.field.contains("queue"))
    })
}

/// The first option that says something else than the marks do.
fn contradiction(options: &dyn CloudOptions, marked: &dyn CloudOptions, wanted: &Wanted) -> Option<Error> {
    let said = marked.given_parts(&wanted.name);
    let given = options.given_parts(&wanted.name);
    let (option, value) = given.into_iter().find(|given| !said.contains(given))?;
    let by_marks = said.iter().find(|(other, _)| *other == option).map(|(_, value)| value.as_str());
    let has = match by_marks {
        Some(is) => format!("`{option} {is}`"),
        None => format!("no `{option}`"),
    };
    let name = &wanted.name;
    Some(
        Error::new(Kind::Failed, format!("`{option} {value}` contradicts the marks of {name}: it has {has}"))
            .hint(format!("omit `{option}`, or change the deployment with `wbstore provision`")),
    )
}

/// What the marks say beyond the options, one sentence each; not what is called so anyway.
fn differences(
    options: &dyn CloudOptions,
    marked: &dyn CloudOptions,
    wanted: &Wanted,
    plan: &Plan,
) -> Vec<String> {
    let described = options.names(&wanted.name);
    let is_described = |(option, value): &(&str, String)| {
        described.iter().any(|(other, is)| other == option && is == value)
            || plan.steps.iter().any(|step| step.address.name() == value)
    };
    let name = &wanted.name;
    let sentence = |(option, value): (&str, String)| {
        let option = format!("{option} {value}");
        match described.iter().find(|(other, _)| option.starts_with(&format!("{other} "))) {
            Some((other, is)) => {
                format!("{name} has `{}` by its marks, instead of `{other} {is}`", option.trim_end())
            }
            None => format!("{name} has `{}` by its marks", option.trim_end()),
        }
    };
    marked.names(&wanted.name).into_iter().filter(|name| !is_described(name)).map(sentence).collect()
}
