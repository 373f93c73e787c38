//! What S3 checks before it takes a notification configuration.

mod common;

use common::{Bench, OWNER, arn, bench, one_bucket, passed, put, refused, text};
use wbstore_sandbox::reply::Reply;
use wbstore_sandbox::strict::Strict;

/// (id, queue, event, prefix, suffix)
type Rule<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn notification(rules: &[Rule<'_>]) -> String {
    let rules: String = rules
        .iter()
        .map(|(id, queue, event, prefix, suffix)| {
            format!(
                "<QueueConfiguration><Id>{id}</Id><Queue>{}</Queue><Event>{event}</Event><Filter><S3Key>\
                 <FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule>\
                 <FilterRule><Name>Suffix</Name><Value>{suffix}</Value></FilterRule></S3Key></Filter></QueueConfiguration>",
                if queue.starts_with("arn:") { (*queue).to_owned() } else { arn(queue) },
            )
        })
        .collect();
    format!(
        "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</NotificationConfiguration>"
    )
}

async fn notify(bench: &Bench, rules: &[Rule<'_>]) -> Reply {
    put(bench, "/b?notification", &notification(rules)).await
}

#[tokio::test]
async fn overlapping_filters_are_refused() {
    const ANY: &str = "s3:ObjectCreated:*";
    const PUT: &str = "s3:ObjectCreated:Put";
    const COPY: &str = "s3:ObjectCreated:Copy";
    let bench = bench().await;
    for (one, other, overlap) in [
        ((ANY, "", ""), (PUT, "", ""), true),
        ((ANY, "a/", ""), (PUT, "a/b/", ""), true),
        ((ANY, "a/", ""), (PUT, "b/", ""), false),
        ((ANY, "", ".jpg"), (PUT, "a/", ""), true),
        ((ANY, "", ".jpg"), (PUT, "", ".png"), false),
        ((ANY, "a/", ".jpg"), (PUT, "a/", "g"), true),
        ((PUT, "", ""), (COPY, "", ""), false),
        ((ANY, "", ""), ("s3:ObjectRemoved:*", "", ""), false),
    ] {
        let rules = [("x", "q", one.0, one.1, one.2), ("y", "q", other.0, other.1, other.2)];
        let reply = notify(&bench, &rules).await;
        if overlap {
            refused(&reply, 400, "InvalidArgument");
            assert!(text(&reply).contains("Configurations overlap."), "{}", text(&reply));
        } else {
            passed(&reply);
        }
    }
}

#[tokio::test]
async fn ids_are_unique() {
    let bench = bench().await;
    let rules = [("x", "q", "s3:ObjectCreated:Put", "", ""), ("x", "q", "s3:ObjectCreated:Copy", "", "")];
    refused(&notify(&bench, &rules).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn destinations_are_tried() {
    let bench = bench().await;
    let elsewhere = format!("arn:aws:sqs:eu-west-1:{OWNER}:q");
    for (queue, wanted) in [
        ("q", None),
        ("missing", Some("<ArgumentValue>The destination queue does not exist</ArgumentValue>")),
        ("closed", Some("<ArgumentValue>Permissions on the destination queue do not allow S3 to publish")),
        ("q.fifo", Some("Unable to validate the following destination configurations")),
        (&elsewhere, Some("The notification destination service region is not valid")),
    ] {
        let reply = notify(&bench, &[("x", queue, "s3:ObjectCreated:*", "", "")]).await;
        match wanted {
            None => passed(&reply),
            Some(wanted) => {
                refused(&reply, 400, "InvalidArgument");
                assert!(text(&reply).contains(wanted), "{queue}: {}", text(&reply));
            }
        }
    }
    let body = notification(&[("x", "missing", "s3:ObjectCreated:*", "", "")]);
    let skip = [("content-md5", "x"), ("x-amz-skip-destination-validation", "true")];
    passed(&bench.s3_as(OWNER, "PUT", "/b?notification", &skip, &body).await.expect("an answer"));
}

#[tokio::test]
async fn without_rules_any_destination_passes() {
    let bench = Bench::new(one_bucket, Strict::off()).await;
    passed(&notify(&bench, &[("x", "missing", "s3:ObjectCreated:*", "", "")]).await);
}
