//! What is asked for on the command line, and what needs no request.

use std::io::ErrorKind;

use wbstore_sandbox::ran::finish;
use wbstore_sandbox::services::settings::SettingsFile;

use crate::support::Checked;

#[tokio::test]
async fn offline_checks_the_form_and_opens_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it does not block");
    let port = listener.local_addr().expect("its address").port();
    let settings = SettingsFile::of(&[
        ("HOST", &format!("https://localhost:{port}")),
        ("REDIS", &format!("rediss://:pw@localhost:{port}")),
        ("MYSQL", &format!("mysql://u:pw@localhost:{port}/wandb_local")),
        ("OIDC_ISSUER", &format!("https://localhost:{port}")),
        ("OIDC_CLIENT_ID", "wandb"),
    ]);
    let ran = settings.check(&["--offline", "--format", "json"]).await.ends(6);
    ran.is("REDIS form", "failed", &["rediss://", "tls=true"]).is("HOST form", "passed", &[]);
    assert!(!ran.has("HOST address") && !ran.has("MYSQL connection"), "{ran}");
    assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_value_without_its_form_is_not_tried() {
    let settings = SettingsFile::of(&[
        ("MYSQL", "mysql://u:p@ss/word@localhost/wandb_local"),
        ("REDIS", "localhost:6379"),
    ]);
    let ran = settings.check(&["--format", "json"]).await.ends(6);
    ran.is("MYSQL form", "failed", &[]).is("REDIS form", "failed", &[]);
    assert!(!ran.has("MYSQL connection") && !ran.has("REDIS connection"), "{ran}");
}

#[tokio::test]
async fn only_what_is_named_is_checked() {
    let settings =
        SettingsFile::of(&[("LICENSE", "a.b"), ("REDIS", "rediss://h"), ("LOGGING_ENABLED", "true")]);
    let ran = settings.check(&["--offline", "--only", "server", "--format", "json"]).await.ends(0);
    assert!(ran.has("LOGGING_ENABLED form") && !ran.has("REDIS form") && !ran.has("LICENSE form"), "{ran}");
    let ran = settings.check(&["--only", "mysql"]).await.ends(2).tells(&["none of MYSQL is set", "hint:"]);
    assert_eq!(ran.stdout, "");
    settings.check(&["--only", "postgres"]).await.ends(2);
    settings.check(&["--offline", "--write"]).await.ends(2);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    SettingsFile::of(&[]).check(&[]).await.ends(2).tells(&["sets no variable", "hint:"]);
    let other = SettingsFile::of(&[("SESSION_LENGTH", "720")]);
    other.check(&[]).await.ends(2).tells(&["no variable that can be checked is set", "--settings FILE"]);
    let settings = SettingsFile::of(&[("REDIS", "redis://localhost:1")]);
    settings.check(&["--ca", "/nonexistent/ca.pem"]).await.ends(2).tells(&["--ca /nonexistent/ca.pem"]);
    let file = settings.path().display().to_string();
    settings.check(&["--ca", &file]).await.ends(2).tells(&["no certificates in PEM form"]);
}

#[tokio::test]
async fn settings_come_from_the_environment_too() {
    let unset = SettingsFile::of(&[]);
    let mut command =
        unset.command(&["--offline", "--format", "json"], &[("REDIS", "redis://localhost:6379")]);
    let program = command.get_program().to_owned();
    let mut own = std::process::Command::new(program);
    own.env_clear().env("REDIS", "redis://localhost:6379").args(["check", "--offline", "--format", "json"]);
    std::mem::swap(&mut command, &mut own);
    finish(command).await.ends(0).is("REDIS form", "passed", &[]);
}

#[tokio::test]
async fn slack_prints_what_to_enter() {
    let settings = SettingsFile::of(&[
        ("HOST", "https://wandb.acme.com"),
        ("SLACK_CLIENT_ID", "1234567890.987654321"),
        ("SLACK_SECRET", "0123456789abcdef0123456789abcdef"),
    ]);
    let ran = settings.check(&["--only", "slack"]).await.ends(0);
    for line in [
        "redirect URL: https://wandb.acme.com",
        "bot scope: incoming-webhook",
        "    - https://wandb.acme.com",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {ran}");
    }
    assert!(!ran.stdout.contains("0123456789abcdef0123456789abcdef"), "{ran}");
    let pasted: Vec<_> =
        ran.stdout.lines().skip_while(|line| !line.contains("app manifest")).skip(1).collect();
    let pasted: Vec<_> = pasted.into_iter().take_while(|line| line.starts_with("      ")).collect();
    let manifest = yaml_rust2::YamlLoader::load_from_str(&pasted.join("\n")).expect("YAML");
    assert_eq!(manifest[0]["oauth_config"]["scopes"]["bot"][0].as_str(), Some("incoming-webhook"));
    assert_eq!(manifest[0]["oauth_config"]["redirect_urls"][0].as_str(), Some("https://wandb.acme.com"));
}
