//! Each fault, seen from both sides of the proxy.

mod common;

use std::time::{Duration, Instant};

use common::{Bench, agreeable, text};
use wbstore_sandbox::fault::{Failure, Fault, Keys, Side, When};
use wbstore_sandbox::strict::Strict;

async fn bench() -> Bench {
    Bench::new(agreeable, Strict::off()).await
}

#[tokio::test]
async fn a_drop_before_leaves_the_cloud_untouched_and_a_drop_after_does_not() {
    for (fault, reached) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1)] {
        let bench = bench().await;
        bench.proxy.arm(When::request(0), fault);
        assert!(bench.s3("PUT", "/b", "").await.is_err());
        assert_eq!(bench.cloud.seen().len(), reached);
        assert_eq!(bench.proxy.journal()[0].status, None);
        assert!(bench.s3("PUT", "/b", "").await.is_ok(), "only once");
    }
}

#[tokio::test]
async fn a_hang_can_be_met_and_released() {
    for (side, reached) in [(Side::Before, 0), (Side::After, 1)] {
        let bench = bench().await;
        let armed = bench.proxy.arm(When::operation("s3:PutBucketCors", 0), Fault::Hang(side));
        let client = async { bench.s3("PUT", "/b?cors", "").await.expect("released") };
        let test = async {
            armed.reached().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(bench.cloud.seen().len(), reached);
            armed.release();
        };
        let (reply, ()) = tokio::join!(client, test);
        assert_eq!(reply.status(), 200);
    }
}

#[tokio::test]
async fn a_client_that_is_killed_in_a_hang_leaves_no_request_behind() {
    let bench = bench().await;
    let armed = bench.proxy.arm(When::request(0), Fault::Hang(Side::Before));
    tokio::select! {
        answer = bench.s3("PUT", "/b", "") => panic!("it should hang: {answer:?}"),
        () = armed.reached() => {}
    }
    armed.abandon();
    bench.proxy.settled().await;
    assert_eq!(bench.cloud.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn delays_are_felt() {
    let bench = bench().await;
    bench.proxy.arm(When::request(0), Fault::Delay(Duration::from_millis(80)));
    let started = Instant::now();
    bench.s3("GET", "/b", "").await.expect("late is not never");
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_truncated_answer_breaks_off() {
    let bench = bench().await;
    bench.proxy.arm(When::request(0), Fault::Truncate);
    assert!(bench.s3("GET", "/b", "").await.is_err());
    assert_eq!(bench.cloud.seen(), ["s3:ListObjects"]);
}

#[tokio::test]
async fn errors_come_in_the_format_of_the_service() {
    let bench = bench().await;
    bench.proxy.arm(When::every("*"), Fault::fail(Failure::Throttled));
    let s3 = bench.s3("PUT", "/b", "").await.expect("an answer");
    assert_eq!(s3.status(), 503);
    assert!(text(&s3).contains("<Error><Code>SlowDown</Code>"), "{}", text(&s3));
    let head = bench.s3("HEAD", "/b", "").await.expect("an answer");
    assert_eq!((head.status().as_u16(), head.body().len()), (503, 0));
    let sqs = bench.sqs("CreateQueue", "{}").await.expect("an answer");
    assert_eq!(sqs.headers()["x-amzn-query-error"], "RequestThrottled;Sender");
    assert!(text(&sqs).contains(r#""__type":"com.amazonaws.sqs#RequestThrottled""#), "{}", text(&sqs));
    let sts = bench.sts().await.expect("an answer");
    assert!(text(&sts).contains("<ErrorResponse"), "{}", text(&sts));
    assert_eq!(bench.cloud.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn each_failure_has_its_status_and_code() {
    for (failure, status, code) in [
        (Failure::TooManyRequests(2), 429, "TooManyRequests"),
        (Failure::ExpiredToken, 400, "ExpiredToken"),
        (Failure::AccessDenied, 403, "AccessDenied"),
        (Failure::Internal, 500, "InternalError"),
        (Failure::Unavailable, 503, "ServiceUnavailable"),
        (Failure::OperationAborted, 409, "OperationAborted"),
        (Failure::NoSuchBucket, 404, "NoSuchBucket"),
        (Failure::WrongRegion("eu-west-1".into()), 301, "PermanentRedirect"),
        (Failure::DestinationNotReady, 400, "InvalidArgument"),
    ] {
        let bench = bench().await;
        bench.proxy.arm(When::request(0), Fault::fail_after(failure.clone()));
        let reply = bench.s3("PUT", "/b?notification", "").await.expect("an answer");
        assert_eq!(reply.status(), status, "{failure:?}");
        assert!(text(&reply).contains(&format!("<Code>{code}</Code>")), "{}", text(&reply));
        assert_eq!(bench.cloud.seen().len(), 1, "applied all the same");
        match failure {
            Failure::TooManyRequests(_) => assert_eq!(reply.headers()["retry-after"], "2"),
            Failure::WrongRegion(_) => {
                assert_eq!(reply.headers()["x-amz-bucket-region"], "eu-west-1")
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn success_may_carry_an_error_and_an_error_a_web_page() {
    let bench = bench().await;
    bench.proxy.arm(When::request(0), Fault::OkWithError(Failure::Internal));
    bench.proxy.arm(When::request(1), Fault::Html);
    let reply = bench.s3("PUT", "/b?cors", "").await.expect("an answer");
    assert_eq!(reply.status(), 200);
    assert!(text(&reply).contains("<Code>InternalError</Code>"));
    let reply = bench.s3("PUT", "/b?cors", "").await.expect("an answer");
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["content-type"]),
        (502, &"text/html".parse().expect("a value"))
    );
}

#[tokio::test]
async fn a_stale_read_repeats_what_was_read_before() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static READS: AtomicUsize = AtomicUsize::new(0);
    let bench = Bench::new(|_| (200, READS.fetch_add(1, Ordering::Relaxed).to_string()), Strict::off()).await;
    let read = || async { text(&bench.s3("GET", "/b?cors", "").await.expect("an answer")) };
    assert_eq!(read().await, "0");
    bench.proxy.arm(When::operation("s3:GetBucketCors", 0).times(2), Fault::Stale);
    assert_eq!([read().await, read().await, read().await], ["0", "0", "1"]);
}

#[tokio::test]
async fn some_keys_of_a_deletion_fail() {
    let bench = Bench::new(
        |call| {
            let deleted: String = call.text().match_indices("<Object>").map(|_| "<Deleted/>").collect();
            (200, format!("<DeleteResult>{deleted}</DeleteResult>"))
        },
        Strict::off(),
    )
    .await;
    let asked = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>v</VersionId></Object>\
                 <Object><Key>c</Key></Object></Delete>";
    let fault = |keys| Fault::KeyErrors(Failure::Throttled, keys);
    bench.proxy.arm(When::request(0), fault(Keys::EveryNth(2)));
    bench.proxy.arm(When::request(1), fault(Keys::Containing(String::new())));
    let reply = text(&bench.s3("POST", "/b?delete", asked).await.expect("an answer"));
    assert_eq!(
        reply,
        "<DeleteResult><Deleted/><Deleted/><Error><Key>b</Key><VersionId>v</VersionId><Code>SlowDown</Code>\
         <Message>Please reduce your request rate.</Message></Error></DeleteResult>"
    );
    let passed = &bench.cloud.calls()[0];
    assert_eq!(passed.text(), "<Delete><Object><Key>a</Key></Object><Object><Key>c</Key></Object></Delete>");
    assert_eq!(passed.header("content-md5"), None, "it was of the longer body");
    let reply = text(&bench.s3("POST", "/b?delete", asked).await.expect("an answer"));
    assert_eq!(reply.matches("<Error>").count(), 3);
    assert_eq!(bench.cloud.seen().len(), 1);
}

#[tokio::test]
async fn a_skewed_clock_refuses_by_its_own_time_and_tells_it() {
    let bench = bench().await;
    bench.proxy.arm(When::every("s3:*"), Fault::Skew(3600));
    let stamp = |shift: i64| {
        let moment = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(shift);
        moment.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    for (shift, status) in [(0, 403), (3600, 200)] {
        let date = stamp(shift);
        let reply = bench
            .s3_as(common::OWNER, "PUT", "/b", &[("x-amz-date", date.as_str())], "")
            .await
            .expect("an answer");
        assert_eq!(reply.status(), status);
        let told = reply.headers()["date"].to_str().expect("a date is text").to_owned();
        let told = jiff::fmt::rfc2822::parse(&told).expect("a date").timestamp();
        assert!((told.as_second() - jiff::Timestamp::now().as_second() - 3600).abs() < 5);
    }
}

#[tokio::test]
async fn faults_strike_when_they_are_told_to() {
    let bench = bench().await;
    let second = bench.proxy.arm(When::operation("s3:PutBucketCors", 1), Fault::fail(Failure::Internal));
    // A retry of the struck request is struck again; another request is not.
    let retried = bench.proxy.arm(When::request(3).times(2), Fault::fail(Failure::Unavailable));
    let mut statuses = Vec::new();
    for path in ["/b?cors", "/b?cors", "/b?cors", "/c", "/d", "/c", "/c"] {
        statuses.push(bench.s3("PUT", path, "").await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 200, 503, 200, 503, 200]);
    assert_eq!((second.hits(), retried.hits()), (1, 2));
    bench.proxy.arm(When::every("s3:*"), Fault::fail(Failure::Internal));
    bench.proxy.disarm();
    assert_eq!(bench.s3("PUT", "/b", "").await.expect("an answer").status(), 200);
}
