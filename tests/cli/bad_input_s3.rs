//! Input that cannot be on an S3-compatible store, refused with one message and a hint.

use std::fs;

use crate::support::{is_refused, wbstore, wbstore_with};

const HOST: &str = "--host=https://wandb.acme.com";
const ENDPOINT: &str = "--endpoint=https://minio.acme.com:9000";

/// That `command` refuses the options `more` with an endpoint that is fine.
#[track_caller]
fn refused(command: &str, more: &[&str]) -> String {
    is_refused(&[&[command, "s3", ENDPOINT, HOST], more].concat())
}

#[test]
fn endpoints_that_are_none() {
    for command in ["plan", "provision", "verify", "config", "teardown", "policy"] {
        let more: &[&str] = if command == "policy" { &["--for=node"] } else { &[] };
        for endpoint in [
            "",
            "minio.acme.com:9000",
            "https://",
            "ftp://minio.acme.com",
            "s3://minio.acme.com/wandb",
            "https://minio.acme.com/wandb",
            "https://minio.acme.com/?x=1",
            "http://minio.acme.com",
            "http://127.0.0.1.evil.com",
        ] {
            let endpoint = format!("--endpoint={endpoint}");
            is_refused(&[&[command, "s3", HOST, &endpoint], more].concat());
        }
    }
    is_refused(&["list", "s3", "--endpoint=http://minio.acme.com"]);
    for option in ["--endpoint", "--public-endpoint"] {
        for endpoint in
            ["https://me:hunter2@minio.acme.com", "https://minio.acme.com/?X-Amz-Signature=hunter2"]
        {
            let said = is_refused(&["plan", "s3", HOST, &format!("{option}={endpoint}")]);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
    let public = refused("plan", &["--public-endpoint=http://minio.acme.com"]);
    assert!(public.contains("--allow-http"), "{public}");
}

#[test]
fn an_endpoint_with_a_bucket_in_it_is_taken_apart() {
    let said = is_refused(&["plan", "s3", HOST, "--endpoint=https://minio.acme.com/acme-wandb"]);
    assert!(said.contains("`--endpoint https://minio.acme.com --bucket acme-wandb`"), "{said}");
    let said = is_refused(&["plan", "s3", HOST, "--endpoint=https://wandb.s3.acme.com", "--bucket=wandb"]);
    assert!(said.contains("`--endpoint https://s3.acme.com`"), "{said}");
}

#[test]
fn a_missing_endpoint_is_asked_for() {
    for command in ["plan", "provision", "verify", "config", "teardown"] {
        let ran = wbstore_with(&[("AWS_ENDPOINT_URL", "")], &[command, "s3", HOST]);
        assert_eq!(ran.code, Some(2), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: add `--endpoint "), "{command}: {}", ran.stderr);
    }
}

#[test]
fn names_and_regions_that_no_store_has() {
    let long = "a".repeat(64);
    for bucket in ["", "ab", &long, "Acme", "acme_wandb", "acme..wandb", "-acme", "s3://acme", "\u{1b}[31m"] {
        refused("plan", &[&format!("--bucket={bucket}")]);
    }
    for region in ["", "us east 1", "us-east-1/x", &long] {
        refused("plan", &[&format!("--region={region}")]);
    }
}

#[test]
fn options_that_contradict_each_other() {
    let said = refused("teardown", &["--delete-objects", "--empty-by=lifecycle"]);
    assert!(said.contains("--empty-by lifecycle"), "{said}");
    assert!(refused("plan", &["--offline", "--account-id=123456789012"]).contains("--account-id"));
    let virtually = ["plan", "s3", HOST, "--endpoint=http://127.0.0.1:9", "--addressing=virtual"];
    assert!(is_refused(&virtually).contains("--addressing path"));
    assert!(refused("plan", &["--addressing=virtual", "--bucket=acme.wandb"]).contains("wildcard"));
    let plain = ["plan", "s3", HOST, "--endpoint=http://127.0.0.1:9", "--require-tls"];
    assert!(is_refused(&plain).contains("--require-tls"));
    for arguments in [
        &["plan", "s3", ENDPOINT, HOST, "--use-my-key", "--server-credentials=x"][..],
        &["provision", "s3", ENDPOINT, HOST, "--reveal", "--secret-file=x"],
        &["plan", "s3", ENDPOINT, HOST, "--reveal"],
        &["plan", "s3", ENDPOINT, HOST, "--queue=internal"],
    ] {
        let ran = wbstore(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.connected, "{arguments:?}");
    }
}

#[test]
fn a_key_of_the_server_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let option = format!("--server-credentials={}", path.display());
    for text in [
        "",
        "hunter2",
        "AWS_ACCESS_KEY_ID=wandb\n",
        "AWS_ACCESS_KEY_ID=wandb\nAWS_SECRET_ACCESS_KEY=\n",
        "AWS_ACCESS_KEY_ID=wandb\nAWS_SECRET_ACCESS_KEY=hunter2\nAWS_SESSION_TOKEN=hunter2\n",
        "[a]\naws_access_key_id=a\naws_secret_access_key=hunter2\n[b]\naws_access_key_id=b\n",
    ] {
        fs::write(&path, text).expect("a file");
        let said = refused("plan", &["--offline", &option]);
        assert!(said.contains("AWS_SECRET_ACCESS_KEY=…") && !said.contains("hunter2"), "{said}");
    }
    fs::remove_file(&path).expect("it is there");
    refused("plan", &["--offline", &option]);
}

#[test]
fn the_servers_key_is_in_no_offline_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    fs::write(&path, "AWS_ACCESS_KEY_ID=wandb\nAWS_SECRET_ACCESS_KEY=hunter2\n").expect("a file");
    let option = format!("--server-credentials={}", path.display());
    for format in ["human", "json", "markdown"] {
        let format = format!("--format={format}");
        let ran = wbstore(&["plan", "s3", ENDPOINT, HOST, "--offline", &option, &format]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(
            !ran.connected && !format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("s3://wandb:***@minio.acme.com:9000/"), "{}", ran.stdout);
    }
}
