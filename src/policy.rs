//! The permissions that a deployment requires, from a template for each cloud and audience.
//!
//! A template is JSON: the `form` of the `document`, the `document` itself, the `commands` that create and attach
//! it, and the `notes` about it. A string may have holes, `${bucket}`, and one that is a hole and nothing else becomes
//! the value of any type. A value may be an entry, `{"is": …}`, with a condition (`"when": "queue !expired"`: all
//! the named holes have a value, or with `!` none) and a reason (`"why"`), which the commands quote. With `"each": "x"`
//! it is there once for each value of the list `x`, which `${each}` is, or `${each.y}` its field `y`. In commands
//! `${document}` is the filled document, and `${document.x}` the strings of its list `x`.

use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::pods::PodIdentity;

/// Whose permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The machine the W&B server runs on.
    Node,
    /// The person or job that runs wbstore.
    Operator,
    /// The key that encrypts a team's bucket, whose own policy has to let the reader in.
    TeamKey,
    /// The scheduled job that runs `teardown --expired`, for every deployment there is.
    ExpiryJob,
}

/// How a policy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PolicyForm {
    /// The document as JSON
    Json,
    /// The document as YAML
    Yaml,
    /// Commands of the cloud's own tool that create and attach it
    Commands,
    /// With --trust: values for W&B's operator chart
    Helm,
    /// With --trust: part of a WeightsAndBiases resource for version 2 of W&B's operator
    OperatorV2,
}

impl PolicyForm {
    /// Whether it is for Kubernetes, and not for the cloud.
    pub(crate) fn is_of_pods(self) -> bool {
        matches!(self, Self::Helm | Self::OperatorV2)
    }
}

/// A policy document in the cloud's own form.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Policy {
    /// The document, ready to be pasted.
    pub document: Value,
    /// The form in which the cloud's own tool reads it.
    pub form: PolicyForm,
    /// The commands that create and attach it, in their order, a line each. A line that begins with `#`
    /// is a comment; a word in capitals is for the reader to fill in.
    pub commands: Vec<String>,
    /// How it differs from the published guide, and what was assumed, one sentence each.
    pub notes: Vec<String>,
    /// What the pods require that are to have these permissions, where they are asked for.
    #[serde(skip)]
    pub pods: Option<PodIdentity>,
}

/// What fills the holes of a template; those without a value are `null`.
pub(crate) struct Holes(Map<String, Value>);

impl<const N: usize> From<[(&str, Value); N]> for Holes {
    fn from(holes: [(&str, Value); N]) -> Self {
        Self(holes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Holes {
    /// These and `more`.
    pub(crate) fn and<const N: usize>(mut self, more: [(&str, Value); N]) -> Self {
        self.0.extend(Self::from(more).0);
        self
    }

    /// The policy that `template` describes.
    ///
    /// # Errors
    /// [`Kind::Failed`] for a template that is not one, or a hole without a value.
    pub(crate) fn fill(mut self, template: &str) -> Result<Policy> {
        let broken = |error| Error::new(Kind::Failed, "the policy template is invalid").because(error);
        let mut template: Map<String, Value> = serde_json::from_str(template).map_err(broken)?;
        let mut reasons = vec![];
        let document = template.remove("document").unwrap_or_default();
        let document = self.value(&document, &mut reasons)?.unwrap_or_default();
        for (key, list) in document.as_object().into_iter().flatten() {
            let strings: Vec<&str> =
                list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            self.0.insert(format!("document.{key}"), strings.join(",").into());
        }
        self.0.insert("document".to_owned(), document.to_string().into());
        let rest = self.value(&Value::Object(template), &mut vec![])?.unwrap_or_default();
        let mut policy = Map::from_iter([("document".to_owned(), document)]);
        policy.extend(rest.as_object().cloned().unwrap_or_default());
        let mut policy: Policy = serde_json::from_value(policy.into()).map_err(broken)?;
        policy.commands.splice(0..0, reasons);
        Ok(policy)
    }

    /// `template` with its holes filled, unless its condition does not hold.
    fn value(&self, template: &Value, reasons: &mut Vec<String>) -> Result<Option<Value>> {
        Ok(Some(match template {
            Value::Object(entry) if entry.contains_key("is") => {
                if !self.holds(entry.get("when"))? {
                    return Ok(None);
                }
                let filled = self.value(&entry["is"], reasons)?;
                if let (Some(filled), Some(why)) = (&filled, entry.get("why").and_then(Value::as_str)) {
                    // A statement is known by its id.
                    let name = filled.as_str().or(filled["Sid"].as_str()).unwrap_or_default();
                    reasons.push(format!("# {name}: {why}"));
                }
                return Ok(filled);
            }
            Value::Object(fields) => {
                let mut filled = Map::new();
                for (key, field) in fields {
                    filled.extend(self.value(field, reasons)?.map(|field| (key.clone(), field)));
                }
                filled.into()
            }
            Value::Array(items) => {
                let mut filled = vec![];
                for item in items {
                    match item.get("each").and_then(Value::as_str) {
                        Some(list) => filled.extend(self.each(list, item)?),
                        None => filled.extend(self.value(item, reasons)?),
                    }
                }
                filled.into()
            }
            Value::String(text) => self.text(text)?,
            other => other.clone(),
        }))
    }

    /// `entry` for each value of `list`.
    fn each(&self, list: &str, entry: &Value) -> Result<Vec<Value>> {
        let mut filled = vec![];
        for value in self.hole(list)?.as_array().into_iter().flatten() {
            let fields = value.as_object().into_iter().flatten();
            let fields = fields.map(|(name, field)| (format!("each.{name}"), field.clone()));
            let mut holes = self.0.clone();
            holes.extend(fields.chain([("each".to_owned(), value.clone())]));
            filled.extend(Self(holes).value(entry, &mut vec![])?);
        }
        Ok(filled)
    }

    fn holds(&self, condition: Option<&Value>) -> Result<bool> {
        for word in condition.and_then(Value::as_str).unwrap_or_default().split_whitespace() {
            let (name, wanted) = word.strip_prefix('!').map_or((word, true), |name| (name, false));
            if self.hole(name)?.is_null() == wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn text(&self, template: &str) -> Result<Value> {
        let (mut text, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            let value = self.hole(name)?;
            if text.is_empty() && before.is_empty() && after.is_empty() {
                return Ok(value.clone());
            }
            let value = value.as_str().ok_or_else(|| undefined(name))?;
            text.push_str(before);
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text.into())
    }

    fn hole(&self, name: &str) -> Result<&Value> {
        self.0.get(name).ok_or_else(|| undefined(name))
    }
}

/// The refusal of [`Audience::TeamKey`] where keys have no policies.
#[cfg(any(feature = "azure", feature = "gcp", feature = "s3"))]
pub(crate) fn no_team_key() -> Error {
    Error::input("--for team-key is for the KMS key of a team's bucket on AWS")
        .hint("use `wbstore policy aws --team NAME --for team-key`")
}

fn undefined(name: &str) -> Error {
    Error::new(Kind::Failed, format!("the policy template has no text for `{name}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEMPLATE: &str = r#"{
        "form": "yaml",
        "document": {
            "Name": "server of ${name}",
            "Scopes": ["${name}/*"],
            "Condition": {"when": "!queue", "is": {"none": true}},
            "Actions": [
                {"is": "read", "why": "reading"},
                {"when": "queue", "is": "receive", "why": "receiving"},
                {"when": "queue other", "is": "send", "why": "sending"}
            ],
            "On": "${queue}"
        },
        "commands": [
            "create '${document}'",
            {"when": "queue", "is": "allow ${document.Actions}"},
            {"each": "queue", "is": "join ${name} ${each}"},
            {"each": "people", "when": "queue", "is": "greet ${each.name}"}
        ],
        "notes": [{"when": "!queue", "is": "no queue"}, "bind it to ${name}"]
    }"#;

    fn filled(queue: Value) -> Policy {
        let people = json!([{ "name": "Jo" }]);
        Holes::from([("name", json!("acme")), ("queue", queue), ("other", Value::Null), ("people", people)])
            .fill(TEMPLATE)
            .unwrap()
    }

    #[test]
    fn entries_are_there_where_their_conditions_hold() {
        let policy = filled(json!(["a", "b"]));
        let expected = json!({"Name": "server of acme", "Scopes": ["acme/*"], "Actions": ["read", "receive"],
            "On": ["a", "b"]});
        assert_eq!(policy.document, expected);
        let create = format!("create '{expected}'");
        assert_eq!(
            policy.commands,
            [
                "# read: reading",
                "# receive: receiving",
                &create,
                "allow read,receive",
                "join acme a",
                "join acme b",
                "greet Jo"
            ]
        );
        assert_eq!(
            (policy.notes.as_slice(), policy.form),
            (&["bind it to acme".to_owned()][..], PolicyForm::Yaml)
        );
        let policy = filled(Value::Null);
        assert_eq!(
            (&policy.document["Condition"], &policy.document["On"]),
            (&json!({"none": true}), &Value::Null)
        );
        assert_eq!(policy.notes, ["no queue", "bind it to acme"]);
        assert_eq!(policy.commands.len(), 2, "{:?}", policy.commands);
    }

    #[test]
    fn a_hole_without_a_value_is_an_error() {
        for broken in [r#"{"document": "${a}"}"#, r#"{"document": {"when": "a", "is": 1}}"#, "{"] {
            assert!(Holes::from([]).fill(broken).is_err(), "{broken}");
        }
    }
}
