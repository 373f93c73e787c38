//! Emptying a bucket that resists.

use wbstore_sandbox::cloud::{Cloud, PROVISION, TEARDOWN};

use crate::table::say;

const OBJECTS: usize = 1500;
const VERSIONS: usize = 2;

/// One key in fifty fails with an internal error and one request in twenty is throttled; in the end
/// everything is gone, for a number of requests that has a bound.
pub async fn through_errors<C: Cloud>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    let ran = cloud.run("provision", PROVISION).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    cloud.fill(OBJECTS, VERSIONS).await;
    let faults = cloud.resist();
    cloud.proxy().clear_journal();
    let ran = cloud.run("teardown", TEARDOWN).await;
    let requests = cloud.proxy().counts().requests;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(faults.iter().all(|fault| fault.hits() > 0), "a fault never struck: {faults:?}");
    let left = cloud.snapshot().await.differences(&before);
    assert!(left.is_empty(), "{}", left.join("\n"));
    let bound = C::emptying_takes(OBJECTS * VERSIONS);
    assert!(requests <= bound, "{requests} requests for {} versions, over {bound}", OBJECTS * VERSIONS);
    say(&format!(
        "\n{}, emptying {} versions through 2 % failing keys and 5 % throttled requests: all gone in {requests} requests\n",
        C::CLOUD,
        OBJECTS * VERSIONS
    ));
}
