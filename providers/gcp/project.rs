//! The id and the number of a Google Cloud project.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The id of a project: 6 to 30 lowercase letters, digits and hyphens, beginning with a letter and
/// not ending with a hyphen (Resource Manager documentation, "Creating and managing projects").
///
/// Ids with a domain, `example.com:wandb`, are refused: the published form of `BUCKET_QUEUE`,
/// `pubsub:/<project>/<topic>/<subscription>`, does not say what a colon in it means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectId {
    text: String,
}

text_value!(ProjectId);

const FORM: &str = "use the id that `gcloud config get project` prints: 6 to 30 of a-z, 0-9 and -, such as \
                    `acme-prod`";

impl FromStr for ProjectId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match fault(input) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => Err(Error::input(format!("project {} {why}", quoted(input))).hint(hint)),
        }
    }
}

fn fault(id: &str) -> Option<(String, String)> {
    let plain = |why: &str| Some((why.to_owned(), FORM.to_owned()));
    if id.is_empty() {
        return plain("is empty");
    }
    if id.bytes().all(|b| b.is_ascii_digit()) {
        let command = format!("gcloud projects describe {id} --format='value(projectId)'");
        return Some(("is a project number".to_owned(), format!("use the id, which `{command}` prints")));
    }
    if let Some(rest) = id.strip_prefix("projects/") {
        let hint = format!("use the id alone: {}", quoted(rest.split('/').next().unwrap_or_default()));
        return Some(("is a resource name".to_owned(), hint));
    }
    if id.contains(':') {
        let why = "belongs to a domain, and W&B does not say how it reads a BUCKET_QUEUE with a colon in it";
        return Some((why.to_owned(), "use a project whose id has no domain".to_owned()));
    }
    if id.bytes().any(|b| b.is_ascii_uppercase()) {
        let lower = id.to_ascii_lowercase();
        let hint = if fault(&lower).is_none() { format!("use `{lower}`") } else { FORM.to_owned() };
        return Some(("has upper case letters".to_owned(), hint));
    }
    if let Some(bad) = id.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return plain(&format!("contains {}", quoted(&bad.to_string())));
    }
    if !(6..=30).contains(&id.len()) {
        return plain(&format!("has {} characters; 6 to 30 are allowed", id.len()));
    }
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || id.ends_with('-') {
        return plain("does not begin with a letter, or ends with a hyphen");
    }
    None
}

/// The number of a project, by which Google names the accounts of its own services.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectNumber {
    text: String,
}

text_value!(ProjectNumber);

impl FromStr for ProjectNumber {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let digits = input.bytes().all(|b| b.is_ascii_digit()) && !input.starts_with('0');
        if digits && (1..=19).contains(&input.len()) {
            return Ok(Self { text: input.to_owned() });
        }
        Err(Error::input(format!("{} is no project number", quoted(input)))
            .hint("use what `gcloud projects describe <id> --format='value(projectNumber)'` prints"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_google_accepts() {
        for good in ["acme-prod", "wandb-123456", "abcdef", &format!("a{}", "b".repeat(29))] {
            assert_eq!(good.parse::<ProjectId>().unwrap().as_str(), good);
        }
        assert_eq!("123456789012".parse::<ProjectNumber>().unwrap().as_str(), "123456789012");
    }

    #[test]
    fn each_rule_has_its_own_message() {
        for (bad, why, hint) in [
            ("", "is empty", "use the id"),
            ("123456789012", "is a project number", "use the id, which `gcloud projects describe 1234"),
            ("projects/acme-prod/topics/x", "is a resource name", "use the id alone: `acme-prod`"),
            ("example.com:wandb", "belongs to a domain", "use a project whose id has no domain"),
            ("Acme-Prod", "has upper case letters", "use `acme-prod`"),
            ("acme_prod", "contains `_`", "use the id"),
            ("acme prod", "contains ` `", "use the id"),
            ("acme", "has 4 characters; 6 to 30 are allowed", "use the id"),
            (&"a".repeat(31), "has 31 characters; 6 to 30 are allowed", "use the id"),
            ("1-acme", "does not begin with a letter, or ends with a hyphen", "use the id"),
            ("acme-prod-", "does not begin with a letter, or ends with a hyphen", "use the id"),
        ] {
            let error = bad.parse::<ProjectId>().unwrap_err();
            let begins = format!("project {} {why}", quoted(bad));
            assert!(error.to_string().starts_with(&begins), "{error}");
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
        for bad in ["", "acme-prod", "0123", "12 34", &"9".repeat(20)] {
            assert!(bad.parse::<ProjectNumber>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<ProjectId>();
            let _ = input.parse::<ProjectNumber>();
        }
    }
}
