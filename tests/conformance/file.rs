//! Deployments that a file describes, and what their marks say where neither the file nor an option does.

use std::path::Path;
use std::process::Command;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::cloud::{Cloud, HOST, NAME};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::reply::ApiError;

use crate::support::{assert_untouched, names, provision, settled, writes};

/// The options of `arguments`, which all have a value, as keys.
fn keys(arguments: &[String]) -> String {
    let pairs = arguments.chunks(2);
    pairs.map(|pair| format!("{} = {:?}\n", pair[0].trim_start_matches("--"), pair[1])).collect()
}

/// The table of a deployment on `cloud`.
fn table<C: Cloud>(cloud: &C, name: &str, more: &str) -> String {
    let place = keys(&cloud.place("plan"));
    format!(
        "[deployment.{name}]\ncloud = \"{}\"\nhost = \"https://{name}.acme.com\"\n{place}{more}\n",
        C::CLOUD
    )
}

/// `wbstore` with `arguments` in a directory that has this file.
fn beside(folder: &Path, file: &str, mut command: Command, arguments: &[&str]) -> Command {
    std::fs::write(folder.join("wbstore.toml"), file).expect("a file can be written");
    command.current_dir(folder).args(arguments);
    command
}

async fn run<C: Cloud>(cloud: &C, file: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    finish(beside(folder.path(), file, cloud.wbstore(), arguments)).await
}

pub async fn a_deployment_of_the_file_lives_and_ends<C: Cloud>() {
    let cloud = C::fresh().await;
    let own = format!("[deployment.{NAME}]\ncloud = \"{}\"\nhost = \"{HOST}\"\n", C::CLOUD);
    let file = own + &keys(&cloud.place("plan")) + &keys(&cloud.names());
    run(&cloud, &file, &["plan", "--exit-code"]).await.ends(5);
    let plan = run(&cloud, &file, &["plan", "--format", "json"]).await.ends(0).json();
    assert_eq!(plan["plans"][0]["deployment"], NAME);
    let digest = plan["digest"].as_str().expect("it has one");
    let other = "0".repeat(32);
    run(&cloud, &file, &["provision", "--yes", "--expect", &other]).await.ends(3);
    let ran = run(&cloud, &file, &["provision", "--yes", "--expect", digest]).await.ends(0);
    assert!(ran.stdout.contains(&format!("# {NAME}\n")), "{ran}");
    settled(&cloud, &[]).await;
    run(&cloud, &file, &["verify"]).await.ends(0);
    let config = run(&cloud, &file, &["config"]).await.ends(0);
    assert_eq!(config.outputs(), ran.outputs());
    // With a cloud, the file describes what the command line leaves open.
    let [name, confirm] = [["--name", NAME], ["--confirm", NAME]];
    let cloud_name = [C::CLOUD];
    run(&cloud, &file, &[&["plan"], &cloud_name[..], &["--exit-code"]].concat()).await.ends(0);
    run(&cloud, &file, &[&["teardown"], &cloud_name[..], &name, &confirm].concat()).await.ends(0);
    assert_eq!(names(&cloud).await, Vec::<String>::new());
}

pub async fn what_the_marks_say_is_used_where_no_option_says_it<C: Cloud>() {
    let cloud = C::fresh().await;
    let provisioned = provision(&cloud, &["--queue", "internal"]).await;
    let config = cloud.run("config", &[]).await.ends(0);
    assert_eq!(config.outputs(), provisioned.outputs());
    config.tells(&["note: ", "--queue internal", "by its marks"]);
    cloud.run("verify", &[]).await.ends(0).tells(&["--queue internal", "by its marks"]);
    // With the option there is nothing to say.
    let ran = cloud.run("config", &["--queue", "internal"]).await.ends(0);
    assert!(!ran.stderr.contains("by its marks"), "{ran}");
    // The name of the bucket is in the marks too.
    let config = cloud.command_on("config", &["--host", HOST]);
    assert_eq!(finish(config).await.ends(0).outputs(), provisioned.outputs());
}

pub async fn an_option_that_contradicts_the_marks_is_an_error<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    let ran = cloud.run("config", &["--queue", "internal"]).await.ends(1);
    assert_eq!(ran.stdout, "");
    ran.tells(&["`--queue internal` contradicts the marks", "hint: omit `--queue`"]);
    cloud.run("verify", &["--queue", "internal"]).await.ends(6).tells(&["contradicts the marks"]);
}

pub async fn several_are_planned_as_one_and_applied_side_by_side<C: Cloud>() {
    let cloud = C::fresh().await;
    let all = ["alpha", "beta", "gamma"].map(|name| table(&cloud, name, "queue = \"internal\"")).concat();
    let plan = run(&cloud, &all, &["plan", "--format", "json"]).await.ends(0).json();
    let planned: Vec<_> =
        plan["plans"].as_array().expect("a list").iter().map(|plan| &plan["deployment"]).collect();
    assert_eq!(planned, ["alpha", "beta", "gamma"]);
    assert_untouched(&cloud);
    let digest = plan["digest"].as_str().expect("all were looked at");
    for (format, words) in [("human", &["--expect "][..]), ("markdown", &["### wbstore: ", "--expect "])] {
        let page = run(&cloud, &all, &["plan", "--format", format]).await.ends(0).stdout;
        assert!(page.contains(&format!("--expect {digest}")), "{page}");
        assert_eq!(page.matches("--expect").count(), 1, "there is one digest: {page}");
        assert!(words.iter().all(|word| page.contains(word)), "{page}");
    }
    // Another selection is another plan.
    let part = run(&cloud, &all, &["plan", "--only", "*a", "--format", "json"]).await.ends(0).json();
    assert_eq!(part["plans"].as_array().expect("a list").len(), 3);
    let part = run(&cloud, &all, &["plan", "--only", "b*", "--format", "json"]).await.ends(0).json();
    assert_ne!(part["digest"], plan["digest"]);
    assert_eq!(part["digest"], part["plans"][0]["digest"], "that of one is its own");
    let ran = run(&cloud, &all, &["provision", "--yes", "--expect", digest]).await.ends(0);
    for name in ["alpha", "beta", "gamma"] {
        ran.clone().tells(&[&format!("{name}: {}/bucket/", C::CLOUD)]);
        assert!(ran.stdout.contains(&format!("# {name}\nBUCKET=")), "{ran}");
    }
    let verified = run(&cloud, &all, &["verify", "--format", "json"]).await.ends(0);
    let of = |name: &str| {
        verified.objects().iter().any(|check| check.get("deployment").is_some_and(|is| is == name))
    };
    assert!(["alpha", "beta", "gamma"].into_iter().all(of), "{verified}");
    let config = run(&cloud, &all, &["config", "--output", "json", "--only", "alpha"]).await.ends(0).json();
    assert_eq!(config["deployment"], "alpha");
    assert!(config["configuration"]["BUCKET"].is_string(), "{config}");
}

pub async fn one_that_fails_keeps_none_of_the_others<C: Cloud>() {
    let other = C::fresh().await;
    provision(&other, &["--queue", "internal"]).await;
    let write = writes(&other).swap_remove(0);
    let cloud = C::fresh().await;
    let all = ["alpha", "beta"].map(|name| table(&cloud, name, "queue = \"internal\"")).concat();
    cloud.proxy().clear_journal();
    let strange = ApiError::new(400, "Strange", "No reason is given.");
    cloud.proxy().arm(When::operation(&write, 0), Fault::fail(Failure::Other(strange)));
    let ran = run(&cloud, &all, &["provision", "--yes"]).await.ends(4);
    let done: Vec<&str> =
        ["alpha", "beta"].into_iter().filter(|name| ran.stdout.contains(&format!("# {name}\n"))).collect();
    assert_eq!(done.len(), 1, "{ran}");
    run(&cloud, &all, &["provision", "--yes"]).await.ends(0);
    run(&cloud, &all, &["plan", "--exit-code"]).await.ends(0);
}

/// On three clouds at once, with a team, from a review to the end.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn three_clouds_and_a_team_are_one_plan() {
    let (aws, gcp, azure) = (Aws::fresh().await, Gcp::fresh().await, Azure::fresh().await);
    let team = "[deployment.one.team.vision]\nnode-role = \"arn:aws:iam::123456789012:role/wandb\"\n";
    let file = [
        table(&aws, "one", "queue = \"internal\""),
        team.to_owned(),
        table(&gcp, "two", ""),
        table(&azure, "three", ""),
    ]
    .concat();
    let folder = tempfile::tempdir().expect("a folder");
    let wbstore = |arguments: &[&str]| {
        let mut command = aws.wbstore();
        command.envs(gcp.env()).envs(azure.env());
        finish(beside(folder.path(), &file, command, arguments))
    };
    let plan = wbstore(&["plan", "--format", "json"]).await.ends(0).json();
    let planned: Vec<_> =
        plan["plans"].as_array().expect("a list").iter().map(|plan| &plan["deployment"]).collect();
    assert_eq!(planned, ["one", "one/vision", "three", "two"]);
    let digest = plan["digest"].as_str().expect("all were looked at");
    let ran = wbstore(&["provision", "--yes", "--expect", digest]).await.ends(0);
    for word in ["one: aws/bucket/", "one/vision: aws/bucket/", "two: gcp/bucket/", "three: azure/container/"]
    {
        ran.clone().tells(&[word]);
    }
    wbstore(&["plan", "--exit-code"]).await.ends(0);
    let config = wbstore(&["config"]).await.ends(0);
    for word in ["# one\nBUCKET=s3://", "# two\nBUCKET=gs://", "# three\nBUCKET=az://"] {
        assert!(config.stdout.contains(word), "{config}");
    }
    wbstore(&["verify", "--only", "t*"]).await.ends(0);
    for (cloud, name) in [("gcp", "two"), ("azure", "three")] {
        wbstore(&["teardown", cloud, "--name", name, "--confirm", name]).await.ends(0);
    }
    // What is missing is one's own; the others are as they were.
    wbstore(&["plan", "--exit-code", "--only", "one*"]).await.ends(0);
    wbstore(&["plan", "--exit-code"]).await.ends(5);
}
