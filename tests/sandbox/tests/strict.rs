//! Each strict rule: what it refuses, and what it lets through.

mod common;

use common::{Bench, OWNER, STRANGER, bench, one_bucket, passed, put, refused, text};
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::call::Call;
use wbstore_sandbox::strict::Strict;

#[tokio::test]
async fn a_bucket_of_another_owner_is_denied() {
    let bench = bench().await;
    let expecting = |account| {
        let header = [("x-amz-expected-bucket-owner", account)];
        let bench = &bench;
        async move { bench.s3_as(OWNER, "GET", "/b?cors", &header, "").await.expect("an answer") }
    };
    passed(&expecting(OWNER).await);
    refused(&expecting(STRANGER).await, 403, "AccessDenied");
    let nobodys = [("x-amz-expected-bucket-owner", STRANGER)];
    passed(&bench.s3_as(OWNER, "GET", "/nobodys?cors", &nobodys, "").await.expect("an answer"));
    let journal = bench.proxy.journal();
    assert_eq!(journal[1].meddled.as_deref(), Some("x-amz-expected-bucket-owner"));
    assert_eq!(journal.len(), 3, "the proxy's own questions are not in the journal");
}

#[tokio::test]
async fn the_owner_is_learnt_from_a_creation() {
    let bench = bench().await;
    passed(&put(&bench, "/new", "").await);
    let wrong = [("x-amz-expected-bucket-owner", STRANGER)];
    let reply = bench.s3_as(OWNER, "GET", "/new?cors", &wrong, "").await.expect("an answer");
    refused(&reply, 403, "AccessDenied");
}

#[tokio::test]
async fn moto_is_taught_who_may_enter() {
    let bench = Bench::with(Backend::Moto, one_bucket, Strict::default()).await;
    let visit = |account| {
        let bench = &bench;
        async move { bench.s3_as(account, "GET", "/b?tagging", &[], "").await.expect("an answer") }
    };
    passed(&visit(OWNER).await);
    refused(&visit(STRANGER).await, 403, "AccessDenied");
    passed(&visit("AKIAIOSFODNN7EXAMPLE").await);
    let header = |call: &Call| call.header("x-moto-account-id").map(str::to_owned);
    let last = bench.cloud.calls().into_iter().rfind(|call| call.account.is_some()).expect("one passed");
    assert_eq!(header(&last).as_deref(), Some(last.account.as_deref().expect("it has one")));
}

#[tokio::test]
async fn moto_is_spared_the_condition_it_ignores() {
    let bench = Bench::with(Backend::Moto, one_bucket, Strict::default()).await;
    let policy = r#"{"Statement":[{"Effect":"Deny","Condition":{"Bool":{"aws:SecureTransport":"false"}}},{"Sid":"kept"}]}"#;
    passed(&put(&bench, "/b?policy", policy).await);
    let sent =
        bench.cloud.calls().into_iter().find(|call| call.is("s3:PutBucketPolicy")).expect("it was put");
    assert_eq!(sent.text(), r#"{"Statement":[{"Sid":"kept"}]}"#);
    let read = bench.s3("GET", "/b?policy", "").await.expect("an answer");
    assert_eq!(text(&read), policy);
}

#[tokio::test]
async fn motos_name_for_an_empty_configuration_is_mended() {
    let bench =
        Bench::with(Backend::Moto, |_| (200, "<GetBucketNotificationResponse/>".to_owned()), Strict::off())
            .await;
    let read = bench.s3("GET", "/b?notification", "").await.expect("an answer");
    assert_eq!(text(&read), "<NotificationConfiguration/>");
}

#[tokio::test]
async fn ministack_is_given_a_policy_status() {
    let bench = Bench::new(
        |call| match call.operation.as_str() {
            "s3:GetBucketPolicy" => (200, r#"{"Statement":[{"Effect":"Allow","Principal":"*"}]}"#.to_owned()),
            _ => (500, String::new()),
        },
        Strict::off(),
    )
    .await;
    let read = bench.s3("GET", "/b?policyStatus", "").await.expect("an answer");
    assert!(text(&read).contains("<IsPublic>true</IsPublic>"), "{}", text(&read));
}

#[tokio::test]
async fn a_location_is_no_location_in_us_east_1() {
    let bench = bench().await;
    let body = |region: &str| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    refused(&put(&bench, "/c", &body("us-east-1")).await, 400, "InvalidLocationConstraint");
    passed(&put(&bench, "/c", &body("eu-west-1")).await);
}

#[tokio::test]
async fn making_ones_own_bucket_again_is_a_conflict_with_tags_only() {
    let bench = bench().await;
    let tags = "<CreateBucketConfiguration><Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>";
    passed(&put(&bench, "/b", "").await);
    refused(&put(&bench, "/b", tags).await, 409, "BucketAlreadyOwnedByYou");
    passed(&put(&bench, "/another", tags).await);
}

#[tokio::test]
async fn a_checksum_is_required_where_the_api_says_so() {
    let bench = bench().await;
    let without = |path| {
        let bench = &bench;
        async move { bench.s3_as(OWNER, "PUT", path, &[], "").await.expect("an answer") }
    };
    refused(&without("/b?cors").await, 400, "InvalidRequest");
    passed(&without("/b").await);
    let crc = [("x-amz-checksum-crc32", "AAAAAA==")];
    passed(&bench.s3_as(OWNER, "PUT", "/b?cors", &crc, "").await.expect("an answer"));
}

#[tokio::test]
async fn documents_have_limits() {
    let bench = bench().await;
    let delete = |n| format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(n));
    let cors = |n| format!("<CORSConfiguration>{}</CORSConfiguration>", "<CORSRule/>".repeat(n));
    passed(&bench.s3("POST", "/b?delete", &delete(1000)).await.expect("an answer"));
    refused(&bench.s3("POST", "/b?delete", &delete(1001)).await.expect("an answer"), 400, "MalformedXML");
    passed(&put(&bench, "/b?cors", &cors(100)).await);
    refused(&put(&bench, "/b?cors", &cors(101)).await, 400, "MalformedXML");
}

#[tokio::test]
async fn a_queues_name_rests_for_a_minute() {
    let bench = bench().await;
    let create = || async { bench.sqs("CreateQueue", r#"{"QueueName":"q"}"#).await.expect("an answer") };
    passed(&create().await);
    bench.sqs("DeleteQueue", r#"{"QueueUrl":"http://x/111122223333/q"}"#).await.expect("an answer");
    for _ in 0..2 {
        let reply = create().await;
        assert_eq!(reply.status(), 400);
        assert_eq!(
            reply.headers()["x-amzn-query-error"],
            "AWS.SimpleQueueService.QueueDeletedRecently;Sender"
        );
        assert!(text(&reply).contains("com.amazonaws.sqs#QueueDeletedRecently"), "{}", text(&reply));
    }
    let other = bench.sqs("CreateQueue", r#"{"QueueName":"other"}"#).await.expect("an answer");
    passed(&other);
    passed(&create().await);
}

#[tokio::test]
async fn a_bucket_answers_in_its_own_region() {
    // The little cloud names no region; the header is what the emulators give.
    let cloud = Bench::with_headers(one_bucket, &[("x-amz-bucket-region", "eu-west-1")]).await;
    let reply = cloud.s3("GET", "/b?cors", "").await.expect("an answer");
    refused(&reply, 301, "PermanentRedirect");
    assert_eq!(reply.headers()["x-amz-bucket-region"], "eu-west-1");
    passed(&cloud.s3("GET", "/b?location", "").await.expect("an answer"));
    let home = Bench::with_headers(one_bucket, &[("x-amz-bucket-region", "us-east-1")]).await;
    passed(&home.s3("GET", "/b?cors", "").await.expect("an answer"));
}

#[tokio::test]
async fn a_presigned_url_expires() {
    let bench = bench().await;
    let signed = |ago: i64| {
        let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(ago);
        format!("/b/k?X-Amz-Expires=60&X-Amz-Date={}", moment.strftime("%Y%m%dT%H%M%SZ"))
    };
    passed(&bench.s3("PUT", &signed(30), "").await.expect("an answer"));
    refused(&bench.s3("PUT", &signed(90), "").await.expect("an answer"), 403, "AccessDenied");
    let older = bench.s3("PUT", "/b/k?AWSAccessKeyId=x&Expires=1700000000", "").await.expect("an answer");
    refused(&older, 403, "AccessDenied");
}

#[tokio::test]
async fn without_rules_everything_passes() {
    let bench = Bench::new(one_bucket, Strict::off()).await;
    let wrong = [("x-amz-expected-bucket-owner", STRANGER)];
    passed(&bench.s3_as(OWNER, "GET", "/b?cors", &wrong, "").await.expect("an answer"));
}
