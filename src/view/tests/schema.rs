//! `docs/plan.schema.json` says what plans really look like.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fixtures;
use crate::plan::{FORMAT, Plan};
use crate::view::json;

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
