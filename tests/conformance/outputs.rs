//! The outputs, read by what reads them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::finish;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{assert_untouched, provision, provisioned, writes};

/// `command` with its environment, as the arguments of a shell's script.
fn in_shell(script: &str, before: &[&Path], command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args(before).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

pub async fn a_shell_evaluates_what_provision_prints<C: Cloud>() {
    let cloud = C::fresh().await;
    let script = r#"eval "$("$@")" && printf '%s|%s' "$BUCKET" "$BUCKET_QUEUE""#;
    let ran = finish(in_shell(script, &[], &cloud.command("provision", &["--yes"]))).await.ends(0);
    let outputs = cloud.run("config", &["--output", "json"]).await.ends(0).json();
    let text = |name: &str| outputs[name].as_str().expect("text").to_owned();
    assert_eq!(ran.stdout, format!("{}|{}", text("BUCKET"), text("BUCKET_QUEUE")));
}

/// A document, in YAML or in JSON, that holds exactly one.
fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

/// On every cloud, as the Helm values have the parts of a bucket's address.
pub async fn config_prints_the_same_as_provision_in_every_form<C: Cloud>() {
    let cloud = C::fresh().await;
    let provisioned = provision(&cloud, &[]).await;
    let config = async |form: &str| cloud.run("config", &["--output", form]).await.ends(0).stdout;
    assert_eq!(config("env").await, provisioned.stdout);
    assert_eq!(cloud.run("config", &[]).await.ends(0).stdout, provisioned.stdout);

    let json: Value = serde_json::from_str(&config("json").await).expect("JSON");
    let bucket = json["BUCKET"].as_str().expect("text");
    assert_eq!(provisioned.outputs()["BUCKET"], bucket);

    let secret = yaml(&config("k8s-secret").await);
    assert_eq!(secret["kind"].as_str(), Some("Secret"));
    assert_eq!(secret["stringData"]["BUCKET"].as_str(), Some(bucket));

    let helm = yaml(&config("helm").await)["global"]["bucket"].clone();
    let (scheme, rest) = bucket.split_once("://").expect("an address");
    assert_eq!(helm["provider"].as_str(), Some(if scheme == "gs" { "gcs" } else { scheme }), "{helm:?}");
    assert_eq!(helm["name"].as_str(), Some(rest.split('/').next().unwrap_or_default()), "{helm:?}");
    if let Some(region) = json["AWS_REGION"].as_str() {
        assert_eq!(helm["region"].as_str(), Some(region));
    }

    let dotenv = config("dotenv").await;
    assert!(
        dotenv.lines().any(|line| line.trim_matches('"') == format!("BUCKET={bucket}")
            || line == format!("BUCKET=\"{bucket}\"")),
        "{dotenv}"
    );
    let docker = config("docker").await;
    assert!(docker.contains(&format!("BUCKET={bucket}")), "{docker}");
}

/// The storage is the cloud's, and the rest the file's, whatever the file says about storage.
pub async fn config_adds_the_settings_to_the_storage<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wandb.env");
    let settings =
        "BUCKET=s3://elsewhere\nREDIS=redis://:canary@cache.acme.com?tls=true\nOIDC_CLIENT_ID=0oa1\n";
    std::fs::write(&file, settings).expect("a file");
    let config = async |more: &[&str]| {
        cloud.run("config", &[&["--settings", file.to_str().expect("text")], more].concat()).await
    };
    let storage = cloud.run("config", &["--output", "json"]).await.ends(0).json();
    let notes = ["wandb.env:1: BUCKET is not used: the deployment has its own", "REDIS"];
    let ran = config(&["--output", "json"]).await.ends(0).tells(&notes);
    assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"), "{ran}");
    let mut wanted = storage.clone();
    wanted["HOST"] = "https://wandb.acme.com".into();
    wanted["OIDC_CLIENT_ID"] = "0oa1".into();
    assert_eq!(ran.json(), wanted);

    let secret = folder.path().join("secret.yaml");
    let ran = config(&["--output", "helm", "--secret-file", secret.to_str().expect("text")]).await.ends(0);
    let values = yaml(&ran.stdout);
    let bucket = storage["BUCKET"].as_str().expect("text");
    let name = values["global"]["bucket"]["name"].as_str().expect("text");
    assert!(bucket.contains(name) && !ran.stdout.contains("canary"), "{ran}");
    assert_eq!(values["global"]["host"].as_str(), Some("https://wandb.acme.com"));
    let manifest = yaml(&std::fs::read_to_string(&secret).expect("it is there"));
    assert_eq!(manifest["stringData"]["REDIS_PASSWORD"].as_str(), Some("canary"));
    assert_eq!(values["global"]["redis"]["secret"]["secretName"], manifest["metadata"]["name"]);
    assert_untouched(&cloud);
}

pub async fn config_is_refused_where_nothing_was_provisioned<C: Cloud>() {
    let ran = C::fresh().await.run("config", &[]).await.ends(1);
    assert_eq!(ran.stdout, "");
    ran.tells(&["wandb-acme-com does not exist", "hint:", "wbstore provision"]);
}

pub async fn config_is_refused_where_something_has_changed<C: Person>() {
    let cloud = provisioned::<C>().await;
    cloud.set(C::SETTING[1]).await.expect("it is there");
    let ran = cloud.run("config", &[]).await.ends(1);
    assert_eq!(ran.stdout, "");
    ran.tells(&["differs from these arguments", "hint:", "wbstore plan"]);
}

/// A script must not go on with half a deployment.
pub async fn nothing_is_printed_on_stdout_when_it_fails<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &[]).await;
    let last = writes(&cloud).pop().expect("it writes");
    let cloud = C::fresh().await;
    cloud.proxy().arm(When::every(&last), Fault::fail(Failure::AccessDenied));
    let ran = cloud.run("provision", &["--yes"]).await.ends(4);
    assert_eq!(ran.stdout, "");
}

/// There is no state on this machine.
pub async fn another_machine_finds_the_same_deployment<C: Cloud>() {
    let cloud = C::fresh().await;
    let first = provision(&cloud, &[]).await;
    let home = tempfile::tempdir().expect("a folder");
    cloud.proxy().clear_journal();
    let mut command = cloud.command("provision", &["--yes"]);
    command.env("HOME", home.path()).env("HOSTNAME", "elsewhere");
    assert_eq!(finish(command).await.ends(0).stdout, first.stdout);
    assert_untouched(&cloud);
}

/// A full disk that does not show before something is written: no file may grow.
fn on_a_full_disk(command: &Command, output: &Path) -> Command {
    let script = r#"trap '' XFSZ; ulimit -f 0; out=$1; shift; exec "$@" > "$out""#;
    in_shell(script, &[output], command)
}

pub async fn settings_that_cannot_be_written_are_partly_done_and_printed_again_by_config<C: Cloud>() {
    let cloud = C::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("settings");
    for (code, event) in [
        (4, "error: the changes were applied, but "),
        // Nothing is left to change, so nothing was.
        (1, "error: failed to write to stdout"),
    ] {
        let ran = finish(on_a_full_disk(&cloud.command("provision", &["--yes"]), &output)).await.ends(code);
        ran.tells(&[event, "failed to write to stdout", "hint:"]);
        assert_eq!(std::fs::read_to_string(&output).expect("it is there"), "");
    }
    let ran = cloud.run("config", &[]).await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET"), "{ran}");
}

pub async fn a_full_disk_is_an_object_with_its_exit_code_where_objects_are_asked_for<C: Cloud>() {
    let cloud = C::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let json = cloud.command("provision", &["--yes", "--format", "json"]);
    let ran = finish(on_a_full_disk(&json, &folder.path().join("settings"))).await.ends(4);
    let last = ran.objects().pop().expect("something is said");
    assert_eq!((&last["event"], &last["exit_code"]), (&"error".into(), &4.into()), "{last:?}");
    assert!(last["hint"].as_str().is_some_and(|hint| hint.contains("`wbstore config`")), "{last:?}");
}

/// Whatever a command prints is what `--out` writes, and nothing else is on stdout.
pub async fn results_go_to_a_file_whole<C: Cloud>() {
    let cloud = C::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("result");
    std::fs::write(&file, "a longer text that was there before ".repeat(500)).expect("a file");
    let path = file.to_str().expect("UTF-8");
    let written = || std::fs::read_to_string(&file).expect("it is there");
    let runs: [(&str, &[&str]); 7] = [
        ("plan", &[]),
        ("plan", &["--format", "markdown"]),
        ("provision", &["--yes"]),
        ("config", &["--output", "json"]),
        ("policy", &["--for", "node"]),
        ("list", &[]),
        ("plan", &["--format", "json"]),
    ];
    for (verb, more) in runs {
        let run = async |more: &[&str]| match verb {
            "list" => cloud.run_on(verb, more).await,
            _ => cloud.run(verb, more).await,
        };
        let ran = run(&[more, &["--out", path]].concat()).await.ends(0);
        assert_eq!(ran.stdout, "", "{verb}: {ran}");
        let file = written();
        // After the first provision there is nothing to do, and the outputs are the same.
        let printed = run(&[more, &["--out", "-"]].concat()).await.ends(0).stdout;
        // An age is that of the moment.
        let ageless = |text: &str| text.replace(|letter: char| verb == "list" && letter.is_ascii_digit(), "");
        assert_eq!(ageless(&file), ageless(&printed), "{verb}");
    }
    let verified = cloud.run("verify", &["--out", path]).await.ends(0);
    assert!(verified.stdout.is_empty() && written().contains("It works: "), "{verified}");
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 1, "nothing else is left there");
}

/// A file that cannot be written is found out before the first request, and one that is not written stays.
pub async fn a_file_for_the_result_is_tried_out_first<C: Cloud>() {
    let cloud = C::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let below = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    for path in [below(""), below("none/wandb.env"), "/dev/null".to_owned(), "/proc/wandb.env".to_owned()] {
        let ran = cloud.run("provision", &["--yes", "--out", &path]).await.ends(2);
        ran.tells(&["cannot write the result to", "hint:"]);
    }
    let same = below("same.json");
    let twice = cloud.run("plan", &["--out", &same, "--timings", &same]).await.ends(2);
    twice.tells(&["`--out` and `--timings` name the same file"]);
    let settings = cloud.run("config", &["--out", &same, "--settings", &same]).await.ends(2);
    settings.tells(&["`--out` and `--settings` name the same file"]);
    assert_eq!(cloud.proxy().journal().len(), 0);
    let kept = below("wandb.env");
    std::fs::write(&kept, "BUCKET=s3://before\n").expect("a file");
    cloud.run("config", &["--out", &kept]).await.ends(1);
    assert_eq!(std::fs::read_to_string(&kept).expect("it is there"), "BUCKET=s3://before\n");
}
