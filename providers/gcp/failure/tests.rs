use proptest::prelude::*;

use super::*;
use crate::outside;

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::of_answer(&Answer::new(status, [], body)).expect("no success")
}

#[test]
fn a_success_is_no_refusal() {
    assert_eq!(Refusal::of_answer(&Answer::new(204, [], "")), None);
}

#[test]
fn every_no_has_its_kind_and_a_way_on() {
    let legacy = |code: u16, reason: &str, message: &str| {
        format!(r#"{{"error":{{"code":{code},"message":"{message}","errors":[{{"reason":"{reason}"}}]}}}}"#)
    };
    let modern = |code: u16, status: &str, reason: &str, message: &str| {
        format!(
            r#"{{"error":{{"code":{code},"status":"{status}","message":"{message}","details":[
               {{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}","domain":"googleapis.com",
                 "metadata":{{"service":"pubsub.googleapis.com"}}}}]}}}}"#
        )
    };
    let cases = [
        (
            401,
            legacy(401, "authError", "Invalid Credentials"),
            Kind::Credentials,
            "application-default login",
        ),
        (
            403,
            legacy(403, "forbidden", "no storage.buckets.get access"),
            Kind::Denied,
            "grant storage.buckets.get",
        ),
        (403, legacy(403, "accountDisabled", "delinquent"), Kind::Failed, "gcloud billing projects link"),
        (
            403,
            modern(403, "PERMISSION_DENIED", "BILLING_DISABLED", "x"),
            Kind::Failed,
            "gcloud billing projects link",
        ),
        (
            403,
            legacy(403, "accessNotConfigured", "off"),
            Kind::Failed,
            "gcloud services enable storage.googleapis.com",
        ),
        (
            403,
            modern(403, "PERMISSION_DENIED", "SERVICE_DISABLED", "x"),
            Kind::Failed,
            "gcloud services enable pubsub.googleapis.com",
        ),
        (
            403,
            modern(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "x"),
            Kind::Credentials,
            "set-quota-project",
        ),
        (
            403,
            modern(403, "PERMISSION_DENIED", "SERVICE_DISABLED", "The API requires a quota project"),
            Kind::Credentials,
            "set-quota-project",
        ),
        (
            403,
            modern(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED", "Request is prohibited"),
            Kind::Refused,
            "service perimeter",
        ),
        (
            412,
            legacy(412, "conditionNotMet", "violates constraint 'constraints/gcp.resourceLocations'"),
            Kind::Refused,
            "org-policies describe gcp.resourceLocations",
        ),
        (
            400,
            modern(400, "FAILED_PRECONDITION", "", "do not belong to a permitted customer"),
            Kind::Refused,
            "iam.allowedPolicyMemberDomains",
        ),
        (412, legacy(412, "conditionNotMet", "metageneration"), Kind::Conflict, "run again"),
        (409, modern(409, "ABORTED", "", "etag"), Kind::Conflict, "run again"),
        (429, legacy(429, "rateLimitExceeded", "slow"), Kind::Throttled, "throttles requests"),
        (503, String::new(), Kind::Transient, "run again"),
        (502, "<html>Bad gateway</html>".to_owned(), Kind::Transient, "proxy"),
        (404, "<!doctype html>".to_owned(), Kind::Failed, "proxy"),
    ];
    for (status, body, kind, hint) in cases {
        let error = refusal(status, &body).explain("storage.buckets.get", "gcp/bucket/acme");
        assert_eq!(error.kind(), kind, "{body}");
        let next = error.what_next().unwrap_or_default();
        assert!(next.contains(hint), "{body}: {next}");
        assert!(error.to_string().starts_with("storage.buckets.get on gcp/bucket/acme: "), "{error}");
    }
}

#[test]
fn the_project_of_gcloud_itself_is_not_the_users() {
    let body = |consumer: &str| {
        format!(
            r#"{{"error":{{"code":403,"status":"PERMISSION_DENIED","message":"The API requires a quota project","details":[
               {{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com",
                 "metadata":{{"consumer":"projects/{consumer}"}}}}]}}}}"#
        )
    };
    for (consumer, shown) in [(CLIENT_PROJECT, "acme"), ("42", "42")] {
        let error =
            refusal(403, &body(consumer)).within("acme").explain("storage.buckets.get", "gcp/bucket/b");
        let next = error.what_next().unwrap_or_default().to_owned();
        assert!(next.contains(&format!("set-quota-project {shown}`")), "{next}");
    }
}

#[test]
fn absence_and_a_taken_name_are_told_apart_from_a_stale_etag() {
    assert!(refusal(404, r#"{"error":{"code":404}}"#).is_not_found());
    assert!(!refusal(404, "<html>").is_not_found());
    let taken = refusal(409, r#"{"error":{"code":409,"errors":[{"reason":"conflict"}]}}"#);
    assert!(taken.is_taken() && !taken.is_stale());
    let stale = refusal(412, r#"{"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}}"#);
    assert!(stale.is_stale() && !stale.is_taken());
}

proptest! {
    #[test]
    fn any_answer_is_a_success_or_an_error_on_one_line(
        status in 100_u16..600,
        json in outside::json(&[
            "error", "status", "message", "errors", "reason", "details", "@type", "type.googleapis.com/google.rpc.ErrorInfo",
            "google.rpc.RetryInfo", "google.rpc.PreconditionFailure", "metadata", "service", "consumer", "permission",
            "violations", "retryDelay", "1e99s", "SERVICE_DISABLED", "constraints/x",
        ]),
        text in outside::text(), wrapped: bool,
    ) {
        let body = if wrapped { serde_json::json!({"error": json}).to_string() } else { json.to_string() };
        for body in [body, text] {
            let Some(refusal) = Refusal::of_answer(&Answer::new(status, [], &body)) else { continue };
            let _ = (refusal.is_not_found(), refusal.is_taken(), refusal.is_stale(), refusal.is_lost_race());
            let error = refusal.explain("storage.buckets.get", "gcp/bucket/acme");
            let said = [error.chain(), error.what_next().unwrap_or_default().to_owned()];
            prop_assert!(said.iter().all(|text| !text.contains(char::is_control)), "{said:?}");
        }
    }
}
