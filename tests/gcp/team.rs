//! Buckets of teams: their own life beside the deployment's, who may use them, and what the server is given.

use serde_json::{Value, json};

use crate::support::{NAME, Site, finish};

const DEDICATED: &str = "deploy@wandb-production.iam.gserviceaccount.com";
const MULTI_TENANT: &str = "wandb-integration@wandb-production.iam.gserviceaccount.com";

/// What W&B does with a bucket: it reads its attributes and CORS rules, and files.
const LISTED: [&str; 5] = [
    "storage.buckets.get",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
];

/// One team of the site's deployment.
struct Team<'a> {
    site: &'a Site,
    arguments: Vec<String>,
    bucket: String,
}

impl<'a> Team<'a> {
    async fn with(site: &'a Site, name: &str, more: &[&str]) -> Self {
        let arguments = [&["--team", name], more].concat();
        let planned = site.plan(&arguments).await;
        let [output] = planned["outputs"].as_array().expect("outputs").as_slice() else {
            panic!("{planned:#}")
        };
        assert_eq!(output["name"], "GORILLA_SUPPORTED_FILE_STORES");
        let bucket =
            output["value"].as_str().and_then(|value| value.strip_prefix("gs://")).expect("an address");
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self { site, arguments, bucket: bucket.to_owned() }
    }

    fn arguments<'b>(&'b self, more: &[&'b str]) -> Vec<&'b str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    async fn provisioned(&self) {
        self.site.provision(&self.arguments(&[])).await.ends(0);
        self.site.run("plan", &self.arguments(&["--exit-code"])).await.ends(0);
    }

    async fn policy(&self) -> Value {
        self.site.get(&format!("/storage/v1/b/{}/iam", self.bucket)).await["bindings"].clone()
    }

    async fn teardown(&self, name: &str, more: &[&str]) -> wbstore_sandbox::ran::Ran {
        let confirm = format!("{NAME}/{name}");
        self.site.run("teardown", &[&["--team", name, "--confirm", &confirm], more].concat()).await
    }

    async fn exists(&self) -> bool {
        self.site
            .gcp
            .control()
            .try_ask("GET", &format!("/storage/v1/b/{}", self.bucket), Value::Null)
            .await
            .is_some()
    }

    /// Checks that `reader` may do what W&B does, and that neither everyone nor another account may.
    fn is_open_to(&self, reader: &str) {
        let double = self.site.gcp.double();
        for permission in LISTED {
            assert!(double.grants_on(&self.bucket, Some(reader), permission), "{reader} lacks {permission}");
            let others =
                [None, Some("stranger@acme.iam.gserviceaccount.com"), Some(DEDICATED), Some(MULTI_TENANT)];
            for other in others.into_iter().filter(|other| *other != Some(reader)) {
                assert!(!double.grants_on(&self.bucket, other, permission), "{other:?} has {permission}");
            }
        }
    }
}

fn server(site: &Site) -> String {
    let email = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&email, &[]);
    email
}

#[tokio::test]
async fn two_teams_beside_the_deployment_each_have_a_life_of_their_own() {
    let site = Site::provisioned().await;
    let server = server(&site);
    let vision = Team::with(&site, "vision", &["--service-account", &server]).await;
    let audio = Team::with(&site, "audio", &["--reader", "dedicated"]).await;
    vision.provisioned().await;
    audio.provisioned().await;
    vision.is_open_to(&server);
    audio.is_open_to(DEDICATED);
    site.run("plan", &["--exit-code"]).await.ends(0);
    let left = site.left().await;
    assert_eq!(
        (&left[1], &left[2]),
        (&json!(["wbstore-wandb-acme-com"]), &json!(["wbstore-wandb-acme-com"]))
    );
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let deployments = listed["deployments"].as_array().expect("a list");
    let teams: Vec<_> = deployments.iter().map(|one| (one["name"].as_str(), one["team"].as_str())).collect();
    assert_eq!(teams, [(Some(NAME), None), (Some(NAME), Some("audio")), (Some(NAME), Some("vision"))]);
    assert!(deployments.iter().all(|one| one["missing"] == json!([])), "{listed:#}");

    // What the server does with the bucket it can do, with its own credentials.
    let mut process =
        site.command("verify", &vision.arguments(&["--as", "node", "--within", "20s", "--format", "json"]));
    process.envs(site.gcp.env_as(&server));
    let served = finish(process).await.ends(0);
    for name in ["presigned PUT", "presigned GET", "HEAD", "list", "multipart upload", "delete"] {
        assert_eq!(served.check(name)["verdict"], "passed", "{name}\n{served}");
    }
    assert!(!served.stdout.contains("receive"), "{served}");

    vision.teardown("vision", &["--service-account", &server]).await.ends(0);
    assert_eq!((vision.exists().await, audio.exists().await), (false, true));
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    site.run("plan", &audio.arguments(&["--exit-code"])).await.ends(0);
    audio.teardown("audio", &[]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn the_published_accounts_may_do_what_wandb_lists_and_nobody_else_may() {
    let site = Site::open().await;
    for (reader, account) in [("dedicated", DEDICATED), ("multi-tenant", MULTI_TENANT)] {
        let team = Team::with(&site, reader, &["--reader", reader]).await;
        team.provisioned().await;
        team.is_open_to(account);
        let verified = site.run("verify", &team.arguments(&["--format", "json"])).await.ends(0);
        for name in ["permissions of the reader", "soft delete"] {
            assert_eq!(verified.check(name)["verdict"], "passed", "{verified}");
        }
        let access = verified.check("access of the reader");
        assert_eq!(access["verdict"], "inconclusive");
        assert!(access["reason"].as_str().is_some_and(|reason| reason.contains(account)), "{access:#}");
        assert!(!verified.stdout.contains("\"event\""), "a team has no events: {verified}");
    }
}

#[tokio::test]
async fn another_kind_of_reader_takes_the_place_of_the_former_one_with_all_its_roles() {
    let site = Site::open().await;
    let server = server(&site);
    Team::with(&site, "vision", &["--reader", "dedicated"]).await.provisioned().await;
    let team = Team::with(&site, "vision", &["--service-account", &server]).await;
    site.run("plan", &team.arguments(&["--exit-code"])).await.ends(5);
    team.provisioned().await;
    team.is_open_to(&server);
    assert!(!team.policy().await.to_string().contains("storage.admin"), "{:#}", team.policy().await);
    let team = Team::with(&site, "vision", &["--reader", "multi-tenant"]).await;
    team.provisioned().await;
    team.is_open_to(MULTI_TENANT);
    // The role of the reader is taken away by others.
    site.ask("PUT", &format!("/storage/v1/b/{}/iam", team.bucket), json!({ "bindings": [] })).await;
    site.run("plan", &team.arguments(&["--exit-code"])).await.ends(5);
    let verified = site.run("verify", &team.arguments(&["--format", "json"])).await.ends(6);
    assert_eq!(verified.check("permissions of the reader")["verdict"], "failed", "{verified}");
    team.provisioned().await;
    team.is_open_to(MULTI_TENANT);
}

#[tokio::test]
async fn soft_delete_is_turned_on_and_a_longer_one_stays() {
    let site = Site::open().await;
    // As an organization may set it for its projects.
    site.gcp.control().default_soft_delete(0);
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    team.provisioned().await;
    let path = format!("/storage/v1/b/{}", team.bucket);
    let kept = async || site.get(&path).await["softDeletePolicy"]["retentionDurationSeconds"].clone();
    assert_eq!(kept().await, "604800");
    let set = async |seconds: &str| {
        let policy = json!({ "softDeletePolicy": { "retentionDurationSeconds": seconds } });
        site.ask("PATCH", &path, policy).await;
    };
    set("2592000").await;
    site.run("plan", &team.arguments(&["--exit-code"])).await.ends(0);
    set("0").await;
    let planned = site.run("plan", &team.arguments(&["--exit-code"])).await.ends(5);
    assert!(planned.stdout.contains("soft_delete"), "{planned}");
    let verified = site.run("verify", &team.arguments(&["--format", "json"])).await.ends(6);
    let failed = verified.check("soft delete");
    assert!(
        failed["reason"].as_str().unwrap().contains("Bucket does not have soft deletion enabled"),
        "{failed:#}"
    );
    team.provisioned().await;
    assert_eq!(kept().await, "604800");
    let off = team.arguments(&["--soft-delete", "0"]);
    site.run("plan", &off).await.ends(2).tells(&["refuses a team's bucket without soft delete"]);
}

#[tokio::test]
async fn an_adopted_bucket_gets_its_policy_back() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    let project = site.gcp.project();
    site.ask(
        "POST",
        &format!("/storage/v1/b?project={project}"),
        json!({ "name": team.bucket, "location": "US" }),
    )
    .await;
    let theirs = json!([
        { "role": "roles/storage.objectViewer", "members": ["user:ann@acme.com"],
          "condition": { "title": "till spring", "expression": "request.time < timestamp('2027-03-01T00:00:00Z')" } },
        { "role": "roles/storage.admin", "members": ["user:bob@acme.com"] },
    ]);
    let policy = json!({ "version": 3, "bindings": theirs });
    site.ask("PUT", &format!("/storage/v1/b/{}/iam", team.bucket), policy).await;
    site.provision(&team.arguments(&[])).await.ends(3).tells(&["has no wbstore mark"]);
    let plan = site.run("plan", &team.arguments(&["--adopt"])).await.ends(0);
    for kept in ["roles/storage.admin for user:bob@acme.com", "if `till spring`"] {
        assert!(plan.stdout.contains(kept), "{plan}");
    }
    site.provision(&team.arguments(&["--adopt"])).await.ends(0);
    team.is_open_to(DEDICATED);
    site.run("plan", &team.arguments(&["--exit-code"])).await.ends(0);
    team.teardown("vision", &[])
        .await
        .ends(3)
        .tells(&["deploy_wandb-production", "add `--reader dedicated`"]);
    team.teardown("vision", &["--reader", "dedicated"]).await.ends(0);
    let path = format!("/storage/v1/b/{}/iam?optionsRequestedPolicyVersion=3", team.bucket);
    assert_eq!(site.get(&path).await["bindings"], theirs);
    assert!(team.exists().await);
}

#[tokio::test]
async fn the_bucket_of_a_team_is_anothers_for_the_deployment_and_for_other_teams() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    team.provisioned().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    site.gcp.proxy().clear_journal();
    let refused = async |arguments: &[&str], owner: &str| {
        site.provision(arguments).await.ends(3).tells(&["belongs to", owner]);
        site.provision(&[arguments, &["--adopt"]].concat()).await.ends(3).tells(&[owner]);
        site.is_untouched();
    };
    let of_team = "the team `vision` of the deployment `wandb-acme-com`";
    refused(&["--bucket", &team.bucket, "--queue", "internal"], of_team).await;
    let audio = ["--team", "audio", "--reader", "dedicated"];
    refused(&[&audio[..], &["--bucket", &team.bucket]].concat(), of_team).await;
    let alike = ["--name", "wandb-acme-com-vision", "--queue", "internal", "--bucket", &team.bucket];
    refused(&alike, of_team).await;
    refused(&[&audio[..], &["--bucket", &site.bucket]].concat(), "the deployment `wandb-acme-com`").await;
    site.teardown(&["--bucket", &team.bucket, "--queue", "internal"]).await.ends(0).tells(&[of_team]);
    site.is_untouched();
    let untouched = ["--team", "audio", "--confirm", "wandb-acme-com/audio", "--bucket", &site.bucket];
    site.run("teardown", &untouched).await.ends(0).tells(&["belongs to the deployment `wandb-acme-com`"]);
    site.is_untouched();
}

#[tokio::test]
async fn what_a_team_has_no_use_for_is_refused_before_any_request() {
    let site = Site::open().await;
    let refused = async |arguments: &[&str], words: &[&str]| {
        site.gcp.proxy().clear_journal();
        site.provision(arguments).await.ends(2).tells(words).tells(&["hint:"]);
        assert!(site.gcp.proxy().journal().is_empty(), "{arguments:?} sent something");
    };
    let team = ["--team", "vision", "--reader", "dedicated"];
    for (option, value) in [("--queue", "pubsub"), ("--topic", "uploads"), ("--subscription", "uploads")] {
        let arguments = [&team[..], &[option, value]].concat();
        refused(&arguments, &[&format!("{option} has no effect with --team")]).await;
    }
    refused(&["--team", "vision"], &["identity of the server", "`--service-account EMAIL`"]).await;
    refused(&["--reader", "dedicated"], &["--reader has no effect without --team"]).await;
    let both = ["--service-account", "wandb@acme.iam.gserviceaccount.com"];
    refused(&[&team[..], &both].concat(), &["--service-account has no effect with --reader"]).await;
}

#[tokio::test]
async fn the_server_gets_the_address_and_the_operator_the_permissions() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    let printed = ["--for", "operator", "--format", "json"];
    let printed = site.run("policy", &team.arguments(&printed)).await.ends(0).json();
    let permissions: Vec<_> =
        printed["includedPermissions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let operator = format!("ops@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&operator, &permissions);
    let teardown = ["--team", "vision", "--confirm", "wandb-acme-com/vision"];
    for (command, arguments) in [
        ("provision", team.arguments(&["--yes"])),
        ("plan", team.arguments(&["--exit-code"])),
        ("verify", team.arguments(&[])),
        ("config", team.arguments(&[])),
        ("teardown", teardown.to_vec()),
    ] {
        let mut process = site.command(command, &arguments);
        process.envs(site.gcp.env_as(&operator));
        let ran = finish(process).await.ends(0);
        if command == "config" {
            let address = format!("gs://{}", team.bucket);
            assert_eq!(ran.outputs().get("GORILLA_SUPPORTED_FILE_STORES"), Some(&address.as_str()));
            assert!(ran.stdout.contains("Google Cloud, and enter as the bucket path gs://"), "{ran}");
        }
    }
    let commands = ["--for", "node", "--format", "commands"];
    let commands = site.run("policy", &team.arguments(&commands)).await.ends(0);
    assert!(commands.stdout.contains("wbstore_wandb_acme_com_vision_"), "a role of its own: {commands}");
    site.run("policy", &team.arguments(&["--for", "team-key"])).await.ends(2).tells(&["KMS key"]);
}

#[tokio::test]
async fn the_environment_names_a_team_for_the_commands_that_have_one() {
    let site = Site::provisioned().await;
    let env = [("WBSTORE_TEAM", "vision")];
    let reader = ["--reader", "dedicated", "--format", "json"];
    let planned = site.run_with(&env, "plan", &reader).await.ends(0).json();
    assert_eq!(planned["deployment"], "wandb-acme-com/vision");
    let named = [&["--team", "audio"], &reader[..]].concat();
    let planned = site.run_with(&env, "plan", &named).await.ends(0).json();
    assert_eq!(planned["deployment"], "wandb-acme-com/audio", "the command line comes first");
    // It neither names another deployment to delete nor stops what has no team.
    site.run_with(&env, "teardown", &["--confirm", NAME]).await.ends(0).tells(&["wbstore list gcp"]);
    site.run_with(&env, "teardown", &["--expired"]).await.ends(0);
    site.run_with(&env, "list", &[]).await.ends(0);
    site.is_untouched();
}
