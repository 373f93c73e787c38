//! What every request has to pass: token, version, subscription, permission, group, registration.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::{Options, Principal, Trouble};

use crate::support::{ARM, account_path, arm, at, double, fresh, plain, send};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_request_needs_a_token_of_the_right_kind() {
    let double = double(Options::default()).await;
    let url = format!("{}/subscriptions/{}?api-version=2022-12-01", double.arm_url(), double.subscription());
    let none = send("GET", &url, &[], "").await;
    assert_eq!(none.error(), (401, "AuthenticationFailed".to_owned()));
    assert!(none.header("www-authenticate").contains(&double.principal().tenant), "{none:?}");
    let us = double.principal();
    let stranger = Principal::fresh();
    for (token, code) in [
        (double.token(&us, ARM, -1), "ExpiredAuthenticationToken"),
        (double.token(&us, "https://storage.azure.com", 60), "InvalidAuthenticationTokenAudience"),
        (double.token(&stranger, ARM, 60), "InvalidAuthenticationTokenTenant"),
        (format!("{}x", double.token(&us, ARM, 60)), "InvalidAuthenticationToken"),
    ] {
        let answer = send("GET", &url, &[("authorization", &format!("Bearer {token}"))], "").await;
        assert_eq!(answer.error(), (401, code.to_owned()));
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn tokens_are_had_for_a_secret_an_assertion_or_an_identity() {
    let double = double(Options::default()).await;
    let Principal { tenant, client, secret, .. } = double.principal();
    let url = format!("{}/{tenant}/oauth2/v2.0/token", double.arm_url());
    let scope = "https%3A%2F%2Fmanagement.azure.com%2F.default";
    let common = format!("grant_type=client_credentials&scope={scope}&client_id={client}");
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let good = [
        send("POST", &url, &[], &format!("{common}&client_secret={secret}")).await,
        send("POST", &url, &[], &format!("{common}&{assertion}&client_assertion={secret}")).await,
        send(
            "GET",
            &format!("{}/msi/token?api-version=2019-08-01&resource={ARM}", double.arm_url()),
            &[("x-identity-header", &secret)],
            "",
        )
        .await,
    ];
    let there = format!("{}/subscriptions?api-version=2022-12-01", double.arm_url());
    for answer in good {
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        let list = send("GET", &there, &[("authorization", &format!("Bearer {token}"))], "").await;
        assert_eq!(list.json()["value"][0]["subscriptionId"], double.subscription());
    }
    let wrong = send("POST", &url, &[], &format!("{common}&client_secret=guess")).await;
    assert_eq!((wrong.status, &wrong.json()["error_codes"][0]), (401, &json!(7_000_215)));
    let nowhere = url.replace(&tenant, &Principal::fresh().tenant);
    let lost = send("POST", &nowhere, &[], &format!("{common}&client_secret={secret}")).await;
    assert_eq!((lost.status, &lost.json()["error_codes"][0]), (400, &json!(90002)));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn versions_subscriptions_and_groups_are_checked_in_this_order() {
    let double = double(Options::default()).await;
    let base = format!("{}/subscriptions", double.arm_url());
    let other = double.add_subscription(&Principal::fresh().tenant);
    let nobody = Principal::fresh().tenant;
    for (path, expected) in [
        (double.subscription(), (400, "MissingApiVersionParameter")),
        (format!("{}?api-version=soon", double.subscription()), (400, "InvalidApiVersionParameter")),
        ("my-subscription?api-version=2022-12-01".to_owned(), (400, "InvalidSubscriptionId")),
        (format!("{nobody}?api-version=2022-12-01"), (404, "SubscriptionNotFound")),
        (format!("{other}?api-version=2022-12-01"), (401, "InvalidAuthenticationTokenTenant")),
        (
            format!("{}/resourceGroups/none?api-version=2021-04-01", double.subscription()),
            (404, "ResourceGroupNotFound"),
        ),
    ] {
        let answer = at(&double, "GET", &format!("{base}/{path}"), &Value::Null).await;
        assert_eq!(answer.error(), (expected.0, expected.1.to_owned()), "{path}");
    }
    // However it is written.
    let shouted = format!("{base}/{}/RESOURCEGROUPS/Acme?API-version=2021-04-01", double.subscription());
    assert_eq!(at(&double, "GET", &shouted, &Value::Null).await.json()["name"], "acme");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_denied_action_is_named() {
    let double = double(Options::default()).await;
    let path = account_path(&fresh("denied"));
    double.deny(&double.principal(), "Microsoft.Storage/storageAccounts/*");
    let refused = arm(&double, "PUT", &path, &plain()).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed".to_owned()));
    assert!(refused.text().contains("'Microsoft.Storage/storageAccounts/write'"), "{refused:?}");
    double.allow_all();
    assert_eq!(arm(&double, "PUT", &path, &plain()).await.status, 202);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_provider_is_registered_before_use() {
    let double = double(Options::default()).await;
    double.set_registered("Microsoft.Storage", false);
    let path = account_path(&fresh("unregistered"));
    let refused = arm(&double, "PUT", &path, &plain()).await;
    assert_eq!(refused.error(), (409, "MissingSubscriptionRegistration".to_owned()));
    let provider = "/providers/Microsoft.Storage";
    let state =
        async || arm(&double, "GET", provider, &Value::Null).await.json()["registrationState"].clone();
    assert_eq!(state().await, "NotRegistered");
    let asked = arm(&double, "POST", &format!("{provider}/register"), &Value::Null).await;
    assert_eq!(asked.json()["registrationState"], "Registering");
    let mut looks = 0;
    while state().await != "Registered" {
        looks += 1;
    }
    assert_eq!(looks, 3);
    assert_eq!(arm(&double, "PUT", &path, &plain()).await.status, 202);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn throttling_says_how_long_to_wait() {
    let double = double(Options::default()).await;
    let read = "Microsoft.Resources/subscriptions/resourceGroups/read";
    double.trouble(read, Trouble::Throttle(17), 2);
    let ask = async || arm(&double, "GET", "/resourceGroups/acme", &Value::Null).await;
    for _ in 0..2 {
        let answer = ask().await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "17"));
    }
    assert_eq!(ask().await.status, 200);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn lists_come_in_pages() {
    let double = double(Options { page: 2, ..Options::default() }).await;
    for name in ["b", "c", "d", "e"] {
        double.add_group(&double.subscription(), name, "westeurope");
    }
    let (mut names, mut pages) = (vec![], 0);
    let mut answer = arm(&double, "GET", "/resourceGroups", &Value::Null).await;
    loop {
        pages += 1;
        let page = answer.json();
        names.extend(page["value"].as_array().expect("a list").iter().map(|one| one["name"].clone()));
        let Some(next) = page["nextLink"].as_str() else { break };
        answer = at(&double, "GET", next, &Value::Null).await;
    }
    assert_eq!((pages, names), (3, vec![json!("acme"), json!("b"), json!("c"), json!("d"), json!("e")]));
}
