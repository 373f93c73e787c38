//! Input that cannot be on Google Cloud, refused with one message and a hint.

use crate::support::is_refused;

const PLAN: [&str; 6] = ["plan", "gcp", "--host", "https://wandb.acme.com", "--project", "acme-prod"];

/// That `plan` refuses `option` with each of `values`.
fn refuses(option: &str, values: &[&str]) {
    for value in values {
        is_refused(&[&PLAN[..], &[&format!("{option}={value}")]].concat());
    }
}

#[test]
fn projects_that_are_none() {
    let long = "p".repeat(31);
    for project in
        ["", "acme", "Acme-Prod", "1-acme-prod", "acme-prod-", "acme_prod", "projects/acme-prod", &long]
    {
        is_refused(&["plan", "gcp", "--host", "https://wandb.acme.com", &format!("--project={project}")]);
    }
    let number = is_refused(&["list", "gcp", "--project", "123456789012"]);
    assert!(
        number.contains("is a project number") && number.contains("gcloud projects describe"),
        "{number}"
    );
    let domain = is_refused(&["list", "gcp", "--project", "example.com:acme"]);
    assert!(domain.contains("IDs with a domain"), "{domain}");
}

#[test]
fn a_missing_project_is_asked_for() {
    for command in ["plan", "provision", "verify", "config", "policy", "teardown"] {
        let who: &[&str] = if command == "policy" { &["--for", "node"] } else { &[] };
        let said = is_refused(&[&[command, "gcp", "--host", "https://wandb.acme.com"], who].concat());
        assert!(said.contains("--project") && said.contains("GOOGLE_CLOUD_PROJECT"), "{command}: {said}");
    }
    assert!(is_refused(&["list", "gcp"]).contains("--project"));
}

#[test]
fn bucket_names_that_cloud_storage_does_not_take() {
    let long = "a".repeat(64);
    let names =
        ["", "ab", &long, "Acme", "acme.wandb", "-acme", "acme-", "192.168.5.4", "goog-acme", "my-google"];
    refuses("--bucket", &names);
    refuses("--bucket", &["g00gle-acme", "gs://acme", "acme/wandb", "acme wandb", "bücket", "\u{1b}[31m"]);
}

#[test]
fn topics_and_subscriptions_that_pubsub_does_not_take() {
    let long = "q".repeat(256);
    for option in ["--topic", "--subscription"] {
        refuses(
            option,
            &["", "ab", &long, "1acme", "goog-acme", "acme wandb", "acme/wandb", "a%20b", "ä-topic"],
        );
        refuses(option, &["projects/acme-prod/topics/uploads", "pubsub:/acme-prod/uploads/wandb"]);
    }
}

#[test]
fn locations_that_cannot_be() {
    refuses("--location", &["", "us-central1-a", "us-east-1", "us_east1", "../us", "EU "]);
}

#[test]
fn accounts_keys_and_lengths_of_time() {
    refuses(
        "--service-account",
        &["", "jo@acme.com", "wandb", "serviceAccount:w@acme-prod.iam.gserviceaccount.com"],
    );
    refuses("--service-account", &["service-1@gs-project-accounts.iam.gserviceaccount.com"]);
    refuses(
        "--kms-key",
        &["", "wandb", "projects/p/locations/us/keyRings/r", "arn:aws:kms:us-east-1:1:key/x"],
    );
    refuses("--kms-key", &["projects/p/locations/us/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"]);
    refuses("--soft-delete", &["", "7", "6d", "91d", "-7d", "soon"]);
    refuses("--queue", &["", "sqs", "acme-topic"]);
}

#[test]
fn a_key_of_another_location() {
    let key = "--kms-key=projects/acme-prod/locations/europe/keyRings/r/cryptoKeys/k";
    assert!(is_refused(&[&PLAN[..], &[key]].concat()).contains("but the bucket is in US"));
}

#[test]
fn options_that_contradict_each_other() {
    for option in ["--topic=acme", "--subscription=acme", "--all-events"] {
        let said = is_refused(&[&PLAN[..], &["--queue=internal", option]].concat());
        assert!(said.contains("--queue internal"), "{said}");
    }
}

#[test]
fn project_numbers_that_are_none() {
    for number in ["", "acme-prod", "0123", "12 34"] {
        is_refused(&[&PLAN[..], &["--offline", "--account-id", number]].concat());
    }
}
