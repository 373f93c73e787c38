//! The documents for Kubernetes, read by helm and by the schemas of its API: the environment of the server's pod has
//! to be what the settings say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use wbstore_sandbox::kubernetes::Kubernetes;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::Folder;

/// Passwords with all that a URL, a shell, a template, YAML or Kubernetes gives a meaning.
const PASSWORDS: [&str; 6] =
    ["p@ss/word", "a%b#c?d", "{{ .Values }}", "$(HOST) ${HOST} $HOME", "\"q\" 'q' \\n `id`", "+ é 🪣 &=;,:"];

fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

/// Settings with `password` in each of them.
fn settings(password: &str) -> String {
    let code = encoded(password);
    let quoted = password.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`");
    format!(
        "\
HOST=https://wandb.acme.com
LICENSE=\"{quoted}\"
MYSQL=mysql://wandb_local:{code}@db.acme.com:3306/wandb_local?tls=preferred
REDIS=redis://:{code}@cache.acme.com:6380?tls=true
BUCKET=s3://AKIACME:{code}@minio.acme.com:9000/wandb/files?region=eu-1&tls=true
BUCKET_QUEUE=sqs://acme
OIDC_ISSUER=https://acme.okta.com
OIDC_CLIENT_ID=0oa1
OIDC_AUTH_METHOD=pkce
GORILLA_OIDC_SECRET=\"{quoted}\"
SLACK_CLIENT_ID=1.2
SLACK_SECRET=\"{quoted}\"
NOTIFICATIONS_QUEUE=sqs://acme-run-events
LOCAL_RESTORE=false
GORILLA_UNDOCUMENTED=\"{quoted}\"
"
    )
}

fn documents(text: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The data of the Secret, and its name.
fn secret(manifest: &str) -> (String, BTreeMap<String, String>) {
    let document = documents(manifest).remove(0);
    let text = |yaml: &Yaml| yaml.as_str().expect("text").to_owned();
    let data = document["stringData"].as_hash().expect("a map");
    let data = data.iter().map(|(key, value)| (text(key), text(value))).collect();
    (text(&document["metadata"]["name"]), data)
}

/// The environment of the pod, as Kubernetes makes it: references are resolved, and `$(NAME)` in a literal value is
/// replaced by a variable before it ("Define dependent environment variables").
fn environment(pod: &str, manifest: &str) -> BTreeMap<String, String> {
    let (name, data) = secret(manifest);
    let pod = documents(pod).remove(0);
    let mut environment = BTreeMap::new();
    for variable in pod["spec"]["containers"][0]["env"].as_vec().expect("a list") {
        let value = match &variable["valueFrom"]["secretKeyRef"] {
            Yaml::BadValue => {
                let literal = variable["value"].as_str().expect("text").to_owned();
                environment.iter().fold(literal, |value, (name, other): (&String, &String)| {
                    value.replace(&format!("$({name})"), other)
                })
            }
            reference => {
                assert_eq!(reference["name"].as_str(), Some(name.as_str()));
                data[reference["key"].as_str().expect("text")].clone()
            }
        };
        environment.insert(variable["name"].as_str().expect("text").to_owned(), value);
    }
    environment
}

/// What a document and its Secret are for `settings`.
fn rendered(settings: &str, arguments: &[&str]) -> (String, String) {
    let folder = Folder::with(settings);
    let ran = folder
        .config(&[arguments, &["--namespace", "wandb", "--secret-file", "secret.yaml"]].concat())
        .done();
    (ran.stdout, fs::read_to_string(folder.path("secret.yaml")).expect("it is there"))
}

#[test]
#[ignore = "needs helm: cargo sandbox test"]
fn helm_gives_the_server_what_the_settings_say() {
    let kubernetes = Kubernetes::installed();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/chart");
    for password in PASSWORDS {
        let (values, manifest) = rendered(&settings(password), &["--output", "helm"]);
        assert!(!values.contains(password), "{values}");
        kubernetes.validate(&manifest);
        let pod = kubernetes.template(&chart, &values);
        kubernetes.validate(&pod);
        let environment = environment(&pod, &manifest);
        let code = encoded(password);
        for (name, value) in [
            ("HOST", "https://wandb.acme.com"),
            ("LICENSE", password),
            ("BUCKET_QUEUE", "sqs://acme"),
            ("AWS_REGION", "eu-1"),
            ("OIDC_ISSUER", "https://acme.okta.com"),
            ("OIDC_CLIENT_ID", "0oa1"),
            ("OIDC_AUTH_METHOD", "pkce"),
            ("GORILLA_OIDC_SECRET", password),
            ("SLACK_CLIENT_ID", "1.2"),
            ("SLACK_SECRET", password),
            ("NOTIFICATIONS_QUEUE", "sqs://acme-run-events"),
            ("LOCAL_RESTORE", "false"),
            ("GORILLA_UNDOCUMENTED", password),
            ("MYSQL", &format!("mysql://wandb_local:{code}@db.acme.com:3306/wandb_local?tls=preferred")),
            ("REDIS", &format!("redis://:{code}@cache.acme.com:6380?tls=true")),
            ("BUCKET", &format!("s3://AKIACME:{code}@minio.acme.com:9000/wandb/files?region=eu-1&tls=true")),
        ] {
            // Both encode, and not the same characters.
            let plain =
                |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            let (seen, wanted) = (&environment[name], value);
            if ["MYSQL", "REDIS", "BUCKET"].contains(&name) {
                assert_eq!(plain(seen), plain(wanted), "{name}");
                // The one `@`, and no character that ends the password early.
                assert_eq!((seen.matches('@').count(), seen.matches('?').count()), (1, 1), "{seen}");
                assert!(!seen.contains(['#', '+', ' ', '{', '$', '"', '\\']), "{seen}");
            } else {
                assert_eq!(seen, wanted, "{name}");
            }
        }
    }
}

#[test]
#[ignore = "needs helm: cargo sandbox test"]
fn helm_reads_the_values_alone_where_the_secret_is_below() {
    let kubernetes = Kubernetes::installed();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/chart");
    let folder = Folder::with(settings("canary"));
    let both = folder.config(&["--output", "helm", "--reveal"]).done().stdout;
    let pod = kubernetes.template(&chart, &both);
    let manifest = both.split_once("---\n").expect("two documents").1;
    assert_eq!(environment(&pod, manifest)["LICENSE"], "canary");
    kubernetes.validate(manifest);
}

#[test]
#[ignore = "needs helm: cargo sandbox test"]
fn every_store_has_its_address_in_the_pod() {
    let kubernetes = Kubernetes::installed();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/chart");
    for (text, bucket, key) in [
        ("BUCKET=s3://acme\nREDIS=redis://:p@h\n", "s3://acme", None),
        ("BUCKET=s3://acme/files\nREDIS=redis://:p@h\n", "s3://acme/files", None),
        ("BUCKET=gs://acme\nREDIS=redis://:p@h\n", "gs://acme", None),
        ("BUCKET=cw://AK:S@cwobject.com/b?tls=true\n", "cw://AK:S@cwobject.com/b?tls=true", None),
        ("BUCKET=az://account/wandb\nAZURE_STORAGE_KEY=a2V5+/==\n", "az://account/wandb", Some("a2V5+/==")),
        ("BUCKET=az://:a2V5%3D@account/wandb/p\n", "az://account/wandb/p", Some("a2V5=")),
    ] {
        let (values, manifest) = rendered(text, &["--output", "helm"]);
        let environment = environment(&kubernetes.template(&chart, &values), &manifest);
        assert_eq!(environment["BUCKET"], bucket);
        assert_eq!(environment.get("AZURE_STORAGE_KEY").map(String::as_str), key, "{text}");
    }
}

/// Every map of exactly a name and a key, as the operator resolves them.
fn selectors<'a>(yaml: &'a Yaml, found: &mut Vec<(&'a str, &'a str)>) {
    match yaml {
        Yaml::Array(list) => list.iter().for_each(|one| selectors(one, found)),
        Yaml::Hash(map) => {
            if let (2, Some(name), Some(key)) = (map.len(), yaml["name"].as_str(), yaml["key"].as_str()) {
                found.push((name, key));
            }
            map.values().for_each(|one| selectors(one, found));
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the schemas of Kubernetes: cargo sandbox test"]
fn version_2_refers_to_what_the_secret_holds_as_it_is() {
    let kubernetes = Kubernetes::installed();
    for password in PASSWORDS {
        let (resource, manifest) =
            rendered(&settings(password), &["--output", "operator-v2", "--server-version", "0.78.0"]);
        kubernetes.validate(&manifest);
        let (name, data) = secret(&manifest);
        let document = documents(&resource).remove(0);
        let mut found = vec![];
        selectors(&document, &mut found);
        assert!(found.iter().all(|(secret, key)| *secret == name && data.contains_key(*key)), "{resource}");
        assert_eq!(found.len(), data.len(), "{resource}{manifest}");
        for key in ["MYSQL_PASSWORD", "REDIS_PASSWORD", "SECRET_KEY", "GORILLA_OIDC_SECRET", "SLACK_SECRET"] {
            assert_eq!(data[key], password, "{key}");
        }
        let spec = &document["spec"];
        assert_eq!(spec["wandb"]["hostname"].as_str(), Some("https://wandb.acme.com"));
        assert_eq!(spec["wandb"]["version"].as_str(), Some("0.78.0"));
        assert_eq!(spec["wandb"]["bucketProxy"].as_bool(), Some(false));
        assert!(spec["wandb"]["features"].as_hash().is_some() && spec["wandb"]["license"].is_badvalue());
        assert_eq!(spec["retentionPolicy"]["onDelete"].as_str(), Some("detach"));
    }
}

#[test]
#[ignore = "needs the schemas of Kubernetes: cargo sandbox test"]
fn a_secret_of_all_settings_is_one_that_kubernetes_accepts() {
    let kubernetes = Kubernetes::installed();
    for password in PASSWORDS {
        let folder = Folder::with(settings(password));
        let ran = folder.config(&["--output", "k8s-secret", "--namespace", "wandb", "--reveal"]).done();
        kubernetes.validate(&ran.stdout);
        assert_eq!(secret(&ran.stdout).1["LICENSE"], password);
    }
}
