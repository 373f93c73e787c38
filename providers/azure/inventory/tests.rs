use serde_json::json;

use super::*;

fn account(tags: &Value) -> Account {
    let id = "/subscriptions/s/resourcegroups/Ml/providers/Microsoft.Storage/storageAccounts/acmewandb";
    let listed = json!({"id": id, "name": "acmewandb", "kind": "StorageV2", "location": "westeurope",
        "tags": tags, "properties": {"creationTime": "1970-01-01T00:01:40.5Z"}});
    Account::told_by(&listed).expect("an account")
}

fn part(kind: &'static str, name: &str, mark: &[(&str, &str)]) -> Marked {
    let mut all: Mark = mark.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    all.insert(mark::DEPLOYMENT.to_owned(), "acme".to_owned());
    Marked { kind, name: name.to_owned(), created: None, mark: all }
}

fn grouped(account: &Account, parts: Vec<Marked>) -> Vec<Deployment> {
    group(account, Looked { parts, ..Looked::default() }, &mut vec![])
}

fn named(parts: &[Part]) -> Vec<(&str, &str)> {
    parts.iter().map(|part| (part.kind.as_str(), part.name.as_str())).collect()
}

#[test]
fn what_carries_one_name_is_one_deployment_with_its_place() {
    let ours = account(&json!({"wbstore-deployment": "acme"}));
    let parts = vec![
        part("queue", "wbstore-acme", &[]),
        part("container", "wandb", &[("queue", "wbstore-acme")]),
        part("event-subscription", "wbstore-acme", &[]),
    ];
    let all = grouped(&ours, parts);
    let [only] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        named(&only.parts),
        [
            ("account", "acmewandb"),
            ("container", "wandb"),
            ("event-subscription", "wbstore-acme"),
            ("queue", "wbstore-acme"),
        ]
    );
    assert_eq!(named(&only.refers_to), [("resource-group", "Ml")]);
    assert_eq!((only.created, only.expires, only.region.as_str()), (Some(100), None, "westeurope"));
    assert!(only.missing.is_empty());
}

#[test]
fn an_account_of_others_tells_nothing_of_when_a_deployment_was_made() {
    let all = grouped(&account(&json!({})), vec![part("container", "wandb", &[("queue", "internal")])]);
    assert_eq!((all[0].created, all[0].missing.len()), (None, 0));
    assert_eq!(named(&all[0].refers_to), [("resource-group", "Ml"), ("account", "acmewandb")]);
}

#[test]
fn what_the_container_names_and_is_not_there_is_missing() {
    let used = account(&json!({}));
    let marks = [("queue", "q"), ("dead_letter", "dead")];
    let all = grouped(&used, vec![part("container", "wandb", &marks)]);
    let expected = [("dead-letter", "dead"), ("event-subscription", "wbstore-acme"), ("queue", "q")];
    assert_eq!(named(&all[0].missing), expected);
    let all = grouped(&used, vec![part("queue", "q", &[])]);
    assert_eq!(named(&all[0].missing), [("container", "")]);
    let unsure = Looked { parts: vec![part("queue", "q", &[])], unsure: true, ..Looked::default() };
    assert!(group(&used, unsure, &mut vec![])[0].missing.is_empty());
}

#[test]
fn the_container_says_when_the_lease_ends() {
    let used = account(&json!({}));
    let lasting = |date| [("expires", date), ("queue", "q")];
    let queue = part("queue", "q", &[("expires", "1970-01-01T00:00:10Z")]);
    let all =
        grouped(&used, vec![queue.clone(), part("container", "wandb", &lasting("1970-01-01T00:00:20Z"))]);
    assert_eq!(all[0].expires, Some(20));
    let all = grouped(&used, vec![queue.clone(), part("container", "wandb", &[])]);
    assert_eq!(all[0].expires, None, "the container is to stay");
    let all = grouped(&used, vec![queue]);
    assert_eq!(all[0].expires, Some(10));
    let mut unread = vec![];
    let broken = vec![part("container", "wandb", &lasting("soon"))];
    let all = group(&used, Looked { parts: broken, ..Looked::default() }, &mut unread);
    assert_eq!((all[0].expires, unread.len()), (None, 1));
}

#[test]
fn marked_accounts_are_looked_into_whatever_their_number() {
    let ours = account(&json!({"wbstore-deployment": "acme"}));
    let others = (0..50).map(|_| account(&json!({})));
    let all: Vec<_> = others.chain([ours.clone()]).collect();
    let (first, left_out) = chosen(all.clone(), Within::default());
    assert_eq!((first.len(), left_out), (LOOKED_INTO + 1, 10));
    assert_eq!(first[0], ours);
    assert_eq!(chosen(all, Within { account: Some("a"), ..Within::default() }).1, 0);
}

#[test]
fn accounts_that_cannot_hold_a_deployment_are_passed_over() {
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
    let of = |kind: &str, tags| Account::told_by(&json!({"id": id, "name": "a", "kind": kind, "tags": tags}));
    assert!(of("Storage", json!({})).is_none());
    assert!(of("Storage", json!({"wbstore-deployment": "acme"})).is_some());
}
