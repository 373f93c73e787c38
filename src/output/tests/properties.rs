//! Laws over all values, not only the likely ones.

use proptest::prelude::*;

use super::readers::{docker, dotenv, sh, yaml};
use super::{encode, output};
use crate::error::Kind;
use crate::output::Encoding;

/// Names, what shells and templates love, and everything else.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9:/._-]{0,40}",
        r#"[ a-z'"$`\\{}()#=~!&|;<>*?%@,éß本🪣\u{a0}-]{0,24}"#,
        any::<String>(),
        Just("~/x".to_owned()),
        Just("-n".to_owned()),
        Just("$(id) `id` ${HOME}".to_owned()),
        Just("it's \"both\"".to_owned()),
        Just("no".to_owned()),
        Just("2026-01-01".to_owned()),
    ]
}

fn has_control(value: &str) -> bool {
    value.chars().any(char::is_control)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_gets_back_every_value_without_a_nul(value in value()) {
        match encode(Encoding::Env, vec![output("BUCKET", &value)]) {
            Ok(text) => prop_assert_eq!(sh(&text, "BUCKET"), value),
            Err(error) => prop_assert!(error.kind() == Kind::Input && value.contains('\0')),
        }
    }

    #[test]
    fn dotenv_readers_agree_on_every_value_that_is_written(value in value()) {
        match encode(Encoding::Dotenv, vec![output("BUCKET", &value)]) {
            Ok(text) => {
                prop_assert_eq!(&dotenv(&text, "BUCKET"), &value);
                // A shell that sources the file is one of the readers.
                prop_assert_eq!(sh(&text, "BUCKET"), value);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), Kind::Input);
                let hard = has_control(&value) || value.contains(['\\', '\'']) || value.contains("${");
                prop_assert!(hard, "{:?} could have been written", value);
            }
        }
    }

    #[test]
    fn docker_gets_back_every_value_of_one_line(value in value()) {
        match encode(Encoding::Docker, vec![output("BUCKET", &value)]) {
            Ok(text) => prop_assert_eq!(docker(&text, "BUCKET"), value),
            Err(error) => prop_assert!(error.kind() == Kind::Input && has_control(&value)),
        }
    }

    #[test]
    fn a_secret_holds_every_value_without_a_nul(value in value()) {
        match encode(Encoding::K8sSecret, vec![output("BUCKET", &value)]) {
            Ok(text) => {
                let manifest = yaml(&text);
                prop_assert_eq!(manifest["stringData"]["BUCKET"].as_str(), Some(&*value));
            }
            Err(error) => prop_assert!(error.kind() == Kind::Input && value.contains('\0')),
        }
    }

    #[test]
    fn helm_values_hold_every_queue_that_no_template_expands(value in value()) {
        let outputs = vec![output("BUCKET", "s3://acme"), output("BUCKET_QUEUE", &value)];
        match encode(Encoding::Helm, outputs) {
            Ok(text) => {
                let values = yaml(&text);
                prop_assert_eq!(values["app"]["env"]["BUCKET_QUEUE"].as_str(), Some(&*value));
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), Kind::Input);
                prop_assert!(has_control(&value) || value.contains("{{") || value.contains("$("));
            }
        }
    }

    #[test]
    fn json_holds_every_value(value in value()) {
        let text = encode(Encoding::Json, vec![output("BUCKET", &value)]).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read["BUCKET"].as_str(), Some(&*value));
    }
}
