//! The commands of the README and of the worked pages, run again in the order in which a reader runs them.
//!
//! | Fence | What is done |
//! |---|---|
//! | `console` | Each line after `$ ` is run, and what it says is compared with the lines below it |
//! | `sh` | It is run, and has to succeed |
//! | `sh elsewhere` | What needs a cluster, Docker or an account: only its syntax is checked |
//! | anything that begins with `# NAME` | It is written to the file NAME; a manifest is checked against the API of Kubernetes, and the lines of a pipeline that call wbstore are run |

use std::env;
use std::path::Path;
use std::process::Command;

use wbstore_sandbox::kubernetes::Kubernetes;

use crate::ground::Ground;
use crate::markdown::{self, Part};
use crate::root;

const UPDATE: &str = "UPDATE_README";

/// Follows the page at `path`. With `UPDATE_README=1`, what is no longer true is written anew instead.
async fn follow(number: u64, path: &str) {
    let path = root().join(path);
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    let ground = Ground::start(number).await;
    let folder = ground.folder();
    let mut outdated = vec![];
    let mut ran = 0;
    for part in markdown::parts(&page) {
        match part {
            Part::File { name, text } => {
                write(&folder.join(&name), &text);
                for line in steps(&name, &text) {
                    let done = ground.bash(&line).await;
                    assert_eq!(done.code, Some(0), "{name}: {line}\n{done}");
                    ran += 1;
                }
            }
            Part::Script(script) => {
                let done = ground.bash(&script).await;
                assert_eq!(done.code, Some(0), "{script}\n{done}");
                ran += 1;
            }
            Part::Elsewhere(script) => check_syntax(&script),
            Part::Exchange { command, told } => {
                let is_check = command.starts_with("wbstore check ");
                let done = if is_check { ground.checked(&command).await } else { ground.run(&command).await };
                assert_eq!(done.code, Some(if is_check { 6 } else { 0 }), "{command}\n{done}");
                ran += 1;
                // What a busy machine adds.
                let lasting = |line: &&str| !line.starts_with("note: still ");
                let happened: Vec<_> =
                    done.stdout.trim_end().lines().filter(lasting).map(str::to_owned).collect();
                if masked(&lines[told.clone()]) != masked(&happened) {
                    outdated.push((command, told, happened));
                }
            }
        }
    }
    assert!(ran > 3, "{}: only {ran} commands were run", path.display());
    if env::var_os(UPDATE).is_some() {
        for (_, told, happened) in outdated.into_iter().rev() {
            lines.splice(told, happened);
        }
        std::fs::write(path, lines.join("\n") + "\n").expect("it can be written");
        return;
    }
    for (command, told, happened) in &outdated {
        let (told, happened) = (lines[told.clone()].join("\n"), happened.join("\n"));
        assert_eq!(
            told, happened,
            "`{command}` says something else (right) than the page (left); to accept it: {UPDATE}=1 cargo sandbox test -- --test readme"
        );
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
    if text.lines().any(|line| line.starts_with("apiVersion: v1")) {
        Kubernetes::installed().validate(text);
    }
}

/// The commands in a pipeline's file that call wbstore, each with the variables that the file sets for it.
fn steps(name: &str, text: &str) -> Vec<String> {
    if Path::new(name).extension().is_none_or(|extension| extension != "yml") {
        return vec![];
    }
    let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches([' ', '-'])).collect();
    let known = |value: &str| {
        ["${{ github.event.number }}", "$CI_MERGE_REQUEST_IID"]
            .iter()
            .fold(value.to_owned(), |value, unknown| value.replace(unknown, "17"))
    };
    let variables = lines.iter().filter(|line| line.starts_with("WBSTORE_"));
    let variables: String = variables
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| format!("export {name}='{}'\n", known(value)))
        .collect();
    let run = lines.iter().map(|line| line.strip_prefix("run: ").unwrap_or(line));
    run.filter(|line| line.starts_with("wbstore ")).map(|line| format!("{variables}{line}")).collect()
}

/// What runs elsewhere is not wbstore, and a shell can read it.
fn check_syntax(script: &str) {
    assert!(!script.lines().any(|line| line.starts_with("wbstore ")), "it can run here: {script}");
    let mut bash = Command::new("bash");
    let read = bash.args(["-n", "-c", script]).output().expect("bash is there");
    assert!(read.status.success(), "{script}\n{}", String::from_utf8_lossy(&read.stderr));
}

macro_rules! pages {
    ($($name:ident: $number:literal $path:literal)*) => {
        $(
            #[tokio::test]
            #[ignore = "needs the emulators: cargo sandbox test"]
            async fn $name() {
                follow($number, $path).await;
            }
        )*
    };
}

pages! {
    the_readme_is_what_happens: 0 "README.md"
    the_page_on_eks_is_what_happens: 1 "docs/eks.md"
    the_page_on_gke_is_what_happens: 2 "docs/gke.md"
    the_page_on_aks_is_what_happens: 3 "docs/aks.md"
    the_page_on_docker_is_what_happens: 4 "docs/docker.md"
    the_page_on_ci_is_what_happens: 5 "docs/ci.md"
    the_page_on_review_is_what_happens: 6 "docs/review.md"
}

/// The lines without what differs from run to run: times, the emulator's port and the digest that
/// follows from it, and the order in which steps that run side by side are done.
fn masked(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<_> = lines
        .iter()
        .map(|line| without_times(line))
        .map(|line| without(&line, "http://127.0.0.1:", |letter| letter.is_ascii_digit()))
        .map(|line| without(&line, "--expect ", |letter| letter.is_ascii_hexdigit()))
        .map(|line| without(&line, "Digest: ", |letter| letter.is_ascii_hexdigit()))
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
