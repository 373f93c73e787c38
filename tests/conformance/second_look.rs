//! Between the plan and the write there is a prompt, a review, or a step that takes its time; what somebody
//! else does meanwhile is kept, or the step is refused.

use std::time::Duration;

use serde_json::Value;
use wbstore_sandbox::cloud::{Cloud, HOST, NAME, PROVISION, TEARDOWN};
use wbstore_sandbox::fault::{Fault, Side, When};
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::person::{Document, ENTRY, Person, Trace, dishonesty, meanwhile};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::snapshot::Snapshot;
use wbstore_sandbox::terminal::Terminal;

use crate::support::provision;

/// How every refusal of a second look begins.
const CHANGED: &str = "changed since the plan";

/// An upload that comes while `teardown` asks whether to delete an empty bucket.
pub async fn an_upload_at_the_prompt_of_a_teardown_stays<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    let (ran, upload) = at_the_prompt(&cloud, "teardown", &[], cloud.upload()).await;
    assert_refused(&cloud, &ran);
    assert!(upload.expect("there is a bucket").is_in(&cloud.snapshot().await), "the upload is gone: {ran}");
}

/// The same while an earlier step is under way: at each of the writes that come before the deletion.
pub async fn an_upload_during_an_earlier_step_stays<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    let waited_for = before_the_bucket(&cloud).await;
    cloud.proxy().clear_journal();
    let ran = cloud.run("teardown", &TEARDOWN[..2]).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    let writes = cloud.proxy().journal().into_iter().filter(|exchange| exchange.mutating);
    let earlier: Vec<_> = writes.take_while(|write| !C::OBJECTS.is_written_by(write)).collect();
    for write in earlier {
        let cloud = C::fresh().await;
        provision(&cloud, &[]).await;
        cloud.proxy().clear_journal();
        let held = cloud.proxy().arm(When::operation(&write.operation, 0), Fault::Hang(Side::Before));
        let person = async {
            held.reached().await;
            let upload = cloud.upload().await;
            held.release();
            upload
        };
        let (ran, upload) = futures::join!(cloud.run("teardown", &TEARDOWN[..2]), person);
        // Where nothing waits for this write, the bucket may be gone by then; or it has been looked at, and
        // the cloud itself refuses to delete it, or has no precondition for that.
        let Some(upload) = upload else { continue };
        let operation = write.operation.to_lowercase();
        let is_waited_for = waited_for.iter().any(|kind| operation.contains(kind));
        if ran.code == Some(0) && !is_waited_for {
            continue;
        }
        assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
        assert_eq!(dishonesty(&ran, &cloud.proxy().journal()), None);
        assert!(upload.is_in(&cloud.snapshot().await), "the upload is gone: {ran}");
    }
}

/// The kinds of the steps that the deletion of the bucket or container waits for, as operations spell them.
async fn before_the_bucket<C: Cloud>(cloud: &C) -> Vec<String> {
    let ran = cloud.run("teardown", &["--dry-run", "--format", "json"]).await.ends(0);
    let plan = ran.planned();
    let kind = |address: &Value| {
        address.as_str().and_then(|text| text.split('/').nth(1)).unwrap_or_default().to_owned()
    };
    let mut steps = plan["steps"].as_array().expect("steps").iter();
    let bucket = steps.find(|step| ["bucket", "container"].contains(&kind(&step["address"]).as_str()));
    let waits_for = bucket.expect("the bucket is deleted")["waits_for"].as_array().expect("a list");
    waits_for.iter().map(|address| kind(address).replace('-', "")).collect()
}

/// Another deployment's mark that appears while `teardown` asks.
pub async fn a_mark_that_appears_at_the_prompt_of_a_teardown_stays<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    let act = remark(&cloud, &C::MARKS[0]);
    let (ran, marked) = at_the_prompt(&cloud, "teardown", &["--delete-objects"], act).await;
    assert_refused(&cloud, &ran);
    marked.is_untouched(&cloud, &ran).await;
}

/// Another deployment's mark that appears while `provision --adopt` asks.
pub async fn a_mark_that_appears_at_the_prompt_of_a_provision_stays<C: Person>() {
    let cloud = C::fresh().await;
    cloud.predecessor().await;
    let act = remark(&cloud, &C::MARKS[0]);
    let (ran, marked) = at_the_prompt(&cloud, "provision", &["--adopt"], act).await;
    assert_refused(&cloud, &ran);
    marked.is_untouched(&cloud, &ran).await;
}

/// The same name, taken by another deployment while `provision` asks whether to create it.
pub async fn a_name_that_is_taken_at_the_prompt_stays_with_its_taker<C: Person>() {
    let cloud = C::fresh().await;
    let act = async {
        cloud.predecessor().await;
        remark(&cloud, &C::MARKS[0]).await
    };
    let (ran, marked) = at_the_prompt(&cloud, "provision", &[], act).await;
    assert_refused(&cloud, &ran);
    marked.is_untouched(&cloud, &ran).await;
}

/// Runs a command on a terminal; somebody acts while it asks, and then its user agrees.
async fn at_the_prompt<C: Cloud, T>(
    cloud: &C,
    verb: &str,
    more: &[&str],
    act: impl Future<Output = T>,
) -> (Ran, T) {
    let (question, answer) = match verb {
        "teardown" => ("to delete it", format!("{NAME}\r")),
        _ => ("Apply these changes?", "y\r".to_owned()),
    };
    let mut command = cloud.command(verb, more);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command);
    terminal.shows(question).await;
    cloud.proxy().clear_journal();
    let done = act.await;
    terminal.types(&answer).await;
    (terminal.ended().await, done)
}

/// A mark that appears on any part between the plan and the first write.
pub async fn a_mark_that_appears_after_the_plan_stays<C: Person>() {
    for document in C::MARKS {
        let cloud = C::fresh().await;
        provision(&cloud, &[]).await;
        let looks = looks(&cloud, "teardown", &["--delete-objects"]).await;
        let run = cloud.run("teardown", TEARDOWN);
        let (ran, marked) = meanwhile(&cloud, looks, run, remark(&cloud, document)).await;
        assert_refused(&cloud, &ran);
        marked.expect("the run had not ended").is_untouched(&cloud, &ran).await;
    }
}

/// Of several deployments whose time is up, one is renewed after the plan.
pub async fn a_lease_that_is_renewed_after_the_plan_is_respected<C: Person>() {
    let cloud = two_expired::<C>().await;
    let later = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(48)).expect("a date");
    one_of_two_stays(&cloud, async { cloud.set_lease_end(NAME, later).await }).await;
}

/// Of several deployments whose time is up, one is taken by another deployment after the plan.
pub async fn a_mark_that_appears_on_an_expired_deployment_stays<C: Person>() {
    let cloud = two_expired::<C>().await;
    one_of_two_stays(&cloud, async { cloud.remark(&C::MARKS[0]).await }).await;
}

/// The name of a deployment that is planned before [`NAME`].
const FIRST: &str = "acme-first";

async fn two_expired<C: Person>() -> C {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    let first = ["--host", HOST, "--name", FIRST, "--expires", "7d", "--yes"];
    let ran = cloud.run_on("provision", &first).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    cloud.end_lease(NAME).await;
    cloud.end_lease(FIRST).await;
    cloud
}

/// Tears down what has expired, while somebody does something to [`NAME`] after the plan.
async fn one_of_two_stays<C: Person>(cloud: &C, act: impl Future<Output = Option<Trace>>) {
    cloud.proxy().clear_journal();
    let ran = cloud.run_on("teardown", &["--expired", "--dry-run"]).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    let looks = cloud.proxy().counts().requests;
    let run = cloud.run_on("teardown", &["--expired", "--confirm", "expired"]);
    let act = async {
        let trace = act.await.expect("nothing is deleted yet");
        (trace, cloud.snapshot().await)
    };
    let (ran, kept) = meanwhile(cloud, looks, run, act).await;
    let (trace, before) = kept.expect("the run had not ended");
    let after = cloud.snapshot().await;
    assert_eq!(ran.code, Some(4), "{ran}");
    assert!(ran.stderr.contains(CHANGED), "{ran}");
    assert!(trace.is_in(&after), "{ran}\n{after}");
    let is_kept = |path: &str| path.starts_with(trace.document.part());
    assert_same(&after.only(is_kept), &before.only(is_kept), &ran);
    let firsts = after.paths().filter(|path| path.contains(FIRST)).collect::<Vec<_>>();
    assert!(firsts.is_empty(), "the other one is not gone: {firsts:?} {ran}");
}

/// Entries of others that appear in every shared document after the plan of a provision, and of the
/// teardown that gives everything back.
pub async fn entries_that_appear_after_the_plan_stay<C: Person>() {
    let cloud = C::fresh().await;
    cloud.predecessor().await;
    let looks = looks(&cloud, "provision", &["--adopt"]).await;
    let adopting = [PROVISION, &["--adopt"]].concat();
    let run = cloud.run("provision", &adopting);
    let (ran, traces) = meanwhile(&cloud, looks, run, add_entries(&cloud, C::ENTRIES)).await;
    assert_kept(&cloud, &ran, traces).await;

    let cloud = C::fresh().await;
    cloud.predecessor().await;
    provision(&cloud, &["--adopt"]).await;
    let looks = self::looks(&cloud, "teardown", &[]).await;
    let run = cloud.run("teardown", &TEARDOWN[..2]);
    let (ran, traces) = meanwhile(&cloud, looks, run, add_entries(&cloud, C::ENTRIES)).await;
    assert_kept(&cloud, &ran, traces).await;
}

/// An entry of others that appears after the plan of a teardown in what is about to be deleted: the plan
/// has not said that it ends, so it does not.
pub async fn entries_that_a_plan_has_not_shown_do_not_end<C: Person>() {
    for document in C::ENDING {
        let cloud = C::fresh().await;
        provision(&cloud, &[]).await;
        let looks = looks(&cloud, "teardown", &[]).await;
        let run = cloud.run("teardown", &TEARDOWN[..2]);
        let (ran, traces) = meanwhile(&cloud, looks, run, add_entries(&cloud, &[*document])).await;
        assert_kept(&cloud, &ran, traces).await;
    }
}

/// What was there when the plan was made is shown by it, and ends or keeps its place as the plan says.
pub async fn entries_that_a_plan_has_shown_refuse_nothing<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    add_entries(&cloud, C::ENDING).await;
    let ran = cloud.run("teardown", &TEARDOWN[..2]).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains(ENTRY), "{ran}");
}

/// A setting that is changed to a third value after the review is not overwritten.
pub async fn what_is_applied_is_what_was_reviewed<C: Person>() {
    let cloud = C::fresh().await;
    let [_, second, third] = C::SETTING;
    let (looks, digest) = reviewed(&cloud, second).await;
    let arguments = [PROVISION, &["--expect", &digest, "--wait", "3s"]].concat();
    let run = cloud.run("provision", &arguments);
    let (ran, trace) = meanwhile(&cloud, looks, run, cloud.set(third)).await;
    assert_refused(&cloud, &ran);
    assert!(trace.flatten().expect("it is there").is_in(&cloud.snapshot().await), "{ran}");
}

/// A setting that somebody else corrects after the review needs no write.
pub async fn what_others_have_done_meanwhile_is_done<C: Person>() {
    let cloud = C::fresh().await;
    let [wanted, second, _] = C::SETTING;
    let (looks, digest) = reviewed(&cloud, second).await;
    let arguments = [PROVISION, &["--expect", &digest, "--wait", "3s"]].concat();
    let run = cloud.run("provision", &arguments);
    let (ran, _) = meanwhile(&cloud, looks, run, cloud.set(wanted)).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(cloud.proxy().counts().mutating, 0, "{ran}");
}

/// A look that does not show what the plan showed may be a read that lags: when a later one shows it, the
/// step goes ahead.
pub async fn a_difference_that_settles_is_no_change_by_others<C: Person>() {
    let cloud = C::fresh().await;
    let [wanted, second, third] = C::SETTING;
    let (looks, digest) = reviewed(&cloud, second).await;
    let written = cloud.set(wanted).await.expect("it is there");
    cloud.set(second).await.expect("it is there");
    let arguments = [PROVISION, &["--expect", &digest, "--wait", "20s"]].concat();
    let run = cloud.run("provision", &arguments);
    let settling = async {
        let shown = |exchange: &Exchange| {
            exchange.index >= looks && exchange.finished.is_some() && written.document.is_read_by(exchange)
        };
        while !cloud.proxy().journal().iter().any(shown) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cloud.set(second).await.expect("it is there");
    };
    let ((ran, _), ()) = futures::join!(meanwhile(&cloud, looks, run, cloud.set(third)), settling);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains(CHANGED), "it was not waited for in sight: {ran}");
    assert!(written.is_in(&cloud.snapshot().await), "{ran}");
}

/// A deployment of which one setting has another `value`, how many requests its plan takes, and the digest
/// of that.
async fn reviewed<C: Person>(cloud: &C, value: &str) -> (usize, String) {
    provision(cloud, &[]).await;
    cloud.set(value).await.expect("it is there");
    cloud.proxy().clear_journal();
    let plan = cloud.run("plan", &["--format", "json", "--exit-code"]).await;
    assert_eq!(plan.code, Some(5), "{plan}");
    let looks = cloud.proxy().counts().requests;
    let document: Value =
        serde_json::from_str(&plan.stdout).unwrap_or_else(|error| panic!("{error}: {plan}"));
    (looks, document["digest"].as_str().unwrap_or_default().to_owned())
}

/// Every write of an adoption, of a teardown and of giving back is asked for once more when its answer is
/// lost; what it has done by then is no change by somebody else.
pub async fn a_lost_answer_is_no_change_by_others<C: Person>() {
    for adopt in [true, false] {
        let cloud = C::fresh().await;
        let adopting: &[&str] = if adopt { &["--adopt"] } else { &[] };
        if adopt {
            cloud.predecessor().await;
        }
        for (verb, arguments) in [("provision", &[PROVISION, adopting].concat()[..]), ("teardown", TEARDOWN)]
        {
            let other = C::fresh().await;
            if adopt {
                other.predecessor().await;
            }
            if verb == "teardown" {
                provision(&other, adopting).await;
            }
            other.proxy().clear_journal();
            let ran = other.run(verb, arguments).await;
            assert_eq!(ran.code, Some(0), "{ran}");
            let wanted = other.snapshot().await;
            let journal = other.proxy().journal().into_iter().filter(|exchange| exchange.mutating);
            let writes: std::collections::BTreeSet<_> = journal.map(|exchange| exchange.operation).collect();
            cloud.proxy().clear_journal();
            let lose = |write: &String| cloud.proxy().arm(When::operation(write, 0), Fault::DropAfter);
            let lost: Vec<_> = writes.iter().map(lose).collect();
            let ran = cloud.run(verb, arguments).await;
            cloud.proxy().disarm();
            assert_eq!(ran.code, Some(0), "{verb}, {writes:?}: {ran}");
            assert!(lost.iter().all(|armed| armed.hits() == 1), "{verb}, {writes:?}");
            assert_same(&cloud.snapshot().await, &wanted, &ran);
        }
    }
}

/// Reads that lag behind our own writes are waited for: each one after the plan says at first what it said
/// then.
pub async fn a_read_that_lags_is_no_change_by_others<C: Person>() {
    for (verb, arguments, adopt) in
        [("provision", PROVISION, false), ("provision", PROVISION, true), ("teardown", TEARDOWN, false)]
    {
        let cloud = C::fresh().await;
        let consent = if verb == "provision" { 1 } else { 2 };
        let adopting: &[&str] = if adopt { &["--adopt"] } else { &[] };
        if adopt {
            cloud.predecessor().await;
        } else if verb == "teardown" {
            provision(&cloud, &[]).await;
            cloud.fill(2, 1).await;
        }
        looks(&cloud, verb, &[&arguments[consent..], adopting].concat()).await;
        let mut reads = std::collections::BTreeMap::new();
        for exchange in cloud.proxy().journal().into_iter().filter(|exchange| !exchange.mutating) {
            *reads.entry(exchange.operation).or_insert(0) += 1;
        }
        cloud.proxy().clear_journal();
        for (read, times) in &reads {
            cloud.proxy().arm(When::operation(read, *times).times(*times), Fault::Stale);
        }
        let ran = cloud.run(verb, &[arguments, adopting].concat()).await;
        cloud.proxy().disarm();
        assert_eq!(ran.code, Some(0), "{verb}, {reads:?}: {ran}");
        cloud.proxy().clear_journal();
        let ran = cloud.run(verb, arguments).await;
        assert_eq!((ran.code, cloud.proxy().counts().mutating), (Some(0), 0), "{ran}");
    }
}

/// A teardown that was killed while it emptied the bucket is continued.
pub async fn a_half_emptied_bucket_is_no_change_by_others<C: Person>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    cloud.fill(5, 2).await;
    cloud.proxy().clear_journal();
    let emptying = C::OBJECTS.written_by[0];
    let held = cloud.proxy().arm(When::operation(emptying, 0), Fault::Hang(Side::After));
    tokio::select! {
        ran = cloud.run("teardown", TEARDOWN) => panic!("{emptying} was never sent: {ran}"),
        // Dropping the future that runs it kills the program.
        () = held.reached() => {}
    }
    cloud.proxy().settled().await;
    cloud.proxy().disarm();
    let ran = cloud.run("teardown", TEARDOWN).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_same(&cloud.snapshot().await, &before, &ran);
}

/// What is uploaded while a bucket is emptied was not listed, and goes all the same: the command covers all contents.
pub async fn an_upload_while_a_bucket_is_emptied_goes_too<C: Person>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    cloud.fill(2, 1).await;
    let emptying = C::OBJECTS.written_by[0];
    let held = cloud.proxy().arm(When::operation(emptying, 0), Fault::Hang(Side::Before));
    let uploads = async {
        held.reached().await;
        cloud.fill(9, 1).await;
        held.release();
    };
    let (ran, ()) = futures::join!(cloud.run("teardown", TEARDOWN), uploads);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_same(&cloud.snapshot().await, &before, &ran);
}

/// A part of the deployment with another deployment's mark on it.
struct Marked {
    trace: Trace,
    before: Snapshot,
}

impl Marked {
    async fn is_untouched<C: Person>(&self, cloud: &C, ran: &Ran) {
        let is_of_it = |path: &str| path.starts_with(self.trace.document.part());
        assert_same(&cloud.snapshot().await.only(is_of_it), &self.before.only(is_of_it), ran);
    }
}

async fn remark<C: Person>(cloud: &C, document: &Document) -> Marked {
    let trace = cloud.remark(document).await.expect("it is there");
    let before = cloud.snapshot().await;
    assert!(trace.is_in(&before), "{before}");
    Marked { trace, before }
}

async fn add_entries<C: Person>(cloud: &C, documents: &[Document]) -> Vec<Trace> {
    let mut traces = vec![];
    for document in documents {
        traces.push(cloud.add_entry(document).await.expect("it is there"));
    }
    let snapshot = cloud.snapshot().await;
    let missing = |trace: &&Trace| !trace.is_in(&snapshot);
    assert!(!traces.iter().any(|trace| missing(&trace)), "{:?}\n{snapshot}", traces.iter().find(missing));
    traces
}

/// Nothing of it is lost, and the exit code says what became of the run.
async fn assert_kept<C: Person>(cloud: &C, ran: &Ran, traces: Option<Vec<Trace>>) {
    let after = cloud.snapshot().await;
    for trace in traces.expect("the run had not ended") {
        assert!(trace.is_in(&after), "{} lost {}: {ran}\n{after}", trace.document.path, trace.text);
    }
    if ran.code != Some(0) {
        assert_refused(cloud, ran);
    }
}

#[track_caller]
fn assert_refused<C: Cloud>(cloud: &C, ran: &Ran) {
    assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
    assert!(ran.stderr.contains(CHANGED), "{ran}");
    assert_eq!(dishonesty(ran, &cloud.proxy().journal()), None);
}

#[track_caller]
fn assert_same(is: &Snapshot, wanted: &Snapshot, ran: &Ran) {
    let differences = is.differences(wanted);
    assert!(differences.is_empty(), "{}\n{ran}", differences.join("\n"));
}

/// How many requests a command sends before it changes anything: all that it sends for a dry run.
async fn looks<C: Cloud>(cloud: &C, verb: &str, more: &[&str]) -> usize {
    cloud.proxy().clear_journal();
    let ran = cloud.run(verb, &[&["--dry-run"], more].concat()).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    cloud.proxy().counts().requests
}
