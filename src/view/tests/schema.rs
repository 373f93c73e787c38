//! `docs/plan.schema.json` says what plans really look like, and `docs/json.md` what everything else does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fixtures;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::plan::{Action, FORMAT, Plan};
use crate::view::json;
use crate::view::progress::{self, Tally};
use crate::view::remark::Remark;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/plan.schema.json")).unwrap()
}

fn document(plan: &Plan) -> Value {
    serde_json::from_str(&json::document(plan).unwrap()).unwrap()
}

#[test]
fn plans_of_every_kind_satisfy_it() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let mut actions = BTreeSet::new();
    for plan in fixtures::all() {
        let document = document(&plan);
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {document:#}");
        actions.extend(plan.steps.iter().map(|step| step.action));
    }
    assert_eq!(actions.len(), 8, "the fixtures leave out an action: {actions:?}");
}

#[test]
fn it_is_strict() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let spoil: [fn(&mut Value); 4] = [
        |plan| plan["format"] = json!(FORMAT + 1),
        |plan| plan["surprise"] = json!(true),
        |plan| plan["steps"][0]["surprise"] = json!(true),
        |plan| plan["steps"][0]["action"] = json!("replace"),
    ];
    for spoil in spoil {
        let mut document = document(&fixtures::create());
        spoil(&mut document);
        assert!(!validator.is_valid(&document), "{document:#}");
    }
}

#[test]
fn it_describes_every_field() {
    fn check(at: &str, schema: &Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            assert!(field["description"].is_string(), "{at}/{name} has no description");
        }
        let below = schema.as_object().map(|object| object.values().collect::<Vec<_>>());
        let items = schema.as_array().map(|items| items.iter().collect());
        for inner in below.or(items).into_iter().flatten() {
            check(at, inner);
        }
    }
    let mut schema = schema();
    // The condition of `if` names a field again; its description stands above.
    schema["$defs"]["step"]["if"].take();
    check("", &schema);
    assert_eq!(schema["properties"]["format"]["const"], json!(FORMAT));
}

/// One of each event, with every field set.
fn events() -> Vec<Value> {
    let (address, why) = (fixtures::address("queue"), || "why".to_owned());
    let (action, took, until) = (Action::Create, Duration::from_secs(1), Timestamp::UNIX_EPOCH);
    let steps = [
        Event::Started { address: address.clone(), action },
        Event::Waiting { address: address.clone(), why: why(), next: took, left: took },
        Event::Progress {
            address: address.clone(),
            done: 1,
            total: 2,
            unit: "objects",
            errors: 0,
            per_second: 1,
            left: Some(took),
        },
        Event::Done { address: address.clone(), action, took },
        Event::Failed { address: address.clone(), error: why(), hint: Some(why()) },
        Event::Blocked { address: address.clone(), by: vec![] },
        Event::Pending { address: address.clone(), action, until, how: "how" },
        Event::Halted { address: address.clone(), at: why() },
        Event::Interrupted,
    ];
    let error = Error::new(Kind::Denied, "denied").hint("grant it");
    let remarks = [Remark::error(&error, 3), Remark::note("a note"), Remark::warning("a warning")];
    let tally = Tally { until: Some(until), ..Tally::default() };
    let finished = progress::Finished::of(&tally);
    let lines =
        steps.iter().map(json::line).chain(remarks.iter().map(json::line)).chain([json::line(&finished)]);
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn the_page_names_every_event_and_its_fields() {
    let page = include_str!("../../../docs/json.md");
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in page.lines().skip_while(|line| !line.starts_with("| `event` |")).skip(2) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, event, fields, ..] = cells.as_slice() else { break };
        let fields = fields.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        told.insert(event.trim_matches('`').to_owned(), fields);
    }
    let request = told.remove("request").expect("the record of a request is told");
    assert!(request.contains("status") && request.contains("took_ms"));
    let mut shown = BTreeMap::new();
    for mut event in events() {
        let event = event.as_object_mut().expect("an object");
        let name = event.remove("event").and_then(|name| Some(name.as_str()?.to_owned())).expect("a name");
        shown.insert(name, event.keys().cloned().collect::<BTreeSet<_>>());
    }
    assert_eq!(told, shown);
}
