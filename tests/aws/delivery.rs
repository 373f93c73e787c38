//! When everything is made and its settings cannot be handed over, that is said as it is; the same on
//! every cloud.

use std::process::Command;

use crate::support::{Ends, Site, finish};

/// `wbstore`, where no file may grow: a full disk that does not show before something is written.
fn on_a_full_disk(wbstore: &Command, output: &std::path::Path) -> Command {
    let mut shell = Command::new("sh");
    let script = r#"trap '' XFSZ; ulimit -f 0; out=$1; shift; exec "$@" > "$out""#;
    shell.args(["-c", script, "sh"]).arg(output).arg(wbstore.get_program()).args(wbstore.get_args());
    for (name, value) in wbstore.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn settings_that_cannot_be_written_are_partly_done_and_printed_again_by_config() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("settings");
    for (arguments, code, event) in [
        (&["--yes"][..], 4, "error: the changes were made, but "),
        // Nothing is left to change, so nothing was.
        (&["--yes"], 1, "error: failed to write to stdout"),
    ] {
        let ran = finish(on_a_full_disk(&site.command("provision", arguments), &output)).await.ends(code);
        ran.tells(&[event, "failed to write to stdout", "hint:"]);
        assert_eq!(std::fs::read_to_string(&output).expect("it is there"), "");
    }
    let ran = site.run("config", &[]).await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_an_object_with_its_exit_code_where_objects_are_asked_for() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let json = site.command("provision", &["--yes", "--format", "json"]);
    let ran = finish(on_a_full_disk(&json, &folder.path().join("settings"))).await.ends(4);
    let last = ran.objects().pop().expect("something is said");
    assert_eq!((&last["event"], &last["exit_code"]), (&"error".into(), &4.into()), "{last:?}");
    assert!(last["hint"].as_str().is_some_and(|hint| hint.contains("`wbstore config`")), "{last:?}");
}
