use serde_json::json;

use super::*;

fn account(tags: &Value) -> Account {
    let id = "/subscriptions/s/resourcegroups/Ml/providers/Microsoft.Storage/storageAccounts/acmewandb";
    let listed = json!({"id": id, "name": "acmewandb", "kind": "StorageV2", "location": "westeurope",
        "tags": tags, "properties": {"creationTime": "1970-01-01T00:01:40.5Z"}});
    Account::listed(&listed).expect("an account")
}

#[test]
fn a_deployment_refers_to_where_it_is() {
    let found = account(&json!({"wbstore-deployment": "acme"}));
    let mut part = found.marked.clone().expect("a mark");
    found.locate(&mut part);
    assert_eq!((part.created, part.region.as_str()), (Some(100), "westeurope"));
    assert_eq!(part.refers_to, [Part::new("resource-group", "Ml"), Part::new("account", "acmewandb")]);
}

#[test]
fn marked_accounts_are_searched_whatever_their_number() {
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
    let of = |kind: &str, tags| Account::listed(&json!({"id": id, "name": "a", "kind": kind, "tags": tags}));
    assert!(of("Storage", json!({})).is_none());
    assert!(of("Storage", json!({"wbstore-deployment": "acme"})).is_some());
}
