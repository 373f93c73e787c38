//! `doctor` without a cloud, and with one that answers nothing good.

use std::process::Command;

use serde_json::Value;
use wbstore_sandbox::hostile::{Hostile, Reply};

use crate::support::{Ran, command, is_refused, run};

/// What no line may have, wherever it was set.
const CANARY: &str = "hunter2";

/// The variables by which credentials are found.
const CREDENTIALS: [&str; 7] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "STORAGE_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
];

/// `wbstore doctor --format json` with `set_up`, in a home of its own.
fn doctor(arguments: &[&str], set_up: impl FnOnce(&mut Command)) -> Ran {
    let home = tempfile::tempdir().expect("a folder");
    run(|process| {
        process.env("HOME", home.path()).env("GCE_METADATA_HOST", "127.0.0.1:9");
        process.arg("doctor").args(arguments).args(["--format", "json", "--within", "60s"]);
        set_up(process);
    })
}

/// The check `name` of a run.
#[track_caller]
fn check(ran: &Ran, name: &str) -> Value {
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let found = lines.into_iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {} {}", ran.stdout, ran.stderr))
}

#[track_caller]
fn is(ran: &Ran, name: &str, verdict: &str, words: &str) {
    let check = check(ran, name);
    assert_eq!(check["verdict"], verdict, "{check}");
    assert!(check.to_string().contains(words), "{words:?} is not in {check}");
    if ["failed", "warned"].contains(&verdict) {
        assert!(check["hint"].is_string(), "{check}");
    }
}

#[test]
fn a_cloud_without_credentials_is_no_failure() {
    let ran = doctor(&[], |process| {
        for name in CREDENTIALS {
            process.env_remove(name);
        }
    });
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    is(&ran, "version", "passed", concat!("wbstore ", env!("CARGO_PKG_VERSION"), " on "));
    is(&ran, "proxy", "passed", "none is set");
    for cloud in ["aws", "gcp", "azure", "s3"] {
        is(&ran, &format!("{cloud} credentials"), "passed", "none that can be used");
    }
}

#[test]
fn variables_are_named_and_their_values_are_not_shown() {
    let ran = doctor(&[], |process| {
        for name in CREDENTIALS {
            process.env_remove(name);
        }
        process
            .env("AWS_ACCESS_KEY_ID", CANARY)
            .env("AWS_SECRET_ACCESS_KEY", CANARY)
            .env("AWS_SESSION_TOKEN", CANARY)
            .env("HTTPS_PROXY", format!("http://me:{CANARY}@127.0.0.1:9"))
            .env("NO_PROXY", "acme.com")
            .env("AWS_CA_BUNDLE", "/etc/acme.pem");
    });
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{}{}", ran.stdout, ran.stderr);
    let named = "the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN";
    is(&ran, "aws credentials", "passed", named);
    is(
        &ran,
        "proxy",
        "passed",
        "HTTPS_PROXY http://127.0.0.1:9 (user and password withheld), except for NO_PROXY acme.com",
    );
    is(&ran, "certificates", "warned", "AWS_CA_BUNDLE is set and not read");
}

#[test]
fn certificates_that_cannot_be_read_are_a_failure() {
    let ran = doctor(&[], |process| {
        process.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    });
    assert_eq!(ran.code, Some(6), "{}{}", ran.stdout, ran.stderr);
    is(&ran, "certificates", "failed", "SSL_CERT_FILE");
}

#[test]
fn a_profile_is_named_with_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    let text = format!("[prod]\naws_access_key_id = {CANARY}\naws_secret_access_key = {CANARY}\n");
    std::fs::write(&file, text).expect("a file");
    let ran = doctor(&[], |process| {
        for name in CREDENTIALS {
            process.env_remove(name);
        }
        process.env("AWS_PROFILE", "prod").env("AWS_SHARED_CREDENTIALS_FILE", &file);
    });
    assert!(!ran.stdout.contains(CANARY), "{}", ran.stdout);
    for name in ["aws credentials", "s3 credentials"] {
        is(&ran, name, "passed", "the profile `prod` (AWS_PROFILE)");
        is(&ran, name, "passed", &file.display().to_string());
    }
}

#[test]
fn what_cannot_be_is_refused_before_the_first_request() {
    for arguments in [
        &["doctor", "--within", "soon"][..],
        &["doctor", "aws", "--region", "no region"],
        &["doctor", "gcp", "--project", "1"],
        &["doctor", "azure", "--subscription", "acme"],
        &["doctor", "s3", "--endpoint", "https://me:hunter2@minio.acme.com"],
        &["doctor", "aws", "--host", "http://wandb.acme.com"],
    ] {
        let refused = is_refused(arguments);
        assert!(!refused.contains(CANARY), "{refused}");
    }
}

#[test]
fn what_an_option_would_name_is_inconclusive_without_it() {
    let ran = doctor(&["gcp"], |_| {});
    is(&ran, "gcp project", "inconclusive", "no project is given; add --project");
    let ran = doctor(&["s3"], |process| {
        process.env_remove("AWS_ENDPOINT_URL");
    });
    is(&ran, "s3 endpoint", "inconclusive", "--endpoint https://minio.acme.com");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}

/// A metadata service that accepts connections and does nothing else delays what depends on it alone.
#[test]
fn a_metadata_service_that_hangs_does_not_hold_up_the_rest() {
    let (metadata, cloud) = (Hostile::start(|_| Reply::Nothing), Hostile::start(|_| Reply::page()));
    let ran = doctor(&["aws", "--region", "eu-west-1"], |process| {
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"] {
            process.env_remove(name);
        }
        process.env("AWS_ENDPOINT_URL", &cloud.url).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url);
    });
    assert_eq!(ran.code, Some(6), "{}{}", ran.stdout, ran.stderr);
    assert!(metadata.requests() > 0);
    is(&ran, "aws credentials", "failed", "");
    is(&ran, "aws region", "passed", "eu-west-1 (--region)");
    is(&ran, "aws endpoint", "passed", "AWS_ENDPOINT_URL");
    is(&ran, "aws identity", "inconclusive", "not checked");
}

/// An endpoint that never answers ends each check at its limit.
#[test]
fn a_cloud_that_hangs_ends_at_the_limit() {
    let silent = Hostile::start(|_| Reply::Nothing);
    let mut process = command(&silent.url);
    process.args(["doctor", "aws", "--region=eu-west-1", "--within=2s", "--format=json"]);
    let ended = process.output().expect("it runs");
    let stdout = String::from_utf8(ended.stdout).expect("text");
    assert_eq!(ended.status.code(), Some(6), "{stdout}");
    assert!(
        stdout.contains("waiting for aws identity") && stdout.contains("waiting for aws clock"),
        "{stdout}"
    );
    assert!(stdout.contains("\"name\":\"aws region\",\"verdict\":\"passed\""), "{stdout}");
}

#[test]
fn what_a_server_says_stays_text() {
    let evil = "\u{1b}[31m::error::evil @evil #1 <img src=evil> | `evil` https://evil.example";
    let server = Hostile::start(move |_| {
        let error = format!(
            "<ErrorResponse><Error><Code>{0}</Code><Message>{0}</Message></Error></ErrorResponse>",
            evil.replace('<', "&lt;").replace('\u{1b}', "")
        );
        Reply::Whole(400, "text/xml", error)
    });
    for format in ["human", "json", "markdown"] {
        let mut process = command(&server.url);
        process.args(["doctor", "aws", "--region=eu-west-1", "--format", format]);
        let ended = process.output().expect("it runs");
        let stdout = String::from_utf8(ended.stdout).expect("text");
        assert_eq!(ended.status.code(), Some(6), "{stdout}");
        assert!(stdout.contains("evil"), "{stdout}");
        assert!(!stdout.contains(|letter: char| letter.is_control() && letter != '\n'), "{stdout:?}");
        assert!(!stdout.lines().any(|line| line.trim_start().starts_with("::")), "{stdout}");
        if format == "markdown" {
            assert!(stdout.starts_with("### wbstore doctor aws\n\n| | check | result |\n"), "{stdout}");
            for markup in ["@evil", "<img", "https://evil", " #1"] {
                assert!(!stdout.contains(markup), "{markup} in {stdout}");
            }
        }
    }
}
