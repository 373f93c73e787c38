//! A server with several addresses.

use wbstore_sandbox::cloud::{Cloud, HOST, NAME};

use crate::support::{
    assert_same, assert_untouched, changes, plan, provision, provisioned, settled, teardown,
};

const SECOND: &str = "https://wandb.internal.acme.com";
const BOTH: [&str; 2] = ["--host", SECOND];

pub async fn a_second_host_is_one_more_origin_of_the_one_rule<C: Cloud>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    cloud.proxy().clear_journal();
    let pending = plan(&cloud, &BOTH).await;
    let changed: Vec<_> = changes(&pending).into_iter().map(ToString::to_string).collect();
    assert!(!changed.is_empty() && changed.iter().all(|change| change.contains(SECOND)), "{changed:?}");
    assert_eq!(pending["deployment"], NAME, "it is named by the first");
    assert_untouched(&cloud);
    provision(&cloud, &BOTH).await;
    settled(&cloud, &BOTH).await;
    // In which order they are given, and how often, means nothing but for the name.
    let turned = ["--name", NAME, "--host", SECOND, "--host", HOST, "--host", SECOND, "--exit-code"];
    let names = cloud.names();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    cloud.run_on("plan", &[&names[..], &turned].concat()).await.ends(0);
    let login = cloud.run("config", &[&BOTH[..], &["--output", "login"]].concat()).await.ends(0);
    assert!(login.stdout.contains(HOST) && !login.stdout.contains(SECOND), "{login}");
    cloud.run("plan", &["--exit-code"]).await.ends(5);
    provision(&cloud, &[]).await;
    settled(&cloud, &[]).await;
    let rules = cloud.snapshot().await.only(|path| path.ends_with("/cors")).to_string();
    assert!(rules.contains(HOST) && !rules.contains(SECOND), "{rules}");
    provision(&cloud, &BOTH).await;
    teardown(&cloud, &[]).await.ends(0);
    assert_same(&cloud.snapshot().await, &before);
}

pub async fn a_preflight_is_sent_from_each_host<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let verify = [&BOTH[..], &["--within", "60s", "--format", "json"]].concat();
    let ran = cloud.run("verify", &verify).await.ends(6);
    assert_eq!(ran.check("preflight PUT")["verdict"], "passed", "{ran}");
    assert_eq!(ran.check(&format!("preflight PUT from {SECOND}"))["verdict"], "failed", "{ran}");
    provision(&cloud, &BOTH).await;
    let ran = cloud.run("verify", &verify).await.ends(0);
    for method in ["GET", "PUT", "HEAD"] {
        let check = ran.check(&format!("preflight {method} from {SECOND}"));
        assert_eq!(
            (&check["verdict"], &check["detail"]),
            (&"passed".into(), &format!("allowed from {SECOND}").into())
        );
    }
}
