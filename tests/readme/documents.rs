//! What the pages say of the program, against the program.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Command, CommandFactory, Parser};
use wbstore::cli::Cli;

use crate::{markdown, pages, readme, root};

#[test]
fn every_link_leads_somewhere() {
    for (path, page) in pages() {
        for link in markdown::links(&page) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a page is in a folder").join(file),
            };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).expect("an anchor is in a page");
                let there = markdown::anchors(&text).iter().any(|name| name == anchor);
                assert!(there, "{}: {link} has no such heading", path.display());
            }
        }
    }
}

#[test]
fn every_option_exists() {
    for (path, page) in pages() {
        for code in markdown::typed(&page) {
            for words in invocations(&code) {
                check_options(&words, &path);
                let parsed = Cli::try_parse_from(&words);
                let refusal = parsed.err().filter(clap::Error::use_stderr);
                assert!(
                    refusal.is_none(),
                    "{}: {words:?}: {}",
                    path.display(),
                    refusal.expect("it is there")
                );
            }
        }
        let known = all_options();
        for code in markdown::spans(&page) {
            for words in invocations(&code) {
                check_options(&words, &path);
            }
            let option = code.split([' ', '=']).next().unwrap_or_default();
            if let Some(option) = option.strip_prefix("--").filter(|option| !option.is_empty()) {
                assert!(known.contains(option), "{}: there is no --{option}", path.display());
            }
        }
    }
}

#[test]
fn the_readme_has_every_command() {
    let listed: BTreeSet<_> = markdown::table(&readme(), "Commands")
        .iter()
        .map(|row| {
            row[0].trim_matches('`').split(' ').nth(1).expect("a row begins with a command").to_owned()
        })
        .collect();
    let there: BTreeSet<_> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(listed, there);
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let source = include_str!("../../src/error.rs");
    let number = |line: &str| line.rsplit(' ').next().map(|code| code.trim_end_matches(';').to_owned());
    let constants =
        source.lines().filter(|line| line.trim().starts_with("pub const ") && line.contains(": u8 = "));
    let there: BTreeSet<_> = constants.filter_map(number).collect();
    assert!(there.len() > 5, "the constants are where they were");
    let listed: BTreeSet<_> = markdown::table(&readme(), "Exit codes")
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(listed, there);
    let help = Cli::command().render_help().to_string();
    let (_, codes) = help.split_once("Exit codes:").expect("the help names the exit codes");
    let told: BTreeSet<_> = codes
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(told, there);
}

#[test]
fn the_readme_agrees_with_the_manifest() {
    let page = readme();
    let rust = concat!("Rust ", env!("CARGO_PKG_RUST_VERSION"), " ");
    assert!(page.contains(rust), "the README asks for another {rust}");
}

/// The rules that each cloud's page answers: the page, the letter and the last number.
const RULES: [(&str, char, usize); 4] =
    [("docs/aws.md", 'A', 36), ("docs/gcp.md", 'G', 26), ("docs/azure.md", 'Z', 27), ("docs/s3.md", 'S', 25)];

#[test]
fn every_rule_is_answered_once() {
    for (path, letter, last) in RULES {
        let page = std::fs::read_to_string(root().join(path)).expect("the page is there");
        let mut answered: Vec<_> = page.lines().filter_map(|line| rule_of(line, letter)).collect();
        answered.sort_unstable();
        let all: Vec<_> = (1..=last).collect();
        assert_eq!(answered, all, "{path}");
    }
}

/// The number of the rule in the first cell of a row such as `| G12 | …`.
fn rule_of(line: &str, letter: char) -> Option<usize> {
    let cell = line.strip_prefix("| ")?.split(" | ").next()?;
    cell.strip_prefix(letter)?.parse().ok()
}

#[test]
fn every_option_of_a_cloud_is_in_its_table() {
    for (cloud, title, heading) in [
        ("gcp", "On Google Cloud", "Google Cloud options"),
        ("azure", "On Azure", "Azure options"),
        ("s3", "On an S3-compatible store", "S3 options"),
    ] {
        let listed: BTreeSet<_> = markdown::table(&readme(), title)
            .iter()
            .flat_map(|row| row[0].split(", "))
            .map(|option| option.trim_matches('`').trim_start_matches("--").to_owned())
            .collect();
        let program = Cli::command();
        let there: BTreeSet<_> = program
            .get_subcommands()
            .filter_map(|command| command.find_subcommand(cloud))
            .flat_map(Command::get_arguments)
            .filter(|argument| argument.get_help_heading() == Some(heading))
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect();
        assert_eq!(listed, there, "{title}");
    }
}

/// The calls of `wbstore` in a line of shell, word by word.
fn invocations(code: &str) -> Vec<Vec<String>> {
    let begins = code.match_indices("wbstore ").map(|(at, _)| at).filter(|at| {
        let before = code[..*at].trim_end();
        before.is_empty() || before.ends_with(['(', '|', ';', '&'])
    });
    begins
        .map(|at| {
            let end =
                code[at..].find([')', '|', ';', '>', '&', '`']).map_or(code.len(), |length| at + length);
            let words = code[at..end].split_whitespace().filter(|word| *word != "2");
            let words = words.map(|word| word.trim_matches(['"', '\'']));
            words.map(|word| word.replace("$digest", "0123456789abcdef0123456789abcdef")).collect()
        })
        .collect()
}

fn check_options(words: &[String], page: &Path) {
    let root = Cli::command();
    let mut command = &root;
    let mut settled = false;
    for word in &words[1..] {
        if let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) {
            let option = option.split('=').next().unwrap_or_default();
            // `wbstore plan --adopt` is short for `wbstore plan aws --adopt`.
            let on_cloud = command.find_subcommand("aws").unwrap_or(command);
            assert!(
                has(command, option) || has(on_cloud, option),
                "{}: {words:?}: there is no --{option}",
                page.display()
            );
            settled = true;
        } else if let Some(next) = command.find_subcommand(word).filter(|_| !settled) {
            command = next;
        } else {
            assert!(
                command.get_name() != "wbstore" || settled,
                "{}: there is no `wbstore {word}`",
                page.display()
            );
        }
    }
}

fn has(command: &Command, option: &str) -> bool {
    all_of(command).contains(option)
}

fn all_of(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned);
    own.chain(["help", "version", "verbose"].map(str::to_owned)).collect()
}

fn all_options() -> BTreeSet<String> {
    fn collect(command: &Command, into: &mut BTreeSet<String>) {
        into.extend(all_of(command));
        for next in command.get_subcommands() {
            collect(next, into);
        }
    }
    let mut options = BTreeSet::new();
    collect(&Cli::command(), &mut options);
    options
}
