//! Lifecycle rules of the account that delete blobs of a container, or move them where the server cannot read
//! them (Storage resource provider REST API, "Management Policies - Get"; B8).

use serde_json::Value;

use crate::error::{Kind, Result};
use crate::lifecycle::deletes_objects;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::{flag, number};
use crate::value::quoted;

const READ: &str = "Microsoft.Storage/storageAccounts/managementPolicies/read";

/// The conditions of an action, and their words.
const AGES: [(&str, &str); 4] = [
    ("daysAfterCreationGreaterThan", "after they were created"),
    ("daysAfterModificationGreaterThan", "after they were last changed"),
    ("daysAfterLastAccessTimeGreaterThan", "after they were last read"),
    ("daysAfterLastTierChangeGreaterThan", "after they were last moved to another tier"),
];

/// What the account's rules do to the blobs of `container`, one finding each; a finding too where they cannot be
/// read.
///
/// # Errors
/// Those of the call, except a denied one.
pub(super) async fn findings(api: &Api, container: &str) -> Result<Vec<String>> {
    let at = Account::at(&api.account);
    let call = Call { action: READ, target: &at, version: version::STORAGE };
    match api.arm.get(&format!("{}/managementPolicies/default", api.account_id()), call).await {
        Ok(policy) => Ok(of(&policy.unwrap_or_default(), container)),
        Err(error) if error.kind() == Kind::Denied => {
            Ok(vec![format!("not checked: whether lifecycle rules delete its blobs, which requires {READ}")])
        }
        Err(error) => Err(error),
    }
}

fn of(policy: &Value, container: &str) -> Vec<String> {
    let rules = policy["properties"]["policy"]["rules"].as_array().into_iter().flatten();
    let enabled = rules.filter(|rule| flag(&rule["enabled"]) != Some(false));
    enabled.flat_map(|rule| of_rule(rule, container)).collect()
}

fn of_rule(rule: &Value, container: &str) -> Vec<String> {
    let Some(below) = below(&rule["definition"]["filters"], container) else { return vec![] };
    let name = format!("the lifecycle rule {}", quoted(rule["name"].as_str().unwrap_or_default()));
    let actions = &rule["definition"]["actions"]["baseBlob"];
    let mut findings = vec![];
    if let Some(time) = time(&actions["delete"]) {
        findings.push(deletes_objects(&name, &below, &time));
    }
    if let Some(time) = time(&actions["tierToArchive"]) {
        findings.push(format!(
            "{name} moves blobs to the archive tier {time}, from where the server cannot read them"
        ));
    }
    findings
}

/// The prefix within `container` of the blobs that a rule with these filters applies to, empty for all; `None` if it
/// applies to none of them.
fn below(filters: &Value, container: &str) -> Option<String> {
    let types = filters["blobTypes"].as_array();
    let block = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("blockBlob"));
    if types.is_some_and(|types| !types.is_empty() && !types.iter().any(block)) {
        return None;
    }
    let Some(prefixes) = filters["prefixMatch"].as_array().filter(|all| !all.is_empty()) else {
        return Some(String::new());
    };
    // A prefix begins with the name of a container, or with a part of it.
    let own = format!("{container}/");
    let within =
        prefixes.iter().filter_map(Value::as_str).filter_map(|prefix| match prefix.strip_prefix(&own) {
            Some(below) => Some(below.to_owned()),
            None => own.starts_with(prefix).then(String::new),
        });
    within.min_by_key(String::len)
}

fn time(action: &Value) -> Option<String> {
    AGES.iter().find_map(|(name, words)| {
        let days =
            number(&action[*name]).or_else(|| action[*name].as_f64().map(|days| days.round() as i64))?;
        Some(format!("{days} days {words}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(filters: Value, actions: Value) -> String {
        let rule =
            json!({"name": "tidy", "definition": {"filters": filters, "actions": {"baseBlob": actions}}});
        of(&json!({"properties": {"policy": {"rules": [rule]}}}), "wandb").join("; ")
    }

    #[test]
    fn a_rule_counts_where_it_applies_to_blobs_of_the_container() {
        let delete = || json!({"delete": {"daysAfterModificationGreaterThan": 30.0}});
        for (filters, applies) in [
            (json!({}), true),
            (json!({"blobTypes": ["blockBlob"], "prefixMatch": ["wan"]}), true),
            (json!({"prefixMatch": ["other/", "wandb/artifacts"]}), true),
            (json!({"prefixMatch": ["wandb2/"]}), false),
            (json!({"blobTypes": ["appendBlob"]}), false),
        ] {
            assert_eq!(!found(filters.clone(), delete()).is_empty(), applies, "{filters}");
        }
        let text = found(json!({"prefixMatch": ["wandb/artifacts"]}), delete());
        assert!(text.contains("`artifacts` 30 days after they were last changed"), "{text}");
    }

    #[test]
    fn only_what_takes_files_away_counts() {
        let days = || json!({"daysAfterCreationGreaterThan": 7});
        assert_eq!(found(json!({}), json!({"tierToCool": days()})), "");
        assert!(found(json!({}), json!({"tierToArchive": days()})).contains("archive tier 7 days"));
        let rule = json!({"enabled": false, "name": "x", "definition": {"actions": {"baseBlob": {"delete": days()}}}});
        assert!(of(&json!({"properties": {"policy": {"rules": [rule]}}}), "wandb").is_empty());
    }
}
