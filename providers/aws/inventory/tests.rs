use super::*;

fn part(kind: &'static str, name: &str, created: i64, tags: &[(&str, &str)]) -> Marked {
    let mut tags: Tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    tags.entry(mark::DEPLOYMENT.to_owned()).or_insert_with(|| "acme".to_owned());
    Marked { kind, name: name.to_owned(), region: "us-east-1".to_owned(), created: Some(created), tags }
}

fn only(seen: Seen) -> (Deployment, Vec<String>) {
    let Inventory { mut deployments, unread, .. } = group(String::new(), seen);
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    (deployments.remove(0), unread)
}

fn seen(parts: Vec<Marked>) -> Seen {
    Seen { parts, ..Seen::default() }
}

#[test]
fn a_whole_deployment_misses_nothing() {
    let bucket = part("bucket", "b", 20, &[(mark::QUEUE, "q"), (mark::EXPIRES, "1970-01-01T00:01:40Z")]);
    let (deployment, unread) = only(seen(vec![part("queue", "q", 10, &[]), bucket]));
    assert_eq!(kinds(&deployment.missing), Vec::<&str>::new());
    assert_eq!((deployment.created, deployment.expires), (Some(10), Some(100)));
    assert_eq!((deployment.parts[0].kind.as_str(), deployment.parts[0].name.as_str()), ("bucket", "b"));
    assert!(unread.is_empty());
}

#[test]
fn what_the_bucket_names_and_is_not_there_is_missing() {
    let tags = [(mark::QUEUE, "q"), (mark::NOTIFICATIONS_QUEUE, "n")];
    let (deployment, _) = only(seen(vec![part("bucket", "b", 1, &tags), part("queue", "another", 1, &[])]));
    assert_eq!(kinds(&deployment.missing), ["queue", "notifications-queue"]);
    let (deployment, _) = only(seen(vec![part("queue", "q", 1, &[])]));
    assert_eq!(kinds(&deployment.missing), ["bucket"]);
    let (deployment, _) = only(seen(vec![part("bucket", "b", 1, &[(mark::QUEUE, "internal")])]));
    assert_eq!(kinds(&deployment.missing), Vec::<&str>::new());
}

#[test]
fn nothing_is_called_missing_where_not_all_could_be_seen() {
    let unsure = BTreeSet::from(["us-east-1".to_owned()]);
    let bucket = part("bucket", "b", 1, &[(mark::QUEUE, "q")]);
    let (deployment, _) = only(Seen { parts: vec![bucket], unsure, ..Seen::default() });
    assert_eq!(kinds(&deployment.missing), Vec::<&str>::new());
}

#[test]
fn a_queue_does_not_speak_for_a_bucket_that_could_not_be_looked_at() {
    let queue = || part("queue", "q", 1, &[(mark::EXPIRES, "1970-01-01T00:00:10Z")]);
    let (alone, _) = only(seen(vec![queue()]));
    assert_eq!(alone.expires, Some(10));
    let (unsure, _) = only(Seen { parts: vec![queue()], bucket_unread: true, ..Seen::default() });
    assert_eq!(unsure.expires, None);
}

#[test]
fn of_two_queues_the_one_that_the_bucket_names_comes_last() {
    let bucket = part("bucket", "b", 1, &[(mark::QUEUE, "a")]);
    let (deployment, _) = only(seen(vec![bucket, part("queue", "a", 1, &[]), part("queue", "z", 1, &[])]));
    let names: Vec<_> = deployment.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["b", "z", "a"]);
}

#[test]
fn the_same_name_in_two_regions_is_two_deployments() {
    let elsewhere = Marked { region: "eu-west-1".to_owned(), ..part("bucket", "c", 1, &[]) };
    let inventory = group(String::new(), seen(vec![part("bucket", "b", 1, &[]), elsewhere]));
    let regions: Vec<_> = inventory.deployments.iter().map(|deployment| deployment.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
}

#[test]
fn what_was_adopted_does_not_make_a_deployment_old() {
    let bucket = part("bucket", "b", 1, &[(mark::ADOPTED, "true")]);
    let (deployment, _) = only(seen(vec![bucket.clone(), part("queue", "q", 50, &[])]));
    assert_eq!(deployment.created, Some(50));
    assert_eq!(only(seen(vec![bucket])).0.created, Some(1));
}

#[test]
fn a_lease_that_cannot_be_read_has_no_end() {
    let (deployment, unread) = only(seen(vec![part("bucket", "b", 1, &[(mark::EXPIRES, "soon")])]));
    assert_eq!(deployment.expires, None);
    assert!(unread[0].contains("`soon`"));
}

#[test]
fn without_a_bucket_the_last_lease_counts_and_none_keeps_all() {
    let early = part("queue", "q", 1, &[(mark::EXPIRES, "1970-01-01T00:00:10Z")]);
    let late = part("notifications-queue", "n", 1, &[(mark::EXPIRES, "1970-01-01T00:00:20Z")]);
    let (deployment, _) = only(seen(vec![early.clone(), late]));
    assert_eq!(deployment.expires, Some(20));
    let (deployment, _) = only(seen(vec![early, part("notifications-queue", "n", 1, &[])]));
    assert_eq!(deployment.expires, None);
}

#[test]
fn only_leases_that_have_ended_are_expired() {
    let ended = part("bucket", "b", 1, &[(mark::EXPIRES, "1970-01-01T00:00:10Z")]);
    let inventory = group(String::new(), seen(vec![ended]));
    assert_eq!(inventory.expired(10).count(), 1);
    assert_eq!(inventory.expired(9).count(), 0);
}

fn kinds(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.kind.as_str()).collect()
}
