//! Resource policies: JSON documents that several parties write statements into.
//!
//! A bucket or queue has one policy, and its API replaces it whole. So it is read, our statement is
//! found by its `Sid`, and everything else is written back as it was, to the byte.

use std::fmt;
use std::str::FromStr;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::{Error, Kind, Result};
use crate::value::quoted;

mod denial;
mod exposure;
mod meaning;
mod permission;
mod purpose;
mod sentence;
pub(crate) mod statements;

pub(crate) use meaning::same_meaning;
pub(crate) use purpose::Purpose;
pub(crate) use sentence::sentence;

/// A policy document (IAM user guide, "Grammar of the IAM JSON policy language").
#[derive(Clone, Debug)]
pub(crate) struct PolicyDocument {
    /// The elements beside `Statement`, such as `Version` and `Id`, in their order.
    head: Vec<(String, Box<RawValue>)>,
    statements: Vec<Statement>,
}

/// A statement as text, which is kept, and as a value, which is inspected.
#[derive(Clone, Debug)]
struct Statement {
    raw: Box<RawValue>,
    value: Value,
}

impl Statement {
    fn parse(raw: &RawValue) -> serde_json::Result<Self> {
        Ok(Self { value: serde_json::from_str(raw.get())?, raw: raw.to_owned() })
    }

    fn sid(&self) -> Option<&str> {
        self.value.get("Sid")?.as_str().filter(|sid| !sid.is_empty())
    }
}

impl PolicyDocument {
    /// A document without statements, in the current version of the language.
    ///
    /// # Errors
    /// None in practice; see [`upsert`](Self::upsert).
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { head: vec![("Version".to_owned(), raw(&"2012-10-17".into())?)], statements: vec![] })
    }

    /// The document that an API returned, or a new one where there is none. SQS gives an empty
    /// string for a queue without a policy.
    ///
    /// # Errors
    /// When the text is no policy document. Then it must not be replaced: it may hold statements.
    pub(crate) fn parse_or_new(text: Option<&str>) -> Result<Self> {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => text.parse(),
            None => Self::new(),
        }
    }

    /// The statements, in their order.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Value> {
        self.statements.iter().map(|statement| &statement.value)
    }

    /// Whether there is no statement. The APIs reject such a document; delete the policy instead.
    pub(crate) fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The statement with this `Sid`, the first if there are several.
    pub(crate) fn statement(&self, sid: &str) -> Option<&Value> {
        self.statements().find(|statement| statement.get("Sid").and_then(Value::as_str) == Some(sid))
    }

    /// Makes `statement` the only one with this `Sid`, in the position of the previous one, and returns
    /// whether that changed anything. An equivalent statement is kept.
    ///
    /// The document's `Version` is kept: wbstore's statements use nothing that 2012-10-17 introduced, and
    /// another version could change what the other statements mean.
    ///
    /// # Errors
    /// [`Kind::Failed`] if the statement cannot be written as JSON, which a [`Value`] always can.
    pub(crate) fn upsert(&mut self, sid: &str, statement: &Value) -> Result<bool> {
        let mut wanted = statement.clone();
        if let Some(object) = wanted.as_object_mut() {
            object.insert("Sid".to_owned(), sid.into());
        }
        let ours = |statement: &Statement| statement.sid() == Some(sid);
        let count = self.statements.iter().filter(|statement| ours(statement)).count();
        let at = self.statements.iter().position(ours);
        if count == 1 && self.statement(sid).is_some_and(|found| same_meaning(found, &wanted)) {
            return Ok(false);
        }
        self.remove(sid);
        let at = at.unwrap_or(self.statements.len());
        self.statements.insert(at, Statement { raw: raw(&wanted)?, value: wanted });
        Ok(true)
    }

    /// The statement that means the same as this one but for its `Sid`, in a few words.
    pub(crate) fn equivalent(&self, statement: &Value) -> Option<String> {
        self.statements().find(|one| meaning::same_effect(one, statement)).map(describe)
    }

    /// Removes every statement that means the same as this one but for its `Sid`.
    pub(crate) fn remove_equivalent(&mut self, statement: &Value) {
        self.statements.retain(|one| !meaning::same_effect(&one.value, statement));
    }

    /// Removes every statement with this `Sid`, and returns whether there was one.
    pub(crate) fn remove(&mut self, sid: &str) -> bool {
        let before = self.statements.len();
        self.statements.retain(|statement| statement.sid() != Some(sid));
        self.statements.len() != before
    }

    /// The statements without any of these `Sid`s, each in a few words for the list of what is kept.
    pub(crate) fn others(&self, sids: &[&str]) -> Vec<String> {
        let is_ours = |statement: &&Statement| statement.sid().is_some_and(|sid| sids.contains(&sid));
        let others = self.statements.iter().filter(|statement| !is_ours(statement));
        others.map(|statement| describe(&statement.value)).collect()
    }

    /// Those of `actions` that no statement allows `principal` on `resource` without a condition.
    pub(crate) fn not_allowed<'a>(
        &self,
        principal: &str,
        actions: &[&'a str],
        resource: &str,
    ) -> Vec<&'a str> {
        let allowed = |action: &str| {
            self.statements().any(|statement| permission::allows(statement, principal, action, resource))
        };
        actions.iter().copied().filter(|action| !allowed(action)).collect()
    }

    /// The statements that allow everyone without a condition on who or from where, one sentence each. W&B's
    /// guide suggests such a statement for the queue.
    pub(crate) fn open_to_all(&self) -> Vec<String> {
        let open = self.statements().filter(|statement| exposure::is_open_to_all(statement));
        open.map(|statement| {
            format!("{} allows everyone: no condition limits who or from where", describe(statement))
        })
        .collect()
    }

    /// The statements of others that deny one of `actions`, which `users` send, one sentence each.
    pub(crate) fn denials(&self, sid: &str, actions: &[&str], users: &str) -> Vec<String> {
        let others = self.statements.iter().filter(|statement| statement.sid() != Some(sid));
        let denials = others.filter_map(|Statement { value, .. }| {
            let statement = describe(value);
            Some(match denial::denies(value, actions)?.as_str() {
                "" => format!("{statement}: requests of {users} may be rejected"),
                conditions => format!("{statement} if {conditions}: requests of {users} may be rejected"),
            })
        });
        denials.collect()
    }
}

/// Writes the document on one line. Unchanged parts are written as they were read.
impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (key, value) in &self.head {
            write!(f, "{}:{},", Value::from(key.as_str()), value.get())?;
        }
        f.write_str("\"Statement\":[")?;
        for (index, statement) in self.statements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", statement.raw.get())?;
        }
        f.write_str("]}")
    }
}

impl FromStr for PolicyDocument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let failed = |source: serde_json::Error| {
            Error::new(Kind::Failed, "the policy is not a valid policy document")
                .because(source)
                .hint("inspect it in the AWS console; wbstore does not replace a policy that it cannot read")
        };
        let Elements(mut elements) = serde_json::from_str(text).map_err(failed)?;
        let statement = elements.iter().position(|(key, _)| key == "Statement");
        let statements = match statement.map(|at| elements.remove(at).1) {
            None => vec![],
            // A single statement may be given without the brackets.
            Some(raw) if raw.get().starts_with('{') => vec![raw],
            Some(raw) => serde_json::from_str(raw.get()).map_err(failed)?,
        };
        let statements = statements.iter().map(|raw| Statement::parse(raw)).collect::<Result<_, _>>();
        Ok(Self { head: elements, statements: statements.map_err(failed)? })
    }
}

/// The elements of an object in their order, unread.
struct Elements(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Elements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Elements, A::Error> {
                let mut elements: Vec<(String, Box<RawValue>)> = vec![];
                while let Some((key, value)) = map.next_entry::<String, _>()? {
                    if elements.iter().any(|(seen, _)| *seen == key) {
                        return Err(serde::de::Error::custom(format!("{key} occurs twice")));
                    }
                    elements.push((key, value));
                }
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

fn raw(value: &Value) -> Result<Box<RawValue>> {
    to_raw_value(value)
        .map_err(|source| Error::new(Kind::Failed, "a policy statement cannot be written").because(source))
}

/// A statement in a few words, such as ``statement `a`: Allow sqs:SendMessage to s3.amazonaws.com``.
fn describe(statement: &Value) -> String {
    let name = match statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement {}", quoted(sid)),
        None => "statement without a Sid".to_owned(),
    };
    let words = |key: &str| statement.get(key).map(meaning::words).filter(|words| !words.is_empty());
    let effect = words("Effect").unwrap_or_default();
    let action = words("Action")
        .or_else(|| words("NotAction").map(|but| format!("all but {but}")))
        .unwrap_or_default();
    let whom = words("Principal")
        .or_else(|| words("NotPrincipal").map(|but| format!("all but {but}")))
        .map(|whom| format!(" to {whom}"))
        .unwrap_or_default();
    format!("{name}: {effect} {action}{whom}")
}

#[cfg(test)]
mod tests;
