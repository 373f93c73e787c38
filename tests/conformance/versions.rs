//! Versions of what is replaced or deleted, and the garbage collection of artifacts that requires them.

use wbstore_sandbox::cloud::{Cloud, TEARDOWN};

use crate::support::{assert_same, changes, plan, provision, settled};

const GC: &str = "GORILLA_ARTIFACT_GC_ENABLED";

pub async fn versions_come_and_go_with_a_deployment<C: Cloud>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    let without = cloud.snapshot().await;
    // It is neither checked nor changed where it is not asked for.
    let pending = plan(&cloud, &["--versioning"]).await;
    assert_eq!(changes(&pending).len(), 1, "{pending:#}");
    assert!(pending["notes"].to_string().contains("and billed"), "{pending:#}");
    provision(&cloud, &["--versioning"]).await;
    assert!(!cloud.snapshot().await.differences(&without).is_empty());
    settled(&cloud, &["--versioning"]).await;
    settled(&cloud, &[]).await;
    cloud.fill(3, 2).await;
    cloud.run("teardown", TEARDOWN).await.ends(0);
    assert_same(&cloud.snapshot().await, &before);
    provision(&cloud, &["--versioning"]).await;
    settled(&cloud, &["--versioning"]).await;
}

pub async fn artifacts_are_collected_only_where_it_is_asked_for<C: Cloud>() {
    let cloud = C::fresh().await;
    let provisioned = provision(&cloud, &["--artifact-gc"]).await;
    assert_eq!(provisioned.outputs()[GC], "true");
    settled(&cloud, &["--versioning"]).await;
    let collects = cloud.run("config", &["--artifact-gc"]).await.ends(0);
    assert_eq!(collects.stdout, provisioned.stdout);
    assert!(!cloud.run("config", &["--versioning"]).await.ends(0).stdout.contains(GC));
    assert!(!cloud.run("config", &[]).await.ends(0).stdout.contains(GC));
    let team = [&["--team", "vision", "--artifact-gc"], C::READER].concat();
    cloud.run("plan", &team).await.ends(2).tells(&["no effect with --team", "use `--versioning`"]);
}
