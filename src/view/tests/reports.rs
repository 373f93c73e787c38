//! What is shown while and after things happen.

use std::time::Duration;

use anstream::adapter::strip_str;
use insta::assert_snapshot;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::fixtures::{self, address};
use crate::cli::Format;
use crate::error::{Error, Kind};
use crate::event::{Event, Events};
use crate::inventory::{Deployment, Inventory};
use crate::plan::{Action, Plan};
use crate::verify::{Advice, Check, Checking, Verdict};
use crate::view::checks::Verdicts;
use crate::view::progress::{Style, Tally};
use crate::view::remark::Remark;
use crate::view::{checks, inventory, progress};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn waiting(why: &str, left: u64) -> Event {
    Event::Waiting { address: address("queue"), why: why.to_owned(), next: seconds(5), left: seconds(left) }
}

fn counted(done: u64) -> Event {
    let (address, total, unit) = (address("bucket"), 1000, "objects");
    let (errors, per_second, left) = (done / 60, 100, Some(seconds((total - done) / 100)));
    Event::Progress { address, done, total, unit, errors, per_second, left }
}

fn partly() -> Vec<Event> {
    let (queue, bucket, cors) = (address("queue"), address("bucket"), address("cors"));
    let done =
        Event::Done { address: queue.clone(), action: Action::Create, took: Duration::from_millis(420) };
    let error = "AccessDenied:\u{1b}[2J no".to_owned();
    vec![
        Event::Started { address: queue, action: Action::Create },
        waiting("the name is not free yet", 65),
        waiting("the name is not free yet", 60),
        Event::Started { address: bucket.clone(), action: Action::Create },
        counted(50),
        counted(120),
        counted(130),
        done,
        Event::Failed { address: bucket.clone(), error, hint: Some("grant s3:CreateBucket".to_owned()) },
        Event::Blocked { address: cors, by: vec![bucket] },
    ]
}

fn shown(style: Style, sent: Vec<Event>) -> (Tally, String) {
    shown_of(&fixtures::create(), style, sent)
}

fn shown_of(plan: &Plan, style: Style, sent: Vec<Event>) -> (Tally, String) {
    let (events, receiver) = Events::channel();
    sent.into_iter().for_each(|event| events.send(event));
    drop(events);
    let mut written = Vec::new();
    let tally = run(progress::show(&[plan], receiver, style, &mut written));
    (tally, strip_str(&String::from_utf8(written).unwrap()).to_string())
}

fn run<T>(view: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(view)
}

/// The one number that differs from run to run.
fn timeless(text: &str) -> String {
    text.replace(" in 0.0s", " in …")
}

#[test]
fn lines_say_each_thing_once_and_how_to_go_on() {
    let (tally, text) = shown(Style::Lines, partly());
    assert!(!tally.is_whole());
    assert_eq!((tally.done(), tally.failed, tally.blocked), (1, 1, 1));
    assert_snapshot!(timeless(&text), @"
    aws/queue/acme-wandb: retrying for up to 1m 5s: the name is not free yet
    aws/bucket/acme-wandb: 120 of 1,000 objects, 100/s, 8s left, 2 errors
    aws/queue/acme-wandb: created (0.4s)
    aws/bucket/acme-wandb: failed: AccessDenied:[2J no
    hint: grant s3:CreateBucket
    aws/cors/acme-wandb: not started, because it requires aws/bucket/acme-wandb
    Not finished: 1 created, 1 failed, 1 not started in …
    hint: fix the cause, then run the same command again to continue
    ");
}

#[test]
fn an_interrupt_is_told_apart_from_a_failure() {
    let blocked = Event::Blocked { address: address("cors"), by: vec![] };
    let (tally, text) = shown(Style::Lines, vec![Event::Interrupted, blocked]);
    assert!(tally.interrupted);
    assert_snapshot!(timeless(&text), @"
    interrupted: no new steps are started; running steps finish
    aws/cors/acme-wandb: not started
    Interrupted: 1 not started in …
    hint: run the same command again to continue
    ");
}

#[test]
fn a_terminal_keeps_the_lines_that_matter() {
    let (_, text) = shown(Style::Terminal, partly());
    assert_snapshot!(timeless(&text), @"
    aws/queue/acme-wandb: created (0.4s)
    aws/bucket/acme-wandb: failed: AccessDenied:[2J no
    hint: grant s3:CreateBucket
    aws/cors/acme-wandb: not started, because it requires aws/bucket/acme-wandb
    Not finished: 1 created, 1 failed, 1 not started in …
    hint: fix the cause, then run the same command again to continue
    ");
}

#[test]
fn what_goes_with_another_is_counted_like_in_the_plan() {
    let plan = fixtures::teardown();
    let took = Duration::from_millis(420);
    let gone = |kind| Event::Done { address: address(kind), action: Action::Delete, took };
    let (tally, text) = shown_of(&plan, Style::Lines, vec![gone("queue"), gone("bucket")]);
    assert_eq!((tally.deleted, plan.counts.delete), (4, 4));
    assert_snapshot!(timeless(&text), @"
    aws/queue/acme-wandb: deleted (0.4s)
    aws/bucket/acme-wandb: deleted (0.4s)
    aws/cors/acme-wandb: deleted (0.4s)
    aws/notification/acme-wandb: deleted (0.4s)
    Done: 4 deleted in …
    ");
    let failed = Event::Failed { address: address("bucket"), error: "denied".to_owned(), hint: None };
    let (tally, text) = shown_of(&plan, Style::Lines, vec![gone("queue"), failed]);
    assert_eq!((tally.deleted, tally.failed, tally.blocked), (1, 1, 2));
    assert!(
        text.contains("aws/cors/acme-wandb: not started, because it requires aws/bucket/acme-wandb"),
        "{text}"
    );
}

#[test]
fn every_event_is_one_object() {
    let count = partly().len();
    let (_, text) = shown(Style::Json, partly());
    let read: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), count + 1);
    assert_eq!(read[0]["event"], "started");
    assert_eq!((&read[count]["event"], &read[count]["failed"]), (&"finished".into(), &1.into()));
}

fn check(name: &str, verdict: Verdict) -> Checking {
    Checking::Known(Check { name: name.to_owned(), verdict })
}

fn checked(style: Style) -> String {
    let (sender, receiver) = unbounded_channel();
    let hint = Some("add ETag to the exposed headers".to_owned());
    for checking in [
        check("preflight PUT", Verdict::Passed { detail: "204 from us-east-1".to_owned() }),
        Checking::Begun { name: "event".to_owned(), within: seconds(60) },
        check(
            "memory",
            Verdict::Warned { reason: "1.0 GiB".to_owned(), hint: "set `maxmemory 8gb`".to_owned() },
        ),
        check("ETag", Verdict::Failed { reason: "it is not exposed".to_owned(), hint }),
        check("event", Verdict::Inconclusive { reason: "another consumer may have received it".to_owned() }),
        Checking::Advice(Advice {
            name: "app, to enter\nthere".to_owned(),
            entries: vec!["  scope: a\u{1b}[31m".to_owned()],
        }),
    ] {
        sender.send(checking).unwrap();
    }
    drop(sender);
    let (mut written, mut words) = (Vec::new(), Vec::new());
    let verdicts = run(checks::show(receiver, style, &mut written, &mut words, &CancellationToken::new()));
    let Verdicts { passed, warned, failed, inconclusive } = verdicts;
    assert_eq!([passed, warned, failed, inconclusive], [1; 4]);
    let waiting = match style {
        Style::Terminal | Style::Quiet(_) => "",
        Style::Lines => "note: waiting for event, up to 1m 0s\n",
        Style::Json => "{\"event\":\"waiting\",\"why\":\"event\",\"left_seconds\":60.0}\n",
    };
    assert_eq!(String::from_utf8(words).unwrap(), waiting);
    strip_str(&String::from_utf8(written).unwrap()).to_string()
}

#[test]
fn a_check_has_a_sign_a_word_and_a_reason() {
    let text = checked(Style::Lines);
    assert_eq!(text, checked(Style::Terminal));
    assert_eq!(text, checked(Style::Quiet(Format::Human)));
    assert_snapshot!(text, @"
    ✓ passed       preflight PUT: 204 from us-east-1
    ! warned       memory: 1.0 GiB
    hint: set `maxmemory 8gb`
    ✗ failed       ETag: it is not exposed
    hint: add ETag to the exposed headers
    ? inconclusive event: another consumer may have received it
      app, to enter there:
            scope: a[31m
    It does not work: 1 passed, 1 warned, 1 failed, 1 inconclusive
    ");
    assert_snapshot!(checked(Style::Json), @r#"
    {"name":"preflight PUT","verdict":"passed","detail":"204 from us-east-1"}
    {"name":"memory","verdict":"warned","reason":"1.0 GiB","hint":"set `maxmemory 8gb`"}
    {"name":"ETag","verdict":"failed","reason":"it is not exposed","hint":"add ETag to the exposed headers"}
    {"name":"event","verdict":"inconclusive","reason":"another consumer may have received it"}
    {"name":"app, to enter\nthere","entries":["  scope: a\u001b[31m"]}
    "#);
}

#[test]
fn an_inventory_is_a_table_with_ages() {
    const DAY: i64 = 86_400;
    let now = 1_000 * DAY;
    let parts = vec![part("bucket"), part("queue")];
    let acme = Deployment {
        team: None,
        name: "acme".to_owned(),
        region: "us-east-1".to_owned(),
        created: Some(now - 3 * DAY),
        expires: None,
        parts,
        refers_to: vec![],
        missing: vec![],
    };
    let ci = Deployment {
        name: "ci-1234".to_owned(),
        created: None,
        expires: Some(now - 7200),
        parts: vec![],
        missing: vec![part("queue"), part("cors")],
        ..acme.clone()
    };
    let soon = Deployment { name: "demo".to_owned(), expires: Some(now + 90), ..acme.clone() };
    let unread = vec!["the queues of eu-west-1: access denied".to_owned()];
    let found = Inventory { scope: "account 1".to_owned(), deployments: vec![acme, ci, soon], unread };
    assert_snapshot!(inventory::table(&found, now, false), @"
    NAME     REGION     AGE      EXPIRES         PARTS          MISSING
    acme     us-east-1  3d       never           bucket, queue  none
    ci-1234  us-east-1  unknown  expired 2h ago  none           queue, cors
    demo     us-east-1  3d       in 1m           bucket, queue  none
    ");
    assert_snapshot!(inventory::table(&found, now, true), @"
    NAME      REGION      AGE       EXPIRES          PARTS           MISSING
    ──────────────────────────────────────────────────────────────────────────────
    acme      us-east-1   3d        never            bucket, queue   none
    ci-1234   us-east-1   unknown   expired 2h ago   none            queue, cors
    demo      us-east-1   3d        in 1m            bucket, queue   none
    ");
    assert_snapshot!(strip_str(&inventory::unlisted(&found)).to_string(), @"
    not listed: the queues of eu-west-1: access denied
    ");
    let none = Inventory { scope: "account 1".to_owned(), ..Inventory::default() };
    assert_eq!(inventory::table(&none, now, false), "");
    assert_eq!(inventory::unlisted(&none), "");
}

#[test]
fn an_error_prints_its_cause_once_and_its_hint_below() {
    let failure = Error::new(Kind::Denied, "failed to create aws/bucket/acme-wandb")
        .because("AccessDenied\u{1b}[31m: not\nallowed")
        .hint("grant s3:CreateBucket\nor run:\n  wbstore policy aws --for operator");
    assert_snapshot!(strip_str(&Remark::error(&failure, 3).text(Format::Human)).to_string(), @"
    error: failed to create aws/bucket/acme-wandb: AccessDenied[31m: not allowed
    hint: grant s3:CreateBucket
          or run:
            wbstore policy aws --for operator
    ");
    assert_snapshot!(Remark::error(&failure, 3).text(Format::Json), @r#"{"event":"error","error":"failed to create aws/bucket/acme-wandb: AccessDenied\u001b[31m: not\nallowed","hint":"grant s3:CreateBucket\nor run:\n  wbstore policy aws --for operator","exit_code":3}"#);
    assert_snapshot!(Remark::note("all is well").text(Format::Json), @r#"{"event":"note","note":"all is well"}"#);
    let warning = Remark::warning("an account\nkey");
    assert_snapshot!(warning.text(Format::Json), @r#"{"event":"warning","warning":"an account\nkey"}"#);
    assert_eq!(strip_str(&warning.text(Format::Human)).to_string(), "warning: an account key\n");
}

fn part(kind: &str) -> crate::inventory::Part {
    crate::inventory::Part { kind: kind.to_owned(), name: "acme-wandb".to_owned() }
}
