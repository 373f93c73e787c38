use proptest::prelude::*;

use super::configuration::Listing;
use super::*;
use crate::outside;
use crate::providers::gcp::failure::Refusal;

const TOPIC: &str = "//pubsub.googleapis.com/projects/acme-prod/topics/wbstore-acme";

fn wanted() -> Notification {
    Notification {
        bucket: "acme-runs".to_owned(),
        topic_name: "wbstore-acme".to_owned(),
        subscription: "wbstore-acme".to_owned(),
        deployment: "acme".parse().unwrap(),
        leaving: false,
        topic_by_number: TOPIC.replace("acme-prod", "123456789012"),
        attributes: BTreeMap::from([(ATTRIBUTE.to_owned(), "acme".to_owned())]),
        topic: TOPIC.to_owned(),
        events: vec![CREATED.to_owned()],
        payload_format: "JSON_API_V1".to_owned(),
        prefix: None,
        entries: 1,
    }
}

fn one(id: &str, deployment: Option<&str>, events: &[&str]) -> Configuration {
    Configuration {
        id: id.to_owned(),
        topic: TOPIC.to_owned(),
        event_types: events.iter().map(ToString::to_string).collect(),
        payload_format: "JSON_API_V1".to_owned(),
        object_name_prefix: String::new(),
        custom_attributes: deployment
            .map(|name| (ATTRIBUTE.to_owned(), name.to_owned()))
            .into_iter()
            .collect(),
    }
}

#[test]
fn ours_is_known_by_its_attribute_alone() {
    let elsewhere = Configuration { topic: format!("{TOPIC}-audit"), ..one("1", None, &[CREATED]) };
    let found = wanted().seen(&[elsewhere, one("2", Some("beta"), &[CREATED])]);
    assert!(found.state().is_none() && found.remarks().obstacles.is_empty());
    assert_eq!(
        found.remarks().kept[0],
        "notification 1 to projects/acme-prod/topics/wbstore-acme-audit for OBJECT_FINALIZE"
    );
    let found = wanted().seen(&[one("3", Some("acme"), &[CREATED])]);
    assert_eq!(found.state(), Some(&wanted()));
}

#[test]
fn several_of_ours_and_wrong_ones_are_drift() {
    let twice = wanted().seen(&[one("9", Some("acme"), &[CREATED]), one("10", Some("acme"), &[CREATED])]);
    assert_eq!(twice.state().map(|state| state.entries), Some(2));
    let wrong = wanted().seen(&[one("9", Some("acme"), &[])]).state().unwrap().clone();
    assert_eq!(wrong.events, ["all"]);
    let mixed = wanted().seen(&[one("9", Some("acme"), &[]), one("10", Some("acme"), &[CREATED])]);
    assert_eq!(mixed.state(), Some(&Notification { entries: 2, ..wanted() }));
}

#[test]
fn the_lowest_id_is_the_oldest() {
    let mut all = [one("10", None, &[]), one("9", None, &[])];
    all.sort_by(|one, other| one.age().cmp(&other.age()));
    assert_eq!(all[0].id, "9");
}

#[test]
fn the_limits_are_seen_before_anything_is_made() {
    let elsewhere = |one: Configuration| Configuration { topic: "t".to_owned(), ..one };
    let ten: Vec<_> = (0..10).map(|id| elsewhere(one(&id.to_string(), None, &[CREATED]))).collect();
    assert_eq!(wanted().seen(&ten).remarks().obstacles.len(), 1);
    let other: Vec<_> = (0..10).map(|id| one(&id.to_string(), None, &["OBJECT_DELETE"])).collect();
    assert!(wanted().seen(&other).remarks().obstacles.is_empty());
    let hundred: Vec<_> = (0..100).map(|id| one(&id.to_string(), None, &["OBJECT_DELETE"])).collect();
    assert_eq!(wanted().seen(&hundred).remarks().obstacles.len(), 1);
    let mut ours = ten;
    ours.pop();
    ours.push(one("11", Some("acme"), &[CREATED]));
    assert!(wanted().seen(&ours).remarks().obstacles.is_empty());
}

#[test]
fn one_of_others_suffices_only_where_it_sends_all_that_ours_would() {
    let owner = |one: Configuration| wanted().seen(&[one]).owner().cloned();
    let uses = |one: Configuration| owner(one) == Some(Owner::Sufficient("the notification `7`".to_owned()));
    let theirs = || one("7", None, &["OBJECT_DELETE", CREATED]);
    assert!(uses(theirs()) && uses(one("7", None, &[])));
    assert!(uses(Configuration { topic: wanted().topic_by_number, ..theirs() }));
    for other in [
        Configuration { payload_format: "NONE".to_owned(), ..theirs() },
        Configuration { object_name_prefix: "runs/".to_owned(), ..theirs() },
        Configuration { topic: format!("{TOPIC}-audit"), ..theirs() },
        one("7", None, &["OBJECT_DELETE"]),
        one("7", Some("beta"), &[CREATED]),
    ] {
        assert_eq!(owner(other.clone()), None, "{other:?}");
    }
    let all = Notification { events: vec![ALL.to_owned()], ..wanted() };
    assert_eq!(all.seen(&[theirs()]).owner(), None, "it sends too few types");
}

#[test]
fn what_is_full_is_replaced_after_the_deletion_and_said_so() {
    let mut nine: Vec<_> = (0..9)
        .map(|id| Configuration { topic: "t".to_owned(), ..one(&id.to_string(), None, &["OBJECT_DELETE"]) })
        .collect();
    let all = Notification { events: vec![ALL.to_owned()], ..wanted() };
    nine.push(one("10", Some("acme"), &[CREATED]));
    assert!(all.seen(&nine).remarks().findings.is_empty(), "there is room for a tenth of each type");
    nine[9] = one("10", Some("acme"), &["OBJECT_DELETE"]);
    let found = all.seen(&nine);
    assert!(found.remarks().obstacles.is_empty());
    assert!(found.remarks().findings[0].contains("uploads in between send no event"));
}

#[test]
fn only_the_two_known_answers_are_waited_for() {
    let said = |http, message: &str| Refusal { http, message: message.to_owned(), ..Refusal::default() };
    for message in [
        "The service account 'service-1@gs-project-accounts.iam.gserviceaccount.com' does not have permission to \
         publish messages to the Cloud Pub/Sub topic '//pubsub.googleapis.com/projects/p/topics/t', or that topic \
         does not exist.",
        "Cloud Pub/Sub topic not found, or user does not have permission on the topic.",
    ] {
        assert!(is_unheard_of(&said(403, message)) && is_unheard_of(&said(400, message)), "{message}");
    }
    assert!(!is_unheard_of(&said(
        403,
        "ann@acme.com does not have storage.buckets.update access to topic-runs"
    )));
    assert!(!is_unheard_of(&said(500, "topic not found")));
}

proptest! {
    #[test]
    fn any_list_is_seen_as_ours_and_others(
        json in outside::json(&[
            "items", "id", "topic", "event_types", "payload_format", "object_name_prefix", "custom_attributes", ATTRIBUTE,
            TOPIC, "acme", "JSON_API_V1", "OBJECT_FINALIZE",
        ]),
        events in prop::collection::vec(prop::sample::subsequence(vec![CREATED, "OBJECT_DELETE"], 0..3), 0..5),
        ids in prop::collection::vec(outside::text(), 5), owners in prop::collection::vec(prop::option::of(outside::text()), 5),
    ) {
        let listed = serde_json::from_value::<Listing>(json).map(|listing| listing.items).unwrap_or_default();
        let near = events.iter().zip(ids.iter().zip(&owners)).map(|(events, (id, owner))| one(id, owner.as_deref(), events));
        for mut all in [listed, near.collect()] {
            all.sort_by(|one, other| one.age().cmp(&other.age()));
            let ours = all.iter().filter(|one| one.custom_attributes.get(ATTRIBUTE).is_some_and(|of| of == "acme")).count();
            let found = wanted().seen(&all);
            prop_assert_eq!(found.remarks().kept.len(), all.len() - ours);
            prop_assert!(found.remarks().kept.iter().all(|text| !text.contains(char::is_control) && !text.contains('`')));
            let commands = found.remarks().findings.iter().filter_map(|text| text.split_once("`gcloud")?.1.split_once('`'));
            for (command, _) in commands {
                prop_assert!(command.chars().all(|letter| letter.is_ascii_alphanumeric() || " /_-".contains(letter)));
            }
        }
    }
}
