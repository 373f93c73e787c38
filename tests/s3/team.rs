//! Buckets of teams: with keys on each store, and with W&B's principal on CoreWeave.

use serde_json::{Value, json};
use wbstore_sandbox::permission::Call;
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::stores::{Method, Quirk, Store, StoreKind};

use crate::support::{exists, on_each_store, open, provision, teardown, unpassed};

const STORES: &str = "GORILLA_SUPPORTED_FILE_STORES";

on_each_store! {
    teams_live_beside_the_deployment_and_each_is_anothers
    the_address_of_a_team_has_the_keys_of_the_server_where_they_are_asked_for
}

async fn teams_live_beside_the_deployment_and_each_is_anothers(kind: StoreKind) {
    let store = open(kind).await;
    provision(&store, &[]).await.ends(0);
    let buckets = [format!("{}-vision", store.bucket()), format!("{}-audio", store.bucket())];
    let vision = ["--team", "vision", "--bucket", &buckets[0]];
    let audio = ["--team", "audio", "--bucket", &buckets[1]];
    for team in [vision, audio] {
        store.run("plan", &[&team[..], &["--exit-code"]].concat()).await.ends(5);
        provision(&store, &team).await.ends(0);
        store.run("plan", &[&team[..], &["--exit-code"]].concat()).await.ends(0);
        let verified = store.run("verify", &[&team[..], &["--format", "json"]].concat()).await;
        let open = unpassed(&verified);
        let inconclusive = open.iter().find(|(name, _)| name == "access of the reader").expect("not proved");
        assert_eq!(inconclusive.1["verdict"], "inconclusive");
        let failed: Vec<_> = open.iter().filter(|(_, check)| check["verdict"] == "failed").collect();
        assert_eq!(failed.is_empty(), !kind.serves_anybody(), "{verified}");
    }
    let listed = store.run("list", &["--format", "json"]).await.ends(0).json();
    let teams: Vec<_> =
        listed["deployments"].as_array().expect("a list").iter().map(|one| one["team"].as_str()).collect();
    assert_eq!(teams, [None, Some("audio"), Some("vision")], "{listed:#}");

    store.proxy().clear_journal();
    let of_vision = "the team `vision` of the deployment `wandb-acme-com`";
    let refused = async |names: &[&str], owner: &str| {
        let owner: &[&str] = &["belongs to", owner];
        provision(&store, names).await.ends(3).tells(owner);
        provision(&store, &[names, &["--adopt"]].concat()).await.ends(3).tells(owner);
    };
    refused(&["--bucket", &buckets[0]], of_vision).await;
    refused(&["--team", "audio", "--bucket", &buckets[0]], of_vision).await;
    refused(&["--name", "wandb-acme-com-vision", "--bucket", &buckets[0]], of_vision).await;
    refused(&["--team", "vision", "--bucket", store.bucket()], "the deployment `wandb-acme-com`").await;
    teardown(&store, &["--bucket", &buckets[0]]).await.ends(0).tells(&[of_vision]);
    let team = ["--team", "vision", "--bucket", store.bucket(), "--confirm", "wandb-acme-com/vision"];
    store.run("teardown", &team).await.ends(0).tells(&["belongs to the deployment `wandb-acme-com`"]);
    assert_eq!(store.writes(), Vec::<String>::new());

    let confirm = ["--confirm", "wandb-acme-com/vision"];
    store.run("teardown", &[&vision[..], &confirm].concat()).await.ends(0);
    assert!(!exists(&store, &buckets[0]).await);
    store.run("plan", &["--exit-code"]).await.ends(0);
    store.run("plan", &[&audio[..], &["--exit-code"]].concat()).await.ends(0);
    teardown(&store, &[]).await.ends(0);
    store.run("plan", &[&audio[..], &["--exit-code"]].concat()).await.ends(0);
    let confirm = ["--confirm", "wandb-acme-com/audio"];
    store.run("teardown", &[&audio[..], &confirm].concat()).await.ends(0);
    assert!(!exists(&store, &buckets[1]).await);
}

async fn the_address_of_a_team_has_the_keys_of_the_server_where_they_are_asked_for(kind: StoreKind) {
    let store = open(kind).await;
    let file = store.credentials_file().to_str().expect("text").to_owned();
    let team = ["--team", "vision", "--server-credentials", &file];
    provision(&store, &team).await.ends(0);
    let (id, secret) = (store.node().id.clone(), store.node().secret.clone());
    // One store has the same text for both.
    let shows =
        |text: &str| text.contains(&secret) && (id != secret || text.contains(&format!(":{secret}@")));
    let withheld = store.run("config", &team).await.ends(0);
    assert!(!shows(&withheld.to_string()), "{withheld}");
    assert!(withheld.stdout.contains(&format!("# {STORES}=s3://")), "{withheld}");
    let revealed =
        store.run("config", &[&team[..], &["--reveal", "--output", "json"]].concat()).await.ends(0);
    let address = revealed.json()[STORES].as_str().expect("an address").to_owned();
    for part in ["region=us-east-1", "tls=false", store.bucket()] {
        assert!(address.contains(part), "{address}");
    }
    assert_eq!(address.matches('?').count(), 1, "{address}");

    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("settings.env");
    std::fs::write(&settings, format!("{STORES}='{address}'\n")).expect("written");
    let mut check = store.wbstore();
    let path = settings.to_str().expect("text");
    check.args(["check", "--settings", path, "--only", "bucket", "--offline", "--format", "json"]);
    let form = finish(check).await.ends(0).check("GORILLA_SUPPORTED_FILE_STORES form");
    assert_eq!(form["verdict"], "passed", "{form:#}");
    assert!(!shows(&form.to_string()), "{form:#}");

    // The address of another team joins those in the settings, and no secret shows.
    let other = format!("{}-audio", store.bucket());
    let audio = ["--team", "audio", "--bucket", &other, "--server-credentials", &file];
    provision(&store, &audio).await.ends(0);
    let joined = ["--settings", path, "--reveal", "--output", "json"];
    let joined = store.run("config", &[&audio[..], &joined].concat()).await.ends(0).json();
    let joined = joined[STORES].as_str().expect("addresses").to_owned();
    assert!(joined.starts_with(&format!("{address},s3://")) && joined.contains(&other), "{joined}");
    let hidden = store.run("config", &[&audio[..], &["--settings", path]].concat()).await.ends(0);
    assert!(!shows(&hidden.to_string()), "{hidden}");
    assert!(hidden.stdout.contains(store.bucket()) && hidden.stdout.contains(&other), "{hidden}");
    let helm = ["--settings", path, "--output", "helm"];
    let helm = store.run("config", &[&audio[..], &helm].concat()).await.ends(0);
    assert!(helm.stdout.contains("extraEnv:") && !shows(&helm.to_string()), "{helm}");

    // The server's own key proves itself.
    let served = ["--as", "node", "--format", "json"];
    let served = store.run("verify", &[&team[..], &served].concat()).await.ends(0);
    assert!(!served.stdout.contains("receive"), "{served}");
}

/// A stand-in for CoreWeave.
struct Coreweave(Store);

impl Coreweave {
    async fn open() -> Self {
        let store = open(StoreKind::Moto).await;
        store.proxy().add_quirk(Quirk::Coreweave);
        Self(store)
    }

    async fn run(&self, verb: &str, more: &[&str]) -> Ran {
        let endpoint = self.0.coreweave_endpoint();
        let place = ["--endpoint", &endpoint, "--allow-http", "--region", "us-east-1"];
        let mut command = self.0.command(verb, &[&place[..], more].concat());
        command.envs(self.0.virtual_env());
        finish(command).await
    }

    async fn policy(&self) -> String {
        self.0.done(Method::GET, &format!("/{}?policy", self.0.bucket()), "").await
    }

    /// Whether `principal`, on behalf of a customer of W&B, may read a file.
    async fn lets(&self, principal: Option<&str>, customer: &str) -> bool {
        let policy: Value = serde_json::from_str(&self.policy().await).expect("a policy");
        let file = format!("arn:aws:s3:::{}/runs/a", self.0.bucket());
        let bucket = format!("arn:aws:s3:::{}", self.0.bucket());
        let calls = [("s3:GetObject", &file), ("s3:PutObject", &file), ("s3:GetBucketCORS", &bucket)];
        let allowed = calls.map(|(action, resource)| {
            Call::new(principal, action, resource).with("wandb:orgid", customer).is_allowed_by(&policy)
        });
        assert!(allowed.iter().all(|one| *one == allowed[0]), "{allowed:?}: {policy:#}");
        let more = Call::new(principal, "s3:DeleteBucket", &bucket).with("wandb:orgid", customer);
        assert!(!more.is_allowed_by(&policy), "{principal:?} may delete the bucket: {policy:#}");
        allowed[0]
    }
}

const DEDICATED: &str = "arn:aws:iam::wandb:static/wandb-integration";
const MULTI_TENANT: &str = "arn:aws:iam::wandb:static/wandb-integration-public";

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn on_coreweave_wandbs_principal_may_use_the_bucket_for_one_customer() {
    let store = Coreweave::open().await;
    for (reader, principal, other) in
        [("self-managed", DEDICATED, MULTI_TENANT), ("multi-tenant", MULTI_TENANT, DEDICATED)]
    {
        let team = ["--team", "vision", "--wandb-org-id", "acme-1", "--reader", reader];
        store.run("provision", &[&team[..], &["--yes"]].concat()).await.ends(0);
        store.run("plan", &[&team[..], &["--exit-code"]].concat()).await.ends(0);
        assert!(store.lets(Some(principal), "acme-1").await);
        for (whom, customer) in [(Some(principal), "acme-2"), (Some(other), "acme-1"), (None, "acme-1")] {
            assert!(!store.lets(whom, customer).await, "{whom:?} for {customer}");
        }
        let verified = store.run("verify", &[&team[..], &["--format", "json"]].concat()).await;
        let checks = unpassed(&verified);
        let names: Vec<_> =
            checks.iter().map(|(name, check)| (name.as_str(), check["verdict"].as_str())).collect();
        assert_eq!(names, [("access of the reader", Some("inconclusive"))], "{verified}");
        assert!(checks[0].1.to_string().contains(principal), "{verified}");
        assert!(verified.check("addressing")["detail"].to_string().contains("by host name"), "{verified}");
    }
    // The whole value of the variable, as W&B's page has it, and no key.
    let team = ["--team", "vision", "--wandb-org-id", "acme-1", "--reader", "multi-tenant"];
    let config = store.run("config", &team).await.ends(0);
    assert_eq!(config.outputs().get(STORES), Some(&"cw://"), "{config}");
    assert!(config.stdout.contains("enter the name of the bucket only"), "{config}");
    store.run("teardown", &["--team", "vision", "--confirm", "wandb-acme-com/vision"]).await.ends(0);
    assert!(!exists(&store.0, store.0.bucket()).await);
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn on_coreweave_the_statements_of_others_survive_to_the_byte() {
    let store = Coreweave::open().await;
    let bucket = store.0.bucket().to_owned();
    store.0.done(Method::PUT, &format!("/{bucket}"), "").await;
    store.0.done(Method::PUT, &format!("/{bucket}/theirs"), "x").await;
    let theirs = format!(
        r#"{{ "Sid":"AllowUsersInOrg","Action" : "s3:*", "Effect":"Allow","Resource":["arn:aws:s3:::{bucket}"],"Principal":{{"CW":"arn:aws:iam::acme42:*"}}}}"#
    );
    let before = format!(r#"{{"Version":"2012-10-17","Id":"theirs","Statement":[{theirs}]}}"#);
    store.0.done(Method::PUT, &format!("/{bucket}?policy"), &before).await;
    let team = ["--team", "vision", "--wandb-org-id", "acme-1"];
    let yes = [&team[..], &["--yes"]].concat();
    store.run("provision", &yes).await.ends(3).tells(&["has no wbstore mark"]);
    store.run("provision", &[&yes[..], &["--adopt"]].concat()).await.ends(0);
    assert!(store.policy().await.contains(&theirs), "{}", store.policy().await);
    assert!(store.lets(Some(DEDICATED), "acme-1").await);
    store.run("plan", &[&team[..], &["--exit-code"]].concat()).await.ends(0);
    store.run("teardown", &["--team", "vision", "--confirm", "wandb-acme-com/vision"]).await.ends(0);
    assert_eq!(store.policy().await, before);
}

#[tokio::test]
async fn what_a_store_or_coreweave_has_no_use_for_is_refused_before_any_request() {
    let store = Coreweave(open(StoreKind::S3sFs).await);
    let refused = async |ran: Ran, words: &[&str]| {
        ran.ends(2).tells(words).tells(&["hint:"]);
        assert!(store.0.writes().is_empty() && store.0.proxy().journal().is_empty(), "{words:?}");
    };
    let coreweave = async |more: &[&str]| store.run("provision", &[&["--yes"], more].concat()).await;
    refused(coreweave(&["--team", "vision"]).await, &["--wandb-org-id ID", "Customer Namespace"]).await;
    let named = ["--team", "vision", "--wandb-org-id", "acme-1"];
    refused(coreweave(&[&named[..], &["--bucket", "cw-acme"]].concat()).await, &["which CoreWeave reserves"])
        .await;
    refused(coreweave(&[&named[..], &["--bucket", "acme_b"]].concat()).await, &["contains `_`"]).await;
    refused(coreweave(&["--wandb-org-id", "acme-1"]).await, &["has no effect without --team"]).await;
    let open_to_all = ["--team", "vision", "--wandb-org-id", "*"];
    refused(coreweave(&open_to_all).await, &["is not a customer namespace"]).await;
    let elsewhere = provision(&store.0, &["--team", "vision", "--reader", "dedicated"]).await;
    refused(elsewhere, &["--reader has no effect on this store"]).await;
    assert_eq!(json!([]), json!(store.0.writes()));
}
