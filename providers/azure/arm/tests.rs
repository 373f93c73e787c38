use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::Headers;
use azure_core::http::policies::PolicyResult;
use azure_core::http::{AsyncRawResponse, Transport};
use azure_core::time::OffsetDateTime;
use serde_json::json;

use super::*;
use crate::retry::in_steps;

const HOME: &str = "https://arm.example";
const BUDGET: Duration = Duration::from_secs(60);

/// What every response of ARM has.
const ID: (&str, &str) = ("x-ms-request-id", "1");

type Scripted = (u16, &'static [(&'static str, &'static str)], &'static str);

/// A server that answers by a script and keeps what it was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Scripted>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Policy for Script {
    async fn send(&self, _: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        let asked = format!("{} {}", request.method(), request.url().path());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let (status, headers, body) = next.unwrap_or((500, &[], "the script is at its end"));
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, *value);
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), all, body.as_bytes().to_vec()))
    }
}

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl TokenCredential for Anybody {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1)))
    }
}

fn arm(answers: &[Scripted]) -> (Arm, Arc<Script>) {
    let script =
        Arc::new(Script { answers: Mutex::new(answers.iter().copied().collect()), ..Script::default() });
    let options = ClientOptions {
        transport: Some(Transport::with_policy(Arc::clone(&script) as Arc<dyn Policy>)),
        ..ClientOptions::default()
    };
    let token = BearerTokenAuthorizationPolicy::new(Arc::new(Anybody), ["scope"]);
    (Arm::new(HOME.parse().unwrap(), &options, Retries::default(), token), script)
}

fn asked(script: &Script) -> Vec<String> {
    script.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn target() -> Address {
    Address::new("azure", "account", "acme")
}

fn call(target: &Address) -> Call<'_> {
    Call { action: "x/write", target, version: version::STORAGE }
}

#[tokio::test]
async fn a_call_that_is_made_again_asks_after_the_operation_it_began() {
    let (arm, script) = arm(&[
        (202, &[ID, ("azure-asyncoperation", "https://arm.example/op"), ("retry-after", "17")], ""),
        (200, &[], r#"{"status":"InProgress"}"#),
        (200, &[], r#"{"status":"Succeeded"}"#),
    ]);
    let target = target();
    let first = arm.put("/a", &json!({}), BUDGET, call(&target)).await.unwrap_err();
    assert_eq!((first.kind(), first.server_wait()), (Kind::NotYet, Some(Duration::from_secs(17))));
    arm.put("/a", &json!({}), BUDGET, call(&target)).await.unwrap_err();
    arm.put("/a", &json!({}), BUDGET, call(&target)).await.unwrap();
    assert_eq!(asked(&script), ["PUT /a", "GET /op", "GET /op"]);
}

#[tokio::test]
async fn an_operation_of_somebody_elses_host_is_not_asked_after() {
    let (arm, script) = arm(&[(202, &[ID, ("location", "https://evil.example/op")], "")]);
    let target = target();
    arm.put("/a", &json!({}), BUDGET, call(&target)).await.unwrap_err();
    let error = arm.put("/a", &json!({}), BUDGET, call(&target)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(asked(&script), ["PUT /a"]);
}

#[tokio::test]
async fn a_next_page_of_somebody_elses_host_is_not_read() {
    let (arm, script) = arm(&[(200, &[], r#"{"value":[],"nextLink":"https://evil.example/2"}"#)]);
    let target = target();
    assert_eq!(arm.list("/a", call(&target)).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(asked(&script), ["GET /a"]);
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_ends() {
    let page = (200, &[][..], r#"{"value":[1],"nextLink":"https://arm.example/a"}"#);
    let (arm, _) = arm(&[page, page, page]);
    let target = target();
    assert!(arm.list("/a", call(&target)).await.unwrap_err().to_string().ends_with("the same page again"));
}

#[tokio::test]
async fn an_account_that_was_made_behind_a_503_is_asked_after() {
    let (arm, script) = arm(&[
        (503, &[], ""),
        (409, &[], r#"{"error":{"code":"StorageAccountOperationInProgress","message":"m"}}"#),
        (200, &[], r#"{"properties":{"provisioningState":"Creating"}}"#),
        (200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#),
    ]);
    let target = target();
    let id = "/storageAccounts/a";
    for kind in [Kind::Transient, Kind::NotYet, Kind::NotYet] {
        let error = arm.put(id, &json!({}), BUDGET, call(&target)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    arm.put(id, &json!({}), BUDGET, call(&target)).await.unwrap();
    let (put, get) = (format!("PUT {id}"), format!("GET {id}"));
    assert_eq!(asked(&script), [put.clone(), put, get.clone(), get]);
}

#[tokio::test]
async fn what_is_refused_while_the_account_is_busy_is_asked_for_again() {
    let busy = r#"{"error":{"code":"StorageAccountOperationInProgress","message":"m"}}"#;
    let (arm, script) = arm(&[(409, &[], busy), (200, &[], "{}")]);
    let target = target();
    let id = "/storageAccounts/a/blobServices/default/containers/c";
    let error = arm.put(id, &json!({}), BUDGET, call(&target)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    arm.put(id, &json!({}), BUDGET, call(&target)).await.unwrap();
    let put = format!("PUT {id}");
    assert_eq!(asked(&script), [put.clone(), put]);
}

#[tokio::test]
async fn too_many_requests_are_not_asked_again_too_early() {
    let (arm, script) = arm(&[(429, &[("retry-after", "17")], r#"{"error":{"code":"TooManyRequests"}}"#)]);
    let target = target();
    // In a step of the engine, which waits in sight.
    let error = in_steps(arm.get("/a", call(&target))).await.unwrap_err();
    assert_eq!((error.kind(), error.server_wait()), (Kind::Throttled, Some(Duration::from_secs(17))));
    assert_eq!(asked(&script), ["GET /a"]);
}

#[tokio::test]
async fn gone_is_what_two_looks_do_not_see() {
    let absent = (404, &[][..], r#"{"error":{"code":"ContainerNotFound","message":"m"}}"#);
    let there = (200, &[][..], r#"{"properties":{}}"#);
    let deleted = (200, &[ID][..], "");
    let (arm, script) = arm(&[deleted, absent, there, absent, absent, absent]);
    let target = target();
    assert_eq!(arm.remove("/c", BUDGET, call(&target)).await.unwrap_err().kind(), Kind::NotYet);
    arm.remove("/c", BUDGET, call(&target)).await.unwrap();
    assert_eq!(asked(&script), ["DELETE /c", "GET /c", "GET /c", "DELETE /c", "GET /c", "GET /c"]);
}

#[tokio::test]
async fn what_is_not_arms_answer_is_done_by_no_verb() {
    let page = (200, &[("content-type", "text/HTML; charset=utf-8")][..], "<html>sign in</html>");
    for answer in [page, (200, &[][..], ""), (204, &[][..], ""), (202, &[][..], ""), (200, &[][..], "OK")] {
        let (arm, script) = arm(&[answer, answer, answer, answer, answer]);
        let (target, body) = (target(), json!({}));
        let errors = [
            arm.put("/a", &body, BUDGET, call(&target)).await.unwrap_err(),
            arm.patch("/a", &body, BUDGET, call(&target)).await.unwrap_err(),
            arm.delete("/a", BUDGET, call(&target)).await.unwrap_err(),
            arm.act("/a", call(&target)).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), Kind::Failed, "{answer:?}: {error}");
            assert!(error.what_next().unwrap().contains("proxy"), "{error:?}");
        }
        assert!(arm.get("/a", call(&target)).await.is_err());
        assert_eq!(asked(&script).len(), 5, "nothing is polled");
    }
    let (arm, _) = arm(&[(200, &[], r#"{"message":"hello"}"#)]);
    assert!(arm.list("/a", call(&target())).await.unwrap_err().to_string().contains("no list"));
}

#[test]
fn only_arm_itself_can_say_that_something_is_not_there() {
    let coded = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
    for code in ["ResourceNotFound", "ResourceGroupNotFound", "ContainerNotFound", "QueueNotFound"] {
        assert!(is_absent(&Answer::new(404, &[], &coded(code))), "{code}");
    }
    assert!(is_absent(&Answer::new(409, &[], &coded("MissingSubscriptionRegistration"))));
    for body in [coded("SubscriptionNotFound"), "<html>".to_owned(), String::new()] {
        assert!(!is_absent(&Answer::new(404, &[], &body)), "{body}");
    }
    assert!(!is_absent(&Answer::new(403, &[], &coded("ResourceNotFound"))));
}
