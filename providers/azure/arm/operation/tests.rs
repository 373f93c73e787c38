use proptest::prelude::*;

use super::*;
use crate::outside;

const URL: &str = "https://management.azure.com/subscriptions/s/operations/o";

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    Answer::new(status, headers, body)
}

fn status(url: &str) -> Watch {
    Watch::Status(url.to_owned())
}

#[test]
fn the_status_url_comes_before_the_location() {
    let both = [("azure-asyncoperation", URL), ("location", "https://x/y"), ("retry-after", "17")];
    let wait = Some(Duration::from_secs(17));
    assert_eq!(begun(&answer(202, &both, ""), false), Stage::Running(status(URL), wait));
    assert_eq!(
        begun(&answer(202, &both[1..], ""), false),
        Stage::Running(Watch::Location("https://x/y".to_owned()), wait)
    );
}

#[test]
fn a_resource_that_is_not_there_yet_is_asked_itself() {
    let creating = r#"{"properties":{"provisioningState":"Creating"}}"#;
    assert_eq!(begun(&answer(201, &[], creating), false), Stage::Running(Watch::Resource, None));
    assert_eq!(begun(&answer(202, &[], ""), false), Stage::Running(Watch::Resource, None));
    assert_eq!(begun(&answer(202, &[], ""), true), Stage::Running(Watch::Absence, None));
}

#[test]
fn without_a_state_it_is_done() {
    for body in ["", "{}", r#"{"properties":{}}"#, r#"{"properties":{"provisioningState":"Succeeded"}}"#] {
        assert_eq!(begun(&answer(200, &[], body), false), Stage::Done);
        assert_eq!(watched(&Watch::Resource, &answer(200, &[], body)), Stage::Done);
    }
    assert_eq!(begun(&answer(204, &[], ""), true), Stage::Done);
}

#[test]
fn a_status_decides_and_tells_why() {
    let watch = status(URL);
    let running = answer(200, &[("retry-after", "3")], r#"{"status":"InProgress"}"#);
    assert_eq!(watched(&watch, &running), Stage::Running(watch.clone(), Some(Duration::from_secs(3))));
    assert_eq!(watched(&watch, &answer(200, &[], r#"{"status":"Succeeded"}"#)), Stage::Done);
    let why = r#"{"status":"Failed","error":{"code":"QuotaExceeded","message":"too many"}}"#;
    let said = Said { code: "QuotaExceeded".to_owned(), message: "too many".to_owned() };
    assert_eq!(watched(&watch, &answer(200, &[], why)), Stage::Failed(said));
    let canceled = Said { code: "Canceled".to_owned(), message: String::new() };
    assert_eq!(watched(&watch, &answer(200, &[], r#"{"status":"Canceled"}"#)), Stage::Failed(canceled));
}

#[test]
fn a_location_ends_with_anything_but_202() {
    let watch = Watch::Location(URL.to_owned());
    assert_eq!(watched(&watch, &answer(202, &[], "")), Stage::Running(watch.clone(), None));
    assert_eq!(watched(&watch, &answer(204, &[], "")), Stage::Done);
}

#[test]
fn a_forgotten_operation_is_looked_for_at_the_resource() {
    for watch in [status(URL), Watch::Location(URL.to_owned())] {
        assert_eq!(watched(&watch, &answer(404, &[], "")), Stage::Running(Watch::Resource, None));
    }
    assert_eq!(watched(&Watch::Absence, &answer(404, &[], "")), Stage::Done);
}

#[test]
fn a_resource_that_stays_missing_has_vanished() {
    let mut watch = Watch::Resource;
    let mut looks = 0;
    loop {
        looks += 1;
        match watched(&watch, &answer(404, &[], "")) {
            Stage::Running(next, None) => watch = next,
            stage => break assert_eq!(stage, Stage::Vanished),
        }
    }
    assert_eq!(looks, 1 + usize::from(MISSING));
    let creating = answer(200, &[], r#"{"properties":{"provisioningState":"Creating"}}"#);
    assert_eq!(watched(&watch, &creating), Stage::Running(Watch::Resource, None), "it is there after all");
}

#[test]
fn the_case_of_a_state_means_nothing() {
    for state in ["SUCCEEDED", "succeeded"] {
        let body = format!(r#"{{"properties":{{"provisioningState":"{state}"}},"status":"{state}"}}"#);
        assert_eq!(watched(&Watch::Resource, &answer(200, &[], &body)), Stage::Done);
        assert_eq!(watched(&status(URL), &answer(200, &[], &body)), Stage::Done);
    }
    let failed = answer(200, &[], r#"{"status":"failed"}"#);
    assert!(matches!(watched(&status(URL), &failed), Stage::Failed(_)));
}

proptest! {
    #[test]
    fn any_answer_leads_on_or_ends(
        code in 100_u16..600, json in outside::json(&["status", "properties", "provisioningState", "error", "code", "Failed"]),
        text in outside::text(), deleting: bool, times in 0..=MISSING,
    ) {
        for body in [json.to_string(), text] {
            let answer = answer(code, &[("retry-after", "99999999999999999999"), ("location", "x")], &body);
            let _ = (begun(&answer, deleting), answer.said(), answer.is_arms(), answer.retry_after());
            for watch in [status(URL), Watch::Location(URL.to_owned()), Watch::Resource, Watch::Missing(times), Watch::Absence] {
                watched(&watch, &answer);
            }
        }
    }
}
