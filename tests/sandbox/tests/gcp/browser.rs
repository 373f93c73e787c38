//! What a browser sees: preflights, signed URLs, and nothing without one.

use std::time::Duration;

use google_cloud_auth::credentials::service_account;
use google_cloud_storage::builder::storage::SignedUrlBuilder;
use reqwest::{Client, Method, Response};

use crate::bench::Bench;

const HOST: &str = "https://wandb.acme.com";

async fn preflight(bench: &Bench, path: &str, origin: &str, method: &str) -> Response {
    Client::new()
        .request(Method::OPTIONS, format!("{}{path}", bench.double.url()))
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .expect("it answers")
}

fn allowed(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|value| value.to_str().expect("it is text"))
}

#[tokio::test]
async fn the_buckets_rules_decide_on_the_xml_endpoint_only() {
    let bench = Bench::new().await;
    bench.bucket("acme-9").await.expect("it is made");
    for (origin, method, wanted) in [
        (HOST, "GET", Some(HOST)),
        (HOST, "PUT", Some(HOST)),
        (HOST, "HEAD", Some(HOST)),
        (HOST, "DELETE", None),
        ("https://other.acme.com", "GET", None),
    ] {
        let answer = preflight(&bench, "/acme-9/runs/1", origin, method).await;
        assert_eq!((answer.status().as_u16(), allowed(&answer)), (200, wanted), "{origin} {method}");
    }
    let answer = preflight(&bench, "/storage/v1/b/acme-9/o/x", "https://other.acme.com", "GET").await;
    assert_eq!(allowed(&answer), Some("https://other.acme.com"));
}

#[tokio::test]
async fn nobody_reads_without_a_name_and_a_signed_url_has_one() {
    let bench = Bench::new().await;
    bench.bucket("acme-10").await.expect("it is made");
    let url = bench.double.url();
    let key = bench.double.key_file(&bench.double.operator(), &url).expect("it is written");
    let key = serde_json::from_slice(&std::fs::read(key).expect("it is there")).expect("it is JSON");
    let signer = service_account::Builder::new(key).build_signer().expect("the key signs");
    let sign = async |method: Method, lasts: u64| {
        SignedUrlBuilder::for_object("projects/_/buckets/acme-10", "runs/a b+c.txt")
            .with_method(method)
            .with_endpoint(&url)
            .with_expiration(Duration::from_secs(lasts))
            .sign_with(&signer)
            .await
            .expect("it is signed")
    };
    let client = Client::new();
    let put = sign(Method::PUT, 60).await;
    let answer = client.put(&put).header("origin", HOST).body("hello").send().await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
    assert_eq!(allowed(&answer), Some(HOST));
    assert_eq!(answer.headers()["access-control-expose-headers"], "ETag, Content-Type");
    assert_eq!(answer.headers()["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");

    let get = sign(Method::GET, 60).await;
    let text = client.get(&get).send().await.expect("it answers").text().await.expect("it has a body");
    assert_eq!(text, "hello");
    let refused = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("it answers");
        (answer.status().as_u16(), answer.text().await.expect("it has a body"))
    };
    let (status, text) = refused(client.put(&get).body("changed")).await;
    assert!(status == 403 && text.contains("<Code>SignatureDoesNotMatch</Code>"), "{text}");
    let late = sign(Method::GET, 1).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (status, text) = refused(client.get(&late)).await;
    assert!(status == 400 && text.contains("<Code>ExpiredToken</Code>"), "{text}");
    let plain = format!("{url}/acme-10/runs/a%20b%2Bc.txt");
    let (status, text) = refused(client.get(&plain)).await;
    assert!(status == 401 && text.contains("Anonymous caller does not have storage.objects.get"), "{text}");
    let (status, text) = refused(client.get(format!("{url}/storage/v1/b/acme-10/o/x?alt=media"))).await;
    assert!(status == 401 && text.contains("\"reason\":\"required\""), "{text}");
}

#[tokio::test]
async fn a_large_object_comes_in_parts_and_back_whole() {
    let bench = Bench::new().await;
    bench.bucket("acme-11").await.expect("it is made");
    let bucket = "projects/_/buckets/acme-11";
    let content: String = "0123456789abcdef".repeat(40 * 1024);
    let write = bench.storage.write_object(bucket, "large", content.clone());
    let parts =
        write.with_resumable_upload_threshold(1_usize).with_resumable_upload_buffer_size(256 * 1024_usize);
    let object = parts.send_buffered().await.expect("it is written");
    assert_eq!(object.size, i64::try_from(content.len()).expect("it is not that large"));
    let mut read = bench.storage.read_object(bucket, "large").send().await.expect("it is read");
    let mut back = vec![];
    while let Some(part) = read.next().await {
        back.extend(part.expect("it comes"));
    }
    assert_eq!(back, content.as_bytes());
}
