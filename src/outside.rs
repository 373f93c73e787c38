//! Text of others of every kind, for the laws of what reads and merges it. `PROPTEST_CASES` says how often.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Any JSON. Its fields have `names`, so that what is looked for is found and is often of another type.
pub(crate) fn json(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let word = prop_oneof![select(names).prop_map(str::to_owned), text()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let name = prop_oneof![8 => select(names).prop_map(str::to_owned), 1 => text()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// The same with this value at this place, if the place is there in `document`.
pub(crate) fn changed(document: &Value, place: usize, with: &Value) -> Value {
    fn change(value: &mut Value, place: &mut usize, with: &Value) {
        if *place == 0 {
            with.clone_into(value);
        }
        let Some(left) = place.checked_sub(1) else { return *place = usize::MAX };
        *place = left;
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| change(value, place, with)),
            Value::Object(fields) => fields.values_mut().for_each(|value| change(value, place, with)),
            _ => {}
        }
    }
    let (mut document, mut place) = (document.clone(), place);
    change(&mut document, &mut place, with);
    document
}

/// Text with all that ends quotes, lines, elements and words.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._/:*-]{0,24}",
        "\\PC{0,24}",
        any::<String>(),
        select(
            &[
                "",
                " ",
                "'",
                "`",
                "\"",
                "\n",
                "\u{1b}[2J",
                "\u{202e}",
                "{}",
                "{{",
                "%",
                "%zz",
                "</",
                "::x",
                "--x"
            ][..]
        )
        .prop_map(str::to_owned),
    ]
}
