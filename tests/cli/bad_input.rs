//! Input that cannot be, refused with one message and a hint.

use crate::support::is_refused;

const HOST: &str = "https://wandb.acme.com";

#[test]
fn hosts_that_are_no_origin() {
    for host in [
        "",
        "null",
        "*",
        "wandb.acme.com",
        "https://",
        "https://*.acme.com",
        "https://wandb.acme.com/app",
        "https://wandb.acme.com?x=1",
        "https://wandb.acme.com#top",
        "https://wandb.acme.com,https://b.example",
        "https://wandb acme.com",
        "https://wandb.acme.com\nX: y",
        "https://wandb.acme.com:0",
        "https://wandb.acme.com:99999",
        "https://wandb.acme.com:port",
        "https://wandb.acme.com.",
        "https://[::",
        "https://[::]",
        "https://0.0.0.0",
        "https://1",
        "https://a..b",
        "ftp://wandb.acme.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https:\\\\wandb.acme.com",
        "https://%77andb.acme.com",
        "http://wandb.acme.com",
    ] {
        is_refused(&["plan", "aws", "--host", host]);
    }
}

#[test]
fn a_password_in_a_host_is_not_repeated() {
    let said = is_refused(&["plan", "aws", "--host", "https://user:hunter2@wandb.acme.com"]);
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_host_without_a_scheme_is_given_back_with_one() {
    assert!(is_refused(&["plan", "aws", "--host", "wandb.acme.com"]).contains(HOST));
}

#[test]
fn bucket_names_that_s3_does_not_take() {
    let long = "a".repeat(64);
    for bucket in [
        "",
        "ab",
        long.as_str(),
        "Acme",
        "acme_wandb",
        "acme.wandb",
        "acme..wandb",
        "-acme",
        "acme-",
        "192.168.5.4",
        "xn--acme",
        "sthree-acme",
        "amzn-s3-demo-acme",
        "acme-s3alias",
        "acme--ol-s3",
        "acme--x-s3",
        "acme.mrap",
        "acme--table-s3",
        "s3://acme",
        "acme/wandb",
        "acme wandb",
        "bücket",
    ] {
        is_refused(&["plan", "aws", "--host", HOST, &format!("--bucket={bucket}")]);
    }
}

#[test]
fn queue_names_that_sqs_does_not_take() {
    let long = "q".repeat(81);
    for queue in ["", long.as_str(), "acme.fifo", "acme wandb", "acme/wandb", "sqs://acme", "ä"] {
        is_refused(&["plan", "aws", "--host", HOST, "--queue", queue]);
        is_refused(&["plan", "aws", "--host", HOST, &format!("--notifications-queue={queue}")]);
    }
}

#[test]
fn regions_that_cannot_be() {
    for region in ["", "US-EAST-1", "us-east-1a", "mars", "us-east-1.evil.example", "../x"] {
        is_refused(&["plan", "aws", "--host", HOST, "--region", region]);
    }
}

#[test]
fn names_that_cannot_be_part_of_others() {
    let long = "n".repeat(100);
    for name in ["", "Acme", "acme_wandb", "-acme", "acme wandb", long.as_str(), "\u{1b}[31m"] {
        is_refused(&["plan", "aws", "--host", HOST, &format!("--name={name}")]);
    }
}

#[test]
fn keys_and_expiries_and_lengths_of_time() {
    for key in ["", "alias/acme", "arn:aws:kms:us-east-1:123:key/x", "arn:aws:s3:::acme", "11111111-2222"] {
        is_refused(&["plan", "aws", "--host", HOST, "--kms-key", key]);
    }
    for expires in ["", "7", "d", "0d", "-7d", "2020-01-01", "400d", "99999999999999999999d", "soon"] {
        is_refused(&["plan", "aws", "--host", HOST, &format!("--expires={expires}")]);
    }
    for wait in ["", "soon", "-5s"] {
        is_refused(&["provision", "aws", "--host", HOST, &format!("--wait={wait}")]);
    }
}

#[test]
fn digests_that_are_none() {
    let long = "0".repeat(33);
    for digest in ["", "0123456789abcdef", &long, "0123456789abcdef0123456789abcdeg", "--expect"] {
        for command in ["provision", "teardown"] {
            let said = is_refused(&[command, "aws", "--host", HOST, &format!("--expect={digest}")]);
            assert!(said.contains("32 hex digits"), "{said}");
        }
    }
}

#[test]
fn a_key_of_another_region() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let offline = ["--offline", "--account-id", "123456789012", "--region", "us-east-1"];
    is_refused(&[&["plan", "aws", "--host", HOST, "--kms-key", key], &offline[..]].concat());
}

#[test]
fn accounts_that_are_none() {
    for account in ["", "123", "12345678901a", "1234567890123"] {
        is_refused(&["plan", "aws", "--host", HOST, "--offline", "--account-id", account]);
    }
}

#[test]
fn a_missing_host_is_asked_for() {
    for command in ["plan", "provision", "verify", "config"] {
        assert!(is_refused(&[command, "aws"]).contains("--host"), "{command}");
    }
}

#[test]
fn control_characters_are_not_repeated_to_the_terminal() {
    let said = is_refused(&["plan", "aws", "--host", "https://a\u{1b}[31m.example"]);
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn what_expires_is_no_concern_of_the_node() {
    let offline = ["--expired", "--offline", "--account-id", "123456789012"];
    let said = is_refused(&[&["policy", "aws", "--for", "node"], &offline[..]].concat());
    assert!(said.contains("--for operator"), "{said}");
}
