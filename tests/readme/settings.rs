//! The transcripts of the page on settings, run again with the file that it shows. No emulator is required.

use std::process::Command;

use crate::{markdown, root};

const UPDATE: &str = "UPDATE_README";

/// Each row with a value is reported as it says.
#[test]
fn the_page_on_settings_shows_what_is_reported() {
    let page = std::fs::read_to_string(root().join("docs/settings.md")).expect("the page is there");
    let rows = markdown::table(&page, "Malformed values");
    assert!(rows.len() > 4, "the table is where it was");
    for row in rows {
        let [value, column, hint] = &row[..] else { panic!("{row:?}") };
        let value = value.trim_matches('`');
        let name = if value.starts_with("redis") { "REDIS" } else { "BUCKET" };
        let mut program = Command::new(env!("CARGO_BIN_EXE_wbstore"));
        let ran = program.args(["config", "--settings", "env:"]).env_clear().env(name, value).output();
        let told = String::from_utf8(ran.expect("it runs").stderr).expect("text");
        let hint = hint.trim_matches('`').trim();
        assert!(told.contains(&format!("column {column}: ")) && told.contains(hint), "{value}: {told}");
    }
}

#[test]
fn the_page_on_settings_shows_what_happens() {
    let path = root().join("docs/settings.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    let blocks = markdown::blocks(&page);
    let folder = tempfile::tempdir().expect("a folder");
    let file = blocks.iter().find(|block| block.language == "dotenv").expect("the page shows a file");
    std::fs::write(folder.path().join("wandb.env"), lines[file.lines.clone()].join("\n")).expect("a file");
    let consoles: Vec<_> = blocks.iter().filter(|block| block.language == "console").collect();
    assert!(consoles.len() > 2, "the page has transcripts");
    for block in consoles.into_iter().rev() {
        let first = block.lines.start;
        let command =
            lines[first].strip_prefix("$ wbstore ").expect("a block begins with a command").to_owned();
        let ran = Command::new(env!("CARGO_BIN_EXE_wbstore"))
            .args(command.split(' '))
            .env_clear()
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && told.is_empty(), "{command}: {told}");
        let printed = String::from_utf8(ran.stdout).expect("text");
        let printed: Vec<_> = printed.trim_end().lines().map(str::to_owned).collect();
        let shown = first + 1..block.lines.end;
        if std::env::var_os(UPDATE).is_some() {
            lines.splice(shown, printed);
        } else {
            let accept = "to accept it: UPDATE_README=1 cargo test --test readme";
            assert_eq!(lines[shown].join("\n"), printed.join("\n"), "`{command}`; {accept}");
        }
    }
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, lines.join("\n") + "\n").expect("it can be written");
    }
}
