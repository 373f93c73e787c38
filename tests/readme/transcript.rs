//! The README's transcript, run again.

use std::env;
use std::ops::Range;
use std::process::Command;

use wbstore_sandbox::aws::{Aws, Ran, URL, finish};
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::demo;
use wbstore_sandbox::services::ground::CheckGround;

use crate::{markdown, readme, root};

const UPDATE: &str = "UPDATE_README";

/// Runs the commands of the `console` blocks in order, in one account, and compares what they say.
/// With `UPDATE_README=1`, what is no longer true is written anew instead.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_transcript_is_what_happens() {
    let fresh = Aws::from_env().await;
    assert_eq!(fresh.backend(), Backend::Ministack, "the README shows what happens on it");
    // The account of the demonstration, because the bucket's name is made from it.
    let url = env::var(URL).expect("the fresh account came from it");
    let aws = Aws::on(&url, fresh.backend(), &format!("{:012}", demo::ACCOUNT))
        .await
        .expect("the emulator is there");
    let page = readme();
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    let exchanges = exchanges(&page);
    assert!(!exchanges.is_empty(), "the README has a transcript");
    let mut outdated = vec![];
    let ground = CheckGround::start().await.expect("each service starts");
    for Exchange { command, told } in exchanges {
        let is_check = command.starts_with("wbstore check ");
        let ran = if is_check { checked(&ground, &command).await } else { run(&aws, &command).await };
        assert_eq!(ran.code, Some(if is_check { 6 } else { 0 }), "{command}\n{ran}");
        // What a busy machine adds.
        let lasting = |line: &&str| !line.starts_with("note: still ");
        let happened: Vec<_> = ran.stdout.trim_end().lines().filter(lasting).map(str::to_owned).collect();
        if masked(&lines[told.clone()]) != masked(&happened) {
            outdated.push((command, told, happened));
        }
    }
    if env::var_os(UPDATE).is_some() {
        for (_, told, happened) in outdated.into_iter().rev() {
            lines.splice(told, happened);
        }
        std::fs::write(root().join("README.md"), lines.join("\n") + "\n").expect("it can be written");
        return;
    }
    for (command, told, happened) in &outdated {
        let (told, happened) = (lines[told.clone()].join("\n"), happened.join("\n"));
        assert_eq!(
            told, happened,
            "`{command}` says something else (right) than the README (left); to accept it: {UPDATE}=1 cargo sandbox test -- --test readme"
        );
    }
}

/// A command, and where the page shows what it says.
struct Exchange {
    command: String,
    told: Range<usize>,
}

fn exchanges(page: &str) -> Vec<Exchange> {
    let lines: Vec<_> = page.lines().collect();
    let mut exchanges: Vec<Exchange> = vec![];
    for block in markdown::blocks(page).into_iter().filter(|block| block.language == "console") {
        for number in block.lines {
            match lines[number].strip_prefix("$ ") {
                Some(command) => {
                    exchanges.push(Exchange { command: command.to_owned(), told: number + 1..number + 1 });
                }
                // Blank lines at the end part it from the next command.
                None if lines[number].is_empty() => {}
                None => exchanges.last_mut().expect("a block begins with a command").told.end = number + 1,
            }
        }
    }
    exchanges
}

/// Runs a line of shell in the account; both streams come in the order in which they were written.
async fn run(aws: &Aws, line: &str) -> Ran {
    let wbstore = aws.wbstore();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\n{line}")]);
    for (name, value) in wbstore.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let folder = std::path::Path::new(wbstore.get_program()).parent().expect("a program is in a folder");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([folder.to_owned()].into_iter().chain(env::split_paths(&path)));
    shell.env("PATH", path.expect("folders that PATH can hold"));
    finish(shell).await
}

/// Runs a line of `check` on one of each service, whose addresses are shown as a company has them.
async fn checked(ground: &CheckGround, line: &str) -> Ran {
    let args: Vec<_> = line.split(' ').skip(1).map(str::to_owned).collect();
    let ran = finish(ground.wbstore(&args).expect("wbstore is built")).await;
    Ran { stdout: ground.elsewhere(&ran.stdout), ..ran }
}

/// The lines without what differs from run to run: times, the emulator's port and the digest that
/// follows from it, and the order in which steps that run side by side are done.
fn masked(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<_> = lines
        .iter()
        .map(|line| without_times(line))
        .map(|line| without(&line, "http://127.0.0.1:", |letter| letter.is_ascii_digit()))
        .map(|line| without(&line, "--expect ", |letter| letter.is_ascii_hexdigit()))
        .collect();
    for steps in lines.chunk_by_mut(|one, next| one.starts_with("aws/") && next.starts_with("aws/")) {
        steps.sort();
    }
    lines
}

/// `created (0.1s)` becomes `created (…s)`.
fn without_times(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (number, after) = from.split_at(
            from.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(from.len()),
        );
        let unit = after.strip_prefix(' ').unwrap_or(after).strip_prefix('s');
        let is_time = unit.is_some_and(|next| !next.starts_with(char::is_alphanumeric))
            && !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '-');
        text.push_str(before);
        text.push_str(if is_time { "…" } else { number });
        rest = after;
    }
    text + rest
}

/// The line without the letters after `prefix` that are `masked`.
fn without(line: &str, prefix: &str, masked: fn(char) -> bool) -> String {
    match line.split_once(prefix) {
        Some((before, rest)) => format!("{before}{prefix}…{}", rest.trim_start_matches(masked)),
        None => line.to_owned(),
    }
}

#[test]
fn times_and_the_order_of_steps_are_masked() {
    let lines = |lines: &[&str]| masked(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        lines(&["aws/b: created (0.1s)", "aws/a: created (12s)", "Done: 2 created in 0.3s"]),
        ["aws/a: created (…s)", "aws/b: created (…s)", "Done: 2 created in …s"]
    );
    assert_eq!(
        lines(&["at http://127.0.0.1:4566 (S3)", "later: --expect 0123abcd"]),
        ["at http://127.0.0.1:… (S3)", "later: --expect …"]
    );
    assert_eq!(lines(&["event: arrived 0.0 s after the upload"]), ["event: arrived … s after the upload"]);
    assert_eq!(
        lines(&["2 steps, max_age_seconds: 3000, 7 sent"]),
        ["2 steps, max_age_seconds: 3000, 7 sent"]
    );
}
