//! wbstore's one rule in the CORS document of a bucket. The document is written whole, so it is read just before, and
//! the rules of others are written back unchanged.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use serde::Serialize;

use crate::cors;
use crate::error::{Error, Kind, Result};
use crate::resource::{Forbids, Owner, Seen};
use crate::text::clean;
use crate::value::quoted;

/// The most rules S3 allows for one bucket (S3 user guide, "CORS configuration").
const MOST_RULES: usize = 100;

/// The headers that a page sends with an upload or with a read of a part.
pub(crate) const UPLOAD_HEADERS: &[&str] = &["content-type", "range"];

/// What the browser of a W&B user may do with the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BrowserRule {
    /// The rule's id, which identifies it as wbstore's.
    pub id: String,
    /// The addresses of the W&B server, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// The methods it may use.
    pub allowed_methods: Vec<String>,
    /// The headers it may send.
    pub allowed_headers: Vec<String>,
    /// The headers its scripts may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember a preflight, in seconds.
    pub max_age_seconds: i32,
    /// The rules that come first and take something from pages of the server. wbstore's rule is put before
    /// them: it matches no other origin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden_by: Vec<String>,
}

impl BrowserRule {
    /// The rule with `id` that allows pages from `origins` to read and upload.
    pub(crate) fn new(id: String, origins: Vec<String>) -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Self {
            id,
            allowed_origins: origins,
            allowed_methods: words(&["GET", "HEAD", "PUT"]),
            allowed_headers: words(&["*"]),
            expose_headers: words(&["ETag"]),
            hidden_by: vec![],
            max_age_seconds: 3000,
        }
    }

    pub(crate) fn observed(&self, rule: &CorsRule) -> Self {
        Self {
            id: self.id.clone(),
            allowed_origins: ordered(&rule.allowed_origins, &self.allowed_origins),
            allowed_methods: spelled(&rule.allowed_methods, &self.allowed_methods),
            allowed_headers: spelled(rule.allowed_headers(), &self.allowed_headers),
            expose_headers: spelled(rule.expose_headers(), &self.expose_headers),
            max_age_seconds: rule.max_age_seconds.unwrap_or(0),
            hidden_by: vec![],
        }
    }

    pub(crate) fn to_rule(&self) -> Result<CorsRule> {
        let Self {
            id,
            allowed_origins,
            allowed_methods,
            allowed_headers,
            expose_headers,
            max_age_seconds,
            hidden_by: _,
        } = self;
        CorsRule::builder()
            .id(id)
            .set_allowed_origins(Some(allowed_origins.clone()))
            .set_allowed_methods(Some(allowed_methods.clone()))
            .set_allowed_headers(Some(allowed_headers.clone()))
            .set_expose_headers(Some(expose_headers.clone()))
            .max_age_seconds(*max_age_seconds)
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the CORS rule is incomplete").because(error))
    }

    /// Whether `rule` has this one's id, alone or with the rest of a mark behind it.
    pub(crate) fn is_ours(&self, rule: &CorsRule) -> bool {
        let rest = rule.id().and_then(|id| id.strip_prefix(&self.id));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
    }

    fn comparable(&self) -> cors::CorsRule {
        cors::CorsRule {
            name: self.id.clone(),
            origins: self.allowed_origins.clone(),
            methods: self.allowed_methods.clone(),
            headers: self.allowed_headers.clone(),
            exposed: self.expose_headers.clone(),
        }
    }

    /// The rules before ours, or all where there is none of ours, that take something from pages of the server.
    fn hidden_by(&self, rules: &[CorsRule]) -> Vec<String> {
        let earlier = rules
            .iter()
            .take_while(|rule| !self.is_ours(rule))
            .map(|rule| cors::CorsRule { name: describe(rule), ..self.observed(rule).comparable() });
        let hides = |rule: &cors::CorsRule| {
            !self.comparable().hidden_by(std::slice::from_ref(rule), UPLOAD_HEADERS).is_empty()
        };
        earlier.filter(hides).map(|rule| rule.name).collect()
    }

    /// Puts `ours` where it was, or first where a rule before it would hide it.
    pub(crate) fn merge(&self, rules: &mut Vec<CorsRule>, ours: CorsRule) {
        let hidden = !self.hidden_by(rules).is_empty();
        let at = rules.iter().position(|rule| self.is_ours(rule));
        rules.retain(|rule| !self.is_ours(rule));
        let end = rules.len();
        rules.insert(if hidden { 0 } else { at.unwrap_or(end) }, ours);
    }

    /// What the rules of a bucket show of ours, and of others.
    pub(crate) fn look(&self, rules: &[CorsRule]) -> Seen<Self> {
        let mut found = match rules.iter().find(|rule| self.is_ours(rule)) {
            Some(rule) => {
                let state = Self { hidden_by: self.hidden_by(rules), ..self.observed(rule) };
                Seen::there(state, Owner::Ours)
            }
            None => Seen::absent(),
        };
        if found.state().is_none() && rules.len() >= MOST_RULES {
            found.obstacle(
                Forbids::Write,
                format!("the bucket has {} CORS rules, and S3 allows at most {MOST_RULES}", rules.len()),
                "remove a rule that is no longer needed",
            );
        }
        let others = rules.iter().filter(|rule| !self.is_ours(rule));
        for rule in others.clone().filter(|rule| rule.allowed_origins.iter().any(|origin| origin == "*")) {
            found.finding(format!("{} allows every origin", describe(rule)));
        }
        found.remarks_mut().kept = others.map(describe).collect();
        found
    }
}

/// `found` as in `wanted` where only the order differs.
fn ordered(found: &[String], wanted: &[String]) -> Vec<String> {
    let normal = |words: &[String]| words.iter().cloned().collect::<BTreeSet<_>>();
    if normal(found) == normal(wanted) { wanted.to_vec() } else { found.to_vec() }
}

/// `found` as in `wanted` where only order or case differs: S3 matches methods in upper case, and headers in
/// any (RFC 9110, section 5.1).
fn spelled(found: &[String], wanted: &[String]) -> Vec<String> {
    let normal = |words: &[String]| -> BTreeSet<String> {
        words.iter().map(|word| word.to_ascii_lowercase()).collect()
    };
    if normal(found) == normal(wanted) { wanted.to_vec() } else { found.to_vec() }
}

pub(crate) fn describe(rule: &CorsRule) -> String {
    let name = rule.id().map_or_else(|| "a rule without id".to_owned(), |id| format!("rule {}", quoted(id)));
    format!("{name} for {}", clean(&rule.allowed_origins.join(", ")))
}

/// The document with `rules`, of which there is at least one.
///
/// # Errors
/// [`Kind::Failed`] for one that is not complete.
pub(crate) fn document(rules: Vec<CorsRule>) -> Result<CorsConfiguration> {
    let document = CorsConfiguration::builder().set_cors_rules(Some(rules)).build();
    document.map_err(|error| Error::new(Kind::Failed, "the CORS document is incomplete").because(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside::text;

    fn ours() -> BrowserRule {
        BrowserRule::new("wbstore-acme".to_owned(), vec!["https://wandb.acme.com".to_owned()])
    }

    /// A rule of others, often one that matches the same origin.
    fn rule() -> impl Strategy<Value = CorsRule> {
        let origin = prop_oneof![Just("*".to_owned()), Just("https://*.acme.com".to_owned()), text()];
        let method = prop_oneof![Just("GET".to_owned()), Just("PUT".to_owned()), text()];
        let words = || prop::collection::vec(text(), 0..3);
        let id = prop::option::of(prop_oneof![Just("wbstore-other".to_owned()), text()]);
        let age = prop::option::of(any::<i32>());
        (id, prop::collection::vec(origin, 1..3), prop::collection::vec(method, 1..3), words(), words(), age)
            .prop_map(|(id, origins, methods, headers, exposed, age)| {
                CorsRule::builder()
                    .set_id(id)
                    .set_allowed_origins(Some(origins))
                    .set_allowed_methods(Some(methods))
                    .set_allowed_headers(Some(headers))
                    .set_expose_headers(Some(exposed))
                    .set_max_age_seconds(age)
                    .build()
                    .expect("it has origins and methods")
            })
    }

    proptest! {
        #[test]
        fn ours_is_there_once_before_what_hides_it_and_others_stay(theirs in prop::collection::vec(rule(), 0..6)) {
            let ours = ours();
            let rule = ours.to_rule().expect("it is complete");
            let mut once = theirs.clone();
            ours.merge(&mut once, rule.clone());
            prop_assert_eq!(once.iter().filter(|one| one.id() == Some(ours.id.as_str())).count(), 1);
            prop_assert_eq!(ours.hidden_by(&once), Vec::<String>::new());
            let mut twice = once.clone();
            ours.merge(&mut twice, rule);
            prop_assert_eq!(&twice, &once);
            once.retain(|one| one.id() != Some(&ours.id));
            prop_assert_eq!(once, theirs);
        }
    }
}
