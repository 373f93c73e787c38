//! `HOST` on a double of the server's front.

use wbstore_sandbox::services::authority::{Authority, Identity};
use wbstore_sandbox::services::website::{Method, Page, Website};

use crate::support::{Checked, check};

fn up(_: &Method, path: &str) -> Page {
    match path {
        "/" | "/healthz" | "/ready" => Page::new(200, "ok"),
        "/graphql" => Page::new(400, "{}"),
        _ => Page::new(404, ""),
    }
}

#[tokio::test]
async fn a_server_that_is_up_passes() {
    let authority = Authority::new();
    let website = Website::start(&authority.identity(&[]), up).await;
    let settings = [("HOST", website.url())];
    let settings = [(settings[0].0, settings[0].1.as_str())];
    let ran = check(&settings, &authority, &[]).await.ends(0);
    ran.is("HOST address", "passed", &["127.0.0.1"])
        .is("HOST certificate", "passed", &["valid until", "days"])
        .is("HOST redirect", "passed", &[])
        .is("HOST server", "passed", &["/healthz and /ready"]);
    assert!(!ran.has("HOST body limit"));
    assert!(website.asked().iter().all(|(method, _)| method == Method::GET), "{:?}", website.asked());
    let ran = check(&settings, &authority, &["--write"]).await.ends(0);
    ran.is("HOST body limit", "passed", &["10 MB"]);
}

#[tokio::test]
async fn a_certificate_that_browsers_reject_fails() {
    let (authority, other) = (Authority::new(), Authority::new());
    let cases: [(Identity, i32, &str, &str); 4] = [
        (other.identity(&[]), 6, "failed", "W&B requires a certificate of a public authority"),
        (authority.identity_for(&[], -1), 6, "failed", "expired on"),
        (authority.identity_elsewhere(&["a.acme.com", "b.acme.com"]), 6, "failed", "a.acme.com, b.acme.com"),
        (authority.identity_for(&[], 5), 0, "warned", "renew the certificate"),
    ];
    for (identity, code, verdict, words) in cases {
        let website = Website::start(&identity, up).await;
        let ran = check(&[("HOST", &website.url())], &authority, &[]).await.ends(code);
        ran.is("HOST certificate", verdict, &[words]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_up_yet_is_inconclusive() {
    let authority = Authority::new();
    for (answer, words) in [
        (
            (|_: &Method, _: &str| Page::new(503, "")) as fn(&Method, &str) -> Page,
            "/healthz returns HTTP status 503",
        ),
        (|_, path| Page::new(if path == "/ready" { 500 } else { 200 }, ""), "/ready returns HTTP status 500"),
    ] {
        let website = Website::start(&authority.identity(&[]), answer).await;
        let ran = check(&[("HOST", &website.url())], &authority, &[]).await.ends(0);
        ran.is("HOST server", "inconclusive", &["not up yet", words]);
    }
}

#[tokio::test]
async fn a_redirect_to_another_address_is_warned_about() {
    let authority = Authority::new();
    for (target, verdict, words) in [
        ("/login", "passed", "stays at"),
        ("https://www.acme.com/?token=canary", "warned", "https://www.acme.com/"),
    ] {
        let answer = move |_: &Method, path: &str| {
            if path == "/" { Page::redirect(target) } else { Page::new(200, "") }
        };
        let website = Website::start(&authority.identity(&[]), answer).await;
        let ran = check(&[("HOST", &website.url())], &authority, &[]).await.ends(0);
        ran.is("HOST redirect", verdict, &[words]);
        assert!(!ran.stdout.contains("canary"), "{ran}");
    }
}

#[tokio::test]
async fn a_body_limit_is_found_with_write() {
    let authority = Authority::new();
    let answer = |method: &Method, path: &str| match method {
        &Method::POST => Page::new(413, "too large"),
        method => up(method, path),
    };
    let website = Website::start(&authority.identity(&[]), answer).await;
    let ran = check(&[("HOST", &website.url())], &authority, &["--write"]).await;
    // The answer may be lost where the connection is closed while the request is still sent.
    match ran.check("HOST body limit")["verdict"].as_str() {
        Some("inconclusive") => {}
        _ => {
            ran.is("HOST body limit", "failed", &["413", "proxy-body-size"]);
            assert_eq!(ran.code, Some(6), "{ran}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_there_fails_with_where_it_was_looked_for() {
    let authority = Authority::new();
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let ran = check(&[("HOST", &format!("https://localhost:{port}"))], &authority, &[]).await.ends(6);
    ran.is("HOST certificate", "failed", &[&format!("localhost:{port}")]);
    let ran = check(&[("HOST", "https://wandb.invalid")], &authority, &[]).await.ends(6);
    ran.is("HOST address", "failed", &["wandb.invalid"]);
}
