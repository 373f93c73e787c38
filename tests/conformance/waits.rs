//! What a cloud asks to be waited: done in sight up to a minute, and never for a day.

use std::time::{Duration, Instant};

use serde_json::Value;
use wbstore_sandbox::cloud::{Cloud, TEARDOWN};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::Ran;

use crate::support::{assert_same, first_write, provision, provisioned};

/// A day is over when this has passed, however busy the machine is.
const NO_DAY: Duration = Duration::from_secs(120);

/// Runs one of [`Cloud::LOOKS`].
async fn look<C: Cloud>(cloud: &C, verb: &str, more: &[&str]) -> Ran {
    if verb == "list" { cloud.run_on(verb, more).await } else { cloud.run(verb, more).await }
}

pub async fn a_day_is_not_waited_and_the_reader_learns_of_it<C: Person>() {
    let cloud = provisioned::<C>().await;
    let before = cloud.snapshot().await;
    for (number, (verb, more, call)) in C::LOOKS.iter().enumerate() {
        // Each call with one of the ways to say it, and the first with all.
        let pleas = C::pleas(86400);
        let first = if number == 0 { pleas.len() } else { 1 };
        for plea in pleas.into_iter().cycle().skip(number).take(first) {
            let armed = cloud.proxy().arm(When::every(call), Fault::fail(plea.clone()));
            let begun = Instant::now();
            let ran = look(&cloud, verb, more).await.ends(1);
            assert!(begun.elapsed() < NO_DAY, "{verb}, {plea:?}: {:?}", begun.elapsed());
            // `verify` says it among its checks, on stdout.
            let said = ran.to_string();
            assert!(said.contains("Retry-After: 24h") && said.contains("hint: run again in 24h"), "{said}");
            assert!(armed.hits() > 0, "{verb} does not call {call}");
            cloud.proxy().disarm();
        }
    }
    // The probe of `verify` is gone as well.
    assert_same(&cloud.snapshot().await, &before);
}

pub async fn a_second_is_waited_in_sight<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let [plea, ..] = &C::pleas(1)[..] else { panic!("there is a way to ask for a wait") };
    for (verb, more, call) in C::LOOKS {
        let armed = cloud.proxy().arm(When::operation(call, 0), Fault::fail(plea.clone()));
        let begun = Instant::now();
        look(&cloud, verb, more).await.ends(0).tells(&["retrying in 1s: "]);
        assert!(begun.elapsed() >= Duration::from_secs(1), "{verb}, {call}: {:?}", begun.elapsed());
        assert_eq!(armed.hits(), 1, "{verb} does not call {call}");
        cloud.proxy().disarm();
        cloud.proxy().clear_journal();
    }
}

/// On every cloud, as each has more than one way to ask for a wait.
pub async fn a_program_reads_a_wait_as_an_event<C: Cloud>() {
    let cloud = C::fresh().await;
    let (verb, _, call) = C::LOOKS[0];
    for plea in C::pleas(1) {
        cloud.proxy().arm(When::operation(call, 0), Fault::fail(plea));
        let ran = cloud.run_on(verb, &["--format", "json"]).await.ends(0);
        let lines = ran.stderr.lines();
        let mut events = lines.map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        // What takes longer than a second says so besides.
        let event = events.find(|event| event["next_seconds"].is_number()).expect("the wait is told");
        assert_eq!((&event["event"], &event["next_seconds"]), (&"waiting".into(), &1.0.into()), "{event}");
        assert!(event["why"].as_str().is_some_and(|why| !why.is_empty()), "{event}");
        cloud.proxy().disarm();
        cloud.proxy().clear_journal();
    }
}

pub async fn emptying_waits_in_sight_and_not_for_a_day<C: Person>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    cloud.fill(3, 1).await;
    let (deletes, lists) = (C::OBJECTS.written_by[0], C::OBJECTS.read_by[0]);
    // The first listing is the plan's.
    for (call, nth) in [(deletes, 0), (lists, 1)] {
        let day = Fault::fail(Failure::TooManyRequests(86400));
        cloud.proxy().clear_journal();
        cloud.proxy().arm(When::operation(call, nth).times(usize::MAX), day);
        let begun = Instant::now();
        let ran = cloud.run("teardown", TEARDOWN).await;
        assert!(begun.elapsed() < NO_DAY, "{call}: {:?}", begun.elapsed());
        assert!(matches!(ran.code, Some(1 | 4)), "{ran}");
        ran.tells(&["Retry-After: 24h", "run again in 24h"]);
        cloud.proxy().disarm();
    }
    cloud.proxy().clear_journal();
    cloud.proxy().arm(When::operation(deletes, 0), Fault::fail(Failure::TooManyRequests(1)));
    let ran = cloud.run("teardown", TEARDOWN).await.ends(0);
    // Of single objects, or of all that are deleted in one call.
    let shown = ["retrying in 1s: ", ": retrying for up to"];
    assert!(shown.iter().any(|shown| ran.stderr.contains(shown)), "{ran}");
    assert_same(&cloud.snapshot().await, &before);
}

pub async fn a_step_waits_by_its_own_name<C: Cloud>() {
    let write = first_write::<C>().await;
    let cloud = C::fresh().await;
    cloud.proxy().arm(When::operation(&write, 0), Fault::fail(Failure::TooManyRequests(1)));
    let ran = provision(&cloud, &[]).await;
    let (step, waits) = (format!("{}/", C::CLOUD), ": retrying for up to");
    assert!(ran.stderr.lines().any(|line| line.starts_with(&step) && line.contains(waits)), "{ran}");
}
