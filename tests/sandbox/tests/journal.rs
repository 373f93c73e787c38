//! Naming and counting.

mod common;

use common::{Bench, OWNER, agreeable};
use wbstore_sandbox::dialect::Service;
use wbstore_sandbox::fault::{Fault, Side, When};
use wbstore_sandbox::journal::Counts;
use wbstore_sandbox::strict::Strict;

#[tokio::test]
async fn s3_requests_are_named_as_in_the_api_reference() {
    let bench = Bench::new(agreeable, Strict::off()).await;
    let cases = [
        ("GET", "/", "ListBuckets", false),
        ("PUT", "/b", "CreateBucket", true),
        ("HEAD", "/b", "HeadBucket", false),
        ("DELETE", "/b/", "DeleteBucket", true),
        ("PUT", "/b?cors", "PutBucketCors", true),
        ("GET", "/b?cors=", "GetBucketCors", false),
        ("DELETE", "/b?cors", "DeleteBucketCors", true),
        ("PUT", "/b?notification", "PutBucketNotificationConfiguration", true),
        ("GET", "/b?policyStatus", "GetBucketPolicyStatus", false),
        ("PUT", "/b?publicAccessBlock", "PutPublicAccessBlock", true),
        ("DELETE", "/b?lifecycle", "DeleteBucketLifecycle", true),
        ("GET", "/b?object-lock", "GetObjectLockConfiguration", false),
        ("GET", "/b?versions&encoding-type=url", "ListObjectVersions", false),
        ("GET", "/b?uploads", "ListMultipartUploads", false),
        ("GET", "/b?list-type=2", "ListObjectsV2", false),
        ("POST", "/b?delete", "DeleteObjects", true),
        ("PUT", "/b/k", "PutObject", true),
        ("GET", "/b/a%20b/c", "GetObject", false),
        ("HEAD", "/b/k", "HeadObject", false),
        ("POST", "/b/k?uploads", "CreateMultipartUpload", true),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart", true),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload", true),
        ("OPTIONS", "/b/k", "Preflight", false),
    ];
    for (method, path, _, _) in cases {
        bench.s3(method, path, "").await.expect("it agrees to everything");
    }
    let named: Vec<_> =
        bench.proxy.journal().into_iter().map(|exchange| (exchange.operation, exchange.mutating)).collect();
    let expected: Vec<_> =
        cases.iter().map(|(_, _, name, mutating)| (format!("s3:{name}"), *mutating)).collect();
    assert_eq!(named, expected);
    assert_eq!(bench.proxy.journal()[17].resource, "b/a b/c");
}

#[tokio::test]
async fn the_other_services_name_their_operations_themselves() {
    let bench = Bench::new(agreeable, Strict::off()).await;
    bench.sqs("CreateQueue", r#"{"QueueName":"q"}"#).await.expect("agreed");
    bench.sqs("GetQueueAttributes", r#"{"QueueUrl":"http://x/1/q2"}"#).await.expect("agreed");
    bench.sqs("ReceiveMessage", r#"{"QueueUrl":"http://x/1/q2"}"#).await.expect("agreed");
    bench.sts().await.expect("agreed");
    let journal = bench.proxy.journal();
    let seen: Vec<_> = journal
        .iter()
        .map(|exchange| {
            (exchange.service, exchange.operation.as_str(), exchange.resource.as_str(), exchange.mutating)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Service::Sqs, "sqs:CreateQueue", "q", true),
            (Service::Sqs, "sqs:GetQueueAttributes", "q2", false),
            (Service::Sqs, "sqs:ReceiveMessage", "q2", true),
            (Service::Sts, "sts:GetCallerIdentity", "", false),
        ]
    );
}

#[tokio::test]
async fn a_presigned_request_belongs_to_its_signer() {
    let bench = Bench::new(agreeable, Strict::off()).await;
    let url = bench.proxy.url();
    let scope = format!("{OWNER}%2F20260101%2Feu-west-1%2Fs3%2Faws4_request");
    for query in [format!("X-Amz-Credential={scope}"), format!("AWSAccessKeyId={OWNER}")] {
        raw(
            &url,
            &format!(
                "PUT /b/k?{query} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ),
        )
        .await;
    }
    let accounts: Vec<_> = bench.cloud.calls().into_iter().map(|call| call.account).collect();
    assert_eq!(accounts, [Some(OWNER.to_owned()), Some(OWNER.to_owned())]);
    assert_eq!(bench.cloud.calls()[0].region, "eu-west-1");
}

#[tokio::test]
async fn dependent_requests_are_counted_not_simultaneous_ones() {
    let bench = Bench::new(agreeable, Strict::off()).await;
    // One alone, three at once, one alone: three waits.
    bench.s3("GET", "/b?cors", "").await.expect("agreed");
    let held = bench.proxy.arm(When::request(1).times(3), Fault::Hang(Side::Before));
    let release = async {
        while bench.proxy.journal().len() < 4 {
            tokio::task::yield_now().await;
        }
        held.release();
    };
    let (one, two, three, ()) = tokio::join!(
        bench.s3("PUT", "/b", ""),
        bench.s3("PUT", "/c", ""),
        bench.s3("GET", "/d", ""),
        release
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    bench.s3("DELETE", "/b", "").await.expect("agreed");
    assert_eq!(bench.proxy.counts(), Counts { requests: 5, mutating: 3, round_trips: 3 });
    bench.proxy.clear_journal();
    assert_eq!(bench.proxy.counts(), Counts::default());
}

#[tokio::test]
async fn the_journal_keeps_what_was_said() {
    let bench = Bench::new(|_| (404, String::new()), Strict::off()).await;
    bench.s3("PUT", "/b?cors", "<CORSConfiguration/>").await.expect("an answer");
    let exchange = bench.proxy.journal().remove(0);
    assert_eq!((exchange.index, exchange.status, exchange.method.as_str()), (0, Some(404), "PUT"));
    assert_eq!(exchange.body, "<CORSConfiguration/>");
    assert_eq!(exchange.header("content-md5"), Some("x"));
    assert!(exchange.finished.is_some_and(|finished| finished >= exchange.started));
}

/// For what a client with manners does not send.
async fn raw(url: &str, request: &str) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("the proxy listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
