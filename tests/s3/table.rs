//! What each store was asked, what was planned there, and what was proved: the table in `docs/s3.md`.

use std::path::Path;

use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::stores::{Store, StoreKind};

use crate::support::{on_each_store, open, provision, teardown, unpassed, verify};

on_each_store! { its_row_in_the_table_is_true }

/// The parts of a bucket that the plan has asked for.
fn asked(store: &Store) -> String {
    let parts = ["cors", "tagging", "publicAccessBlock", "policy", "encryption", "versions", "uploads"];
    let journal = store.proxy().journal();
    let is_asked = |part: &&str| {
        journal.iter().any(|exchange| {
            let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
            exchange.method == "GET" && query.split('&').any(|one| one.split('=').next() == Some(*part))
        })
    };
    parts.into_iter().filter(is_asked).map(|part| format!("`{part}`")).collect::<Vec<_>>().join(" ")
}

/// Where the mark is.
fn mark(plan: &str) -> &'static str {
    if plan.contains("the mark is the object") {
        "object"
    } else if plan.contains("the mark is the id") {
        "id of the rule"
    } else {
        "tag"
    }
}

/// What came of a setting that was asked for.
fn outcome(ran: &Ran, store: &Store) -> String {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    if text.contains("is skipped") {
        assert_eq!(store.writes(), Vec::<String>::new(), "what is skipped is not written");
        "skipped".to_owned()
    } else if text.contains("uploads fail with it") {
        "undone: uploads fail".to_owned()
    } else if text.contains("declined") {
        "declined".to_owned()
    } else {
        assert_eq!(ran.code, Some(0), "{ran}");
        "set, an upload works".to_owned()
    }
}

async fn its_row_in_the_table_is_true(kind: StoreKind) {
    let store = open(kind).await;
    let options = ["--block-public-access", "--encrypt"];
    provision(&store, &[]).await.ends(0);
    store.proxy().clear_journal();
    let plan = store.run("plan", &[&options[..], &["--format", "json"]].concat()).await.ends(0).stdout;
    let asked = asked(&store);
    assert_eq!(store.writes(), Vec::<String>::new());
    let cors = if plan.contains("accepts pages of the server by itself") { "a proxy's" } else { "rule" };
    let mut settings = vec![];
    for option in options {
        store.proxy().clear_journal();
        let ran = provision(&store, &[option]).await;
        settings.push(outcome(&ran, &store));
    }
    let ran = verify(&store, &[]).await;
    let failed: Vec<_> = unpassed(&ran).into_iter().map(|(name, _)| format!("`{name}`")).collect();
    let all = ran.stdout.lines().count();
    let proved = match &failed[..] {
        [] => format!("all {all} checks"),
        some => format!("{} of {all}; not {}", all - some.len(), some.join(", ")),
    };
    store.proxy().clear_journal();
    teardown(&store, &[]).await.ends(0);
    let versions = store.proxy().journal().iter().any(|exchange| {
        exchange.operation == "s3:ListObjectVersions"
            && exchange.status == Some(200)
            && kind != StoreKind::Rclone
    });
    let emptied = if versions { "every version" } else { "objects" };
    let cells = [asked, mark(&plan).to_owned(), cors.to_owned()];
    let row = [&cells[..], &settings[..], &[proved, emptied.to_owned()]].concat().join(" | ");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/s3.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let name = kind.name();
    let told = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_prefix(name)?.strip_suffix(" |")?;
        cells.split_once(" | ").map(|(_, cells)| cells)
    });
    let told: Vec<_> = told.collect();
    let found = kind.found().unwrap_or_default();
    assert_eq!(told, [row.as_str()], "docs/s3.md should have\n| {found} | {row} |");
}
