//! Several deployments whose time is up, at once.

use std::time::Duration;

use wbstore_sandbox::fault::{Failure, Fault, Side, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{Ends, Running, Site};

/// Puts the ends of all leases into the past, as time would.
const EXPIRE: &str = "
for one in s3.list_buckets()['Buckets']:
    tags = s3.get_bucket_tagging(Bucket=one['Name'])['TagSet']
    for tag in tags:
        if tag['Key'] == 'wbstore:expires': tag['Value'] = '2020-01-01T00:00:00Z'
    s3.put_bucket_tagging(Bucket=one['Name'], Tagging={'TagSet': tags})
";

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// An account with deployments of [`NAMES`], all past their time.
async fn expired() -> Site {
    let site = Site::open().await;
    for name in NAMES {
        site.provision(&["--name", name, "--expires", "7d", "--queue", "internal"]).await.ends(0);
    }
    site.boto(EXPIRE).await;
    site.aws.proxy().clear_journal();
    site
}

/// The names of the deployments that are there.
async fn left(site: &Site) -> Vec<String> {
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let deployments = listed["deployments"].as_array().expect("a list").iter();
    deployments.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

const TEARDOWN: [&str; 3] = ["--expired", "--confirm", "expired"];

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_plans_come_in_the_order_of_the_names() {
    let site = expired().await;
    let ran = site.run("teardown", &["--expired", "--dry-run"]).await.ends(0);
    let places = NAMES.map(|name| ran.stderr.find(name));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}: {ran}");
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn one_that_cannot_be_looked_at_fails_by_its_own_code_and_the_others_go() {
    let site = expired().await;
    let strange = || Fault::fail(Failure::Other(ApiError::new(400, "Strange", "No reason is given.")));
    let look = When::operation("s3:GetBucketCors", 0);
    site.aws.proxy().arm(look.clone(), strange());
    let ran = site.run("teardown", &["--expired", "--dry-run"]).await.ends(1);
    ran.tells(&["Strange: No reason is given."]);
    site.aws.proxy().disarm();

    site.aws.proxy().clear_journal();
    site.aws.proxy().arm(look, strange());
    let ran = site.run("teardown", &TEARDOWN).await.ends(4);
    let left = left(&site).await;
    let [left] = &left[..] else { panic!("{left:?} is left: {ran}") };
    ran.tells(&[&format!("error: the deployment {left} is left out: ")]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn one_that_is_slow_does_not_keep_the_others() {
    let site = expired().await;
    let slow = site.aws.proxy().arm(When::operation("s3:DeleteBucket", 0), Fault::Hang(Side::Before));
    let running = Running::start(site.command("teardown", &TEARDOWN));
    slow.reached().await;
    let others = async {
        while left(&site).await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), others).await.expect("the others go meanwhile");
    slow.release();
    running.ended().await.ends(0);
    assert_eq!(left(&site).await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn one_that_fails_does_not_keep_the_others() {
    let site = expired().await;
    site.aws.proxy().arm(When::operation("s3:DeleteBucket", 0), Fault::fail(Failure::AccessDenied));
    let ran = site.run("teardown", &TEARDOWN).await.ends(4).tells(&["AccessDenied", "s3:DeleteBucket"]);
    assert_eq!(left(&site).await.len(), 1, "{ran}");
}
