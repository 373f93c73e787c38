//! HTTP/2 where the service has it: the calls of a look share connections.

use serde_json::json;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::website::{Method, Page, Website};

use crate::support::run;

fn answer(_: &Method, path: &str) -> Page {
    if path.ends_with("/oauth2/v2.0/token") {
        return Page::json(&json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "a.b.c"}));
    }
    Page::json(&json!({ "value": [] }))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_a_look_share_connections_where_the_service_has_http_2() {
    let authority = Authority::new();
    let server = Website::start_with_http_2(&authority.identity(&[]), answer).await;
    let (url, trusted) = (server.url(), authority.file().to_owned());
    let ran = tokio::task::spawn_blocking(move || {
        run(|process| {
            process.args(["plan", "azure", "--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590"]);
            process.args(["--host=https://wandb.acme.com", "--resource-group=acme", "--location=westeurope"]);
            process.arg(format!("--arm-endpoint={url}"));
            process.env("AZURE_AUTHORITY_HOST", &url).env("SSL_CERT_FILE", trusted);
        })
    });
    let ran = ran.await.expect("it runs");
    let requests = server.versions();
    assert!(requests.len() > 8, "{requests:?}: {}", ran.stderr);
    assert!(requests.iter().all(|version| version == "HTTP/2.0"), "{requests:?}");
    assert!(server.connections() <= 2, "{} for {}", server.connections(), requests.len());
}
