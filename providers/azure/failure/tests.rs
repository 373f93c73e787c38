use proptest::prelude::*;

use super::*;
use crate::outside;
use crate::resource::Address;

const ACTION: &str = "Microsoft.Storage/storageAccounts/write";

fn told(status: u16, code: &str, message: &str) -> Error {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    explain(&Answer::new(status, &[], &body), ACTION, Address::new("azure", "account", "acme"))
}

fn hint(error: &Error) -> String {
    error.what_next().unwrap_or_default().to_owned()
}

#[test]
fn every_code_has_its_kind() {
    let table = [
        (403, "AuthorizationFailed", Kind::Denied),
        (401, "AuthenticationFailed", Kind::Credentials),
        (401, "ExpiredAuthenticationToken", Kind::Credentials),
        (401, "InvalidAuthenticationTokenTenant", Kind::Credentials),
        (404, "SubscriptionNotFound", Kind::Refused),
        (404, "ResourceGroupNotFound", Kind::Refused),
        (409, "ScopeLocked", Kind::Refused),
        (409, "StorageAccountAlreadyTaken", Kind::Refused),
        (409, "MissingSubscriptionRegistration", Kind::Refused),
        (403, "RequestDisallowedByPolicy", Kind::Refused),
        (409, "StorageAccountOperationInProgress", Kind::Conflict),
        (409, "OperationInProgress", Kind::Conflict),
        (409, "ContainerBeingDeleted", Kind::NotYet),
        (409, "QueueBeingDeleted", Kind::NotYet),
        (429, "TooManyRequests", Kind::Throttled),
        (429, "", Kind::Throttled),
        (500, "InternalServerError", Kind::Transient),
        (503, "ServerBusy", Kind::Throttled),
        (503, "", Kind::Transient),
        (401, "", Kind::Credentials),
        (403, "", Kind::Denied),
        (409, "LeaseIdMissing", Kind::Failed),
        (400, "InvalidRequestContent", Kind::Failed),
    ];
    for (status, code, kind) in table {
        assert_eq!(told(status, code, "m").kind(), kind, "{status} {code}");
    }
}

#[test]
fn a_container_on_its_way_out_is_waited_for_ten_minutes() {
    let error = told(409, "ContainerOperationFailure", "The specified container is being deleted.");
    assert_eq!((error.kind(), error.budget()), (Kind::NotYet, Some(BEING_DELETED_WITHIN)));
    assert_eq!(told(409, "ContainerOperationFailure", "a legal hold").kind(), Kind::Failed);
}

#[test]
fn a_denied_call_names_action_scope_and_assignee() {
    let error = told(
        403,
        "AuthorizationFailed",
        "The client 'c' with object id 'o-1' does not have authorization to perform action \
         'Microsoft.Storage/storageAccounts/listKeys/action' over scope '/subscriptions/s' or the scope is invalid.",
    );
    for word in ["listKeys/action", "--assignee o-1", "--scope /subscriptions/s", "az role assignment create"]
    {
        assert!(hint(&error).contains(word), "{word} in {}", hint(&error));
    }
}

#[test]
fn a_tenant_mismatch_names_both() {
    let error = told(
        401,
        "InvalidAuthenticationTokenTenant",
        "The access token is from the wrong issuer 'https://sts.windows.net/aaa/'. It must match the tenant \
         'https://sts.windows.net/bbb/' associated with this subscription.",
    );
    assert!(hint(&error).contains("belong to tenant aaa") && hint(&error).contains("az login --tenant bbb"));
}

#[test]
fn lock_and_policy_are_named() {
    let lock = told(
        409,
        "ScopeLocked",
        "The scope '/a/b' cannot perform delete operation because following scope(s) are locked: '/a'. Please \
         remove the lock and try again.",
    );
    assert!(hint(&lock).contains("a lock on /a "), "{}", hint(&lock));
    let body = r#"{"error":{"code":"RequestDisallowedByPolicy","message":"m","additionalInfo":[{"type":
        "PolicyViolation","info":{"policyAssignmentDisplayName":"No keys"}}]}}"#;
    let error = explain(&Answer::new(403, &[], body), ACTION, "azure/account/acme");
    assert!(hint(&error).contains("the Azure Policy assignment No keys forbids it"), "{}", hint(&error));
}

#[test]
fn the_wait_that_was_asked_for_is_kept() {
    let answer = Answer::new(429, &[("retry-after", "17")], r#"{"error":{"code":"TooManyRequests"}}"#);
    assert_eq!(explain(&answer, ACTION, "x").server_wait(), Some(Duration::from_secs(17)));
}

#[test]
fn the_data_planes_xml_and_headers_are_read_too() {
    let xml = "<?xml version=\"1.0\"?><Error><Code>QueueBeingDeleted</Code><Message>It goes.\nRequestId:1</Message>\
               </Error>";
    let error = explain(&Answer::new(409, &[], xml), ACTION, "x");
    assert_eq!(
        (error.kind(), error.to_string().contains("QueueBeingDeleted: It goes.")),
        (Kind::NotYet, true)
    );
    let head = explain(
        &Answer::new(403, &[("x-ms-error-code", "AuthorizationPermissionMismatch")], ""),
        ACTION,
        "x",
    );
    assert_eq!(head.kind(), Kind::Denied);
}

#[test]
fn a_web_page_is_told_as_one() {
    let answer = Answer::new(404, &[("content-type", "text/html")], "<html>\u{1b}[2J</html>");
    let error = explain(&answer, ACTION, "x");
    assert!(error.to_string().contains("web page") && error.kind() == Kind::Failed);
}

#[test]
fn a_server_cannot_drive_the_terminal() {
    assert!(!told(400, "Bad\u{1b}[31m", "red\u{202e}").to_string().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn entras_own_words_are_told_without_the_pipelines() {
    let said = "ClientSecretCredential authentication failed. AADSTS7000215: Invalid client secret provided. Trace \
                ID: 1\nTo troubleshoot, visit https://aka.ms/x";
    let error = azure_core::Error::with_message(ErrorKind::Credential, said)
        .with_context("non-transport error occurred which will not be retried");
    let error = failure(error, ACTION, "x");
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(error.chain().ends_with("AADSTS7000215: Invalid client secret provided."), "{}", error.chain());
    assert!(hint(&error).contains("AZURE_CLIENT_SECRET"));
}

#[test]
fn a_location_that_azure_rejects_has_a_suggestion() {
    let error = told(
        400,
        "LocationNotAvailableForResourceType",
        "The provided location 'westeurpoe' is not available for resource type 'Microsoft.Storage/storageAccounts'.",
    );
    assert_eq!(hint(&error), "choose another location with --location: did you mean `westeurope`?");
}

proptest! {
    #[test]
    fn any_answer_is_an_error_on_one_line(
        status in 100_u16..600,
        json in outside::json(&[
            "error", "code", "message", "details", "AuthorizationFailed", "BadRequest", "additionalInfo", "info",
            "policyAssignmentName", "RequestDisallowedByPolicy", "ScopeLocked", "locked: '", "over scope '",
        ]),
        text in outside::text(), wrapped: bool,
    ) {
        let body = if wrapped { serde_json::json!({"error": json}).to_string() } else { json.to_string() };
        let xml = format!("<Error><Code>{text}</Code><Message>{text}</Message>");
        for body in [body, text, xml] {
            let answer = Answer::new(status, &[], &body);
            let error = explain(&answer, ACTION, Address::new("azure", "account", "acme"));
            let said = [error.chain(), error.what_next().unwrap_or_default().to_owned()];
            prop_assert!(said.iter().all(|text| !text.contains(char::is_control)), "{said:?}");
        }
    }

    #[test]
    fn what_a_message_quotes_adds_no_option(said in outside::text()) {
        for (code, before) in [
            ("AuthorizationFailed", "over scope '"), ("AuthorizationFailed", "object id '"),
            ("MissingSubscriptionRegistration", "namespace '"), ("InvalidAuthenticationTokenTenant", "match the tenant 'https://sts/"),
        ] {
            let hint = hint(&told(403, code, &format!("{before}{said}'")));
            let spans: Vec<_> = hint.split('`').skip(1).step_by(2).collect();
            prop_assert!(spans.iter().all(|span| span.starts_with("az ") || span.starts_with("wbstore ") || span.starts_with("--")));
            let is_short = said.trim().len() < 3;
            let is_left_out = is_short || crate::text::word(&said).is_some() || !hint.contains(said.trim());
            prop_assert!(is_left_out, "{}", hint);
        }
    }
}
