//! Roles that somebody else gives after the plan, in the policies that `--service-account` writes into.

use serde_json::{Value, json};
use wbstore_sandbox::person::meanwhile;
use wbstore_sandbox::ran::Ran;

use crate::support::{NAME, Site};

const LATE: &str = "user:late@acme.com";

/// A policy, and a role that can be given in it.
#[derive(Clone, Copy, Debug)]
enum Policy {
    Bucket,
    Topic,
    Subscription,
}

impl Policy {
    const ALL: &[Self] = &[Self::Bucket, Self::Topic, Self::Subscription];

    /// How to read it, and how to write it.
    fn paths(self, site: &Site) -> [(&'static str, String); 2] {
        let of = |resource: String| {
            let version = "options.requestedPolicyVersion=3";
            [
                ("GET", format!("{resource}:getIamPolicy?{version}")),
                ("POST", format!("{resource}:setIamPolicy")),
            ]
        };
        match self {
            Self::Bucket => {
                let path = format!("/storage/v1/b/{}/iam", site.bucket);
                [("GET", format!("{path}?optionsRequestedPolicyVersion=3")), ("PUT", path)]
            }
            Self::Topic => of(site.topic()),
            Self::Subscription => of(site.subscription()),
        }
    }

    async fn read(self, site: &Site) -> Value {
        let [(method, path), _] = self.paths(site);
        site.ask(method, &path, Value::Null).await
    }

    async fn give(self, site: &Site) {
        let role = match self {
            Self::Bucket => "roles/storage.objectViewer",
            Self::Topic | Self::Subscription => "roles/pubsub.viewer",
        };
        let mut policy = self.read(site).await;
        let binding = json!({ "role": role, "members": [LATE] });
        match policy["bindings"].as_array_mut() {
            Some(bindings) => bindings.push(binding),
            None => policy["bindings"] = json!([binding]),
        }
        let [_, (method, path)] = self.paths(site);
        let body = if matches!(self, Self::Bucket) { policy } else { json!({ "policy": policy }) };
        site.ask(method, &path, body).await;
    }

    async fn has_it(self, site: &Site) -> bool {
        self.read(site).await.to_string().contains(LATE)
    }
}

/// A site with a service account for the server.
async fn opened() -> (Site, String) {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    (site, server)
}

/// Runs a command, and lets somebody give roles once it has made its plan.
async fn given_after_the_plan(
    site: &Site,
    verb: &str,
    consent: &[&str],
    more: &[&str],
    all: &[Policy],
) -> Ran {
    site.gcp.proxy().clear_journal();
    site.run(verb, &[&["--dry-run"], more].concat()).await.ends(0);
    let looks = site.gcp.proxy().counts().requests;
    let arguments = [consent, more].concat();
    let act = async {
        for policy in all {
            policy.give(site).await;
        }
    };
    let (ran, done) = meanwhile(&site.gcp, looks, site.run(verb, &arguments), act).await;
    assert!(done.is_some(), "it ended before: {ran}");
    ran
}

#[tokio::test]
async fn a_role_that_others_give_after_the_plan_stays() {
    let (site, server) = opened().await;
    // Of others until now, so that all policies are there already.
    let bucket = json!({ "name": site.bucket, "iamConfiguration": { "uniformBucketLevelAccess": { "enabled": true } } });
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), bucket).await;
    site.ask("PUT", &site.topic(), json!({})).await;
    let subscription = json!({ "topic": site.topic().trim_start_matches("/v1/") });
    site.ask("PUT", &site.subscription(), subscription).await;
    let adopting = ["--service-account", &server, "--adopt"];
    given_after_the_plan(&site, "provision", &["--yes"], &adopting, Policy::ALL).await.ends(0);
    for policy in Policy::ALL {
        assert!(policy.has_it(&site).await, "{policy:?}: {}", policy.read(&site).await);
    }
}

#[tokio::test]
async fn a_role_that_the_plan_has_not_shown_does_not_end_with_what_it_is_for() {
    for policy in Policy::ALL {
        let (site, server) = opened().await;
        let account = ["--service-account", &server];
        site.provision(&account).await.ends(0);
        let consent = ["--confirm", NAME];
        let ran = given_after_the_plan(&site, "teardown", &consent, &account, &[*policy]).await;
        assert!(policy.has_it(&site).await, "{policy:?}: {ran}");
        ran.ends(4).tells(&["changed since the plan", "late@acme.com", "hint:"]);
    }
}
