//! Help and manual: what they show works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Ran, run, wbstore};

const COMMANDS: [&str; 8] = ["plan", "provision", "verify", "teardown", "list", "policy", "config", "doctor"];
const CLOUDS: [&str; 4] = ["aws", "gcp", "azure", "s3"];

#[track_caller]
fn shown(arguments: &[&str]) -> String {
    let Ran { code, stdout, stderr, connected } = wbstore(arguments);
    assert_eq!((code, stderr.as_str(), connected), (Some(0), "", false), "{arguments:?}");
    stdout
}

/// The commands below "Examples:", continued lines joined.
fn examples(help: &str) -> Vec<String> {
    let (_, below) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("no examples in {help}"));
    let below = below.replace("\\\n", "");
    let commands = below.lines().map(str::trim).filter(|line| line.starts_with("wbstore "));
    commands.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn every_example_gets_as_far_as_the_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("wbstore.toml"),
        "[deployment.prod]\ncloud = \"aws\"\nhost = \"https://wandb.acme.com\"\n\
         [deployment.staging]\ncloud = \"gcp\"\nproject = \"acme-staging\"\nhost = \"https://staging.acme.com\"\n",
    )
    .expect("a file");
    fs::write(
        folder.path().join("wandb.env"),
        "LICENSE=eyJ0\nREDIS=redis://127.0.0.1:1\nMYSQL=mysql://wandb:pw@127.0.0.1:1/wandb_local\n",
    )
    .expect("a file");
    let on_clouds = COMMANDS.into_iter().flat_map(|command| CLOUDS.map(|cloud| vec![command, cloud]));
    let alone =
        ["check", "config", "doctor", "man", "plan", "provision", "verify"].map(|command| vec![command]);
    let mut tried = 0;
    for path in on_clouds.chain(alone) {
        let help = shown(&[&path[..], &["--help"]].concat());
        for example in examples(&help) {
            assert!(example.starts_with(&format!("wbstore {}", path.join(" "))), "{example}");
            let ran = run(|process| {
                let quoted = example.replace('\'', "");
                process.current_dir(folder.path()).args(quoted.split(' ').skip(1));
                // None that can be used, so that each ends where it would connect.
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_TENANT_ID"] {
                    process.env_remove(name);
                }
                process.env("AWS_PROFILE", "nobody").env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
                process.env("HTTPS_PROXY", "http://127.0.0.1:1");
            });
            let ends = [Some(0), Some(1), Some(6)].contains(&ran.code);
            assert!(
                ends || format!("{}{}", ran.stdout, ran.stderr).contains("AZURE_TENANT_ID is not"),
                "{example}: {:?}\n{}{}",
                ran.code,
                ran.stdout,
                ran.stderr
            );
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn no_line_of_an_example_is_broken_by_a_terminal() {
    for command in COMMANDS {
        for cloud in CLOUDS {
            let help = shown(&[command, cloud, "--help"]);
            let (_, examples) = help.split_once("Examples:\n").expect("there are examples");
            assert!(examples.lines().all(|line| line.len() < 80), "{examples}");
        }
    }
}

#[test]
fn short_help_is_an_overview_and_long_help_has_all() {
    for command in COMMANDS {
        for cloud in CLOUDS {
            let (short, long) = (shown(&[command, cloud, "-h"]), shown(&[command, cloud, "--help"]));
            assert!(!short.contains("[env:") && long.contains("[env:"), "{short}");
            assert!(short.lines().count() * 3 < long.lines().count() * 2, "{command} {cloud}");
            assert_eq!(shown(&["help", command, cloud]), long);
            let places = ["\nOptions:", " options:", "\nGlobal options:", "\nExamples:"];
            let found: Vec<_> = places.iter().map(|place| long.find(place)).collect();
            assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?} in {long}");
            assert!(short.lines().chain(long.lines()).all(|line| line.chars().count() <= 100));
        }
    }
}

/// The pages, by the names of their files.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let folder_name = folder.to_str().expect("text");
    assert_eq!(shown(&["man", "--dir", folder_name]), "");
    let mut pages: Vec<_> = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("text").to_owned();
            (name, fs::read_to_string(&path).expect("text"))
        })
        .collect();
    pages.sort();
    pages
}

#[test]
fn each_command_has_a_page_with_the_sections_of_man_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = pages(&folder.path().join("man1"));
    let names: BTreeSet<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
    let on_clouds =
        COMMANDS.into_iter().flat_map(|command| CLOUDS.map(|cloud| format!("wbstore-{command}-{cloud}.1")));
    let alone = ["check", "completions", "man"]
        .into_iter()
        .chain(COMMANDS)
        .map(|command| format!("wbstore-{command}.1"));
    let expected: BTreeSet<_> = on_clouds.chain(alone).chain(["wbstore.1".to_owned()]).collect();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    for (name, page) in &pages {
        let mut sections = vec!["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "SEE ALSO"];
        if !["wbstore-completions.1", "wbstore-man.1"].contains(&name.as_str()) {
            sections.push("FILES");
        }
        if name.matches('-').count() == 2 {
            sections.push("EXAMPLES");
        }
        for section in sections {
            let heading = if section.contains(' ') { format!("\"{section}\"") } else { section.to_owned() };
            assert!(page.contains(&format!(".SH {heading}\n")), "{name} has no {section}:\n{page}");
        }
        let printed: Vec<_> = name.trim_end_matches(".1").split('-').skip(1).collect();
        assert_eq!(*page, shown(&[&["man"][..], &printed].concat()), "{name}");
    }
}

#[test]
fn a_page_names_the_variables_and_files_of_its_cloud_alone() {
    for (cloud, own, other) in [
        ("aws", ["AWS_PROFILE", "~/.aws/credentials"], "AZURE_TENANT_ID"),
        ("gcp", ["GOOGLE_APPLICATION_CREDENTIALS", "application_default_credentials.json"], "AWS_PROFILE"),
        ("azure", ["AZURE_CLIENT_SECRET", "~/.azure"], "GOOGLE_APPLICATION_CREDENTIALS"),
        ("s3", ["AWS_ENDPOINT_URL_S3", "~/.aws/config"], "AZURE_TENANT_ID"),
    ] {
        let page = shown(&["man", "plan", cloud]).replace("\\-", "-");
        for named in own.into_iter().chain(["WBSTORE_HOST", "HTTPS_PROXY", "SSL_CERT_FILE", "wbstore.toml"]) {
            assert!(page.contains(named), "{cloud}: {named}");
        }
        assert!(!page.contains(other), "{cloud}: {other}");
    }
}

#[test]
fn every_variable_of_a_chain_that_the_source_reads_is_in_its_page() {
    let page = |cloud: &str| shown(&["man", "plan", cloud]).replace("\\-", "-");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (cloud, files, prefixes) in [
        ("aws", &["providers/s3_protocol/source.rs", "providers/s3_protocol/config.rs"][..], &["AWS_"][..]),
        (
            "gcp",
            &[
                "providers/gcp/session.rs",
                "providers/gcp/session/adc.rs",
                "providers/gcp/session/endpoints.rs",
                "providers/gcp/session/universe.rs",
                "providers/gcp/doctor.rs",
            ],
            &["GOOGLE_", "CLOUDSDK_", "STORAGE_", "PUBSUB_", "GCE_"],
        ),
        (
            "azure",
            &["providers/azure/session.rs", "providers/azure/session/credentials.rs"],
            &["AZURE_", "IDENTITY_"],
        ),
    ] {
        let page = page(cloud);
        let mut read = 0;
        for file in files {
            let source = fs::read_to_string(root.join(file)).expect("a source");
            let texts = source.split('"').skip(1).step_by(2);
            let is_name = |text: &&str| {
                prefixes.iter().any(|prefix| text.starts_with(prefix))
                    && text
                        .chars()
                        .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
            };
            for name in texts.filter(is_name) {
                assert!(page.contains(name), "{cloud}: {name} of {file}");
                read += 1;
            }
        }
        assert!(read > 2, "{cloud}: {read}");
    }
}

/// Whether `checker` accepts all pages, where it is installed.
fn is_accepted_by(checker: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in pages(folder.path()) {
        let output = Command::new(checker)
            .args(arguments)
            .arg(folder.path().join(&name))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap_or_else(|error| panic!("{checker} is not installed: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.trim().is_empty(), "{name}: {said}");
    }
}

#[test]
#[ignore = "needs man: cargo sandbox test"]
fn man_shows_every_page_without_a_warning() {
    is_accepted_by("man", &["--warnings=w", "-l", "-Tutf8"]);
}

#[test]
#[ignore = "needs mandoc: cargo sandbox test"]
fn mandoc_finds_no_error() {
    is_accepted_by("mandoc", &["-T", "lint", "-W", "error"]);
}

#[test]
fn a_page_that_there_is_not() {
    let Ran { code, stderr, .. } = wbstore(&["man", "plan", "mars"]);
    assert_eq!(code, Some(2));
    assert!(stderr.ends_with("hint: use one of aws, gcp, azure, s3\n"), "{stderr}");
}
