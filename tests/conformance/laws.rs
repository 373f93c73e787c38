//! Each law, for any cloud.

use wbstore_sandbox::cloud::{Cloud, HOST, PROVISION, TEARDOWN};
use wbstore_sandbox::fault::{Failure, Fault, Side, When};
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::person::{OTHER, Person};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::snapshot::Snapshot;

use crate::support::{self, assert_same, assert_untouched, teardown, writes};

/// No command that only shows sends a write, whatever there is.
pub async fn planning_sends_no_write<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.neighbours().await;
    for prepared in [false, true] {
        if prepared {
            provision(&cloud).await;
        }
        let before = cloud.snapshot().await;
        cloud.proxy().clear_journal();
        for (verb, more) in [
            ("plan", &[] as &[&str]),
            ("plan", &["--format", "json"]),
            ("plan", &["--format", "markdown"]),
            ("provision", &["--dry-run"]),
            ("teardown", &["--dry-run", "--delete-objects"]),
            ("doctor", &[]),
            ("doctor", &["--format", "json"]),
        ] {
            let ran = cloud.run(verb, more).await;
            assert_eq!(ran.code, Some(0), "{verb} {more:?}: {ran}");
        }
        assert_untouched(&cloud);
        assert_same(&cloud.snapshot().await, &before);
    }
}

/// What was made is what was planned: a plan afterwards is empty, and the same each time.
pub async fn a_plan_after_apply_is_empty<C: Cloud>() {
    for adopt in [false, true] {
        let cloud = C::fresh().await;
        let more: &[&str] = if adopt { &["--adopt"] } else { &[] };
        if adopt {
            cloud.predecessor().await;
        }
        let pending = cloud.run("plan", &[&["--exit-code"], more].concat()).await;
        assert_eq!(pending.code, Some(5), "{pending}");
        let ran = cloud.run("provision", &[PROVISION, more].concat()).await;
        assert_eq!(ran.code, Some(0), "{ran}");
        let json = &["--exit-code", "--format", "json"];
        let (first, second) = (cloud.run("plan", json).await, cloud.run("plan", json).await);
        assert_eq!(first.code, Some(0), "{first}");
        assert_eq!(first.stdout, second.stdout);
        cloud.proxy().clear_journal();
        provision(&cloud).await;
        assert_untouched(&cloud);
    }
}

/// A process that is killed right after one of its writes leaves what one more run can mend.
pub async fn a_kill_at_any_write_is_mended_by_one_run<C: Cloud>() {
    let cloud = C::fresh().await;
    let wanted = provision(&cloud).await;
    for operation in operations(&cloud, |exchange| exchange.mutating) {
        let cloud = C::fresh().await;
        let armed = cloud.proxy().arm(When::operation(&operation, 0), Fault::Hang(Side::After));
        tokio::select! {
            ran = cloud.run("provision", PROVISION) => panic!("{operation} was never sent: {ran}"),
            // Dropping the future that runs it kills the program.
            () = armed.reached() => {}
        }
        cloud.proxy().settled().await;
        cloud.proxy().disarm();
        assert_same(&provision(&cloud).await, &wanted);
    }
}

/// The bucket of a team is made beside the deployment and removed again without a trace, whichever of its writes a kill
/// follows.
pub async fn a_team_comes_and_goes_alone_whenever_it_is_killed<C: Cloud>() {
    let provision_it = [PROVISION, C::READER].concat();
    let cloud = C::fresh().await;
    let before = provision(&cloud).await;
    cloud.proxy().clear_journal();
    team(&cloud, "provision", &provision_it).await.ends(0);
    let wanted = cloud.snapshot().await;
    for operation in operations(&cloud, |exchange| exchange.mutating) {
        let cloud = C::fresh().await;
        provision(&cloud).await;
        let armed = cloud.proxy().arm(When::operation(&operation, 0), Fault::Hang(Side::After));
        tokio::select! {
            ran = team(&cloud, "provision", &provision_it) => {
                panic!("{operation} was never sent: {ran}")
            }
            () = armed.reached() => {}
        }
        cloud.proxy().settled().await;
        cloud.proxy().disarm();
        team(&cloud, "provision", &provision_it).await.ends(0);
        assert_same(&cloud.snapshot().await, &wanted);
        team(&cloud, "teardown", &["--confirm", "wandb-acme-com/vision"]).await.ends(0);
        assert_same(&cloud.snapshot().await, &before);
    }
}

/// Runs `verb` for a team of the deployment, whose bucket has a name of its own where that of the deployment has one.
async fn team<C: Cloud>(cloud: &C, verb: &str, more: &[&str]) -> Ran {
    let names = cloud.names();
    let bucket = names.iter().skip_while(|name| *name != "--bucket").nth(1);
    let bucket = bucket.map(|bucket| ["--bucket".to_owned(), format!("{bucket}-vision")]);
    let named = bucket.iter().flatten().map(String::as_str);
    let all: Vec<&str> =
        ["--host", HOST, "--team", "vision"].into_iter().chain(named).chain(more.iter().copied()).collect();
    cloud.run_on(verb, &all).await
}

/// Every write whose answer is lost is asked for once more, and nothing is there twice.
pub async fn a_lost_answer_makes_no_duplicate<C: Cloud>() {
    let cloud = C::fresh().await;
    let wanted = provision(&cloud).await;
    let operations = operations(&cloud, |exchange| exchange.mutating);
    let cloud = C::fresh().await;
    let lost = operations.iter().map(|operation| (operation, When::operation(operation, 0)));
    let lost: Vec<_> = lost.map(|(name, when)| (name, cloud.proxy().arm(when, Fault::DropAfter))).collect();
    let found = provision(&cloud).await;
    for (operation, armed) in lost {
        assert_eq!(armed.hits(), 1, "{operation}");
    }
    assert_same(&found, &wanted);
    assert_eq!(C::notifications(&found), 1, "{found}");
}

/// What wbstore made is gone, objects included, and everything else is as it was.
pub async fn teardown_leaves_nothing_of_ours<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.neighbours().await;
    let before = cloud.snapshot().await;
    provision(&cloud).await;
    cloud.fill(3, 2).await;
    let without_leave = cloud.run("teardown", &TEARDOWN[..2]).await;
    assert_eq!(
        without_leave.code,
        Some(3),
        "objects are deleted only when that is asked for: {without_leave}"
    );
    for _ in 0..2 {
        let ran = cloud.run("teardown", TEARDOWN).await;
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_same(&cloud.snapshot().await, &before);
    }
}

/// Adopted, and given back: in every document that several parties write into, what others wrote is
/// as it was, to the byte; and so are the objects.
pub async fn what_was_adopted_is_given_back_to_the_byte<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.neighbours().await;
    cloud.predecessor().await;
    cloud.fill(3, 1).await;
    let before = cloud.snapshot().await;
    let others = |path: &str| {
        let (part, document) = path.rsplit_once('/').unwrap_or((path, ""));
        !C::PARTS.contains(&part) || C::SHARED.contains(&document) || document == "objects"
    };
    // What was given back can be adopted again.
    for _ in 0..2 {
        support::provision(&cloud, &["--adopt"]).await;
        let adopted = cloud.snapshot().await;
        assert_eq!(C::notifications(&adopted), 1, "{adopted}");
        for shared in C::SHARED {
            let is = |path: &str| C::PARTS.iter().any(|part| path == format!("{part}/{shared}"));
            assert!(
                !adopted.only(is).differences(&before.only(is)).is_empty(),
                "nothing of ours in {shared}"
            );
        }
        cloud.run("teardown", TEARDOWN).await.ends(0);
        assert_same(&cloud.snapshot().await.only(others), &before.only(others));
    }
    let ran = cloud.run("provision", PROVISION).await.ends(3);
    ran.tells(&["has no wbstore mark", "hint:", "--adopt"]);
}

/// What carries no mark is neither taken over nor torn down.
pub async fn what_carries_no_mark_is_not_touched<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.predecessor().await;
    let before = cloud.snapshot().await;
    cloud.proxy().clear_journal();
    let ran = cloud.run("provision", PROVISION).await;
    assert_eq!(ran.code, Some(3), "{ran}");
    let ran = cloud.run("teardown", TEARDOWN).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_untouched(&cloud);
    assert_same(&cloud.snapshot().await, &before);
}

/// What belongs to another deployment is refused even with `--adopt`, and is left where the rest goes.
pub async fn what_belongs_to_another_deployment_is_not_touched<C: Person>() {
    for document in C::MARKS {
        let cloud = support::provisioned::<C>().await;
        cloud.remark(document).await.expect("it is there");
        let is_marked = |path: &str| path == document.path;
        let before = cloud.snapshot().await.only(is_marked);
        let owner = format!("belongs to the deployment `{OTHER}`");
        for adopt in [&[][..], &["--adopt"]] {
            let ran = cloud.run("provision", &[PROVISION, adopt].concat()).await;
            // A storage account of others is used as it is.
            if document.part().starts_with("account/") {
                ran.ends(0);
            } else {
                ran.ends(3).tells(&[&owner, "hint:"]);
            }
        }
        assert_untouched(&cloud);
        // It goes with the account that it is about, whoever has made it.
        if document.part().starts_with("event-subscription/") {
            continue;
        }
        let ran = teardown(&cloud, &[]).await;
        assert_same(&cloud.snapshot().await.only(is_marked), &before);
        if !document.part().starts_with("account/") {
            ran.tells(&[&owner]);
        }
    }
}

/// Whichever read is denied, nothing is written, whether or not there is something to see.
pub async fn denied_is_an_error_and_not_absence<C: Cloud>() {
    let cloud = C::fresh().await;
    let mut complaints = vec![];
    for (state, verbs) in [("empty", &["provision"] as &[&str]), ("full", &["provision", "teardown"])] {
        if state == "full" {
            provision(&cloud).await;
            // Of an empty bucket less has to be known before it is deleted.
            cloud.fill(1, 1).await;
        }
        for verb in verbs {
            let (arguments, dry_run): (_, &[&str]) = match *verb {
                "provision" => (PROVISION, &["--dry-run"]),
                _ => (TEARDOWN, &["--dry-run", "--delete-objects"]),
            };
            cloud.proxy().clear_journal();
            let shown = cloud.run(verb, dry_run).await;
            assert_eq!(shown.code, Some(0), "{shown}");
            for operation in operations(&cloud, |exchange| !exchange.mutating) {
                if C::ADVICE.contains(&(*verb, operation.as_str())) {
                    continue;
                }
                cloud.proxy().clear_journal();
                let denied = Fault::fail(Failure::AccessDenied);
                let armed = cloud.proxy().arm(When::every(&operation), denied);
                let ran = cloud.run(verb, arguments).await;
                cloud.proxy().disarm();
                let place = format!("{verb} in the {state} account, {operation} denied");
                assert!(armed.hits() > 0, "{place}: it was never sent: {ran}");
                let written = writes(&cloud);
                if !matches!(ran.code, Some(1 | 3)) || !ran.stdout.is_empty() || !written.is_empty() {
                    complaints.push(format!("{place}: {written:?} {ran}"));
                    // The next one is to find what this one found.
                    cloud.run(if state == "full" { "provision" } else { "teardown" }, undo(state)).await;
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The arguments of the command that brings the account back into `state`.
fn undo(state: &str) -> &'static [&'static str] {
    if state == "full" { PROVISION } else { TEARDOWN }
}

/// An upload is told of, and once.
pub async fn an_event_arrives_once<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud).await;
    assert_eq!(cloud.announce().await, 1);
}

/// Provisions, and looks.
async fn provision<C: Cloud>(cloud: &C) -> Snapshot {
    let ran = support::provision(cloud, &[]).await;
    assert!(ran.stdout.contains("BUCKET="), "{ran}");
    cloud.snapshot().await
}

/// The different operations in the journal that `pick` likes.
fn operations<C: Cloud>(cloud: &C, pick: fn(&Exchange) -> bool) -> Vec<String> {
    let picked = cloud.proxy().journal().into_iter().filter(pick).map(|exchange| exchange.operation);
    let operations = picked.collect::<std::collections::BTreeSet<_>>();
    assert!(!operations.is_empty(), "the journal has none");
    operations.into_iter().collect()
}
