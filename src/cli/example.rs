//! Commands that help and manual show. A test runs each of them.

use textwrap::{Options, WordSeparator, WordSplitter};

/// So that a terminal of 80 columns breaks no line.
const WIDTH: usize = 74;

/// What each cloud requires beside `--host`.
const PLACES: [(&str, &str); 4] = [
    ("aws", ""),
    ("gcp", " --project acme-prod"),
    ("azure", " --subscription 0b1f6471-1bf0-4dda-aec3-cb9272f09590 --resource-group acme"),
    ("s3", " --endpoint https://s3.acme.com"),
];

/// Those of commands on a cloud.
const ON_CLOUD: [(&str, &[&str]); 8] = [
    (
        "config",
        &["--host https://wandb.acme.com{place}", "--host https://wandb.acme.com{place} --output helm"],
    ),
    ("doctor", &["{place}", "{place} --format markdown"]),
    ("list", &["{place}", "{place} --format json"]),
    (
        "plan",
        &[
            "--host https://wandb.acme.com{place}",
            "--host https://wandb.acme.com{place} --expires 7d",
            "--host https://wandb.acme.com{place} --format markdown --out plan.md",
        ],
    ),
    (
        "policy",
        &[
            "--for operator --host https://wandb.acme.com{place}",
            "--for node --host https://wandb.acme.com{place}",
        ],
    ),
    (
        "provision",
        &[
            "--host https://wandb.acme.com{place}",
            "--host https://wandb.acme.com{place} --yes --out wandb.env",
            "--host https://pr-17.acme.com{place} --expires 7d --yes",
        ],
    ),
    (
        "teardown",
        &[
            "--host https://wandb.acme.com{place} --dry-run",
            "--name wandb-acme-com{place}",
            "--expired --yes{place}",
        ],
    ),
    ("verify", &["--host https://wandb.acme.com{place}", "--host https://wandb.acme.com{place} --as node"]),
];

/// Those of commands without a cloud.
const ALONE: [(&str, &[&str]); 7] = [
    ("check", &["--settings wandb.env", "--settings wandb.env --only redis,mysql"]),
    ("config", &["--settings wandb.env --output docker"]),
    ("doctor", &["", "--format markdown"]),
    ("man", &["", "plan aws", "--dir man"]),
    ("plan", &["", "--only 'prod*'"]),
    ("provision", &["", "--only 'staging*' --yes"]),
    ("verify", &[""]),
];

/// The examples of `command`, on `cloud` or without any; long ones on several lines, as a shell continues them.
pub(super) fn examples(command: &str, cloud: Option<&str>) -> Vec<String> {
    let examples = match cloud {
        Some(_) => ON_CLOUD.iter().find(|(name, _)| *name == command).map(|(_, examples)| *examples),
        None => ALONE.iter().find(|(name, _)| *name == command).map(|(_, examples)| *examples),
    };
    let place = PLACES.iter().find(|(name, _)| Some(*name) == cloud).map_or("", |(_, place)| *place);
    let start =
        cloud.map_or_else(|| format!("wbstore {command}"), |cloud| format!("wbstore {command} {cloud}"));
    let line = |rest: &&str| continued(&format!("{start} {}", rest.replace("{place}", place)));
    examples.unwrap_or_default().iter().map(line).collect()
}

fn continued(line: &str) -> String {
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let options = Options::new(WIDTH)
        .subsequent_indent("    ")
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(&words, options).join(" \\\n  ")
}
