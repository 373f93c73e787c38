//! The outputs, read by what reads them.

use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Ends, QUEUE, Site, finish};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_shell_evaluates_what_provision_prints() {
    let site = Site::open().await;
    let mut sh = Command::new("sh");
    let script = r#"eval "$("$0" "$@")" && printf '%s|%s|%s' "$BUCKET" "$BUCKET_QUEUE" "$AWS_REGION""#;
    let wbstore = site.aws.wbstore();
    sh.args(["-c", script]).arg(wbstore.get_program()).args(site.arguments("provision", &["--yes"]));
    sh.envs(wbstore.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = finish(sh).await.ends(0);
    assert_eq!(ran.stdout, format!("s3://{}|sqs://{QUEUE}|us-east-1", site.bucket));
}

async fn config(site: &Site, output: &str) -> String {
    site.run("config", &["--output", output]).await.ends(0).stdout
}

/// A document, in YAML or in JSON, that holds exactly one.
fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn config_prints_the_same_as_provision_in_every_form() {
    let site = Site::open().await;
    let provisioned = site.provisioned().await;
    assert_eq!(config(&site, "env").await, provisioned.stdout);
    let bucket = format!("s3://{}", site.bucket);

    let json: serde_json::Value = serde_json::from_str(&config(&site, "json").await).expect("JSON");
    assert_eq!(json["BUCKET"], bucket.as_str());

    let secret = yaml(&config(&site, "k8s-secret").await);
    assert_eq!(secret["kind"].as_str(), Some("Secret"));
    assert_eq!(secret["stringData"]["BUCKET"].as_str(), Some(bucket.as_str()));

    let helm = yaml(&config(&site, "helm").await);
    assert_eq!(helm["global"]["bucket"]["provider"].as_str(), Some("s3"));
    assert_eq!(helm["global"]["bucket"]["name"].as_str(), Some(site.bucket.as_str()));
    assert_eq!(helm["global"]["bucket"]["region"].as_str(), Some("us-east-1"));

    let dotenv = config(&site, "dotenv").await;
    assert!(
        dotenv.lines().any(|line| line.trim_matches('"') == format!("BUCKET={bucket}")
            || line == format!("BUCKET=\"{bucket}\"")),
        "{dotenv}"
    );
    let docker = config(&site, "docker").await;
    assert!(docker.contains(&format!("BUCKET={bucket}")), "{docker}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn config_is_refused_where_nothing_was_provisioned() {
    let site = Site::open().await;
    let ran = site.run("config", &[]).await.ends(1);
    assert_eq!(ran.stdout, "");
    ran.tells(&["wandb-acme-com is not there", "hint:", "wbstore provision"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn config_is_refused_where_something_has_changed() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    let ran = site.run("config", &[]).await.ends(1);
    assert_eq!(ran.stdout, "");
    ran.tells(&["not as these arguments describe it", "hint:", "wbstore plan"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn nothing_is_printed_on_stdout_when_it_fails() {
    use wbstore_sandbox::fault::{Failure, Fault, When};

    let site = Site::open().await;
    site.aws.proxy().arm(When::every("s3:PutBucketCors"), Fault::fail(Failure::AccessDenied));
    let ran = site.provision(&[]).await.ends(4);
    assert_eq!(ran.stdout, "", "a script must not go on with half a deployment");
}
