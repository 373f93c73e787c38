//! What only a plan on Google Cloud has.

use crate::support::{EVENTS, Site};

#[tokio::test]
async fn where_we_differ_from_the_published_guide_the_plan_says_so() {
    let site = Site::open().await;
    let plan = site.run("plan", &[]).await.ends(0).to_string();
    for words in
        ["the guide sets no CORS", "never expires", "--all-events", "--queue internal", "--service-account"]
    {
        assert!(plan.contains(words), "{words:?} is not in\n{plan}");
    }
}

#[tokio::test]
async fn a_service_account_adds_its_grants_to_the_plan() {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    let first = site.plan(&["--service-account", &server, "--expires", "7d"]).await;
    let steps = first["steps"].as_array().expect("a list").iter();
    let addresses: Vec<_> = steps.map(|step| step["address"].as_str().expect("text")).collect();
    assert_eq!(first["counts"]["create"], 8, "{addresses:?}");
    for address in [format!("gcp/publisher/{EVENTS}"), format!("gcp/signer/{server}")] {
        assert!(addresses.contains(&address.as_str()), "{address} is not in {addresses:?}");
    }
}
