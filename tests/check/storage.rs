//! `BUCKET` and `BUCKET_QUEUE`: their form, and with `--write` what `verify --as node` checks.

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::{HOST, NAME};
use wbstore_sandbox::ran::finish;
use wbstore_sandbox::services::settings::SettingsFile;

use crate::support::Checked;

#[tokio::test]
async fn without_write_the_storage_is_not_touched_and_with_it_needs_credentials() {
    let settings = SettingsFile::of(&[
        ("HOST", "https://wandb.acme.com"),
        // Nobody listens there.
        ("BUCKET", "s3://key:secret@127.0.0.1:1/acme-wandb?region=us-east-1"),
        ("BUCKET_QUEUE", "internal://"),
    ]);
    let ran = settings.check(&["--only", "bucket", "--format", "json"]).await.ends(0);
    assert!(!ran.has("BUCKET presigned PUT"), "{ran}");
    // A store is checked with the key in its address.
    let ran = settings.check(&["--only", "bucket", "--write", "--format", "json"]).await.ends(6);
    ran.is("BUCKET presigned PUT", "failed", &["cannot reach"]);
    let other = SettingsFile::of(&[
        ("HOST", "https://wandb.acme.com"),
        ("BUCKET", "gs://acme-wandb"),
        ("BUCKET_QUEUE", "sqs://acme"),
    ]);
    let ran = other.check(&["--only", "bucket", "--write", "--format", "json"]).await.ends(0);
    ran.is("BUCKET verify", "inconclusive", &["different clouds"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn with_write_a_deployment_on_aws_is_verified_as_the_server_uses_it() {
    let aws = Aws::from_env().await;
    let made = aws.run(&["provision", "aws", "--host", HOST, "--yes"]).await.ends(0);
    let outputs = made.outputs();
    let settings = SettingsFile::of(&[
        ("HOST", HOST),
        ("BUCKET", outputs["BUCKET"]),
        ("BUCKET_QUEUE", outputs["BUCKET_QUEUE"]),
        ("AWS_REGION", outputs["AWS_REGION"]),
    ]);
    let mut command = aws.wbstore();
    command
        .args(["check", "--only", "bucket", "--write", "--format", "json", "--settings"])
        .arg(settings.path());
    let ran = finish(command).await.ends(0);
    ran.is("BUCKET presigned PUT", "passed", &[]).is("BUCKET receive", "passed", &[]).is(
        "BUCKET delete",
        "passed",
        &[],
    );
    aws.run(&["teardown", "aws", "--host", HOST, "--confirm", NAME]).await.ends(0);
}
