use super::*;
use crate::provider::CloudOptions;
use crate::providers::gcp::options::GcpOptions;

fn part(kind: &'static str, name: &str, labels: &[(&str, &str)]) -> Marked {
    let mut labels: Labels =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    labels.entry(mark::DEPLOYMENT.to_owned()).or_insert_with(|| "acme".to_owned());
    let location = if kind == "bucket" { "US" } else { "" };
    Marked { kind, name: name.to_owned(), location: location.to_owned(), created: None, labels }
}

fn seen(parts: Vec<Marked>) -> Seen {
    Seen { parts, ..Seen::default() }
}

fn only(seen: Seen) -> (Deployment, Vec<String>) {
    let Inventory { mut deployments, unread, .. } = group(String::new(), seen);
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    (deployments.remove(0), unread)
}

fn kinds(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.kind.as_str()).collect()
}

fn names(deployment: &Deployment) -> Vec<&str> {
    deployment.parts.iter().map(|part| part.name.as_str()).collect()
}

#[test]
fn a_whole_deployment_misses_nothing() {
    let bucket = Marked {
        created: Some(10),
        ..part("bucket", "b", &[(mark::QUEUE, "pubsub"), (mark::EXPIRES, "100")])
    };
    let (deployment, unread) =
        only(seen(vec![part("subscription", "s", &[]), part("topic", "t", &[]), bucket]));
    assert_eq!(kinds(&deployment.missing), Vec::<&str>::new());
    assert_eq!((deployment.created, deployment.expires), (Some(10), Some(100)));
    assert_eq!((names(&deployment), deployment.region.as_str()), (vec!["b", "s", "t"], "US"));
    assert!(unread.is_empty());
}

#[test]
fn what_the_others_tell_of_and_is_not_there_is_missing() {
    let (deployment, _) = only(seen(vec![part("bucket", "b", &[(mark::QUEUE, "pubsub")])]));
    assert_eq!(kinds(&deployment.missing), ["topic", "subscription"]);
    let (deployment, _) = only(seen(vec![part("topic", "t", &[])]));
    assert_eq!(kinds(&deployment.missing), ["bucket", "subscription"]);
    assert_eq!(deployment.region, "");
    let (deployment, _) = only(seen(vec![part("bucket", "b", &[(mark::QUEUE, "internal")])]));
    assert_eq!(kinds(&deployment.missing), Vec::<&str>::new());
}

#[test]
fn nothing_is_called_missing_where_not_all_could_be_seen() {
    let unsure = BTreeMap::from([("topic", "denied".to_owned())]);
    let (deployment, unread) =
        only(Seen { parts: vec![part("bucket", "b", &[(mark::QUEUE, "pubsub")])], unsure });
    assert_eq!(kinds(&deployment.missing), ["subscription"]);
    assert_eq!(unread, ["denied"]);
}

#[test]
fn what_verify_left_behind_is_no_part() {
    let probe = part("subscription", "wbstore-verify-acme-1", &[(ROLE, PROBE)]);
    assert!(group(String::new(), seen(vec![probe.clone()])).deployments.is_empty());
    let (deployment, _) = only(seen(vec![part("bucket", "b", &[(mark::QUEUE, "internal")]), probe]));
    assert_eq!(names(&deployment), ["b"]);
}

#[test]
fn of_two_topics_the_one_with_the_default_name_comes_last() {
    let (deployment, _) = only(seen(vec![
        part("topic", "wbstore-acme", &[]),
        part("topic", "z", &[]),
        part("topic", "a", &[]),
    ]));
    assert_eq!(names(&deployment), ["a", "z", "wbstore-acme"]);
}

#[test]
fn the_same_name_in_two_locations_is_two_deployments() {
    let elsewhere = Marked { location: "EU".to_owned(), ..part("bucket", "c", &[]) };
    let inventory =
        group(String::new(), seen(vec![part("bucket", "b", &[]), elsewhere, part("topic", "t", &[])]));
    let found: Vec<_> = inventory.deployments.iter().map(|one| (one.region.as_str(), names(one))).collect();
    assert_eq!(found, [("EU", vec!["c", "t"]), ("US", vec!["b", "t"])]);
}

#[test]
fn a_lease_that_cannot_be_read_has_no_end() {
    let (deployment, unread) = only(seen(vec![part("bucket", "b", &[(mark::EXPIRES, "soon")])]));
    assert_eq!(deployment.expires, None);
    assert!(unread[0].contains("`soon`"));
}

#[test]
fn without_a_bucket_the_last_lease_counts_and_none_keeps_all() {
    let topic = part("topic", "t", &[(mark::EXPIRES, "10")]);
    let late = part("subscription", "s", &[(mark::EXPIRES, "20")]);
    assert_eq!(only(seen(vec![topic.clone(), late])).0.expires, Some(20));
    assert_eq!(only(seen(vec![topic, part("subscription", "s", &[])])).0.expires, None);
}

#[test]
fn a_listing_names_what_can_be_asked_for_again() {
    let parts = vec![
        part("bucket", "acme-wandb", &[(mark::QUEUE, "pubsub")]),
        part("topic", "acme-topic", &[]),
        part("subscription", "acme-subscription", &[]),
    ];
    let (deployment, _) = only(seen(parts));
    let options = GcpOptions::default().with_parts(&deployment).unwrap();
    assert_eq!(
        options.names(&"acme".parse().unwrap()),
        [
            ("--location", "US".to_owned()),
            ("--bucket", "acme-wandb".to_owned()),
            ("--topic", "acme-topic".to_owned()),
            ("--subscription", "acme-subscription".to_owned())
        ]
    );
}
