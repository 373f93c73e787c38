//! What the laws share.

use serde_json::Value;
use wbstore_sandbox::cloud::{Cloud, NAME, PROVISION, TEARDOWN};
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::snapshot::Snapshot;

/// Provisions, which must succeed.
pub async fn provision<C: Cloud>(cloud: &C, more: &[&str]) -> Ran {
    cloud.run("provision", &[PROVISION, more].concat()).await.ends(0)
}

/// An account with the whole deployment in it, and an empty journal.
pub async fn provisioned<C: Cloud>() -> C {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    cloud.proxy().clear_journal();
    cloud
}

/// Tears down without deleting objects.
pub async fn teardown<C: Cloud>(cloud: &C, more: &[&str]) -> Ran {
    cloud.run("teardown", &[&TEARDOWN[..2], more].concat()).await
}

/// The plan as JSON, whether it is refused or not.
pub async fn plan<C: Cloud>(cloud: &C, more: &[&str]) -> Value {
    cloud.run("plan", &[&["--format", "json"], more].concat()).await.json()
}

/// The digest of a plan.
pub async fn digest<C: Cloud>(cloud: &C) -> String {
    plan(cloud, &[]).await["digest"].as_str().expect("it has one").to_owned()
}

/// Checks that there is nothing left to change.
pub async fn settled<C: Cloud>(cloud: &C, more: &[&str]) {
    cloud.run("plan", &[&["--exit-code"], more].concat()).await.ends(0);
}

/// What `list` returns.
pub async fn listed<C: Cloud>(cloud: &C) -> Value {
    cloud.run_on("list", &["--format", "json"]).await.ends(0).json()
}

/// The names of the deployments that are there.
pub async fn names<C: Cloud>(cloud: &C) -> Vec<String> {
    let listed = listed(cloud).await;
    let deployments = listed["deployments"].as_array().expect("a list").iter();
    deployments.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

/// The steps of a plan.
pub fn steps(plan: &Value) -> &[Value] {
    plan["steps"].as_array().expect("a list")
}

/// The changes of all steps of a plan.
pub fn changes(plan: &Value) -> Vec<&Value> {
    steps(plan).iter().flat_map(|step| step["changes"].as_array().expect("a list")).collect()
}

/// The operations since the journal was cleared that change something.
pub fn writes<C: Cloud>(cloud: &C) -> Vec<String> {
    let writes = cloud.proxy().journal().into_iter().filter(|exchange| exchange.mutating);
    writes.map(|Exchange { operation, .. }| operation).collect()
}

/// Checks that nothing was sent that changes anything.
#[track_caller]
pub fn assert_untouched<C: Cloud>(cloud: &C) {
    assert_eq!(writes(cloud), Vec::<String>::new());
}

#[track_caller]
pub fn assert_same(is: &Snapshot, wanted: &Snapshot) {
    let differences = is.differences(wanted);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The operation with which a first provision begins to write.
pub async fn first_write<C: Cloud>() -> String {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    writes(&cloud).swap_remove(0)
}

/// The operation with which a teardown of [`NAME`] with these arguments ends.
pub async fn last_delete<C: Cloud>(more: &[&str]) -> String {
    let cloud = C::fresh().await;
    provision(&cloud, more).await;
    cloud.proxy().clear_journal();
    teardown(&cloud, more).await.ends(0);
    writes(&cloud).pop().unwrap_or_else(|| panic!("{NAME} is deleted without a write"))
}
