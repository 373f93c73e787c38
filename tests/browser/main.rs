//! Whether a browser does what `verify` says: Chromium uploads and reads as a page of the deployment's origin
//! and as a page of another, over a matrix of CORS documents, on each cloud.

mod timings;

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::browser::{Attempt, Browser, Page, Seen};
use wbstore_sandbox::cloud::{NAME, PROVISION};
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::pages::{Pages, Rule};
use wbstore_sandbox::ran::finish;

const ALL: &[&str] = &["GET", "HEAD", "PUT"];

/// The documents, by what is in them; `None` is the one that wbstore writes.
fn documents(origin: &str) -> Vec<(&'static str, Option<Vec<Rule>>)> {
    let rule = |origin: &str, methods, exposed| Rule { origin: origin.to_owned(), methods, exposed };
    let etag: &[&str] = &["ETag"];
    let (host, port) = origin.rsplit_once(':').expect("a port");
    let neighbour = format!("{host}:{}", port.parse::<u16>().expect("a number") ^ 1);
    let other = "https://other.example";
    vec![
        ("ours", None),
        (
            "a rule of others before it that matches",
            Some(vec![rule("*", &["GET"], &[]), rule(origin, ALL, etag)]),
        ),
        ("no HEAD", Some(vec![rule(origin, &["GET", "PUT"], etag)])),
        ("no ETag", Some(vec![rule(origin, ALL, &[])])),
        ("every origin", Some(vec![rule("*", ALL, etag)])),
        ("another port", Some(vec![rule(&neighbour, ALL, etag)])),
        (
            "one rule a method",
            Some(vec![
                rule(other, ALL, etag),
                rule(origin, &["GET", "HEAD"], &[]),
                rule(origin, &["PUT"], etag),
            ]),
        ),
    ]
}

/// The checks of `verify`, and whether each passed.
fn verdicts(lines: &str) -> BTreeMap<String, bool> {
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let checks =
        lines.filter_map(|line| Some((line["name"].as_str()?.to_owned(), line["verdict"] == "passed")));
    checks.collect()
}

fn passed(seen: &Seen) -> bool {
    matches!(seen, Seen::Read { .. })
}

/// What a check of `verify` says of a document, and what the browser did.
struct Cell {
    document: &'static str,
    check: &'static str,
    says: Option<bool>,
    does: bool,
}

async fn cells<C: Pages>(browser: &Browser, document: &'static str, rules: Option<Vec<Rule>>) -> Vec<Cell> {
    let cloud = C::fresh().await;
    let host = ["--host", browser.origin(), "--name", NAME];
    let names = cloud.names();
    let names: Vec<_> = names.iter().map(String::as_str).chain(host).collect();
    cloud.run_on("provision", &[PROVISION, &names].concat()).await.ends(0);
    if let Some(rules) = &rules {
        cloud.set_cors(rules).await;
    }
    // The account's own credentials sign the probe.
    let mut verify = cloud.wbstore();
    verify.args(["verify", C::CLOUD]).args(cloud.place("verify")).args(&names);
    verify.args(["--format", "json", "--within", "5s"]);
    let says = verdicts(&finish(verify).await.stdout);

    let ours = cloud.signed_urls("runs/ours.txt").await;
    let theirs = cloud.signed_urls("runs/theirs.txt").await;
    let Attempt { put, head, get } = browser.attempt(Page::Server, &ours).await.expect("the page works");
    let stranger = browser.attempt(Page::Stranger, &theirs).await.expect("the page works");
    let stored = matches!(put, Seen::Read { status: 200..300, .. });
    let etag = matches!(&put, Seen::Read { etag: Some(etag), .. } if !etag.is_empty());
    assert!(stored || rules.is_some(), "a page of the deployment cannot upload: {put:?}");
    let does = [
        ("preflight PUT", passed(&put)),
        ("preflight HEAD", passed(&head)),
        ("preflight GET", passed(&get)),
        ("preflight other origin", !passed(&stranger.put)),
    ];
    // Of an upload that did not happen there is no ETag.
    let does = does.into_iter().chain(stored.then_some(("ETag exposed", etag)));
    does.map(|(check, does)| Cell { document, check, says: says.get(check).copied(), does }).collect()
}

async fn agree<C: Pages>() {
    let browser = Browser::start().await.expect("Chromium starts");
    let documents = documents(browser.origin()).into_iter();
    let all = join_all(documents.map(|(document, rules)| cells::<C>(&browser, document, rules)));
    let all = all.await.into_iter().flatten().collect::<Vec<_>>();
    for Cell { document, check, says, does } in &all {
        assert_eq!(*says, Some(*does), "{}, {document}, {check}: verify, then the browser", C::CLOUD);
    }
    // Of each check the matrix has a document that passes it and one that fails it.
    for check in all.iter().map(|cell| cell.check) {
        for does in [true, false] {
            assert!(
                all.iter().any(|cell| cell.check == check && cell.does == does),
                "{check} is never {does}"
            );
        }
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the emulators: cargo sandbox test"]
async fn a_browser_does_on_aws_what_verify_says() {
    agree::<Aws>().await;
}

#[tokio::test]
#[ignore = "needs Chromium and the emulators: cargo sandbox test"]
async fn a_browser_does_on_google_cloud_what_verify_says() {
    agree::<Gcp>().await;
}

#[tokio::test]
#[ignore = "needs Chromium and the emulators: cargo sandbox test"]
async fn a_browser_does_on_azure_what_verify_says() {
    agree::<Azure>().await;
}
