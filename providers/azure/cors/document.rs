//! The settings of an account's blob service, of which the CORS rules are a part. ARM replaces them whole
//! (Storage resource provider REST API, "Blob Services - Set Service Properties"; Z11).

use serde::Serialize;
use serde_json::{Value, json};

use crate::cors::CorsRule;
use crate::error::{Error, Result};
use crate::providers::azure::blob_service::settable;
use crate::text::clean;
use crate::value::quoted;

/// The most rules an account allows (Storage REST API, "Cross-Origin Resource Sharing support for the Azure
/// Storage services").
pub(super) const MOST_RULES: usize = 5;

/// The most bytes that all rules of an account may have, without the tags of their XML (same page).
pub(super) const LARGEST: usize = 2048;

/// The most origins of one rule, and the most letters of one origin (same page).
const MOST_ORIGINS: usize = 64;
const LONGEST_ORIGIN: usize = 256;

/// The lists of a rule.
const LISTS: [&str; 4] = ["allowedOrigins", "allowedMethods", "allowedHeaders", "exposedHeaders"];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rule {
    /// The addresses of the W&B server, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// The methods it may use.
    pub allowed_methods: Vec<String>,
    /// The headers it may send.
    pub allowed_headers: Vec<String>,
    /// The headers its scripts may read.
    pub exposed_headers: Vec<String>,
    /// How long a browser may remember a preflight, in seconds.
    pub max_age_seconds: i64,
}

impl Rule {
    /// The rule that we write for `origins`.
    pub(crate) fn for_origins(origins: Vec<String>) -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Self {
            allowed_origins: origins,
            allowed_methods: words(&["GET", "HEAD", "PUT"]),
            allowed_headers: words(&["*"]),
            exposed_headers: words(&["*"]),
            max_age_seconds: 3000,
        }
    }

    /// Refuses what no account accepts.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(crate) fn check(&self) -> Result<()> {
        let (origins, size) = (&self.allowed_origins, self.size());
        let why = if origins.len() > MOST_ORIGINS {
            format!(
                "{} hosts are given, and a CORS rule of Azure has at most {MOST_ORIGINS} origins",
                origins.len()
            )
        } else if let Some(long) = origins.iter().find(|origin| origin.len() > LONGEST_ORIGIN) {
            format!(
                "the host {} is longer than the {LONGEST_ORIGIN} characters that Azure allows",
                quoted(long)
            )
        } else if size > LARGEST {
            format!(
                "the CORS rule for these hosts has {size} bytes, and Azure allows {LARGEST} for an account"
            )
        } else {
            return Ok(());
        };
        Err(Error::input(why).hint("omit the hosts that browsers do not use"))
    }

    pub(super) fn size(&self) -> usize {
        size(&self.to_json())
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { allowed_origins, allowed_methods, allowed_headers, exposed_headers, max_age_seconds } =
            self;
        json!({
            "allowedOrigins": allowed_origins,
            "allowedMethods": allowed_methods,
            "allowedHeaders": allowed_headers,
            "exposedHeaders": exposed_headers,
            "maxAgeInSeconds": max_age_seconds,
        })
    }

    /// Whether `there` is this very rule. The order and the case of words in it mean nothing.
    pub(crate) fn is(&self, there: &Value) -> bool {
        let ours = self.to_json();
        LISTS.into_iter().all(|field| folded(&ours, field) == folded(there, field))
            && number(&there["maxAgeInSeconds"]) == Some(self.max_age_seconds)
    }
}

fn words(rule: &Value, field: &str) -> Vec<String> {
    rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn folded(rule: &Value, field: &str) -> Vec<String> {
    let mut words: Vec<_> = words(rule, field).iter().map(|word| word.to_ascii_lowercase()).collect();
    words.sort();
    words.dedup();
    words
}

/// A number, which some versions of the API return as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether `there` is a rule for the origins of `rule` and no others.
pub(super) fn is_for(there: &Value, rule: &Rule) -> bool {
    folded(there, "allowedOrigins") == folded(&rule.to_json(), "allowedOrigins")
}

/// `rule` in the words that all clouds share.
pub(super) fn any(rule: &Value) -> CorsRule {
    CorsRule {
        name: format!("the {}", describe(rule)),
        origins: words(rule, "allowedOrigins"),
        methods: words(rule, "allowedMethods"),
        headers: words(rule, "allowedHeaders"),
        exposed: words(rule, "exposedHeaders"),
    }
}

/// The rules in `service`.
pub(super) fn rules(service: &Value) -> &[Value] {
    service["properties"]["cors"]["corsRules"].as_array().map_or(&[], Vec::as_slice)
}

/// What Azure counts of `rule`.
pub(super) fn size(rule: &Value) -> usize {
    let lists = LISTS.iter().map(|list| words(rule, list).join(",").len());
    lists.sum::<usize>() + number(&rule["maxAgeInSeconds"]).unwrap_or_default().to_string().len()
}

/// Whether `rule` allows every origin.
pub(super) fn is_open(rule: &Value) -> bool {
    words(rule, "allowedOrigins").iter().any(|origin| origin == "*")
}

/// `rule` as text.
pub(super) fn describe(rule: &Value) -> String {
    clean(&format!("rule for {}", words(rule, "allowedOrigins").join(", ")))
}

/// The request body that replaces `ours` by `wanted` in `service`, and keeps everything else.
///
/// # Errors
/// [`Kind::Refused`](crate::error::Kind::Refused) if the rules of others reach the limit.
pub(super) fn merged(service: &Value, ours: &[Rule], wanted: Option<&Rule>) -> Result<Value> {
    let there = rules(service);
    let mut merged = vec![];
    // One that others have written does as well.
    let mut wanted =
        wanted.filter(|wanted| ours.contains(wanted) || !there.iter().any(|rule| wanted.is(rule)));
    for rule in there {
        if !ours.iter().any(|ours| ours.is(rule)) {
            merged.push(rule.clone());
        } else if let Some(wanted) = wanted.take() {
            // In the position of the old one, because the first rule that matches applies.
            merged.push(if wanted.is(rule) { rule.clone() } else { wanted.to_json() });
        }
    }
    merged.extend(wanted.map(Rule::to_json));
    if merged.len() > MOST_RULES {
        return Err(Error::refused(format!(
            "the account has {} CORS rules of others, and Azure allows at most {MOST_RULES}",
            merged.len() - 1
        ))
        .hint("remove one that is no longer needed, or choose another account with --account"));
    }
    let mut properties = settable(service);
    properties["cors"] = json!({"corsRules": merged});
    Ok(json!({"properties": properties}))
}

/// The first section besides the CORS rules in which `before` and `after` differ.
pub(super) fn difference(before: &Value, after: &Value) -> Option<String> {
    let (before, after) = (settable(before), settable(after));
    let names = before.as_object().into_iter().chain(after.as_object()).flat_map(|all| all.keys());
    let mut changed = names.filter(|name| *name != "cors" && before[*name] != after[*name]);
    changed.next().map(|name| clean(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    fn ours(origin: &str) -> Rule {
        Rule::for_origins(vec![origin.to_owned()])
    }

    fn foreign(origin: &str) -> Value {
        json!({"allowedOrigins": [origin], "allowedMethods": ["GET"], "allowedHeaders": [], "exposedHeaders": [],
               "maxAgeInSeconds": 60, "unknown": 1})
    }

    fn service(rules: &[Value]) -> Value {
        json!({"properties": {"cors": {"corsRules": rules}, "deleteRetentionPolicy": {"enabled": true, "days": 7},
               "restorePolicy": {"enabled": true, "days": 6, "minRestoreTime": "2026-01-01T00:00:00Z"}}})
    }

    #[test]
    fn others_rules_and_settings_survive_to_the_byte() {
        let before = service(&[foreign("https://a"), foreign("*")]);
        let wanted = ours("https://wandb.acme.com");
        let body = merged(&before, std::slice::from_ref(&wanted), Some(&wanted)).unwrap();
        assert_eq!(rules(&body)[..2], *rules(&before));
        assert_eq!(rules(&body)[2], wanted.to_json());
        assert_eq!(
            body["properties"]["deleteRetentionPolicy"],
            before["properties"]["deleteRetentionPolicy"]
        );
        assert_eq!(body["properties"]["restorePolicy"], json!({"enabled": true, "days": 6}));
        let gone = merged(&body, std::slice::from_ref(&wanted), None).unwrap();
        assert_eq!(rules(&gone), rules(&before));
    }

    #[test]
    fn a_new_origin_takes_the_place_of_the_old_one() {
        let (old, new) = (ours("https://old"), ours("https://new"));
        let before = service(&[old.to_json(), foreign("https://a")]);
        let body = merged(&before, &[new.clone(), old], Some(&new)).unwrap();
        assert_eq!(rules(&body), [new.to_json(), foreign("https://a")]);
    }

    #[test]
    fn only_the_very_rule_is_ours() {
        let rule = ours("https://wandb.acme.com");
        let mut there = rule.to_json();
        there["allowedMethods"] = json!(["PUT", "GET", "HEAD"]);
        assert!(rule.is(&there));
        there["maxAgeInSeconds"] = json!(200);
        assert!(!rule.is(&there));
    }

    #[test]
    fn a_sixth_rule_is_refused() {
        let five: Vec<_> = (0..5).map(|n| foreign(&format!("https://{n}"))).collect();
        let rule = ours("https://wandb.acme.com");
        assert!(merged(&service(&five), std::slice::from_ref(&rule), Some(&rule)).is_err());
        assert!(merged(&service(&five[1..]), std::slice::from_ref(&rule), Some(&rule)).is_ok());
    }

    #[test]
    fn a_setting_that_changed_along_is_noticed() {
        let before = service(&[]);
        let mut after = service(&[foreign("*")]);
        assert_eq!(difference(&before, &after), None);
        after["properties"]["deleteRetentionPolicy"]["enabled"] = json!(false);
        assert_eq!(difference(&before, &after).as_deref(), Some("deleteRetentionPolicy"));
    }

    fn rule() -> impl Strategy<Value = Value> {
        let near =
            (0_usize..16, outside::json(&["allowedOrigins", "maxAgeInSeconds"])).prop_map(|(place, with)| {
                outside::changed(&ours("https://wandb.acme.com").to_json(), place, &with)
            });
        prop_oneof![near, outside::json(&["allowedOrigins", "allowedMethods", "*"]), Just(foreign("*"))]
            .prop_filter("is ours", |rule| !ours("https://wandb.acme.com").is(rule))
    }

    proptest! {
        #[test]
        fn ours_is_there_once_and_others_stay(
            theirs in prop::collection::vec(rule(), 0..4),
            other in outside::json(&["properties", "cors", "corsRules", "restorePolicy", "minRestoreTime", "enabled"]),
        ) {
            let wanted = ours("https://wandb.acme.com");
            let old = std::slice::from_ref(&wanted);
            let mut before = service(&theirs);
            before["properties"]["ofTomorrow"] = other.clone();
            let once = merged(&before, &[], Some(&wanted)).unwrap();
            prop_assert_eq!(rules(&once).iter().filter(|rule| wanted.is(rule)).count(), 1);
            prop_assert_eq!(difference(&before, &once), None);
            prop_assert_eq!(&merged(&once, old, Some(&wanted)).unwrap(), &once);
            let gone = merged(&once, old, None).unwrap();
            prop_assert_eq!(rules(&gone), &theirs);
            for rule in rules(&once) {
                let _ = (describe(rule), super::any(rule), is_open(rule), is_for(rule, &wanted));
            }
            // What is no such document at all.
            let _ = (merged(&other, old, Some(&wanted)), difference(&other, &before));
        }
    }
}
