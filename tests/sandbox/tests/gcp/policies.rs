//! Who may do what, and what survives when that is changed.

use google_cloud_gax::error::rpc::Code;
use google_cloud_iam_v1::model::{Binding, GetPolicyOptions, Policy};
use reqwest::Client;
use serde_json::{Value, json};

use crate::bench::Bench;

const BUCKET: &str = "projects/_/buckets/acme";

fn conditional() -> Value {
    let condition =
        json!({"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"});
    json!({"role": "roles/storage.objectViewer", "members": ["user:eve@acme.com"], "condition": condition})
}

async fn read(bench: &Bench, version: i32) -> Policy {
    let options = GetPolicyOptions::new().set_requested_policy_version(version);
    bench.control.get_iam_policy().set_resource(BUCKET).set_options(options).send().await.expect("it is read")
}

#[tokio::test]
async fn a_condition_is_seen_and_kept_by_those_who_know_of_them() {
    let bench = Bench::new().await;
    bench.bucket("acme").await.expect("it is made");
    let mut policy = bench.double.control().ask("GET", "/storage/v1/b/acme/iam", Value::Null).await;
    policy["bindings"].as_array_mut().expect("there are some").push(conditional());
    policy["version"] = 3.into();
    bench.double.control().ask("PUT", "/storage/v1/b/acme/iam", policy).await;

    let old = read(&bench, 1).await;
    assert!(old.bindings.iter().any(|binding| binding.role.contains("_withcond_")));
    let set = async |policy: Policy| {
        bench.control.set_iam_policy().set_resource(BUCKET).set_policy(policy).send().await
    };
    let error = set(old).await.expect_err("it would lose the condition");
    assert_eq!(error.status().map(|status| status.code), Some(Code::InvalidArgument));

    let mut new = read(&bench, 3).await;
    let agent = format!("serviceAccount:{}", bench.double.agent());
    new.bindings.push(Binding::new().set_role("roles/storage.objectAdmin").set_members([agent]));
    let stale = new.clone();
    let before = bench.double.snapshot().await;
    set(new).await.expect("it is set");
    let after = bench.double.snapshot().await;
    let path = "bucket/acme/policy";
    let added = after.get(path).expect("it is there").replace(
        ",{\"members\":[\"serviceAccount:service-NUMBER@gs-project-accounts.iam.gserviceaccount.com\"],\"role\":\"roles/storage.objectAdmin\"}",
        "",
    );
    assert_eq!(Some(added.as_str()), before.get(path), "nothing but the new binding differs");
    let error = set(stale).await.expect_err("its etag is old");
    assert_eq!(error.status().map(|status| status.code), Some(Code::FailedPrecondition));
}

#[tokio::test]
async fn a_race_is_lost_as_often_as_it_is_told_to() {
    let bench = Bench::new().await;
    let topic = bench.topic("events");
    bench.topics.create_topic().set_name(&topic).send().await.expect("a topic");
    bench.double.control().race_policies(1);
    let set = || async {
        let policy = bench.policies.get_iam_policy().set_resource(&topic).send().await.expect("a policy");
        bench.policies.set_iam_policy().set_resource(&topic).set_policy(policy).send().await
    };
    let error = set().await.expect_err("somebody was faster");
    assert_eq!(error.http_status_code(), Some(409), "{error}");
    set().await.expect("it is set the second time");
}

#[tokio::test]
async fn an_account_may_do_what_policies_grant_it() {
    let bench = Bench::new().await;
    bench.bucket("acme").await.expect("it is made");
    let node = format!("node@{}.iam.gserviceaccount.com", bench.double.project());
    let control = bench.double.control();
    let member = format!("serviceAccount:{node}");
    let mut policy = control.ask("GET", "/storage/v1/b/acme/iam", Value::Null).await;
    let binding = json!({"role": "roles/storage.objectAdmin", "members": [member]});
    policy["bindings"].as_array_mut().expect("there are some").push(binding);
    let client = Client::new();
    let put = |token: String| {
        let url = format!("{}/storage/v1/b/acme/iam", bench.double.url());
        client.put(url).bearer_auth(token).body(policy.to_string()).send()
    };
    let operator = bench.double.token(&bench.double.operator());
    let answer = put(operator.clone()).await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 400, "the account does not exist");
    let token = bench.double.token(&node);
    let answer = put(token).await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 403, "it has no right to it");
    let answer = put(operator).await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 200);
    let bench = Bench::acting_as(bench.double, &node).await;
    bench.storage.write_object(BUCKET, "x", "x").send_buffered().await.expect("it may write");
    let error = bench.control.get_bucket().set_name(BUCKET).send().await.expect_err("it may not look");
    assert_eq!(error.status().map(|status| status.code), Some(Code::PermissionDenied));
}

#[tokio::test]
async fn a_service_account_has_a_policy_and_signs() {
    let bench = Bench::new().await;
    let operator = bench.double.operator();
    let control = bench.double.control();
    let base = format!("/v1/projects/-/serviceAccounts/{operator}");
    let member = format!("serviceAccount:{operator}");
    let bindings = json!([{"role": "roles/iam.serviceAccountTokenCreator", "members": [member]}]);
    let policy = json!({"policy": {"bindings": bindings}});
    control.ask("POST", &format!("{base}:setIamPolicy"), policy).await;
    let read = control.ask("POST", &format!("{base}:getIamPolicy"), Value::Null).await;
    assert_eq!(read["bindings"], bindings);
    let signed = control.ask("POST", &format!("{base}:signBlob"), json!({"payload": "aGVsbG8="})).await;
    assert!(signed["signedBlob"].as_str().is_some_and(|blob| blob.len() > 300), "{signed}");
}

#[tokio::test]
async fn an_everlasting_stranger_gets_nowhere() {
    let bench = Bench::new().await;
    let client = Client::new();
    for path in ["/storage/v1/b?project=x", "/v1/projects/x/topics", "/v1/projects/x/serviceAccounts/y"] {
        let url = format!("{}{path}", bench.double.url());
        for request in [client.get(&url), client.get(&url).bearer_auth("made-up")] {
            let answer = request.send().await.expect("it answers");
            assert_eq!(answer.status().as_u16(), 401, "{path}");
        }
    }
}

/// As Google's front end does, before it looks at who asks.
#[tokio::test]
async fn a_post_with_neither_a_body_nor_a_length_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::new().await;
    let host = bench.double.url().trim_start_matches("http://").to_owned();
    let post = async |length: &str| {
        let mut stream = tokio::net::TcpStream::connect(&host).await.expect("it listens");
        let path = "/v1/projects/-/serviceAccounts/x@y.iam.gserviceaccount.com:getIamPolicy";
        let request = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}\r\n");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    };
    assert!(post("").await.starts_with("HTTP/1.1 411"), "no length");
    assert!(post("Content-Length: 0\r\n").await.starts_with("HTTP/1.1 401"), "a length of nothing is one");
}
