//! What the marks say of a deployment whose names the command line leaves open.

use crate::support::Site;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn names_that_were_chosen_are_found_again() {
    let site = Site::open().await;
    let (bucket, uploads) = (format!("{}-files", site.account()), ["--queue", "uploads"]);
    let names = ["--bucket", &bucket, "--notifications-queue", "runs"];
    let provisioned = site.provision(&[&names[..], &uploads].concat()).await.ends(0);
    let config = site.run("config", &[]).await.ends(0);
    assert_eq!(config.outputs(), provisioned.outputs());
    config.tells(&[
        &format!("`--bucket {bucket}` by its marks"),
        "`--queue uploads` by its marks, instead of `--queue wbstore-wandb-acme-com`",
        "`--notifications-queue runs` by its marks",
    ]);
    let verified = site.run("verify", &["--format", "json"]).await.ends(0);
    assert_eq!(verified.check("drift")["verdict"], "passed");
    // Of what is not in the marks, plan and provision go by the options.
    site.run("plan", &["--exit-code"]).await.ends(5);
    let ran = site.run("config", &["--queue", "others"]).await.ends(1);
    ran.tells(&["`--queue others` contradicts the marks of wandb-acme-com: it has `--queue uploads`"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_is_not_in_the_marks_is_still_drift() {
    let site = Site::open().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    site.run("config", &[]).await.ends(1).tells(&["differs from these arguments"]);
    let verified = site.run("verify", &["--format", "json"]).await.ends(6);
    let drift = &verified.check("drift")["reason"];
    assert!(drift.as_str().is_some_and(|reason| reason.contains("cors")), "{verified}");
}
