//! `policy --trust`: who may act as the server, what that requires in the cloud, and what in Kubernetes.

use std::process::Command;

use serde_json::{Value, json};
use wbstore_sandbox::permission::Call;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Ran, is_refused, wbstore};

const ISSUER: &str = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
const ACCOUNT: &str = "123456789012";
const EMAIL: &str = "wandb@acme-prod.iam.gserviceaccount.com";
const GUID: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";

/// What `policy` requires on each cloud to print what pods require.
const AWS: [&str; 7] = ["policy", "aws", "--account-id", ACCOUNT, "--offline", "--region", "us-east-1"];
const GCP: [&str; 7] = ["policy", "gcp", "--account-id", ACCOUNT, "--offline", "--project", "acme-prod"];
const AZURE: [&str; 7] =
    ["policy", "azure", "--account-id", GUID, "--offline", "--resource-group", "Acme_(prod)"];
const NODE: [&str; 4] = ["--host", "https://wandb.acme.com", "--for", "node"];

const IRSA: [&str; 4] = ["--trust", "irsa", "--oidc-provider", ISSUER];
const POD_IDENTITY: [&str; 4] = ["--trust", "pod-identity", "--cluster", "prod"];
const OF_GOOGLE: [&str; 4] = ["--trust", "workload-identity", "--service-account", EMAIL];
const AKS: &str = "https://westeurope.oic.prod-aks.azure.com/a/b/";
const OF_AZURE: [&str; 4] = ["--trust", "workload-identity", "--oidc-issuer", AKS];

/// Two of the chart's, in a namespace of their own.
const PODS: [&str; 6] = [
    "--namespace",
    "ml",
    "--kubernetes-service-account",
    "wandb-app",
    "--kubernetes-service-account",
    "wandb-parquet",
];

fn done(parts: &[&[&str]]) -> Ran {
    let ran = wbstore(&parts.concat());
    assert_eq!(ran.code, Some(0), "{parts:?}: {}", ran.stderr);
    assert!(!ran.connected, "{parts:?}");
    ran
}

fn document(parts: &[&[&str]]) -> Value {
    serde_json::from_str(&done(&[parts, &[&["--format", "json"]]].concat()).stdout).expect("JSON")
}

/// The commands, which a shell can read, with no word left to fill in but those that `placeholders` names.
fn commands(parts: &[&[&str]], placeholders: &[&str]) -> Vec<String> {
    let ran = done(&[parts, &[&["--format", "commands"]]].concat());
    let checked = Command::new("bash").args(["-n", "-c", &ran.stdout]).output().expect("bash runs");
    assert!(checked.status.success(), "{}\n{}", ran.stdout, String::from_utf8_lossy(&checked.stderr));
    let lines = ran.stdout.lines().filter(|line| !line.starts_with('#'));
    for word in ran.stdout.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        let is_placeholder = word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        assert!(!is_placeholder || placeholders.contains(&word), "{word} in {}", ran.stdout);
    }
    lines.map(str::to_owned).collect()
}

fn values(parts: &[&[&str]], form: &str) -> Yaml {
    let ran = done(&[parts, &[&["--format", form]]].concat());
    YamlLoader::load_from_str(&ran.stdout).expect("YAML").remove(0)
}

/// A token of a pod, as STS presents its claims.
fn by_token<'a>(provider: &'a str, keys: &'a [String; 2], subject: &'a str, audience: &'a str) -> Call<'a> {
    Call::new(Some(provider), "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::123456789012:role/r")
        .with(&keys[0], subject)
        .with(&keys[1], audience)
}

#[test]
fn only_the_named_service_accounts_of_one_cluster_may_assume_the_role() {
    for (region, partition) in
        [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
    {
        let role = document(&[&AWS[..5], &["--region", region], &NODE, &IRSA, &PODS]);
        let trust = &role["AssumeRolePolicyDocument"];
        let provider = format!("arn:{partition}:iam::{ACCOUNT}:oidc-provider/{ISSUER}");
        let keys = ["sub", "aud"].map(|claim| format!("{ISSUER}:{claim}").to_lowercase());
        let assumes = |provider: &str, subject: &str, audience: &str| {
            by_token(provider, &keys, subject, audience).is_allowed_by(trust)
        };
        let sts = "sts.amazonaws.com";
        for named in ["system:serviceaccount:ml:wandb-app", "system:serviceaccount:ml:wandb-parquet"] {
            assert!(assumes(&provider, named, sts), "{trust:#}");
            assert!(!assumes(&provider, named, "sts.amazonaws.com.cn"));
            assert!(!assumes(&provider.replace("EXAMPLED", "ANOTHER"), named, sts));
        }
        for other in [
            "system:serviceaccount:ml:wandb-api",
            "system:serviceaccount:ml:wandb-app2",
            "system:serviceaccount:default:wandb-app",
            "system:serviceaccount:ml:wandb-*",
            "system:serviceaccount:*:*",
            "",
        ] {
            assert!(!assumes(&provider, other, sts), "{other}: {trust:#}");
        }
        assert!(!trust.to_string().contains('*') && !trust.to_string().contains("StringLike"));
    }
}

#[test]
fn a_role_has_the_permissions_that_are_printed_without_it() {
    let node = document(&[&AWS, &NODE]);
    for how in [&[&IRSA[..], &PODS].concat()[..], &[&POD_IDENTITY[..], &PODS].concat(), &["--trust", "ec2"]] {
        let role = document(&[&AWS, &NODE, how]);
        assert_eq!(role["Policies"][0]["PolicyDocument"], node, "{how:?}");
        let commands = commands(&[&AWS, &NODE, how], &["INSTANCE_ID"]);
        let quoted = |line: &str| {
            line.split('\'').nth(1).map(|text| serde_json::from_str::<Value>(text).expect("JSON"))
        };
        assert!(commands[0].starts_with("aws iam create-role "), "{commands:?}");
        assert_eq!(quoted(&commands[0]).as_ref(), Some(&role["AssumeRolePolicyDocument"]));
        assert!(commands[1].starts_with("aws iam put-role-policy "), "{commands:?}");
        assert_eq!(quoted(&commands[1]), Some(node.clone()));
        let name = role["RoleName"].as_str().expect("a name");
        assert!(commands[..2].iter().all(|command| command.contains(&format!("--role-name {name} "))));
    }
}

#[test]
fn the_issuer_may_be_a_url_or_the_arn_of_its_provider() {
    let url = format!("https://{ISSUER}");
    let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}");
    let trusted =
        |issuer: &str| document(&[&AWS, &NODE, &PODS, &["--trust", "irsa", "--oidc-provider", issuer]]);
    assert_eq!(trusted(&url), trusted(ISSUER));
    assert_eq!(trusted(&arn), trusted(ISSUER));
    for issuer in
        ["prod", "http://oidc.acme.com", "arn:aws:iam::123456789012:role/wandb", "https://a.b?c", "$(id)"]
    {
        let said =
            is_refused(&[&AWS[..], &NODE, &PODS, &["--trust", "irsa", "--oidc-provider", issuer]].concat());
        assert!(said.contains("aws eks describe-cluster"), "{said}");
    }
    let other = arn.replace(ACCOUNT, "210987654321");
    let said =
        is_refused(&[&AWS[..], &NODE, &PODS, &["--trust", "irsa", "--oidc-provider", &other]].concat());
    assert!(said.contains("is in account 210987654321"), "{said}");
}

#[test]
fn a_cluster_associates_each_service_account_and_no_other_cluster_may() {
    let role = document(&[&AWS, &NODE, &POD_IDENTITY, &PODS]);
    let trust = &role["AssumeRolePolicyDocument"];
    let cluster = "arn:aws:eks:us-east-1:123456789012:cluster/prod";
    let by_eks = |action, account| {
        Call::new(Some("pods.eks.amazonaws.com"), action, "arn:aws:iam::123456789012:role/r")
            .with("aws:sourceaccount", ACCOUNT)
            .with("aws:sourcearn", cluster)
            .with("aws:requesttag/kubernetes-namespace", "ml")
            .with("aws:requesttag/kubernetes-service-account", account)
    };
    for action in ["sts:AssumeRole", "sts:TagSession"] {
        assert!(by_eks(action, "wandb-app").is_allowed_by(trust), "{trust:#}");
        assert!(!by_eks(action, "wandb-api").is_allowed_by(trust));
        for (key, other) in [
            ("aws:sourcearn", "arn:aws:eks:us-east-1:123456789012:cluster/test"),
            ("aws:sourceaccount", "210987654321"),
            ("aws:requesttag/kubernetes-namespace", "default"),
        ] {
            assert!(!by_eks(action, "wandb-app").with(key, other).is_allowed_by(trust), "{key}");
        }
    }
    let commands = commands(&[&AWS, &NODE, &POD_IDENTITY, &PODS], &[]);
    let associated: Vec<_> = commands.iter().filter(|line| line.starts_with("aws eks ")).collect();
    assert_eq!(associated.len(), 2, "{commands:?}");
    assert!(
        associated[1]
            .contains("--cluster-name prod --namespace ml --service-account wandb-parquet --role-arn ")
    );
    // Without a cluster any of the account, and a word to fill in.
    let any = document(&[&AWS, &NODE, &POD_IDENTITY[..2], &PODS]);
    assert!(by_eks("sts:AssumeRole", "wandb-app").is_allowed_by(&any["AssumeRolePolicyDocument"]), "{any:#}");
    self::commands(&[&AWS, &NODE, &POD_IDENTITY[..2], &PODS], &["CLUSTER"]);
    // One in another region.
    let arn = ["--cluster", "arn:aws:eks:eu-west-1:123456789012:cluster/prod"];
    let elsewhere = self::commands(&[&AWS, &NODE, &POD_IDENTITY[..2], &arn, &PODS], &[]);
    assert!(
        elsewhere.iter().any(|line| line.contains("--region eu-west-1 --cluster-name prod")),
        "{elsewhere:?}"
    );
}

#[test]
fn a_machine_has_an_instance_profile() {
    let role = document(&[&AWS, &NODE, &["--trust", "ec2", "--role-name", "wandb-vm"]]);
    let assume =
        |service| Call::new(Some(service), "sts:AssumeRole", "arn:aws:iam::123456789012:role/wandb-vm");
    assert!(assume("ec2.amazonaws.com").is_allowed_by(&role["AssumeRolePolicyDocument"]), "{role:#}");
    assert!(!assume("lambda.amazonaws.com").is_allowed_by(&role["AssumeRolePolicyDocument"]));
    let commands = commands(&[&AWS, &NODE, &["--trust", "ec2", "--role-name", "wandb-vm"]], &["INSTANCE_ID"]);
    for begin in [
        "aws iam create-instance-profile --instance-profile-name wandb-vm",
        "aws iam add-role-to-instance-profile --instance-profile-name wandb-vm --role-name wandb-vm",
        "aws ec2 associate-iam-instance-profile ",
    ] {
        assert!(commands.iter().any(|line| line.starts_with(begin)), "{begin}: {commands:?}");
    }
}

/// A server has one role, to which the bucket of a team adds permissions.
#[test]
fn the_bucket_of_a_team_adds_to_the_role_of_the_server() {
    let team = ["--team", "vision"];
    let of_server = document(&[&AWS, &NODE, &IRSA, &PODS]);
    let of_team = document(&[&AWS, &NODE, &IRSA, &PODS, &team]);
    assert_eq!(of_team["RoleName"], of_server["RoleName"]);
    let printed = commands(&[&AWS, &NODE, &IRSA, &PODS, &team], &[]);
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with("aws iam put-role-policy "), "{printed:?}");
    let named = ["--node-role", "arn:aws:iam::210987654321:role/a/path/wandb"];
    let elsewhere = document(&[&AWS, &NODE, &["--trust", "ec2"], &team, &named]);
    assert_eq!(elsewhere["RoleName"], "wandb");
    for (more, why) in [
        (&["--reader", "dedicated"][..], "--trust has no effect with --reader dedicated"),
        (&["--node-role", "arn:aws:iam::123456789012:root"], "--trust requires a role"),
        (
            &["--node-role", "arn:aws:iam::123456789012:role/a", "--role-name", "b"],
            "has no effect with --node-role",
        ),
    ] {
        let said = is_refused(&[&AWS[..], &NODE, &["--trust", "ec2"], &team, more].concat());
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn pods_act_as_a_google_account_that_can_sign() {
    let printed = commands(&[&GCP, &NODE, &OF_GOOGLE, &PODS], &[]);
    let bound: Vec<_> =
        printed.iter().filter(|line| line.contains("roles/iam.workloadIdentityUser")).collect();
    assert_eq!(bound.len(), 2, "{printed:?}");
    let member = "--member='serviceAccount:acme-prod.svc.id.goog[ml/wandb-parquet]'";
    assert!(
        bound[1].starts_with(&format!("gcloud iam service-accounts add-iam-policy-binding {EMAIL} {member}"))
    );
    let policy = document(&[&GCP, &NODE, &OF_GOOGLE, &PODS]);
    let bindings = policy["serviceAccountPolicy"]["bindings"].as_array().expect("a list");
    assert_eq!(bindings[0]["members"][0], "serviceAccount:acme-prod.svc.id.goog[ml/wandb-app]");
    assert_eq!(bindings[0]["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(bindings[1]["role"], "roles/iam.serviceAccountTokenCreator");
    assert_eq!(policy["role"], document(&[&GCP, &NODE]));
    let elsewhere = document(&[&GCP, &NODE, &OF_GOOGLE, &PODS, &["--cluster-project", "acme-gke"]]);
    let members = &elsewhere["serviceAccountPolicy"]["bindings"][0]["members"];
    assert_eq!(members[0], "serviceAccount:acme-gke.svc.id.goog[ml/wandb-app]");
    let said = done(&[&GCP, &NODE, &OF_GOOGLE, &PODS]).stderr;
    assert!(said.contains("signed URLs require a service account that signs"), "{said}");
    let said = is_refused(&[&GCP[..], &NODE, &OF_GOOGLE[..2], &PODS].concat());
    assert!(said.contains("`--service-account EMAIL`"), "{said}");
    let said = is_refused(&[&GCP[..], &NODE, &OF_GOOGLE[..2], &["--service-account", "wandb-app"]].concat());
    assert!(said.contains("--kubernetes-service-account"), "{said}");
    let team = ["--team", "vision", "--reader", "dedicated"];
    is_refused(&[&GCP[..], &NODE, &OF_GOOGLE[..2], &PODS, &team].concat());
}

#[test]
fn an_identity_has_a_credential_for_each_service_account() {
    let printed = commands(&[&AZURE, &NODE, &OF_AZURE, &PODS], &[]);
    assert!(printed[1].starts_with("az identity create --name wbstore-wandb-acme-com-"), "{printed:?}");
    let created = |line: &&String| line.starts_with("az identity federated-credential create ");
    assert_eq!(printed.iter().filter(created).count(), 2);
    let document = document(&[&AZURE, &NODE, &OF_AZURE, &PODS]);
    for (credential, account) in document["federatedCredentials"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(["wandb-app", "wandb-parquet"])
    {
        assert_eq!(credential["issuer"], AKS);
        assert_eq!(credential["subject"], format!("system:serviceaccount:ml:{account}"));
        assert_eq!(credential["audiences"], json!(["api://AzureADTokenExchange"]));
        let of_it = format!(
            " --issuer {AKS} --subject system:serviceaccount:ml:{account} --audiences api://AzureADTokenExchange"
        );
        assert!(printed.iter().any(|line| line.ends_with(&of_it)), "{printed:?}");
    }
    assert!(
        printed.iter().any(|line| line.contains("--assignee-object-id \"$(az identity show ")),
        "{printed:?}"
    );
    let without = commands(&[&AZURE, &NODE], &["PRINCIPAL"]);
    assert!(!without.iter().any(|line| line.contains("az identity")), "{without:?}");
    let many: Vec<String> = (0..21).map(|n| format!("--kubernetes-service-account=s{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let said = is_refused(&[&AZURE[..], &NODE, &OF_AZURE, &["--namespace", "ml"], &many].concat());
    assert!(said.contains("at most 20"), "{said}");
    let team = ["--team", "vision", "--account-key"];
    is_refused(&[&AZURE[..], &NODE, &OF_AZURE, &PODS, &team].concat());
}

#[test]
fn the_charts_are_given_what_their_service_accounts_require() {
    let role = document(&[&AWS, &NODE, &IRSA, &PODS]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{}", role["RoleName"].as_str().expect("a name"));
    let identity = ["--managed-identity", GUID, "--identity-tenant", GUID];
    for (parts, key, value, label) in [
        (&[&AWS[..], &NODE, &IRSA][..], "eks.amazonaws.com/role-arn", arn.as_str(), false),
        (&[&GCP, &NODE, &OF_GOOGLE], "iam.gke.io/gcp-service-account", EMAIL, false),
        (&[&AZURE, &NODE, &OF_AZURE, &identity], "azure.workload.identity/client-id", GUID, true),
    ] {
        let helm = values(&[parts, &[&PODS]].concat(), "helm");
        for (component, account) in [("app", "wandb-app"), ("parquet", "wandb-parquet")] {
            let component = &helm[component];
            assert_eq!(component["serviceAccount"]["name"].as_str(), Some(account), "{helm:?}");
            assert_eq!(component["serviceAccount"]["annotations"][key].as_str(), Some(value));
            assert_eq!(component["podLabels"]["azure.workload.identity/use"].as_str().is_some(), label);
        }
        let resource = values(
            &[parts, &[&["--namespace", "ml", "--kubernetes-service-account", "wandb"]]].concat(),
            "operator-v2",
        );
        let account = &resource["spec"]["wandb"]["serviceAccount"];
        assert_eq!(account["serviceAccountName"].as_str(), Some("wandb"));
        assert_eq!(account["annotations"][key].as_str(), Some(value));
        // All service accounts of the chart have a place in its values, and version 2 has one alone.
        let all = [&parts.concat()[..], &["--namespace", "ml"]].concat();
        assert!(values(&[&all], "helm")["weave-trace"]["serviceAccount"]["name"].as_str().is_some());
        let said = is_refused(&[&all[..], &["--format", "operator-v2"]].concat());
        assert!(said.contains("`--kubernetes-service-account wandb`"), "{said}");
    }
    let tenant = values(&[&AZURE, &NODE, &OF_AZURE, &identity, &PODS], "helm");
    assert_eq!(tenant["global"]["azureStorageIdentity"]["tenantId"].as_str(), Some(GUID));
}

#[test]
fn what_has_no_effect_or_is_missing_is_refused() {
    for (cloud, parts, why) in [
        (&AWS, &["--namespace", "ml"][..], "--namespace has no effect without --trust"),
        (&AWS, &["--role-name", "wandb"], "--role-name has no effect without --trust"),
        (&AWS, &["--trust", "irsa", "--namespace", "ml"], "`--oidc-provider ISSUER`"),
        (&AWS, &["--trust", "irsa", "--oidc-provider", ISSUER], "`--namespace NAME`"),
        (
            &AWS,
            &[&IRSA[..], &PODS, &["--cluster", "prod"]].concat(),
            "--cluster has no effect with --trust irsa",
        ),
        (&AWS, &[&POD_IDENTITY[..], &PODS, &IRSA[2..]].concat(), "--oidc-provider has no effect"),
        (&AWS, &["--trust", "ec2", "--namespace", "ml"], "--namespace has no effect with --trust ec2"),
        (&AWS, &["--trust", "ec2", "--format", "helm"], "requires no annotation"),
        (&AWS, &["--format", "helm"], "require --trust"),
        (&GCP, &["--cluster-project", "acme-gke"], "--cluster-project has no effect without --trust"),
        (&GCP, &OF_GOOGLE, "`--namespace NAME`"),
        (&AZURE, &["--oidc-issuer", AKS], "--oidc-issuer has no effect without --trust"),
        (&AZURE, &["--trust", "workload-identity", "--namespace", "ml"], "`--oidc-issuer URL`"),
        (&AZURE, &["--managed-identity", GUID], "--managed-identity has no effect without --team"),
    ] {
        let said = is_refused(&[&cloud[..], &NODE, parts].concat());
        assert!(said.contains(why), "{parts:?}: {said}");
    }
    let operator = ["--host", "https://wandb.acme.com", "--for", "operator", "--trust", "ec2"];
    assert!(is_refused(&[&AWS[..], &operator].concat()).contains("`--for node`"));
}

#[test]
fn names_in_commands_are_checked() {
    let within = ["--namespace", "ml"];
    for bad in ["", "a b", "a'b", "$(id)", "a;b", "*", "a\u{1b}[31m"] {
        is_refused(&[&AWS[..], &NODE, &IRSA, &[&format!("--namespace={bad}")]].concat());
        is_refused(&[&AWS[..], &NODE, &IRSA, &within, &[&format!("--service-account={bad}")]].concat());
        is_refused(&[&AWS[..], &NODE, &IRSA, &within, &[&format!("--role-name={bad}")]].concat());
        is_refused(&[&AWS[..], &NODE, &POD_IDENTITY[..2], &within, &[&format!("--cluster={bad}")]].concat());
        is_refused(&[&GCP[..], &NODE, &OF_GOOGLE, &within, &[&format!("--cluster-project={bad}")]].concat());
    }
    for bad in ["", "a", "a'bc", "$(id)", "a b c"] {
        is_refused(&[&AZURE[..], &NODE, &OF_AZURE, &PODS, &[&format!("--identity-name={bad}")]].concat());
    }
}

/// The name that is only of Kubernetes on these two.
#[test]
fn a_service_account_has_a_short_name_where_the_cloud_has_none() {
    let short = ["--namespace", "ml", "--service-account", "wandb-app", "--service-account", "wandb-parquet"];
    assert_eq!(document(&[&AWS, &NODE, &IRSA, &short]), document(&[&AWS, &NODE, &IRSA, &PODS]));
    assert_eq!(document(&[&AZURE, &NODE, &OF_AZURE, &short]), document(&[&AZURE, &NODE, &OF_AZURE, &PODS]));
}
