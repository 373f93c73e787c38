use super::*;
use crate::mark::tests::mark;

/// A bucket that names its queue, whose rule has the derived name, and a queue whose name no mark holds.
const LAYOUT: Layout = Layout {
    bucket: "bucket",
    parts: &[
        Expected { kind: "dead-letter", by: "dead_letter", called: Called::AsMarked },
        Expected { kind: "rule", by: QUEUE, called: Called::Derived },
        Expected { kind: "queue", by: QUEUE, called: Called::AsMarked },
        Expected { kind: "reader", by: QUEUE, called: Called::Unknown },
    ],
};

fn part(kind: &'static str, name: &str, entries: &[(&str, &str)]) -> Marked {
    let mark = mark(&[&[(DEPLOYMENT, "acme")], entries].concat());
    let place = if kind == "reader" { "" } else { "here" };
    Marked {
        kind,
        name: name.to_owned(),
        place: place.to_owned(),
        region: place.to_owned(),
        mark,
        ..Marked::default()
    }
}

fn looked(parts: &[Marked]) -> Looked {
    Looked { parts: parts.to_vec(), ..Looked::default() }
}

fn only(looked: Looked) -> (Deployment, Vec<String>) {
    let Inventory { mut deployments, unread, .. } = Inventory::of(String::new(), looked, &LAYOUT);
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    (deployments.remove(0), unread)
}

fn named(parts: &[Part]) -> Vec<(&str, &str)> {
    parts.iter().map(|part| (part.kind.as_str(), part.name.as_str())).collect()
}

fn missing(looked: Looked) -> Vec<String> {
    only(looked).0.missing.iter().map(|part| format!("{} {}", part.kind, part.name)).collect()
}

#[test]
fn a_whole_deployment_misses_nothing() {
    let bucket = Marked {
        created: Some(20),
        ..part("bucket", "b", &[(QUEUE, "q"), (EXPIRES, "1970-01-01T00:01:40Z")])
    };
    let queue = Marked { created: Some(10), ..part("queue", "q", &[]) };
    let all = [queue, part("rule", "wbstore-acme", &[]), bucket, part("reader", "r", &[])];
    let (deployment, unread) = only(looked(&all));
    assert_eq!((named(&deployment.missing), unread), (vec![], vec![]));
    assert_eq!(
        named(&deployment.parts),
        [("bucket", "b"), ("queue", "q"), ("reader", "r"), ("rule", "wbstore-acme")]
    );
    assert_eq!((deployment.created, deployment.expires), (Some(10), Some(100)));
    assert_eq!(deployment.region, "here");
}

#[test]
fn what_the_bucket_names_and_does_not_exist_is_missing() {
    let bucket = part("bucket", "b", &[(QUEUE, "q"), ("dead_letter", "d")]);
    let found = missing(looked(&[bucket, part("queue", "another", &[])]));
    assert_eq!(found, ["dead-letter d", "rule wbstore-acme", "queue q", "reader "]);
    let internal = part("bucket", "b", &[(QUEUE, "internal")]);
    assert!(missing(looked(&[internal])).is_empty());
}

#[test]
fn without_a_bucket_one_part_of_the_events_shows_that_the_others_are_missing() {
    assert_eq!(missing(looked(&[part("queue", "q", &[])])), ["bucket ", "rule wbstore-acme", "reader "]);
    let reader = only(looked(&[part("reader", "r", &[])])).0;
    assert_eq!(named(&reader.missing), [("bucket", ""), ("rule", "wbstore-acme"), ("queue", "")]);
    assert_eq!(reader.region, "");
    assert_eq!(missing(looked(&[part("dead-letter", "d", &[])])), ["bucket "]);
}

#[test]
fn nothing_counts_as_missing_where_not_all_could_be_read() {
    let error = || Error::new(Kind::Denied, "denied");
    let mut all = looked(&[part("bucket", "b", &[(QUEUE, "q")])]);
    all.unlisted(&["queue"], "here", "the queues", error()).unwrap();
    all.unreadable(&["reader"], "", "reader r", error()).unwrap();
    all.unlisted(&["rule"], "elsewhere", "the rules", error()).unwrap();
    let (deployment, unread) = only(all);
    assert_eq!(named(&deployment.missing), [("rule", "wbstore-acme")]);
    assert_eq!(
        unread,
        [
            "reader r could belong to a deployment, but its mark cannot be read: denied",
            "the queues cannot be listed: denied",
            "the rules cannot be listed: denied"
        ]
    );
    let credentials = Error::new(Kind::Credentials, "none");
    assert!(Looked::default().unlisted(&[], "", "the queues", credentials).is_err());
}

#[test]
fn a_part_does_not_decide_for_a_bucket_that_could_not_be_read() {
    let queue = part("queue", "q", &[(EXPIRES, "1970-01-01T00:00:10Z")]);
    assert_eq!(only(looked(std::slice::from_ref(&queue))).0.expires, Some(10));
    let mut unsure = looked(&[queue]);
    unsure.unreadable(&["bucket"], "", "bucket b", Error::new(Kind::Denied, "denied")).unwrap();
    let (deployment, _) = only(unsure);
    assert_eq!((deployment.expires, named(&deployment.missing).contains(&("bucket", ""))), (None, false));
}

#[test]
fn of_several_of_a_kind_the_one_that_is_named_or_derived_comes_last() {
    let bucket = part("bucket", "b", &[(QUEUE, "a")]);
    let queues = ["a", "z", "wbstore-acme"].map(|name| part("queue", name, &[]));
    let names = |parts: &[Marked]| {
        let all = only(looked(parts)).0.parts;
        all.into_iter().filter(|part| part.kind == "queue").map(|part| part.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[&[bucket], &queues[..]].concat()), ["z", "wbstore-acme", "a"]);
    assert_eq!(names(&queues), ["a", "z", "wbstore-acme"]);
}

#[test]
fn the_same_name_in_two_places_is_two_deployments() {
    let there = Marked { place: "there".to_owned(), region: "there".to_owned(), ..part("bucket", "c", &[]) };
    let all = looked(&[part("bucket", "b", &[]), there, part("reader", "r", &[])]);
    let inventory = Inventory::of(String::new(), all, &LAYOUT);
    let found: Vec<_> =
        inventory.deployments.iter().map(|one| (one.region.as_str(), named(&one.parts))).collect();
    let reader = ("reader", "r");
    assert_eq!(found, [("here", vec![("bucket", "b"), reader]), ("there", vec![("bucket", "c"), reader])]);
}

#[test]
fn what_verify_left_behind_is_not_a_part() {
    let probe = part("reader", "wbstore-verify-acme-1", &[(ROLE, PROBE)]);
    assert!(
        Inventory::of(String::new(), looked(std::slice::from_ref(&probe)), &LAYOUT).deployments.is_empty()
    );
    let (deployment, _) = only(looked(&[part("bucket", "b", &[(QUEUE, "internal")]), probe]));
    assert_eq!(named(&deployment.parts), [("bucket", "b")]);
}

#[test]
fn what_was_adopted_does_not_make_a_deployment_old() {
    let bucket = Marked { created: Some(1), ..part("bucket", "b", &[(ADOPTED, "true")]) };
    let queue = Marked { created: Some(50), ..part("queue", "q", &[]) };
    assert_eq!(only(looked(&[bucket.clone(), queue])).0.created, Some(50));
    assert_eq!(only(looked(&[bucket])).0.created, Some(1));
}

#[test]
fn a_lease_that_cannot_be_read_or_does_not_end_has_no_end() {
    let (deployment, unread) = only(looked(&[part("bucket", "b", &[(EXPIRES, "soon")])]));
    assert_eq!(
        (deployment.expires, unread),
        (None, vec!["the end of the lease of bucket b is not a date: `soon`".to_owned()])
    );
    let endless = part("bucket", "b", &[("lease", "never"), (EXPIRES, "1970-01-01T00:00:10Z")]);
    assert_eq!(only(looked(&[endless])), (only(looked(&[part("bucket", "b", &[])])).0, vec![]));
}

#[test]
fn without_a_bucket_the_last_lease_counts_and_none_keeps_all() {
    let early = part("queue", "q", &[(EXPIRES, "1970-01-01T00:00:10Z")]);
    let late = part("reader", "r", &[(EXPIRES, "1970-01-01T00:00:20Z")]);
    assert_eq!(only(looked(&[early.clone(), late])).0.expires, Some(20));
    assert_eq!(only(looked(&[early.clone(), part("reader", "r", &[])])).0.expires, None);
    assert_eq!(only(looked(&[early, part("bucket", "b", &[])])).0.expires, None, "the bucket is to stay");
}

#[test]
fn what_is_referred_to_is_there_once_and_not_where_it_is_a_part() {
    let group = Part::new("group", "g");
    let refers_to = vec![group.clone(), Part::new("bucket", "b")];
    let of = |kind, name| Marked { refers_to: refers_to.clone(), ..part(kind, name, &[]) };
    let (deployment, _) = only(looked(&[of("queue", "q"), of("rule", "wbstore-acme")]));
    assert_eq!(deployment.refers_to, refers_to);
    let (deployment, _) = only(looked(&[of("queue", "q"), of("bucket", "b")]));
    assert_eq!(deployment.refers_to, [group]);
}

#[test]
fn only_leases_that_have_ended_are_expired() {
    let ended = part("bucket", "b", &[(EXPIRES, "1970-01-01T00:00:10Z")]);
    let inventory = Inventory::of(String::new(), looked(&[ended]), &LAYOUT);
    assert_eq!((inventory.expired(10).count(), inventory.expired(9).count()), (1, 0));
}
