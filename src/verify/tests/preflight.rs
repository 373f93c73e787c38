//! The judgement of preflights, and the second look at a refusal.

use std::time::Duration;

use super::fake::{ALLOWED, PEEKED, SHARED, run};
use crate::verify::Verdict;

#[tokio::test(start_paused = true)]
async fn what_a_browser_needs_is_what_passes() {
    for (without, why) in [
        (0, "https://wandb.acme.com is not allowed to PUT with the headers content-type, range"),
        (1, "PUT is not among the allowed methods"),
        (2, "the header content-type is not among the allowed headers"),
    ] {
        let ran = run::<SHARED>(|cloud| {
            cloud.cors.remove(without);
        })
        .await;
        ran.fails("preflight PUT", why, "`wbstore plan fake`");
    }
    let star = run::<SHARED>(|cloud| {
        cloud.cors = ALLOWED.map(|(name, _)| (name, "*")).to_vec();
    });
    star.await.passes("preflight HEAD", "allowed from https://wandb.acme.com");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_was_just_written_gets_a_second_look() {
    let ran = run::<SHARED>(|cloud| cloud.allowed_from += Duration::from_secs(3)).await;
    ran.passes("preflight GET", "allowed");
    assert!(ran.begun.contains(&"preflight GET".to_owned()), "{:?}", ran.begun);
    let ran = run::<SHARED>(|cloud| cloud.allowed_from += Duration::from_secs(600)).await;
    ran.fails("preflight GET", "HTTP status 403", "`wbstore plan fake`");
    assert!(ran.took < Duration::from_secs(10), "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_star_lets_strangers_in() {
    let ran = run::<PEEKED>(|cloud| cloud.stranger = vec![("access-control-allow-origin", "*")]).await;
    ran.fails("preflight other origin", "any origin", "a CORS rule of the bucket allows `*`");
    let ran = run::<PEEKED>(|cloud| cloud.stranger = ALLOWED.to_vec()).await;
    ran.passes("preflight other origin", "refused");
}

#[tokio::test(start_paused = true)]
async fn another_api_is_asked_for_every_method() {
    let ran = run::<SHARED>(|cloud| cloud.other_api = true).await;
    ran.passes("preflight other API", "it answers everybody");
    let ran = run::<SHARED>(|cloud| {
        cloud.other_api = true;
        cloud.cors[1].1 = "GET, HEAD";
    });
    ran.await.fails("preflight other API", "PUT: PUT is not among", "check any proxy");
    let ran = run::<SHARED>(|_| ()).await;
    assert!(ran.checks.iter().all(|(name, verdict)| {
        name != "preflight other API" && matches!(verdict, Verdict::Passed { .. })
    }));
}
