//! What is there, and what goes when its time is up: several deployments at once.

use std::time::Duration;

use serde_json::Value;
use wbstore_sandbox::cloud::{Cloud, HOST, NAME};
use wbstore_sandbox::fault::{Failure, Fault, Side, When};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::finish;
use wbstore_sandbox::reply::ApiError;
use wbstore_sandbox::running::Running;

use crate::support::{assert_untouched, last_delete, listed, names, provision};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

const DRY_RUN: [&str; 2] = ["--expired", "--dry-run"];
const TEARDOWN: [&str; 3] = ["--expired", "--confirm", "expired"];

async fn deploy<C: Cloud>(cloud: &C, name: &str, more: &[&str]) {
    let arguments = [&["--yes", "--host", HOST, "--name", name, "--queue", "internal"], more].concat();
    cloud.run_on("provision", &arguments).await.ends(0);
}

/// An account with deployments of [`NAMES`], all past their time.
async fn expired<C: Person>() -> C {
    let cloud = C::fresh().await;
    for name in NAMES {
        deploy(&cloud, name, &["--expires", "7d"]).await;
    }
    for name in NAMES {
        cloud.end_lease(name).await;
    }
    cloud.proxy().clear_journal();
    cloud
}

pub async fn an_account_without_deployments_lists_none<C: Cloud>() {
    let ran = C::fresh().await.run_on("list", &[]).await.ends(0);
    assert_eq!(ran.stdout, "");
    ran.tells(&["no deployments in "]);
}

pub async fn the_plans_come_in_the_order_of_the_names<C: Person>() {
    let cloud = expired::<C>().await;
    let ran = cloud.run_on("teardown", &DRY_RUN).await.ends(0);
    let places = NAMES.map(|name| ran.stderr.find(name));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}: {ran}");
    assert_untouched(&cloud);
}

pub async fn one_that_cannot_be_looked_at_fails_by_its_own_code_and_the_others_go<C: Person>() {
    let cloud = expired::<C>().await;
    cloud.run_on("teardown", &DRY_RUN).await.ends(0);
    // What is asked once of each deployment, not of the account, and not for a note only.
    let needed = |operation: &String| !C::ADVICE.contains(&("teardown", operation.as_str()));
    let sent = cloud.proxy().journal().into_iter().map(|exchange| exchange.operation);
    let sent: Vec<_> = sent.filter(needed).collect();
    let once_each = |name: &&String| sent.iter().filter(|other| other == name).count() == NAMES.len();
    // Where it is asked early, it is asked again after a failure.
    let look = When::on_first(sent.iter().rfind(once_each).expect("something is asked of each"));
    let strange = || Fault::fail(Failure::Other(ApiError::new(400, "Strange", "No reason is given.")));
    cloud.proxy().clear_journal();
    cloud.proxy().arm(look.clone(), strange());
    cloud.run_on("teardown", &DRY_RUN).await.ends(1).tells(&["No reason is given"]);
    cloud.proxy().disarm();

    cloud.proxy().clear_journal();
    cloud.proxy().arm(look, strange());
    let ran = cloud.run_on("teardown", &TEARDOWN).await.ends(4);
    let left = names(&cloud).await;
    let [left] = &left[..] else { panic!("{left:?} is left: {ran}") };
    ran.tells(&[&format!("error: the deployment {left} is skipped: ")]);
}

pub async fn one_that_is_slow_does_not_keep_the_others<C: Person>() {
    let delete = last_delete::<C>(&["--queue", "internal"]).await;
    let cloud = expired::<C>().await;
    let slow = cloud.proxy().arm(When::operation(&delete, 0), Fault::Hang(Side::Before));
    let running = Running::start(cloud.command_on("teardown", &TEARDOWN));
    slow.reached().await;
    let others = async {
        while names(&cloud).await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), others).await.expect("the others go meanwhile");
    slow.release();
    running.ended().await.ends(0);
    assert_eq!(names(&cloud).await, Vec::<String>::new());
}

pub async fn one_that_fails_does_not_keep_the_others<C: Person>() {
    let delete = last_delete::<C>(&["--queue", "internal"]).await;
    let cloud = expired::<C>().await;
    cloud.proxy().arm(When::operation(&delete, 0), Fault::fail(Failure::AccessDenied));
    let ran = cloud.run_on("teardown", &TEARDOWN).await.ends(4).tells(&["hint: grant"]);
    assert_eq!(names(&cloud).await.len(), 1, "{ran}");
}

pub async fn what_has_expired_goes_and_the_rest_stays<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    deploy(&cloud, "later", &["--expires", "7d"]).await;
    deploy(&cloud, "forever", &[]).await;
    cloud.end_lease(NAME).await;
    let table = cloud.run_on("list", &[]).await.ends(0).stdout;
    assert!(table.lines().any(|row| row.starts_with(NAME) && row.contains("expired")), "{table}");

    cloud.run_on("teardown", &DRY_RUN).await.ends(0).tells(&[NAME]);
    cloud.run_on("teardown", &["--expired"]).await.ends(2).tells(&["add `--yes`"]);
    cloud.run_on("teardown", &["--expired", "--format", "json"]).await.ends(2).tells(&["add `--yes`"]);
    // The environment names the deployment that other commands are for.
    let mut command = cloud.command_on("teardown", &TEARDOWN);
    command.env("WBSTORE_HOST", HOST).env("WBSTORE_NAME", "forever");
    finish(command).await.ends(0);
    assert_eq!(names(&cloud).await, ["forever", "later"]);
}

pub async fn an_expired_deployment_with_objects_is_refused_and_others_go<C: Person>() {
    let cloud = C::fresh().await;
    deploy(&cloud, "empty", &["--expires", "7d"]).await;
    provision(&cloud, &["--expires", "7d"]).await;
    cloud.fill(1, 1).await;
    cloud.end_lease("empty").await;
    cloud.end_lease(NAME).await;
    cloud.run_on("teardown", &TEARDOWN).await.ends(4).tells(&["1 object", "--delete-objects"]);
    assert_eq!(names(&cloud).await, [NAME]);
    cloud.run_on("teardown", &[&TEARDOWN[..], &["--delete-objects"]].concat()).await.ends(0);
    assert_eq!(listed(&cloud).await["deployments"], Value::Array(vec![]));
}

/// In CI, where nobody types a name.
pub async fn a_yes_deletes_the_expired_that_hold_nothing_and_says_how_to_delete_the_rest<C: Person>() {
    let cloud = C::fresh().await;
    deploy(&cloud, "empty", &["--expires", "7d"]).await;
    provision(&cloud, &["--expires", "7d"]).await;
    cloud.fill(1, 1).await;
    cloud.end_lease("empty").await;
    cloud.end_lease(NAME).await;
    let unsaid = cloud.run_on("teardown", &["--expired", "--delete-objects"]).await.ends(2);
    unsaid.tells(&["add `--confirm expired`"]);
    for more in [&[][..], &["--delete-objects"]] {
        let ran = cloud.run_on("teardown", &[&["--expired", "--yes"], more].concat()).await;
        let code = if more.is_empty() { 4 } else { 3 };
        let command = format!("--name {NAME}");
        ran.ends(code).tells(&[
            &command,
            &format!("--delete-objects --confirm {NAME}` deletes that too"),
            "is skipped",
        ]);
        assert_eq!(names(&cloud).await, [NAME]);
    }
}

pub async fn nothing_expired_is_nothing_to_do<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    cloud.proxy().clear_journal();
    cloud.run_on("teardown", &TEARDOWN).await.ends(0).tells(&["has expired"]);
    assert_untouched(&cloud);
}
