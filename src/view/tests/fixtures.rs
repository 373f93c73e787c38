//! Plans of every kind, made by the real planner.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Error, Kind};
use crate::plan::{Goal, Plan, Subject, plan};
use crate::resource::{Address, Fields, Forbids, Observation, Output, Owner, Removal, Seen, Wording};

pub(super) fn address(kind: &'static str) -> Address {
    Address::new("aws", kind, "acme-wandb")
}

fn fields(value: Value) -> Fields {
    value.as_object().cloned().unwrap_or_default().into_iter().collect()
}

fn wanted(kind: &'static str, desired: Value) -> Observation {
    Observation {
        address: address(kind),
        needs: vec![],
        part_of: None,
        detaches: vec![],
        removal: Removal::Own,
        fixed: &[],
        desired: fields(desired),
        wording: Wording::default(),
        vouchers: None,
        seen: Ok(Seen::absent()),
    }
}

fn queue() -> Observation {
    let sends = "allows s3.amazonaws.com to send from arn:aws:s3:::acme-wandb of account 123456789012 (sqs:SendMessage)";
    let wording = Wording { worded: &["policy"], new: Some(sends.to_owned()), ..Wording::default() };
    let queue = wanted(
        "queue",
        json!({
            "receive_wait_seconds": 20,
            "encryption": "SSE-SQS",
            "policy": [{"sid": "wbstore-acme", "principal": "s3.amazonaws.com", "action": "sqs:SendMessage"}],
        }),
    );
    Observation { wording, ..queue }
}

fn bucket() -> Observation {
    let desired =
        json!({"region": "us-east-1", "public_access_blocked": true, "tags.wbstore:deployment": "acme"});
    Observation { fixed: &["region"], ..wanted("bucket", desired) }
}

fn cors() -> Observation {
    Observation {
        needs: vec![address("bucket")],
        part_of: Some(address("bucket")),
        removal: Removal::WithParent,
        ..wanted(
            "cors",
            json!({
                "origins": ["https://wandb.acme.com"],
                "methods": ["GET", "PUT", "HEAD"],
                "expose": ["ETag"],
                "max_age_seconds": 3000,
            }),
        )
    }
}

fn notification() -> Observation {
    Observation {
        needs: vec![address("queue"), address("bucket")],
        part_of: Some(address("bucket")),
        removal: Removal::WithParent,
        ..wanted("notification", json!({"events": ["s3:ObjectCreated:*"]}))
    }
}

fn found(seen: Observation, change: Value, owner: Owner) -> Observation {
    let mut state = seen.desired.clone();
    for (name, value) in fields(change) {
        if value.is_null() {
            state.remove(&name)
        } else {
            state.insert(name, value)
        };
    }
    Observation { seen: Ok(Seen::there(state, owner)), ..seen }
}

fn with(mut seen: Observation, change: impl FnOnce(&mut Seen<Fields>)) -> Observation {
    if let Ok(found) = &mut seen.seen {
        change(found);
    }
    seen
}

fn made(goal: Goal, observations: &[Observation]) -> Plan {
    plan(goal, subject(), observations)
}

fn subject() -> Subject {
    let output = |name, value: &str| Output { name, value: value.to_owned() };
    Subject {
        deployment: "acme".to_owned(),
        scope: "account 123456789012, us-east-1".to_owned(),
        outputs: vec![
            output("BUCKET", "s3://acme-wandb"),
            output("BUCKET_QUEUE", "sqs://acme-wandb"),
            output("AWS_REGION", "us-east-1"),
        ],
        notes: vec!["the CORS rule also allows HEAD and exposes ETag, which the guide leaves out".to_owned()],
        assumptions: vec![],
        spares: None,
    }
}

const PRESENT: Goal = Goal::Present { adopt: false };

/// Nothing is there.
pub(super) fn create() -> Plan {
    made(PRESENT, &[queue(), bucket(), cors(), notification()])
}

/// Nothing is there, as far as can be known without looking.
pub(super) fn offline() -> Plan {
    let assumptions = vec!["the region is assumed to be us-east-1".to_owned()];
    plan(PRESENT, Subject { assumptions, ..subject() }, &[bucket()])
}

/// Two documents have drifted; one holds entries of others.
pub(super) fn update() -> Plan {
    let drifted = json!({"max_age_seconds": "3000", "methods": ["GET", "PUT"], "expose": null});
    let wide = json!({
        "policy": [{"sid": "wbstore-acme", "principal": "*", "action": "sqs:*", "condition": "none at all"}],
    });
    let cors = with(found(cors(), drifted, Owner::Ours), |found| {
        found.remarks_mut().kept = vec!["docs-site".to_owned(), "cdn".to_owned()];
    });
    let bucket = with(found(bucket(), json!({}), Owner::Ours), |found| {
        found.remarks_mut().findings = vec!["versioning is on; old versions are kept and cost".to_owned()];
    });
    let mut queue = found(queue(), wide, Owner::Ours);
    queue.wording.old = Some("allows everybody sqs:*".to_owned());
    made(PRESENT, &[queue, bucket, cors, notification()])
}

/// Everything is as it should be.
pub(super) fn unchanged() -> Plan {
    made(PRESENT, &[queue(), bucket(), cors()].map(|seen| found(seen, json!({}), Owner::Ours)))
}

/// A stranger's bucket, a denied read, a fixed field and hostile words.
pub(super) fn refused() -> Plan {
    let denied = Error::new(Kind::Denied, "failed to read aws/cors/acme-wandb")
        .because("AccessDenied: \u{1b}[2Jnot for @you | `now` <b>")
        .hint("grant s3:GetBucketCORS");
    let elsewhere = found(bucket(), json!({"region": "eu-west-1"}), Owner::Ours);
    let theirs = found(queue(), json!({}), Owner::Other(Some("acme|staging".to_owned())));
    made(PRESENT, &[theirs, elsewhere, Observation { seen: Err(Arc::new(denied)), ..cors() }])
}

/// What carries no mark is taken over.
pub(super) fn adopt() -> Plan {
    let bucket = found(bucket(), json!({"tags.wbstore:deployment": null}), Owner::Other(None));
    made(Goal::Present { adopt: true }, &[found(queue(), json!({}), Owner::Other(None)), bucket])
}

/// Ours goes, and takes along what lives in it.
pub(super) fn teardown() -> Plan {
    let ours = |seen| found(seen, json!({}), Owner::Ours);
    made(Goal::Absent, &[ours(queue()), ours(bucket()), ours(cors()), ours(notification())])
}

/// An adopted bucket is given back; a queue of others stays.
pub(super) fn release() -> Plan {
    let cors = with(found(cors(), json!({}), Owner::Ours), |found| {
        found.remarks_mut().kept = vec!["cdn".to_owned()]
    });
    let theirs = found(queue(), json!({}), Owner::Other(None));
    made(Goal::Absent, &[theirs, found(bucket(), json!({}), Owner::Adopted), cors])
}

/// A bucket with objects is not deleted.
pub(super) fn obstructed() -> Plan {
    let full = with(found(bucket(), json!({}), Owner::Ours), |found| {
        found.obstacle(
            Forbids::Delete,
            "it contains 12 objects, 3.4 GB",
            "add `--delete-objects` to delete them too",
        );
    });
    made(Goal::Absent, &[full])
}

/// Ours is deleted, with what is in it.
pub(super) fn full() -> Plan {
    let objects = Observation {
        part_of: Some(address("bucket")),
        needs: vec![address("bucket")],
        removal: Removal::Contents,
        ..wanted("objects", json!({}))
    };
    let objects = with(found(objects, json!({"objects": 12, "bytes": 3400}), Owner::Ours), |found| {
        found.remarks_mut().holds = Some("12 objects (3.4 kB)".to_owned());
    });
    let queue = with(found(queue(), json!({}), Owner::Ours), |found| {
        found.remarks_mut().holds = Some("about 2 messages".to_owned());
    });
    made(Goal::Absent, &[queue, found(bucket(), json!({}), Owner::Ours), objects])
}

/// Nothing to tear down.
pub(super) fn gone() -> Plan {
    made(Goal::Absent, &[queue(), bucket()])
}

/// One plan of each kind.
pub(super) fn all() -> [Plan; 11] {
    [
        create(),
        offline(),
        update(),
        unchanged(),
        refused(),
        adopt(),
        teardown(),
        release(),
        obstructed(),
        full(),
        gone(),
    ]
}
