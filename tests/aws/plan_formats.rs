//! Regions and partitions in a plan.

use crate::support::{HOST, Site, finish};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn online_and_offline_take_the_region_from_the_same_variables() {
    let site = Site::open().await;
    let plan = async |variables: [(&str, &str); 2], more: &[&str]| {
        let mut process = site.aws.wbstore();
        process.args(["plan", "aws", "--host", HOST, "--format", "json"]).args(more).envs(variables);
        finish(process).await.ends(0).json()
    };
    for (variables, region) in [
        ([("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-1"),
        ([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-2"),
        ([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")], "us-east-1"),
    ] {
        let online = plan(variables, &[]).await;
        let offline = plan(variables, &["--offline", "--account-id", site.account()]).await;
        let place = format!(", {region}, custom endpoint ");
        assert!(online["scope"].as_str().is_some_and(|scope| scope.contains(&place)), "{online:#}");
        assert_eq!(offline["scope"], online["scope"]);
        assert_eq!(offline["outputs"], online["outputs"]);
        let configured = region != "us-east-1";
        assert_eq!(offline["digest"] == online["digest"], configured, "an assumed region makes no digest");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn other_partitions_have_their_own_arns() {
    let site = Site::open().await;
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let offline = ["--offline", "--account-id", "123456789012", "--region", region];
        let plan = site.plan(&offline).await.to_string();
        assert!(plan.contains(&format!("arn:{partition}:sqs:{region}:123456789012:")), "{plan}");
        assert!(plan.contains(&format!("arn:{partition}:s3:::")), "{plan}");
        assert!(!plan.contains("arn:aws:"), "{plan}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn credentials_of_another_partition_are_refused() {
    let site = Site::open().await;
    let ran = site.run("plan", &["--region", "cn-north-1"]).await.ends(2);
    ran.tells(&["`aws-cn`", "`aws`", "hint:"]);
}
