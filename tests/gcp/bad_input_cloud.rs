//! What the cloud may say no to, and the one clear message it becomes.

use serde_json::json;
use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::{EVENTS, Site, is_told_well};

/// Something that is wrong from the beginning, so that the first look tells.
struct Wrong {
    with: fn(&Site),
    options: &'static [&'static str],
    code: i32,
    tells: &'static [&'static str],
}

const SERVER: &str = "wandb@elsewhere.iam.gserviceaccount.com";

/// `PROJECT` stands for the project's id.
const WRONG: &[Wrong] = &[
    Wrong {
        with: |_| {},
        options: &["--project", "acme-unknown"],
        code: 2,
        tells: &["`acme-unknown` does not exist", "gcloud projects list", "--project"],
    },
    Wrong {
        with: |site| site.gcp.control().billing(false),
        options: &[],
        code: 1,
        tells: &["billing", "gcloud billing projects link PROJECT --billing-account"],
    },
    Wrong {
        with: |site| site.gcp.control().disable("storage.googleapis.com"),
        options: &[],
        code: 1,
        tells: &[
            "storage.googleapis.com is not enabled",
            "gcloud services enable storage.googleapis.com --project",
        ],
    },
    Wrong {
        with: |site| site.gcp.control().disable("pubsub.googleapis.com"),
        options: &[],
        code: 1,
        tells: &[
            "pubsub.googleapis.com is not enabled",
            "gcloud services enable pubsub.googleapis.com --project",
        ],
    },
    Wrong {
        with: |site| site.gcp.control().disable("iam.googleapis.com"),
        options: &["--service-account", SERVER],
        code: 1,
        tells: &["iam.googleapis.com is not enabled", "gcloud services enable iam.googleapis.com --project"],
    },
    Wrong {
        with: |site| site.gcp.control().want_quota_project(true),
        options: &[],
        code: 1,
        tells: &["quota project", "gcloud auth application-default set-quota-project PROJECT"],
    },
    Wrong {
        with: |site| site.gcp.control().deny("resourcemanager.projects.get"),
        options: &[],
        code: 3,
        tells: &["resourcemanager.projects.get on project PROJECT", "wbstore policy gcp --for operator"],
    },
    Wrong {
        with: |site| expired(site, "storage.projects.serviceAccount.get"),
        options: &[],
        code: 1,
        tells: &["expired", "gcloud auth application-default login"],
    },
    Wrong {
        with: |site| expired(site, "storage.buckets.get"),
        options: &[],
        code: 1,
        tells: &["expired", "gcloud auth application-default login"],
    },
    Wrong {
        with: |site| expired(site, "pubsub.topics.get"),
        options: &[],
        code: 1,
        tells: &["expired", "gcloud auth application-default login"],
    },
    Wrong {
        with: |site| page(site, "storage.projects.serviceAccount.get"),
        options: &[],
        code: 1,
        tells: &["web page", "proxy"],
    },
    Wrong { with: |site| page(site, "storage.buckets.get"), options: &[], code: 1, tells: &["proxy"] },
    Wrong {
        with: |site| page(site, "pubsub.topics.get"),
        options: &[],
        code: 1,
        tells: &["web page", "proxy"],
    },
];

fn expired(site: &Site, call: &str) {
    site.gcp.proxy().arm(When::every(call), Fault::fail(Failure::ExpiredToken));
}

fn page(site: &Site, call: &str) {
    site.gcp.proxy().arm(When::every(call), Fault::Html);
}

#[tokio::test]
async fn what_is_wrong_from_the_beginning_is_told_before_anything_is_made() {
    let one = async |wrong: &Wrong| {
        let site = Site::open().await;
        (wrong.with)(&site);
        let ran = site.provision(wrong.options).await.ends(wrong.code);
        let words: Vec<_> =
            wrong.tells.iter().map(|text| text.replace("PROJECT", &site.gcp.project())).collect();
        is_told_well(&ran);
        ran.tells(&words.iter().map(String::as_str).collect::<Vec<_>>());
        site.is_untouched();
    };
    futures::future::join_all(WRONG.iter().map(one)).await;
}

/// Variables, the exit code, and what is told.
type Elsewhere<'a> = (&'a [(&'a str, &'a str)], i32, &'a [&'a str]);

#[tokio::test]
async fn credentials_and_endpoints_that_cannot_be_are_told() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let home = folder.path().display().to_string();
    let garbage = file("garbage", "s3cret {");
    let odd = file("odd", r#"{"type": "unheard_of"}"#);
    let broken = file(
        "broken",
        r#"{"type": "service_account", "client_email": "a@b", "private_key_id": "1", "project_id": "p",
            "private_key": "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"}"#,
    );
    let missing = folder.path().join("missing").display().to_string();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let free = free.to_string();
    let cases: &[Elsewhere<'_>] = &[
        // An emulator without credentials gets none of the user's own.
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", "")],
            1,
            &["UNAUTHENTICATED", "gcloud auth application-default login"],
        ),
        (
            &[
                ("GOOGLE_APPLICATION_CREDENTIALS", ""),
                ("STORAGE_EMULATOR_HOST", ""),
                ("PUBSUB_EMULATOR_HOST", ""),
                ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", ""),
                ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", ""),
                ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", ""),
                ("HOME", &home),
                ("GCE_METADATA_HOST", &free),
            ],
            1,
            &["failed to get a token with the Google credentials", "gcloud auth application-default login"],
        ),
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", &garbage)],
            1,
            &["no usable Google credentials", &garbage, "cannot parse"],
        ),
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", &odd)],
            1,
            &["no usable Google credentials", "unknown or invalid credentials type unheard_of"],
        ),
        (&[("GOOGLE_APPLICATION_CREDENTIALS", &broken)], 1, &["credentials"]),
        (&[("GOOGLE_APPLICATION_CREDENTIALS", &missing)], 1, &["no usable Google credentials", &missing]),
        (
            &[("STORAGE_EMULATOR_HOST", "http://storage.example.com")],
            2,
            &["unencrypted", "STORAGE_EMULATOR_HOST", "https"],
        ),
        (&[("PUBSUB_EMULATOR_HOST", "10.1.2.3:8085")], 2, &["unencrypted", "PUBSUB_EMULATOR_HOST"]),
        (&[("STORAGE_EMULATOR_HOST", "ftp://127.0.0.1")], 2, &["`ftp`", "http://127.0.0.1:port"]),
        (&[("STORAGE_EMULATOR_HOST", &free)], 1, &["cannot reach", "network"]),
        (&[("PUBSUB_EMULATOR_HOST", &free)], 1, &["cannot reach", "network"]),
        (&[("GOOGLE_CLOUD_PROJECT", "")], 2, &["no project is given", "--project", "GOOGLE_CLOUD_PROJECT"]),
    ];
    let one = async |&(env, code, words): &Elsewhere<'_>| {
        let ran = site.run_with(env, "provision", &["--yes"]).await;
        is_told_well(&ran);
        let ran = ran.ends(code).tells(words);
        assert!(!ran.stderr.contains("s3cret"), "{ran}");
    };
    futures::future::join_all(cases.iter().map(one)).await;
    site.is_untouched();
}

#[tokio::test]
async fn a_quota_project_that_is_named_is_sent() {
    let site = Site::open().await;
    site.gcp.control().want_quota_project(true);
    let named = [("GOOGLE_CLOUD_QUOTA_PROJECT", "acme-quota")];
    site.run_with(&named, "provision", &["--yes", "--queue", "internal"]).await.ends(0);
}

/// What only the creating call tells: no other is sent beside it, and none twice.
async fn is_refused_once(site: &Site, options: &[&str], call: &str, code: i32, words: &[&str]) {
    let before = site.snapshot().await;
    let ran = site.provision(options).await;
    is_told_well(&ran);
    ran.ends(code).tells(words);
    assert_eq!(site.mutations(), [call]);
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_location_that_does_not_exist_is_told() {
    let site = Site::open().await;
    let options = ["--queue", "internal", "--location", "us-west99"];
    is_refused_once(&site, &options, "storage.buckets.insert", 1, &["location", "US-WEST99", "hint:"]).await;
}

#[tokio::test]
async fn a_constraint_of_the_organisation_is_named_and_not_tried_again() {
    for constraint in ["constraints/gcp.resourceLocations", "constraints/storage.publicAccessPrevention"] {
        let site = Site::open().await;
        site.gcp.control().constrain(Some(constraint));
        let words = [&site.bucket, constraint, "administrator", "gcloud org-policies describe"];
        is_refused_once(&site, &["--queue", "internal"], "storage.buckets.insert", 3, &words).await;
    }
}

#[tokio::test]
async fn domain_restricted_sharing_is_told_with_the_grant_to_allow() {
    let site = Site::provisioned().await;
    let set = format!("{}:setIamPolicy", site.topic());
    site.ask("POST", &set, json!({ "policy": { "bindings": [] } })).await;
    site.gcp.control().restrict_members("@gs-project-accounts.iam.gserviceaccount.com");
    let agent = site.gcp.double().agent();
    let words = ["iam.allowedPolicyMemberDomains", "roles/pubsub.publisher", &agent, EVENTS];
    is_refused_once(&site, &[], "pubsub.topics.setIamPolicy", 3, &words).await;
}

#[tokio::test]
async fn ten_notifications_of_others_are_counted_before_anything_is_made() {
    let site = Site::open().await;
    let project = site.gcp.project();
    site.ask("POST", &format!("/storage/v1/b?project={project}"), json!({ "name": site.bucket })).await;
    let topic = format!("/v1/projects/{project}/topics/audit");
    site.ask("PUT", &topic, json!({})).await;
    let agent = format!("serviceAccount:{}", site.gcp.double().agent());
    let policy = json!({ "bindings": [{ "role": "roles/pubsub.publisher", "members": [agent] }] });
    site.ask("POST", &format!("{topic}:setIamPolicy"), json!({ "policy": policy })).await;
    for _ in 0..10 {
        let told = format!("//pubsub.googleapis.com{}", topic.trim_start_matches("/v1"));
        let one = json!({ "topic": told, "payload_format": "NONE", "event_types": ["OBJECT_FINALIZE"] });
        site.ask("POST", &site.notifications(), one).await;
    }
    let ran = site.provision(&["--adopt"]).await.ends(3);
    is_told_well(&ran);
    ran.tells(&[&site.bucket, "10 notifications of these events", "10 of a type", "--bucket"]);
    site.is_untouched();
}
