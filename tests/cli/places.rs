//! Where the results go is made sure of before the first request.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::support::{Ran, is_refused, run};

const AWS: [&str; 4] = ["aws", "--host", "https://wandb.acme.com", "--yes"];
const GCP: [&str; 6] = ["gcp", "--host", "https://wandb.acme.com", "--project", "acme-prod", "--yes"];
const AZURE: [&str; 8] = [
    "azure",
    "--host",
    "https://wandb.acme.com",
    "--subscription",
    "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
    "--resource-group",
    "acme",
    "--yes",
];

/// That `provision` finds out before the first request that `stdout` takes nothing.
#[track_caller]
fn is_found_out(stdout: impl Fn() -> Stdio) {
    for cloud in [&AWS[..], &GCP, &AZURE] {
        let Ran { code, stderr, connected, .. } = run(|process| {
            process.arg("provision").args(cloud).stdout(stdout());
        });
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains("error: failed to write to stdout: ") && stderr.contains("hint:"),
            "{stderr}"
        );
        assert!(!connected, "{cloud:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_that_is_full() {
    is_found_out(|| OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into());
}

#[test]
fn a_descriptor_that_is_only_read() {
    is_found_out(|| OpenOptions::new().read(true).open("/dev/null").expect("it is there").into());
}

#[test]
fn files_that_cannot_take_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    for command in ["provision", "config"] {
        let place = if command == "config" { &AZURE[..7] } else { &AZURE };
        let refused = |path: &str| is_refused(&[&[command], place, &["--secret-file", path]].concat());
        for path in [below("new/"), below("none/key"), below(""), "/sys/wbstore.key".to_owned()] {
            assert!(refused(&path).contains("cannot write the secret to"), "{path}");
        }
        for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert!(refused(path).contains("--reveal"), "{path}");
        }
    }
    assert_eq!(folder.path().read_dir().expect("it is there").count(), 0, "nothing is left");
}

#[test]
fn a_disk_without_room_for_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    // A limit on the size of files refuses the first byte, as a full disk does.
    let limited = r#"trap '' XFSZ; ulimit -f 0; exec "$@""#;
    let Ran { code, stderr, connected, .. } = run(|process| {
        let wbstore = process.get_program().to_owned();
        let env: Vec<_> =
            process.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
        *process = std::process::Command::new("sh");
        process.args(["-c", limited, "sh"]).arg(wbstore).arg("provision").args(AZURE);
        process.arg("--secret-file").arg(&path).env_clear();
        process.envs(env.into_iter().filter_map(|(name, value)| Some((name, value?))));
    });
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("cannot write the secret to") && stderr.contains("free space"), "{stderr}");
    assert!(!connected && !path.exists());
}
