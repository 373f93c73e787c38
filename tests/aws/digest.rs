//! A reviewed plan is recognised by its digest for as long as it would do the same.

use crate::support::{Ends, Site};

/// The digest of the teardown that a dry run shows.
async fn reviewed(site: &Site) -> String {
    let dry = ["--dry-run", "--delete-objects", "--format", "json"];
    let plan: serde_json::Value =
        serde_json::from_str(&site.run("teardown", &dry).await.ends(0).stderr).expect("a plan");
    plan["digest"].as_str().expect("it has one").to_owned()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn uploads_into_a_bucket_that_is_not_empty_leave_it_as_it_is() {
    let site = Site::open().await;
    site.provisioned().await;
    let empty = reviewed(&site).await;
    site.boto("s3.put_object(Bucket=bucket, Key='a', Body=b'x')").await;
    let digest = reviewed(&site).await;
    assert_ne!(empty, digest, "deleting data is more than deleting an empty bucket");
    site.boto("s3.put_object(Bucket=bucket, Key='b', Body=b'xyz')").await;
    site.teardown(&["--delete-objects", "--expect", &empty]).await.ends(3).tells(&["digest is"]);
    site.teardown(&["--delete-objects", "--expect", &digest]).await.ends(0);
}
