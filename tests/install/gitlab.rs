//! The jobs of `ci/gitlab.yml`, line by line, in one account.

use std::collections::BTreeMap;
use std::process::Command;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::ran::Ran;
use yaml_rust2::{Yaml, YamlLoader};

use crate::{beside, page};

/// A shell as the runner starts one for a job, with the variables of the file.
async fn job(name: &str, more: &BTreeMap<String, String>, aws: &Aws, folder: &std::path::Path) -> Ran {
    let file = YamlLoader::load_from_str(&page("ci/gitlab.yml")).expect("YAML").remove(0);
    let lines = |yaml: &Yaml| -> Vec<String> {
        let lines = yaml.as_vec().expect("a list").iter();
        lines.map(|line| line.as_str().expect("a line").to_owned()).collect()
    };
    assert_eq!(file[name]["extends"].as_str(), Some(".wbstore"));
    let mut script = lines(&file[".wbstore"]["before_script"]);
    // No index has a release yet; how a wheel is installed is tested in `wheel.rs`.
    assert_eq!(script.remove(0), "pip install --quiet \"wbstore==$WBSTORE_VERSION\"");
    script.extend(lines(&file[name]["script"]));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script.join("\n")]).current_dir(folder);
    for (name, value) in file["variables"].as_hash().expect("variables") {
        shell.env(name.as_str().expect("a name"), value.as_str().expect("a value"));
    }
    shell.env("AWS_WEB_IDENTITY_TOKEN_FILE", folder.join("token")).env("AWS_TOKEN", "token").envs(more);
    beside(shell, &aws.wbstore()).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_jobs_for_gitlab_apply_the_plan_that_was_reviewed_and_report_drift() {
    let (aws, folder) = (Aws::fresh().await, tempfile::tempdir().expect("a folder"));
    let none = BTreeMap::new();
    job("plan", &none, &aws, folder.path()).await.ends(0);
    let file = |name| std::fs::read_to_string(folder.path().join(name)).expect("the job wrote it");
    let report = file("plan.env");
    let (name, digest) = report.trim_end().split_once('=').expect("one variable");
    assert!(file("plan.md").contains(digest) && digest.len() == 32, "{report}");

    job("drift", &none, &aws, folder.path()).await.ends(5);
    let other = BTreeMap::from([(name.to_owned(), "0".repeat(32))]);
    job("provision", &other, &aws, folder.path()).await.ends(3);
    let planned = BTreeMap::from([(name.to_owned(), digest.to_owned())]);
    let ran = job("provision", &planned, &aws, folder.path()).await.ends(0);
    assert!(ran.stdout.contains("BUCKET=s3://"), "{ran}");
    job("drift", &none, &aws, folder.path()).await.ends(0);
}
