//! Endpoints that are wrong or hostile: a run ends soon, in little memory, with an error that says why.

use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use wbstore_sandbox::hostile::{Asked, Hostile, Measured, Reply, measure};

use crate::support::command;

const SUBSCRIPTION: &str = "--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590";

/// What a run may use, in megabytes; a build for tests uses a third of it when all is well.
const MEMORY: u64 = 150;

/// The clouds, and how they call what is read first.
const CLOUDS: [(&str, &str); 3] =
    [("aws", "sts:GetCallerIdentity"), ("azure", "token"), ("gcp", "serviceAccount")];

/// `wbstore COMMAND CLOUD`, with all of the cloud at `server`.
fn at(server: &Hostile, verb: &str, cloud: &str) -> Command {
    let mut process = command(&server.url);
    process.args([verb, cloud]);
    match cloud {
        "aws" => process.arg("--region=eu-west-1"),
        "azure" => process.args([SUBSCRIPTION, &format!("--arm-endpoint={}", server.url)]),
        _ => process.arg("--project=acme-prod"),
    };
    match (verb, cloud) {
        ("plan", "azure") => {
            process.args(["--host=https://wandb.acme.com", "--resource-group=acme", "--location=westeurope"])
        }
        ("plan", _) => process.arg("--host=https://wandb.acme.com"),
        _ => &mut process,
    };
    process
}

/// A run that fails, within `seconds`.
#[track_caller]
fn fails(process: Command, seconds: u64) -> Measured {
    let what = format!("{:?}", process.get_args().collect::<Vec<_>>());
    let measured = measure(process);
    let Measured { ran, took, peak } = &measured;
    let error = ran.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
    let _ = writeln!(io::stderr(), "{what}: {:.1} s, {peak:?} MB, {error}", took.as_secs_f64());
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(!error.is_empty(), "{ran}");
    assert!(error.chars().count() < 2200, "{ran}");
    assert!(*took < Duration::from_secs(seconds), "{took:?}: {ran}");
    assert!(peak.is_none_or(|peak| peak < MEMORY), "{peak:?} MB: {ran}");
    measured
}

/// Answers who calls as each cloud does, and all else by `reply`.
fn known(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Hostile {
    Hostile::start(move |asked| {
        let path = asked.path.as_str();
        if path == "/" && asked.method == "POST" && asked.target.is_empty() {
            return Reply::xml(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::123456789012:root</Arn><UserId>u</UserId><Account>123456789012</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>",
            );
        }
        if path.ends_with("/oauth2/v2.0/token") {
            return Reply::json(json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "a.b.c"}));
        }
        if path.ends_with("/serviceAccount") {
            let email = "service-1@gs-project-accounts.iam.gserviceaccount.com";
            return Reply::json(json!({ "email_address": email }));
        }
        reply(asked)
    })
}

/// One page of any list, followed by the page at `token`.
fn page(asked: &Asked, token: &str) -> Reply {
    let path = asked.path.as_str();
    if asked.target.ends_with(".ListQueues") {
        return Reply::json(json!({ "QueueUrls": [], "NextToken": token }));
    }
    if path.starts_with("/subscriptions") {
        let path = path.split('?').next().unwrap_or_default();
        let next = format!("http://{}{path}?api-version=1&$skiptoken={token}", asked.host);
        return Reply::json(json!({ "value": [], "nextLink": next }));
    }
    if path.starts_with("/storage/v1/") || path.starts_with("/v1/") {
        return Reply::json(json!({ "items": [], "topics": [], "nextPageToken": token }));
    }
    Reply::xml(&format!(
        "<ListAllMyBucketsResult><Buckets/><ContinuationToken>{token}</ContinuationToken></ListAllMyBucketsResult>"
    ))
}

/// How many calls a plan sends before it knows anything: on Google Cloud what it reads depends on no account.
fn at_first(cloud: &str) -> usize {
    if cloud == "gcp" { 7 } else { 1 }
}

#[track_caller]
fn tells_of_the_size(cloud: &str, measured: &Measured, server: &Hostile) {
    let Measured { ran, .. } = measured;
    assert!(ran.stderr.contains("the response is larger than") && ran.stderr.contains("hint:"), "{ran}");
    // What fills the buffers of the system is sent beyond what is read.
    assert!(server.bytes() < 64 << 20, "{} bytes: {ran}", server.bytes());
    // On a busy machine the first answer is in before the last request is out.
    assert!(server.requests() <= at_first(cloud), "it was sent again: {ran}");
}

#[test]
fn an_endless_answer_is_cut() {
    for (cloud, call) in CLOUDS {
        for part in ["x", "{},", "<a/>"] {
            let server = Hostile::start(move |_| Reply::Endless(part));
            let measured = fails(at(&server, "plan", cloud), 20);
            tells_of_the_size(cloud, &measured, &server);
            assert!(measured.ran.stderr.contains(call), "{}", measured.ran);
        }
    }
}

#[test]
fn a_gigabyte_is_not_read() {
    for (cloud, _) in CLOUDS {
        let server = Hostile::start(|_| Reply::Gigabyte);
        tells_of_the_size(cloud, &fails(at(&server, "plan", cloud), 20), &server);
    }
}

/// The services behind the first call have their own clients.
#[test]
fn an_endless_answer_of_the_services_is_cut() {
    for (cloud, _) in CLOUDS {
        let server = known(|_| Reply::Endless("x"));
        let measured = fails(at(&server, "list", cloud), 20);
        assert!(measured.ran.stderr.contains("the response is larger than"), "{}", measured.ran);
    }
}

#[test]
fn a_million_entries_in_a_page_are_not_read() {
    for (cloud, _) in CLOUDS {
        let server = known(|asked| match page(asked, "") {
            Reply::Whole(status, kind, body) => {
                let many = |one: &str| one.repeat(1_000_000);
                let objects = format!("[{}{{}}]", many("{},"));
                let buckets = many("<Bucket><Name>bucket</Name></Bucket>");
                let body = body
                    .replace("[]", &objects)
                    .replace("<Buckets/>", &format!("<Buckets>{buckets}</Buckets>"));
                Reply::Whole(status, kind, body)
            }
            reply => reply,
        });
        let measured = measure(at(&server, "list", cloud));
        let Measured { ran, took, peak } = &measured;
        let _ = writeln!(io::stderr(), "{cloud}: {took:?}, {peak:?} MB, {}", ran.stderr);
        assert!(peak.is_none_or(|peak| peak < 2 * MEMORY) && *took < Duration::from_secs(30), "{measured:?}");
    }
}

/// Nobody who never answered is asked again and again.
#[test]
fn an_endpoint_that_never_answers_is_given_up() {
    std::thread::scope(|scope| {
        for (cloud, _) in CLOUDS {
            scope.spawn(move || {
                let server = Hostile::start(|_| Reply::Nothing);
                let Measured { ran, took, .. } = fails(at(&server, "plan", cloud), 25);
                assert!(took > Duration::from_secs(10), "{took:?}: {ran}");
                assert_eq!(server.requests(), at_first(cloud), "{ran}");
                assert!(ran.stderr.contains("15 s") && ran.stderr.contains("hint:"), "{ran}");
            });
        }
    });
}

/// Nor where another service of the same cloud has answered.
#[test]
fn a_service_that_never_answers_is_given_up() {
    std::thread::scope(|scope| {
        for (cloud, _) in CLOUDS {
            scope.spawn(move || {
                let (server, silent) = (known(|_| Reply::Nothing), Hostile::start(|_| Reply::Nothing));
                let mut process = at(&server, "list", cloud);
                match cloud {
                    "aws" => {
                        let services = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS"];
                        process.envs(services.map(|service| (service, &silent.url)))
                    }
                    "azure" => {
                        process = at(&silent, "list", cloud);
                        process.env("AZURE_AUTHORITY_HOST", &server.url)
                    }
                    // One service answers who calls and lists the buckets.
                    _ => &mut process,
                };
                let Measured { ran, .. } = fails(process, 25);
                assert!(ran.stderr.contains("15 s") && silent.requests() <= 2, "{ran}");
            });
        }
    });
}

/// What begins and does not end, and a service that stops in the middle, cost more than a test should.
#[test]
#[ignore = "takes a minute"]
fn what_stops_in_the_middle_is_given_up() {
    std::thread::scope(|scope| {
        for (cloud, _) in CLOUDS {
            scope.spawn(move || fails(at(&Hostile::start(|_| Reply::Trickle), "plan", cloud), 75));
            scope.spawn(move || fails(at(&known(|_| Reply::Nothing), "list", cloud), 75));
        }
    });
}

#[test]
fn a_message_of_a_megabyte_is_cut() {
    for (cloud, _) in CLOUDS {
        let server = Hostile::start(|asked| {
            let long = "long ".repeat(200_000);
            if asked.path == "/" {
                let error = format!(
                    "<ErrorResponse><Error><Code>{long}</Code><Message>{long}</Message></Error></ErrorResponse>"
                );
                return Reply::Whole(400, "text/xml", error);
            }
            let error = json!({
                "error": {"code": 400, "message": long, "status": long, "details": [{"reason": long, "domain": long}]},
            });
            let refused = json!({ "error": long, "error_description": long });
            let body = if asked.path.contains("oauth2") { refused } else { error };
            Reply::Whole(400, "application/json", body.to_string())
        });
        let Measured { ran, .. } = fails(at(&server, "plan", cloud), 20);
        assert!(ran.stderr.chars().count() < 5000, "{} letters", ran.stderr.len());
    }
}

#[test]
fn a_wait_of_years_is_not_begun() {
    for (cloud, _) in CLOUDS {
        for status in [429, 503] {
            let server = Hostile::start(move |_| Reply::Later(status));
            let Measured { ran, .. } = fails(at(&server, "plan", cloud), 20);
            assert!(server.requests() <= at_first(cloud).max(3), "{} requests: {ran}", server.requests());
        }
    }
}

#[test]
fn a_web_page_is_no_answer() {
    for (cloud, _) in CLOUDS {
        let server = Hostile::start(|_| Reply::page());
        let Measured { ran, .. } = fails(at(&server, "plan", cloud), 20);
        assert!(ran.stderr.contains("web page"), "{ran}");
    }
}

#[test]
fn a_page_that_comes_again_ends_the_list() {
    for (cloud, _) in CLOUDS {
        for cycle in [1, 3] {
            let server = known(move |asked| page(asked, &format!("t{}", asked.nth % cycle)));
            let Measured { ran, .. } = fails(at(&server, "list", cloud), 20);
            assert!(ran.stderr.contains("same page again"), "{ran}");
            assert!(server.requests() < 40, "{} requests: {ran}", server.requests());
        }
    }
}

#[test]
fn a_list_without_an_end_is_given_up() {
    std::thread::scope(|scope| {
        for (cloud, _) in CLOUDS {
            scope.spawn(move || {
                let server = known(|asked| page(asked, &format!("t{}", asked.nth)));
                let Measured { ran, .. } = fails(at(&server, "list", cloud), 60);
                assert!(ran.stderr.contains("does not end"), "{ran}");
            });
        }
    });
}

/// Each cloud looks for a metadata service, which may accept connections and do nothing else.
#[test]
fn a_metadata_service_that_hangs_does_not_hold_up_the_other_sources() {
    let silent = || Hostile::start(|_| Reply::Nothing);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let metadata = silent();
            let mut process = at(&metadata, "plan", "aws");
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"] {
                process.env_remove(name);
            }
            process.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url);
            let Measured { ran, .. } = fails(process, 20);
            assert!(metadata.requests() > 0 && ran.stderr.contains("no usable AWS credentials"), "{ran}");
        });
        scope.spawn(move || {
            let (metadata, cloud) = (silent(), Hostile::start(|_| Reply::page()));
            let mut process = command(&cloud.url);
            process
                .args(["plan", "aws", "--host=https://wandb.acme.com"])
                .env_remove("AWS_EC2_METADATA_DISABLED")
                .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url);
            let Measured { ran, .. } = fails(process, 20);
            assert!(metadata.requests() > 0 && ran.stderr.contains("web page"), "{ran}");
        });
        scope.spawn(move || {
            let (metadata, cloud) = (silent(), Hostile::start(|_| Reply::page()));
            let mut process = at(&cloud, "plan", "azure");
            process
                .env_remove("AZURE_CLIENT_SECRET")
                .env("IDENTITY_ENDPOINT", format!("{}/msi/token", metadata.url))
                .env("IDENTITY_HEADER", "secret");
            let Measured { ran, .. } = fails(process, 15);
            assert!(metadata.requests() > 0 && ran.stderr.contains("Azure CLI"), "{ran}");
        });
        scope.spawn(move || {
            let metadata = silent();
            let mut process = at(&metadata, "plan", "gcp");
            process
                .env_remove("STORAGE_EMULATOR_HOST")
                .env_remove("PUBSUB_EMULATOR_HOST")
                .env("GCE_METADATA_HOST", metadata.url.trim_start_matches("http://"));
            let Measured { ran, .. } = fails(process, 25);
            assert!(metadata.requests() > 0 && ran.stderr.contains("15 s"), "{ran}");
        });
    });
}

#[test]
fn a_token_endpoint_that_hangs_is_given_up() {
    let server = Hostile::start(|_| Reply::Nothing);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("user.json");
    let user = json!({
        "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
        "token_uri": format!("{}/token", server.url),
    });
    std::fs::write(&file, user.to_string()).expect("a file");
    let mut process = at(&server, "plan", "gcp");
    process.env("GOOGLE_APPLICATION_CREDENTIALS", &file);
    let Measured { ran, .. } = fails(process, 25);
    assert!(ran.stderr.contains("failed to get a token") && ran.stderr.contains("15 s"), "{ran}");
}
