//! Containers of teams: their own life beside the deployment's, who may use them, and what the server is given.

use serde_json::json;
use wbstore_sandbox::azure::double::control::Planted;

use crate::support::{NAME, Site, finish};

const STORES: &str = "GORILLA_SUPPORTED_FILE_STORES";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "66666666-7777-8888-9999-000000000000";
const IDENTITY: [&str; 4] = ["--managed-identity", CLIENT, "--identity-tenant", TENANT];

fn team<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--team", name], &IDENTITY[..], more].concat()
}

/// The container of a team, by its address.
async fn container(site: &Site, name: &str) -> String {
    let planned = site.run("plan", &team(name, &["--format", "json"])).await.ends(0).json();
    let address = planned["outputs"][0]["value"].as_str().expect("an address").to_owned();
    assert_eq!(planned["outputs"][0]["name"], STORES);
    let prefix = format!("az://{}/", site.account());
    address.strip_prefix(&prefix).unwrap_or_else(|| panic!("{address}")).to_owned()
}

async fn has(site: &Site, container: &str) -> bool {
    site.snapshot().await.paths().any(|path| path.contains(container))
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn two_teams_beside_the_deployment_each_have_a_life_of_their_own() {
    let site = Site::open_provisioned().await;
    let names = [container(&site, "vision").await, container(&site, "audio").await];
    let with_deployment = site.snapshot().await;
    for (name, container) in ["vision", "audio"].into_iter().zip(&names) {
        assert!(container.starts_with(&format!("wbstore-wandb-acme-com-{name}-")), "{container}");
        site.provision(&team(name, &[])).await.ends(0);
        site.run("plan", &team(name, &["--exit-code"])).await.ends(0);
        let verified = site.run("verify", &team(name, &["--format", "json"])).await.ends(0);
        let access = verified.check("access of the reader");
        assert_eq!(access["verdict"], "inconclusive");
        assert!(access["reason"].as_str().unwrap().contains(CLIENT), "{access:#}");
        assert!(!verified.stdout.contains("\"event\""), "a team has no events: {verified}");
    }
    site.run("plan", &["--exit-code"]).await.ends(0);
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let deployments = listed["deployments"].as_array().expect("a list");
    let teams: Vec<_> = deployments.iter().map(|one| (one["name"].as_str(), one["team"].as_str())).collect();
    assert_eq!(teams, [(Some(NAME), None), (Some(NAME), Some("audio")), (Some(NAME), Some("vision"))]);
    assert!(deployments.iter().all(|one| one["missing"] == json!([])), "{listed:#}");

    let vision = ["--team", "vision", "--confirm", "wandb-acme-com/vision"];
    site.run("teardown", &vision).await.ends(0);
    assert_eq!((has(&site, &names[0]).await, has(&site, &names[1]).await), (false, true));
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.run("plan", &team("audio", &["--exit-code"])).await.ends(0);
    // The account of the deployment stays, with the container of the team in it.
    site.teardown(&[]).await.ends(0);
    assert!(has(&site, &names[1]).await);
    site.run("plan", &team("audio", &["--exit-code"])).await.ends(0);
    site.provisioned().await;
    site.run("teardown", &["--team", "audio", "--confirm", "wandb-acme-com/audio"]).await.ends(0);
    assert!(!has(&site, &names[1]).await);
    let again = site.snapshot().await;
    assert_eq!(again.paths().count(), with_deployment.paths().count());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_team_may_have_an_account_of_its_own() {
    let site = Site::open().await;
    let before = site.snapshot().await;
    site.provision(&team("vision", &[])).await.ends(0);
    site.run("plan", &team("vision", &["--exit-code"])).await.ends(0);
    // The same name as a deployment, and another team: neither has it.
    site.azure.proxy().clear_journal();
    let container = container(&site, "vision").await;
    let of_team = "the team `vision` of the deployment `wandb-acme-com`";
    let others: [&[&str]; 3] = [
        &["--container", &container, "--queue", "internal"],
        &["--name", "wandb-acme-com-vision", "--container", &container, "--queue", "internal"],
        &team("audio", &["--container", &container]),
    ];
    for other in others {
        site.provision(other).await.ends(3).tells(&["belongs to", of_team]);
        site.provision(&[other, &["--adopt"]].concat()).await.ends(3).tells(&[of_team]);
    }
    site.teardown(&["--container", &container, "--queue", "internal"]).await.ends(0).tells(&[of_team]);
    site.is_untouched();
    site.run("teardown", &["--team", "vision", "--confirm", "wandb-acme-com/vision"]).await.ends(0);
    assert_eq!(site.snapshot().await, before);

    // Where none is named, the account is another than that of the deployment.
    let offline = async |names: &[&str]| {
        let subscription = site.double().subscription();
        let mut command = site.azure.wbstore();
        command.args(["plan", "azure", "--host", "https://wandb.acme.com", "--resource-group", "acme"]);
        command.args(["--offline", "--account-id", &subscription, "--format", "json"]).args(names);
        let planned = finish(command).await.ends(0).json();
        let address = planned["outputs"][0]["value"].as_str().expect("an address").to_owned();
        address.trim_start_matches("az://").split('/').next().expect("an account").to_owned()
    };
    assert_ne!(offline(&[]).await, offline(&team("vision", &[])).await);
    assert_ne!(
        offline(&team("a-b", &[])).await,
        offline(&[&["--name", "wandb-acme-com-a"], &team("b", &[])[..]].concat()).await
    );
}

/// The role that is printed lets the server do what it does with the container, and is bound to the account.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_printed_role_and_credentials_are_what_the_server_requires() {
    let site = Site::open().await;
    site.provision(&team("vision", &[])).await.ends(0);
    let node = ["--for", "node", "--format", "commands"];
    let issuer = ["--trust", "workload-identity", "--oidc-issuer", "https://oidc.acme.com/tenant/"];
    let trust = [&node[..], &issuer, &["--namespace", "default"]].concat();
    let printed = site.run("policy", &team("vision", &trust)).await.ends(0).stdout;
    let credentials: Vec<_> =
        printed.lines().filter(|line| line.starts_with("az identity federated-credential create")).collect();
    assert_eq!(credentials.len(), 14, "{printed}");
    for words in [
        "--subject system:serviceaccount:default:wandb-app ",
        "--subject system:serviceaccount:default:bufstream-service-account ",
        "--issuer https://oidc.acme.com/tenant/ ",
        "--audiences api://AzureADTokenExchange",
    ] {
        assert!(credentials.iter().any(|line| line.contains(words)), "{words}: {printed}");
    }
    let without = site.run("policy", &team("vision", &node)).await.ends(0).stdout;
    assert!(without.contains(&format!("az ad sp show --id {CLIENT}")), "{without}");
    assert!(!without.contains("az identity"), "{without}");
    let role = site.run("policy", &team("vision", &["--for", "node"])).await.ends(0).json();
    assert_eq!(role["Name"], "wbstore node wandb-acme-com.vision");
    site.double().restrict(&site.double().principal(), &role);
    let verify = ["--as", "node", "--within", "60s", "--format", "json"];
    let served = site.run("verify", &[&["--team", "vision"], &verify[..]].concat()).await.ends(0);
    for name in ["presigned PUT", "presigned GET", "HEAD", "list", "multipart upload", "delete"] {
        assert_eq!(served.check(name)["verdict"], "passed", "{name}: {served}");
    }
    assert!(!served.stdout.contains("\"receive\""), "{served}");
    // Without its permissions on blobs, nothing.
    let writing = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*";
    site.double().deny(&site.double().principal(), writing);
    let refused = site.run("verify", &[&["--team", "vision"], &verify[..]].concat()).await.ends(6);
    assert_eq!(refused.check("presigned PUT")["verdict"], "failed", "{refused}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_server_gets_the_address_and_the_dialog_the_identity() {
    let site = Site::open().await;
    site.provision(&team("vision", &[])).await.ends(0);
    let container = container(&site, "vision").await;
    let address = format!("az://{}/{container}", site.account());
    let config = site.run("config", &team("vision", &[])).await.ends(0);
    assert_eq!(config.outputs().get(STORES), Some(&address.as_str()), "{config}");
    assert!(!config.stdout.contains("AZURE_STORAGE_KEY"), "the identity has no key: {config}");
    for words in [site.account(), &container, CLIENT, TENANT, "choose Azure", "restart the server"] {
        assert!(config.stdout.contains(words), "{words}: {config}");
    }
    let helm = site.run("config", &team("vision", &["--output", "helm"])).await.ends(0).stdout;
    assert!(helm.contains("extraEnv:") && helm.contains(&address) && !helm.contains("bucket:"), "{helm}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn with_the_accounts_key_the_address_has_it_where_it_is_asked_for() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.expect("the name is free");
    let keyed = ["--team", "vision", "--account-key"];
    let made = site.provision(&keyed).await.ends(0);
    site.run("plan", &[&keyed[..], &["--exit-code"]].concat()).await.ends(0);
    let key = site.double().key(site.account());
    let encoded = key.replace('%', "%25").replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
    let hidden = site.run("config", &keyed).await.ends(0);
    for text in [made.to_string(), hidden.to_string()] {
        assert!(!text.contains(&encoded) && !text.contains(&key), "{text}");
        assert!(text.contains(&format!("{STORES}=az://:***@{}/", site.account())), "{text}");
    }
    let shown = site.run("config", &[&keyed[..], &["--reveal", "--output", "json"]].concat()).await.ends(0);
    let address = shown.json()[STORES].as_str().expect("an address").to_owned();
    assert!(address.starts_with(&format!("az://:{encoded}@{}/", site.account())), "{shown}");
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("settings.env");
    std::fs::write(&settings, format!("{STORES}='{address}'\n")).expect("written");
    let mut check = site.azure.wbstore();
    let path = settings.to_str().expect("text");
    check.args(["check", "--settings", path, "--only", "bucket", "--offline", "--format", "json"]);
    let form = finish(check).await.ends(0).check("GORILLA_SUPPORTED_FILE_STORES form");
    assert_eq!(form["verdict"], "passed", "{form:#}");
    assert!(!form.to_string().contains(&encoded), "{form:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_a_team_has_no_use_for_is_refused_before_any_request() {
    let site = Site::open().await;
    let refused = async |arguments: &[&str], words: &[&str]| {
        site.azure.proxy().clear_journal();
        site.provision(arguments).await.ends(2).tells(words).tells(&["hint:"]);
        assert!(site.azure.proxy().journal().is_empty(), "{arguments:?} sent something");
    };
    refused(&team("vision", &["--queue", "uploads"]), &["--queue has no effect with --team"]).await;
    refused(&team("vision", &["--dead-letter"]), &["--dead-letter has no effect with --team"]).await;
    refused(&team("vision", &["--message-ttl", "1d"]), &["--message-ttl has no effect with --team"]).await;
    refused(&team("vision", &["--reader", "multi-tenant"]), &["Multi-tenant Cloud does not use Azure"]).await;
    refused(
        &["--team", "vision"],
        &["identity of the server", "--managed-identity CLIENT_ID", "--account-key"],
    )
    .await;
    refused(&["--team", "vision", "--reader", CLIENT], &["tenant of the managed identity"]).await;
    refused(&["--team", "vision", "--managed-identity", "wandb"], &["is not an ID of Microsoft Entra"]).await;
    refused(&IDENTITY, &["--managed-identity has no effect without --team"]).await;
}
