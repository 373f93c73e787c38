//! Each law, on deployments of its own. The names are those of `tests/conformance` where the law is one of
//! them.

use std::time::Instant;

use serde_json::Value;

use super::{Account, Deployment, Law, Outcome};
use crate::Error;

/// Runs all of them, those of one life of a deployment first.
pub(super) async fn run(
    account: &Account,
    deployments: &mut Vec<String>,
    sink: &mut dyn FnMut(&Law),
) -> Vec<Law> {
    let mut all = vec![];
    let mut note = |name: &'static str, began: Instant, outcome: Result<(), Error>| {
        let outcome = outcome.map_or_else(|error| Outcome::Failed(error.to_string()), |()| Outcome::Passed);
        let law = Law { name, outcome, seconds: began.elapsed().as_secs_f64() };
        sink(&law);
        all.push(law);
    };
    let one = Deployment::new(account);
    deployments.push(one.name().to_owned());
    macro_rules! law {
        ($name:ident, $deployment:expr) => {{
            let began = Instant::now();
            note(stringify!($name), began, $name($deployment).await);
        }};
    }
    law!(planning_sends_no_write, &one);
    law!(a_plan_that_is_not_the_expected_one_is_refused, &one);
    law!(a_plan_after_apply_is_empty, &one);
    law!(a_second_apply_sends_no_write, &one);
    law!(what_was_made_is_listed, &one);
    law!(an_event_really_arrives, &one);
    law!(a_lease_that_has_not_ended_is_kept, &one);
    law!(a_teardown_without_the_name_is_refused, &one);
    law!(teardown_leaves_nothing_of_ours, &one);
    let killed = Deployment::new(account);
    deployments.push(killed.name().to_owned());
    law!(a_kill_at_any_write_is_mended_by_one_run, &killed);
    let interrupted = Deployment::new(account);
    deployments.push(interrupted.name().to_owned());
    law!(an_interrupted_provision_is_completed_by_the_next, &interrupted);
    all
}

fn require(holds: bool, what: impl Into<String>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::new(what)) }
}

/// The requests of `--verbose --format json` that change something.
fn writes(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let requests = lines.filter(|line| line["event"] == "request");
    let changes = requests.filter_map(|request| {
        let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
        let (operation, method, path) = (text("operation"), text("method"), text("path"));
        let reads = if operation.is_empty() {
            // POSTs that read: of IAM, of SQS and of ARM.
            let asks = ["getIamPolicy", "testIamPermissions", "checkNameAvailability", "/token", "/list"];
            matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") || asks.iter().any(|one| path.contains(one))
        } else {
            ["Get", "List", "Head"].iter().any(|prefix| operation.starts_with(prefix))
        };
        (!reads).then(|| if operation.is_empty() { format!("{method} {path}") } else { operation })
    });
    changes.collect()
}

async fn planning_sends_no_write(one: &Deployment<'_>) -> Result<(), Error> {
    for (verb, more) in [
        ("plan", &["--format", "json", "--verbose"] as &[&str]),
        ("provision", &["--dry-run", "--format", "json", "--verbose"]),
        ("teardown", &["--dry-run", "--format", "json", "--verbose"]),
    ] {
        let ran = one.run(verb, more).await?;
        require(ran.code == Some(0), format!("{verb}: {ran}"))?;
        let writes = writes(&ran.stderr);
        require(writes.is_empty(), format!("{verb} {more:?} sent {}", writes.join(", ")))?;
    }
    require(!one.is_listed().await?, "a plan made something")
}

async fn a_plan_that_is_not_the_expected_one_is_refused(one: &Deployment<'_>) -> Result<(), Error> {
    let wrong = "0".repeat(32);
    let ran = one.run("provision", &["--yes", "--expect", &wrong]).await?;
    require(ran.code == Some(3), format!("it was not refused: {ran}"))?;
    require(!one.is_listed().await?, "it made something")
}

async fn a_plan_after_apply_is_empty(one: &Deployment<'_>) -> Result<(), Error> {
    let pending = one.run("plan", &["--exit-code"]).await?;
    require(pending.code == Some(5), format!("there is nothing to make: {pending}"))?;
    let ran = one.run("provision", &["--yes", "--expires", "12h"]).await?;
    require(ran.code == Some(0), ran.to_string())?;
    let empty = one.run("plan", &["--exit-code", "--expires", "12h"]).await?;
    require(empty.code == Some(0), format!("the plan afterwards is not empty: {empty}"))
}

async fn a_second_apply_sends_no_write(one: &Deployment<'_>) -> Result<(), Error> {
    let ran = one.run("provision", &["--yes", "--expires", "12h", "--format", "json", "--verbose"]).await?;
    require(ran.code == Some(0), ran.to_string())?;
    let writes = writes(&ran.stderr);
    require(writes.is_empty(), format!("it sent {}", writes.join(", ")))
}

async fn what_was_made_is_listed(one: &Deployment<'_>) -> Result<(), Error> {
    require(one.is_listed().await?, format!("{} is not in the list", one.name()))
}

async fn an_event_really_arrives(one: &Deployment<'_>) -> Result<(), Error> {
    let ran = one.run("verify", &["--format", "json"]).await?;
    let checks = ran.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let event =
        checks.filter(|check| check["name"] == "event").map(|check| check["verdict"] == "passed").next();
    require(ran.code == Some(0) && event == Some(true), ran.to_string())
}

/// Only shown: other deployments of the account may have expired, and they are not ours to end.
async fn a_lease_that_has_not_ended_is_kept(one: &Deployment<'_>) -> Result<(), Error> {
    let ran = one.account.run("teardown", &["--expired", "--dry-run", "--format", "json"]).await?;
    let deletes = ran.stdout.contains(one.name());
    require(!deletes, format!("a lease of 12 hours has ended already: {ran}"))
}

async fn a_teardown_without_the_name_is_refused(one: &Deployment<'_>) -> Result<(), Error> {
    for confirmed in [&["--confirm", "another"] as &[&str], &["--format", "json"]] {
        let ran = one.run("teardown", confirmed).await?;
        require(matches!(ran.code, Some(2 | 3)), format!("{confirmed:?} was not refused: {ran}"))?;
    }
    require(one.is_listed().await?, "it is gone all the same")
}

async fn teardown_leaves_nothing_of_ours(one: &Deployment<'_>) -> Result<(), Error> {
    for _ in 0..2 {
        one.end().await?;
        require(!one.is_listed().await?, "it is listed still")?;
    }
    let plan = one.plan().await?;
    let left: Vec<_> = plan["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| !matches!(step["action"].as_str(), Some("create" | "no_op")))
        .map(|step| format!("{} ({})", step["address"], step["action"]))
        .collect();
    require(left.is_empty(), format!("left: {}", left.join(", ")))
}

async fn a_kill_at_any_write_is_mended_by_one_run(one: &Deployment<'_>) -> Result<(), Error> {
    // At the first step, and at two of the others.
    for after in [1, 3, 5] {
        let (_, sent) = one.broken_off("started", after, "-KILL").await?;
        require(sent, format!("there was no step {after}"))?;
        completed(one).await?;
        one.end().await?;
    }
    Ok(())
}

async fn an_interrupted_provision_is_completed_by_the_next(one: &Deployment<'_>) -> Result<(), Error> {
    let (code, sent) = one.broken_off("done", 1, "-INT").await?;
    require(sent, "no step was done")?;
    require(matches!(code, Some(0 | 130)), format!("it ended with {code:?}"))?;
    completed(one).await?;
    one.end().await
}

async fn completed(one: &Deployment<'_>) -> Result<(), Error> {
    let ran = one.run("provision", &["--yes"]).await?;
    require(ran.code == Some(0), ran.to_string())?;
    let empty = one.run("plan", &["--exit-code"]).await?;
    require(empty.code == Some(0), format!("the plan afterwards is not empty: {empty}"))
}
