//! Buckets of teams: their own life beside the deployment's, who may use them, and what the server is given.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::permission::Call;

use crate::support::{NAME, Site, finish};

const DEDICATED: &str = "arn:aws:iam::830241207209:root";
const MULTI_TENANT: &str = "arn:aws:iam::725579432336:role/WandbIntegration";
const STRANGERS: [Option<&str>; 3] =
    [None, Some("arn:aws:iam::999988887777:root"), Some("arn:aws:iam::725579432336:role/Other")];

/// What W&B's page lists, with an action that each wildcard covers (docs.wandb.ai, "Bring your own bucket").
const OF_BUCKET: [&str; 7] = [
    "s3:GetEncryptionConfiguration",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
];
const OF_OBJECTS: [&str; 5] =
    ["s3:GetObject", "s3:GetObjectAttributes", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"];
/// What it does not.
const UNLISTED: [&str; 5] = [
    "s3:DeleteBucket",
    "s3:PutBucketPolicy",
    "s3:PutBucketCORS",
    "s3:PutEncryptionConfiguration",
    "s3:DeleteObjectVersion",
];

const READ_POLICY: &str = "s3.get_bucket_policy(Bucket=team)['Policy']";

/// One team of the site's deployment.
struct Team<'a> {
    site: &'a Site,
    arguments: Vec<String>,
    bucket: String,
}

impl<'a> Team<'a> {
    /// The team `name`, whose bucket the server's role uses.
    async fn of(site: &'a Site, name: &str) -> Self {
        let role = format!("arn:aws:iam::{}:role/wandb", site.account());
        Self::with(site, name, &["--node-role", &role]).await
    }

    async fn with(site: &'a Site, name: &str, more: &[&str]) -> Self {
        let arguments = [&["--team", name], more].concat();
        let planned = site.plan(&arguments).await;
        let [output] = planned["outputs"].as_array().expect("outputs").as_slice() else {
            panic!("{planned:#}")
        };
        let address = output["value"].as_str().expect("an address");
        let rest = address.strip_prefix("s3://s3.us-east-1.amazonaws.com/").expect("its endpoint");
        let bucket = rest.strip_suffix("?region=us-east-1").expect("its region").to_owned();
        Self { site, arguments: arguments.iter().map(ToString::to_string).collect(), bucket }
    }

    fn arguments<'b>(&'b self, more: &[&'b str]) -> Vec<&'b str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    async fn provisioned(&self) {
        self.site.provision(&self.arguments(&[])).await.ends(0);
    }

    async fn is_as_described(&self) {
        self.site.run("plan", &self.arguments(&["--exit-code"])).await.ends(0);
    }

    async fn boto(&self, code: &str) -> Value {
        self.site.boto(&format!("team = '{}'\n{code}", self.bucket)).await
    }

    async fn policy(&self) -> Value {
        let text = self.boto(READ_POLICY).await;
        serde_json::from_str(text.as_str().expect("text")).expect("a policy")
    }

    async fn exists(&self) -> bool {
        self.boto("team in [bucket['Name'] for bucket in s3.list_buckets()['Buckets']]").await == json!(true)
    }

    /// Checks that `reader` may do what W&B lists on the bucket over TLS, and that nobody else may.
    async fn is_open_to(&self, reader: &str) {
        let policy = self.policy().await;
        let bucket = format!("arn:aws:s3:::{}", self.bucket);
        let objects = format!("{bucket}/runs/a");
        let listed = OF_BUCKET.iter().map(|action| (*action, &bucket));
        let listed: Vec<_> = listed.chain(OF_OBJECTS.iter().map(|action| (*action, &objects))).collect();
        for (action, resource) in &listed {
            let call = Call::new(Some(reader), action, resource);
            assert!(call.is_allowed_by(&policy), "{reader} may not {action}: {policy:#}");
            assert!(
                !call.with("aws:securetransport", "false").is_allowed_by(&policy),
                "{action} without TLS"
            );
        }
        let elsewhere = format!("{bucket}-2/runs/a");
        assert!(!Call::new(Some(reader), "s3:GetObject", &elsewhere).is_allowed_by(&policy));
        for action in UNLISTED {
            for resource in [&bucket, &objects] {
                assert!(
                    !Call::new(Some(reader), action, resource).is_allowed_by(&policy),
                    "{reader} may {action}"
                );
            }
        }
        for stranger in STRANGERS {
            for (action, resource) in &listed {
                let call = Call::new(stranger, action, resource);
                assert!(!call.is_allowed_by(&policy), "{stranger:?} may {action}: {policy:#}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn two_teams_beside_the_deployment_each_have_a_life_of_their_own() {
    let site = Site::open_provisioned().await;
    let (vision, audio) = (Team::of(&site, "vision").await, Team::of(&site, "audio").await);
    assert!(vision.bucket.starts_with("wbstore-wandb-acme-com-vision-"), "{}", vision.bucket);
    for team in [&vision, &audio] {
        team.provisioned().await;
        team.is_as_described().await;
        team.is_open_to(&format!("arn:aws:iam::{}:role/wandb", site.account())).await;
        let queues =
            site.boto("[url.rsplit('/', 1)[1] for url in sqs.list_queues().get('QueueUrls', [])]").await;
        assert_eq!(queues, json!(["wbstore-wandb-acme-com"]), "a team has no queue");
        assert_eq!(
            team.boto("s3.get_bucket_notification_configuration(Bucket=team).get('QueueConfigurations')")
                .await,
            Value::Null
        );
    }
    site.run("plan", &["--exit-code"]).await.ends(0);
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let deployments = listed["deployments"].as_array().expect("a list");
    let names: Vec<_> = deployments.iter().map(|one| (&one["name"], &one["team"])).collect();
    let name = json!(NAME);
    assert_eq!(names, [(&name, &Value::Null), (&name, &json!("audio")), (&name, &json!("vision"))]);
    assert_eq!(deployments[1]["parts"], json!([{"kind": "bucket", "name": audio.bucket}]));
    assert_eq!(deployments[1]["missing"], json!([]));
    let table = site.run("list", &[]).await.ends(0).stdout;
    assert!(table.lines().any(|row| row.starts_with("wandb-acme-com/audio ")), "{table}");

    // Each is torn down alone; the name to confirm is its own.
    site.teardown(&["--team", "vision"]).await.ends(2).tells(&["--confirm wandb-acme-com/vision"]);
    site.run("teardown", &["--team", "vision", "--confirm", "wandb-acme-com/vision"]).await.ends(0);
    assert_eq!((vision.exists().await, audio.exists().await), (false, true));
    site.run("plan", &["--exit-code"]).await.ends(0);
    audio.is_as_described().await;
    site.teardown(&[]).await.ends(0);
    assert!(audio.exists().await);
    audio.is_as_described().await;
    site.run("teardown", &["--team", "audio", "--confirm", "wandb-acme-com/audio"]).await.ends(0);
    let left = site.run("list", &["--format", "json"]).await.ends(0).json();
    assert_eq!(left["deployments"], json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_published_principals_may_do_what_wandb_lists_and_nobody_else_may() {
    let site = Site::open().await;
    for (reader, principal) in [("dedicated", DEDICATED), ("multi-tenant", MULTI_TENANT)] {
        let team = Team::with(&site, reader, &["--reader", reader]).await;
        team.provisioned().await;
        team.is_as_described().await;
        team.is_open_to(principal).await;
        let verified = site.run("verify", &team.arguments(&["--format", "json"])).await.ends(0);
        assert_eq!(verified.check("permissions of the reader")["verdict"], "passed", "{verified}");
        let access = verified.check("access of the reader");
        assert_eq!(access["verdict"], "inconclusive");
        let reason = access["reason"].as_str().expect("a reason");
        assert!(reason.contains(principal) && reason.contains("at the bottom of the page"), "{reason}");
        assert!(!verified.stdout.contains("\"event\""), "a team has no events: {verified}");
    }
    let theirs = "arn:aws:iam::111122223333:role/wandb/server";
    let team = Team::with(&site, "named", &["--reader", theirs]).await;
    team.provisioned().await;
    team.is_open_to(theirs).await;
    let config = site.run("config", &team.arguments(&[])).await.ends(0);
    assert!(config.stdout.contains(&format!("{theirs} is of another account")), "{config}");
    let own = Team::of(&site, "own").await;
    own.provisioned().await;
    let config = site.run("config", &own.arguments(&[])).await.ends(0);
    assert!(!config.stdout.contains("of another account"), "{config}");
    let verified = site.run("verify", &own.arguments(&["--format", "json"])).await.ends(0);
    let access = verified.check("access of the reader")["reason"].as_str().unwrap_or_default().to_owned();
    let command = "`wbstore verify aws --host https://wandb.acme.com --team own --as node`";
    assert!(access.contains(command), "{access}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_reader_and_a_change_by_others_are_drift() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    team.provisioned().await;
    let own = format!("arn:aws:iam::{}:role/wandb", site.account());
    let other = ["--team", "vision", "--node-role", &own];
    let planned = site.plan(&other).await;
    let reader = format!("aws/reader/{}", team.bucket);
    let steps = planned["steps"].as_array().expect("steps");
    let acting: Vec<_> = steps.iter().filter(|step| step["action"] != "no_op").collect();
    assert_eq!((acting.len(), &acting[0]["address"]), (1, &json!(reader)), "{planned:#}");
    assert_eq!(acting[0]["changes"][0]["field"], "statement.Principal.AWS");
    site.provision(&other).await.ends(0);
    team.is_open_to(&own).await;

    let changed = "
policy = json.loads(s3.get_bucket_policy(Bucket=team)['Policy'])
for statement in policy['Statement']:
    if statement['Sid'].endswith('-Reader'): statement['Action'] = ['s3:GetObject']
s3.put_bucket_policy(Bucket=team, Policy=json.dumps(policy))
";
    team.boto(changed).await;
    site.run("plan", &[&other[..], &["--exit-code"]].concat()).await.ends(5);
    let verified = site.run("verify", &[&other[..], &["--format", "json"]].concat()).await.ends(6);
    let failed = verified.check("permissions of the reader");
    assert_eq!(failed["verdict"], "failed");
    assert!(failed["reason"].as_str().unwrap().contains(&own), "{failed:#}");
    site.provision(&other).await.ends(0);
    team.is_open_to(&own).await;
}

/// A bucket of others with statements that nobody else would write so.
const PLANT: &str = r#"
s3.create_bucket(Bucket=team)
s3.put_object(Bucket=team, Key='theirs', Body=b'x')
s3.put_bucket_policy(Bucket=team, Policy='''{"Id":"theirs","Version":"2012-10-17","Statement":[{ "Sid" : "read",
  "Effect":"Allow", "Principal":{"AWS":["arn:aws:iam::%s:root"]},"Action":["s3:GetObject"  ],
  "Resource":"arn:aws:s3:::%s/\\u0061*"}]}''' % (account, team))
"#;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_adopted_bucket_keeps_the_statements_of_others_to_the_byte_and_gets_its_policy_back() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    let before = team.boto(&format!("{PLANT}{READ_POLICY}")).await;
    let before = before.as_str().expect("text");
    // It holds something, and so is nothing that an interrupted run has left.
    site.provision(&team.arguments(&[])).await.ends(3).tells(&["has no wbstore mark", "--adopt"]);
    let plan = site.run("plan", &team.arguments(&["--adopt"])).await.ends(0);
    assert!(plan.stdout.contains("statement `read`"), "{plan}");
    site.provision(&team.arguments(&["--adopt"])).await.ends(0).tells(&["kept"]);
    let theirs = &before[before.find("{ \"Sid\"").expect("theirs")..before.rfind("]}").expect("its end")];
    let with_ours = team.boto(READ_POLICY).await;
    let with_ours = with_ours.as_str().expect("text");
    assert!(with_ours.contains(theirs), "{theirs} is not in {with_ours}");
    assert!(with_ours.contains("wbstore-wandb-acme-com-Team-vision-Reader"), "{with_ours}");
    team.is_as_described().await;
    site.run("teardown", &["--team", "vision", "--confirm", "wandb-acme-com/vision"]).await.ends(0);
    let after = team.boto(READ_POLICY).await;
    let theirs_again: Value = serde_json::from_str(after.as_str().expect("text")).expect("a policy");
    assert_eq!(theirs_again, serde_json::from_str::<Value>(before).expect("a policy"));
    assert!(after.as_str().is_some_and(|after| after.contains(theirs)), "{after} has no {theirs}");
    assert!(team.exists().await);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_statement_of_others_with_the_same_effect_is_used_or_replaced() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    team.provisioned().await;
    // As W&B's Terraform module has it.
    team.boto(
        "
policy = json.loads(s3.get_bucket_policy(Bucket=team)['Policy'])
for statement in policy['Statement']:
    if statement['Sid'].endswith('-Reader'): statement['Sid'] = 'WAndBAccountAccess'
s3.put_bucket_policy(Bucket=team, Policy=json.dumps(policy))
",
    )
    .await;
    let ran = site.run("plan", &team.arguments(&["--exit-code"])).await.ends(0);
    assert!(ran.stdout.contains("statement `WAndBAccountAccess`"), "{ran}");
    site.provision(&team.arguments(&["--adopt"])).await.ends(0);
    let policy = team.policy().await.to_string();
    assert!(policy.contains("-Reader") && !policy.contains("WAndBAccountAccess"), "{policy}");
    team.is_open_to(DEDICATED).await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn names_that_look_alike_are_not_taken_for_each_other() {
    let site = Site::open().await;
    let role = format!("arn:aws:iam::{}:role/wandb", site.account());
    let storages: [&[&str]; 4] = [
        &["--name", "acme", "--queue", "internal"],
        &["--name", "acme", "--team", "a-b"],
        &["--name", "acme-a", "--team", "b"],
        &["--name", "acme-a-b", "--queue", "internal"],
    ];
    let described = |names: &[&'static str]| -> Vec<&str> {
        let role = if names.contains(&"--team") { vec!["--node-role", role.as_str()] } else { vec![] };
        names.iter().copied().chain(role).collect()
    };
    let mut buckets = vec![];
    for names in storages {
        let planned = site.plan(&described(names)).await;
        let address = planned["outputs"][0]["value"].as_str().expect("an address").to_owned();
        let bucket = address.split('?').next().and_then(|path| path.rsplit('/').next()).expect("a bucket");
        assert!(!buckets.contains(&bucket.to_owned()), "{buckets:?} {bucket}");
        buckets.push(bucket.to_owned());
        site.provision(&described(names)).await.ends(0);
    }
    for (at, bucket) in buckets.iter().enumerate() {
        for (other, names) in storages.iter().enumerate().filter(|(other, _)| *other != at) {
            site.aws.proxy().clear_journal();
            let owner = [
                "`acme`",
                "the team `a-b` of the deployment `acme`",
                "the team `b` of the deployment `acme-a`",
                "`acme-a-b`",
            ][at];
            let here = [&described(names)[..], &["--bucket", bucket]].concat();
            site.provision(&here).await.ends(3).tells(&["belongs to", owner]);
            site.provision(&[&here[..], &["--adopt"]].concat()).await.ends(3).tells(&[owner]);
            let confirm = ["acme", "acme/a-b", "acme-a/b", "acme-a-b"][other];
            let teardown = [names, &["--bucket", bucket, "--confirm", confirm][..]].concat();
            site.run("teardown", &teardown).await.ends(0).tells(&["belongs to", owner]);
            site.is_untouched();
        }
    }
    for names in storages {
        site.run("plan", &[&described(names)[..], &["--exit-code"]].concat()).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_a_team_has_no_use_for_is_refused_before_any_request() {
    let site = Site::open().await;
    let refused = async |arguments: &[&str], words: &[&str]| {
        site.aws.proxy().clear_journal();
        for command in ["plan", "provision"] {
            site.run(command, arguments).await.ends(2).tells(words).tells(&["hint:"]);
        }
        assert!(site.aws.proxy().journal().is_empty(), "{arguments:?} sent something");
    };
    let role = ["--team", "vision", "--node-role", "arn:aws:iam::123456789012:role/wandb"];
    refused(&[&role[..], &["--queue", "uploads"]].concat(), &["--queue has no effect with --team"]).await;
    refused(&[&role[..], &["--notifications-queue"]].concat(), &["--notifications-queue has no effect"])
        .await;
    refused(&["--team", "vision"], &["identity of the server", "`--node-role ARN`"]).await;
    refused(&["--reader", "dedicated"], &["--reader has no effect without --team"]).await;
    refused(&[&role[..], &["--reader", "dedicated"]].concat(), &["--node-role has no effect with --reader"])
        .await;
    refused(&["--team", "vision", "--reader", "saas"], &["`self-managed`, `dedicated` or `multi-tenant`"])
        .await;
    refused(&["--team", "vision", "--reader", "arn:aws:iam::*:root"], &["has a wildcard"]).await;
    let abroad = ["--team", "vision", "--reader", "dedicated", "--region", "cn-north-1"];
    refused(&abroad, &["is in the partition `aws`", "`aws-cn`"]).await;
    refused(&["--team", "Vision"], &["team name `Vision` has uppercase letters"]).await;
}

/// A key whose policy has the statements that are printed for it, or few of them.
const KEY: &str = "kms.create_key(Description='team')['KeyMetadata']['Arn']";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_policy_of_the_key_is_read_and_printed() {
    let site = Site::open().await;
    let key = site.boto(KEY).await;
    let key = key.as_str().expect("an ARN");
    let arguments = ["--team", "vision", "--reader", "multi-tenant", "--kms-key", key];
    site.provision(&arguments).await.ends(0);
    let verify = async || site.run("verify", &[&arguments[..], &["--format", "json"]].concat()).await.ends(0);
    let lacking = verify().await.check("key policy");
    assert_eq!(lacking["verdict"], "warned", "{lacking:#}");
    assert!(lacking["hint"].as_str().unwrap().contains("--for team-key"), "{lacking:#}");
    let printed = site.run("policy", &[&arguments[..], &["--for", "team-key"]].concat()).await.ends(0);
    let statements = printed.json();
    let sids: Vec<_> = statements["Statement"].as_array().unwrap().iter().map(|one| &one["Sid"]).collect();
    assert_eq!(sids, ["Internal", "External"]);
    assert_eq!(statements["Statement"][1]["Principal"]["AWS"], MULTI_TENANT);
    let put = format!("kms.put_key_policy(KeyId='{key}', PolicyName='default', Policy='''{statements}''')");
    site.boto(&put).await;
    assert_eq!(verify().await.check("key policy")["verdict"], "passed");

    // Whoever may not read the policy of the key is shown that, and verifies the rest.
    let operator = site.run("policy", &[&arguments[..], &["--for", "operator"]].concat()).await.ends(0);
    assert!(operator.stdout.contains("kms:GetKeyPolicy"), "{operator}");
    site.aws.proxy().arm(When::every("other:GetKeyPolicy"), Fault::fail(Failure::AccessDenied));
    let denied = verify().await.check("key policy");
    assert_eq!(denied["verdict"], "inconclusive", "{denied:#}");
    assert!(denied["reason"].as_str().unwrap().contains("kms:GetKeyPolicy"), "{denied:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_server_gets_the_address_that_its_grammar_accepts() {
    let site = Site::open().await;
    let team = Team::of(&site, "vision").await;
    team.provisioned().await;
    let key = "GORILLA_SUPPORTED_FILE_STORES";
    let address = format!("s3://s3.us-east-1.amazonaws.com/{}?region=us-east-1", team.bucket);
    let env = site.run("config", &team.arguments(&[])).await.ends(0);
    assert_eq!(env.outputs().get(key), Some(&format!("'{address}'").as_str()), "{env}");
    for words in
        ["restart the server", "cannot be changed once the team is created", "in W&B's dialog", &address]
    {
        assert!(env.stdout.contains(words), "{words:?} is not in {env}");
    }
    let json = site.run("config", &team.arguments(&["--output", "json"])).await.ends(0);
    assert_eq!(json.json(), json!({ key: address }));

    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("settings.env");
    let others = "s3://KEY:hunter2@minio.acme.com/audio?region=us-east-1&tls=true";
    std::fs::write(&settings, format!("HOST=https://wandb.acme.com\n{key}='{others}'\n")).expect("written");
    let path = settings.to_str().expect("text");
    let joined = ["--settings", path, "--output", "json", "--reveal"];
    let joined = site.run("config", &team.arguments(&joined)).await.ends(0).json();
    assert_eq!(joined[key], format!("{others},{address}"));
    let withheld = site.run("config", &team.arguments(&["--settings", path])).await.ends(0);
    assert!(!withheld.stdout.contains("hunter2") && withheld.stdout.contains(&address), "{withheld}");

    // What was printed is what W&B's grammar of the settings accepts.
    std::fs::write(&settings, format!("{key}='{others},{address}'\n")).expect("written");
    let mut command = site.aws.wbstore();
    command.args(["check", "--settings", path, "--only", "bucket", "--offline", "--format", "json"]);
    let form = finish(command).await.ends(0).check("GORILLA_SUPPORTED_FILE_STORES form");
    assert_eq!(form["verdict"], "passed");
    assert!(form["detail"].as_str().unwrap().ends_with(&address), "{form:#}");

    let helm = site.run("config", &team.arguments(&["--output", "helm"])).await.ends(0).stdout;
    assert!(helm.contains("extraEnv:") && helm.contains(&address), "{helm}");
    assert!(!helm.contains("bucket:"), "the bucket of the deployment is not this one: {helm}");
    let v2 = ["--output", "operator-v2", "--server-version", "0.78.0"];
    let v2 = site.run("config", &team.arguments(&v2)).await.ends(0).stdout;
    assert!(v2.contains("legacyOverrides:") && v2.contains(&address) && !v2.contains("objectStore"), "{v2}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_lease_of_a_team_is_its_own() {
    let site = Site::open_provisioned().await;
    let team = Team::of(&site, "vision").await;
    site.provision(&team.arguments(&["--expires", "7d"])).await.ends(0);
    team.boto(
        "
tags = s3.get_bucket_tagging(Bucket=team)['TagSet']
for tag in tags:
    if tag['Key'] == 'wbstore:expires': tag['Value'] = '2020-01-01T00:00:00Z'
s3.put_bucket_tagging(Bucket=team, Tagging={'TagSet': tags})
",
    )
    .await;
    site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(0);
    assert!(!team.exists().await);
    site.run("plan", &["--exit-code"]).await.ends(0);
}

/// A whole life by somebody who may do what `policy --for operator` prints for the team and nothing else.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_printed_policy_is_enough_for_the_life_of_a_team() {
    let site = Site::open().await;
    let team = Team::with(&site, "vision", &["--reader", "dedicated"]).await;
    let printed =
        site.run("policy", &team.arguments(&["--for", "operator"])).await.ends(0).json().to_string();
    assert!(!printed.contains("sqs:DeleteQueue"), "a team has no queue: {printed}");
    let env = site.aws.env_of_user(&printed).await.expect("the emulator has IAM");
    for (command, arguments) in [
        ("provision", team.arguments(&["--yes"])),
        ("plan", team.arguments(&["--exit-code"])),
        ("verify", team.arguments(&[])),
        ("config", team.arguments(&[])),
        ("teardown", vec!["--team", "vision", "--confirm", "wandb-acme-com/vision"]),
    ] {
        let mut command = site.command(command, &arguments);
        command.envs(env.iter().cloned());
        finish(command).await.ends(0);
    }
    assert!(!team.exists().await);
}
