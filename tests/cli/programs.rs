//! Programs that hand out credentials: what they print is neither obeyed nor shown as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::run;

/// What a shell prints with `printf`: a command to a CI system, and letters that a terminal obeys.
const HOSTILE: &str = r"\033[31mevil\n::error::evil\r\n##vso[task.setvariable]evil\342\200\256";

/// What a program of `lines` prints on both streams, before it ends with `code`.
fn program(code: u8, out: &str) -> String {
    format!("#!/bin/sh\nprintf '{out}'\nprintf '{HOSTILE}' >&2\nexit {code}\n")
}

#[track_caller]
fn is_harmless(what: &str, code: Option<i32>, said: &str) {
    assert_eq!(code, Some(1), "{what}: {said}");
    assert!(said.contains("hint: "), "{what}: {said}");
    assert!(!said.contains(|letter: char| letter.is_control() && letter != '\n'), "{what}: {said:?}");
    assert!(!said.contains('\u{202e}'), "{what}: {said:?}");
    let obeyed = |line: &str| ["::", "##"].iter().any(|start| line.trim_start().starts_with(start));
    assert!(!said.lines().any(obeyed), "{what}: {said}");
    assert!(!said.contains("canary"), "{what} shows a secret: {said}");
}

/// What such programs may print, and how they end.
const OUTPUTS: [(u8, &str); 5] = [
    (0, r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "canary"#),
    (
        0,
        r#"{"Version": 7, "AccessKeyId": "A", "SecretAccessKey": "canary", "accessToken": "canary", "expiresOn": "x"}"#,
    ),
    (0, r"canary\n::error::evil"),
    (1, "canary"),
    (0, ""),
];

#[test]
fn a_credential_process_is_neither_obeyed_nor_shown() {
    for (code, out) in OUTPUTS {
        let folder = tempfile::tempdir().expect("a folder");
        let (program_path, config) = (folder.path().join("process"), folder.path().join("config"));
        fs::write(&program_path, program(code, out)).expect("a file");
        fs::write(&config, format!("[default]\ncredential_process = sh {}\n", program_path.display()))
            .expect("a file");
        for more in [&[][..], &["--format", "json"]] {
            let ran = run(|process| {
                process
                    .env_remove("AWS_ACCESS_KEY_ID")
                    .env_remove("AWS_SECRET_ACCESS_KEY")
                    .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                    .env("AWS_CONFIG_FILE", &config)
                    .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
                    .env("AWS_REGION", "eu-west-1")
                    .args(["plan", "aws", "--host", "https://wandb.acme.com", "--bucket", "acme-media", "-v"])
                    .args(more);
            });
            let said = ran.stderr.replace("\"hint\":\"", "hint: ");
            is_harmless(&format!("credential_process {code} {out}"), ran.code, &said);
        }
    }
}

#[test]
fn the_azure_cli_is_neither_obeyed_nor_shown() {
    for (code, out) in OUTPUTS {
        let folder = tempfile::tempdir().expect("a folder");
        let az = folder.path().join("az");
        fs::write(&az, program(code, out)).expect("a file");
        fs::set_permissions(&az, fs::Permissions::from_mode(0o700)).expect("an owner");
        let ran = run(|process| {
            for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"]
            {
                process.env_remove(name);
            }
            let path = std::env::var("PATH").unwrap_or_default();
            process
                .env("PATH", format!("{}:{path}", folder.path().display()))
                .env("HOME", folder.path())
                .args(["plan", "azure", "--host", "https://wandb.acme.com", "-v"])
                .args(["--subscription", "0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--resource-group", "acme"]);
        });
        is_harmless(&format!("az {code} {out}"), ran.code, &ran.stderr);
    }
}
