//! What others write and what a server says stays text: in every command, in every format.

use std::fmt::Write as _;

use futures::future::join_all;
use serde_json::Value;
use wbstore_sandbox::cloud::{Cloud, in_full};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::reply::ApiError;

use crate::support::provision;

/// What is in the names, tags, labels, ids and values of others, and nowhere else.
const THEIRS: [&str; 11] = [
    "passer-by",
    "passer_by",
    "somebody-else",
    "removals",
    "thumbnails",
    "raw data/",
    "data team",
    "data.acme.com",
    "Readers",
    "audit",
    "team",
];

/// What they write there instead: commands to CI systems and terminals, letters that are not seen, ends of
/// quotes, options, markup. Each has the word by which it is found.
const HOSTILE: [&str; 3] = [
    "::stop-commands::evil",
    "\u{1b}[31mevil\u{9b}2J\u{202e}\u{200b}\u{e0041}\u{feff}\n::error::evil\r\n ##vso[task.setvariable]evil\
     \u{2028}##[error]evil\u{85}##teamcity[evil\u{2029}::evil",
    "q --delete-objects --confirm evil`; `wbstore teardown --evil $(reboot) '; \"evil <img src=evil> www.evil.example \
     https://evil.example @evil #1 ![evil](evil) </code> | evil",
];

/// What a line of a log begins with that CI systems obey: GitHub Actions, Azure Pipelines, TeamCity.
const COMMANDS: [&str; 4] = ["::", "##vso[", "##[", "##teamcity["];

/// The runs that show what others wrote, with their arguments.
const RUNS: [(&str, &[&str]); 14] = [
    ("plan", &["-v"]),
    ("plan", &["--adopt"]),
    ("plan", &["--format", "json", "-v"]),
    ("plan", &["--format", "markdown"]),
    ("plan", &["--adopt", "--format", "markdown"]),
    ("provision", &["--dry-run"]),
    ("teardown", &["--dry-run"]),
    ("teardown", &["--dry-run", "--format", "json"]),
    ("config", &[]),
    ("policy", &["--for", "operator"]),
    ("verify", &["--within", "2s"]),
    ("verify", &["--within", "2s", "--format", "json"]),
    ("doctor", &[]),
    ("doctor", &["--format", "markdown"]),
];

/// The same of a whole account.
const RUNS_ON: [(&str, &[&str]); 3] =
    [("list", &["-v"]), ("list", &["--format", "json"]), ("teardown", &["--expired", "--dry-run"])];

/// Whether `letter` is obeyed by a terminal, or not seen and changes how others are.
fn is_obeyed(letter: char) -> bool {
    let unseen = matches!(
        letter,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..
    );
    unseen || (letter.is_control() && letter != '\n')
}

/// The texts between backticks.
fn spans(text: &str) -> Vec<String> {
    let text = text.replace("\\`", "'");
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_command(span: &str) -> bool {
    ["wbstore ", "gcloud ", "aws ", "az ", "--"].iter().any(|start| span.starts_with(start))
}

/// The hints in a JSON value.
fn hints(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| hints(value, all)),
        Value::Object(fields) => {
            all.extend(fields.get("hint").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| hints(value, all));
        }
        _ => {}
    }
}

/// What is wrong with what a run said.
fn wrong(ran: &Ran, arguments: &[&str]) -> Vec<String> {
    let mut wrong = vec![];
    if ran.code.is_none_or(|code| code >= 100) {
        wrong.push("it did not end by itself".to_owned());
    }
    for text in [&ran.stdout, &ran.stderr] {
        if let Some(letter) = text.chars().find(|letter| is_obeyed(*letter)) {
            wrong.push(format!("shows {letter:?}"));
        }
        let mut advice = vec![];
        if let Ok(document) = serde_json::from_str(text) {
            hints(&document, &mut advice);
        }
        for line in text.lines() {
            if COMMANDS.iter().any(|start| line.trim_start().starts_with(start)) {
                wrong.push(format!("is a command to a CI system: {line}"));
            }
            match serde_json::from_str(line) {
                Ok(object) => hints(&object, &mut advice),
                Err(_) => advice.extend(line.split_once("hint:").map(|(_, hint)| {
                    // In a table's cell more follows.
                    hint.split("<br>").next().unwrap_or_default().to_owned()
                })),
            }
            let commands = spans(line).into_iter().filter(|span| is_command(span) && span.contains("evil"));
            // A server's own words may have backticks of their own.
            wrong.extend(commands.filter(|_| !line.contains("error")).map(|span| format!("suggests {span}")));
        }
        for hint in advice {
            let within = spans(&hint).into_iter().filter(|span| span.contains("evil"));
            wrong.extend(within.map(|span| format!("advises {span}")));
            if ["evil --", "--confirm evil", "--evil"].iter().any(|option| hint.contains(option)) {
                wrong.push(format!("advises options: {hint}"));
            }
        }
        if arguments.contains(&"markdown") && ran.code != Some(2) && text == &ran.stdout {
            let markup = ["<img", "www.evil", "://evil", "@evil", "![evil]("];
            wrong.extend(
                markup.iter().filter(|one| text.contains(**one)).map(|one| format!("marks up {one}")),
            );
        }
    }
    wrong
}

/// Whether what others wrote is seen at all.
fn shows(ran: &Ran) -> bool {
    ran.stdout.contains("evil") || ran.stderr.contains("evil")
}

/// Runs everything; returns how many runs showed something of others.
async fn trial<C: Person>(cloud: &C, state: &str, runs: &[(&str, &[&str])]) -> usize {
    let (mut seen, mut report) = (0, String::new());
    // The first one is part of the second.
    for hostile in HOSTILE.into_iter().skip(usize::from(!in_full())) {
        let words = THEIRS.iter().map(|word| (*word, hostile.to_owned())).collect();
        cloud.proxy().arm(When::every("*"), Fault::Reword(words));
        let of = runs.iter().map(async |(verb, more)| (*verb, *more, cloud.run(verb, more).await));
        let on = RUNS_ON.iter().map(async |(verb, more)| (*verb, *more, cloud.run_on(verb, more).await));
        let (of, on) = futures::join!(join_all(of), join_all(on));
        for (verb, more, ran) in of.into_iter().chain(on) {
            seen += usize::from(shows(&ran));
            for wrong in wrong(&ran, more) {
                let _ = writeln!(report, "{state}: {verb} {}: {wrong}\n{ran}", more.join(" "));
            }
        }
        cloud.proxy().disarm();
    }
    assert!(report.is_empty(), "{report}");
    seen
}

pub async fn what_others_wrote_stays_text<C: Person>() {
    let cloud = C::fresh().await;
    cloud.neighbours().await;
    cloud.predecessor().await;
    let looks = &RUNS[..10];
    assert_ne!(trial(&cloud, "of others", looks).await, 0, "nothing of others is shown");
    provision(&cloud, &["--adopt"]).await;
    for document in C::ENTRIES {
        cloud.add_entry(document).await;
    }
    assert_ne!(trial(&cloud, "adopted", &RUNS).await, 0, "nothing of others is shown");
    for document in C::MARKS {
        cloud.remark(document).await;
    }
    assert_ne!(trial(&cloud, "of another deployment", looks).await, 0, "nothing of others is shown");
}

/// Codes, and messages that their explanations quote, with `EVIL` in the place of what they quote.
const SAID: [(u16, &str, &str); 17] = [
    (400, "evil", "\n::error::evil EVIL"),
    (403, "\u{1b}[31m::evil", "EVIL\u{2028}::error::evil"),
    (403, "AccessDenied", "EVIL with an explicit deny in a service control policy"),
    (301, "PermanentRedirect", "EVIL"),
    (
        403,
        "AuthorizationFailed",
        "The client with object id 'EVIL' may not perform action 'EVIL' over scope 'EVIL'",
    ),
    (
        401,
        "InvalidAuthenticationTokenTenant",
        "wrong issuer 'https://sts/EVIL/' must match the tenant 'https://sts/EVIL/'",
    ),
    (409, "ScopeLocked", "the following scope(s) are locked: 'EVIL'"),
    (409, "MissingSubscriptionRegistration", "not registered to use namespace 'EVIL'"),
    (403, "RequestDisallowedByPolicy", "\"policyAssignment\":{\"name\":\"EVIL\"}"),
    (400, "LocationNotAvailableForResourceType", "The provided location 'EVIL' is not available"),
    (403, "SERVICE_DISABLED", "EVIL.googleapis.com has not been used"),
    (403, "accessNotConfigured", "EVIL.googleapis.com has not been used"),
    (403, "BILLING_DISABLED", "EVIL"),
    (412, "conditionNotMet", "violates constraints/EVIL"),
    (403, "PERMISSION_DENIED", "violates customConstraints/EVIL"),
    (403, "forbidden", "Permission EVIL denied on EVIL"),
    (403, "forbidden", "requires a quota project EVIL"),
];

pub async fn what_a_server_says_stays_text<C: Cloud>() {
    let cloud = C::fresh().await;
    let mut report = String::new();
    for (status, code, message) in SAID.iter().copied().step_by(if in_full() { 1 } else { 3 }) {
        for evil in [HOSTILE[2], "--evil", "evil"] {
            let error = ApiError::new(status, code, &message.replace("EVIL", evil)).field("reason", code);
            let error = error.header("x-amz-bucket-region", evil).field("Region", evil);
            cloud.proxy().arm(When::every("*"), Fault::fail(Failure::Other(error)));
            for (verb, more) in [
                ("plan", &["-v"][..]),
                ("plan", &["--format", "json"]),
                ("doctor", &["--format", "markdown"]),
            ] {
                let ran = cloud.run(verb, more).await;
                // A single word that a server names is no more than a value.
                let harmful = |wrong: &String| {
                    evil != "evil" || !(wrong.starts_with("advises ") || wrong.starts_with("suggests "))
                };
                for wrong in wrong(&ran, more).iter().filter(|wrong| harmful(wrong)) {
                    let _ = writeln!(report, "{status} {code}: {verb} {}: {wrong}\n{ran}", more.join(" "));
                }
            }
            cloud.proxy().disarm();
        }
    }
    assert!(report.is_empty(), "{report}");
}
