//! What came of it, to be pasted into an issue.

use serde::Serialize;
use serde_json::json;

/// What came of one law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "why", rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not, and this is what was seen.
    Failed(String),
}

/// One law.
#[derive(Clone, Debug, Serialize)]
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: f64,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The cloud.
    pub cloud: &'static str,
    /// `wbstore --version`.
    pub version: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// The place, as the plan has it.
    pub scope: String,
    /// The laws, in order.
    pub laws: Vec<Law>,
    /// Why it ended early, if it did.
    pub ended: Option<String>,
    /// What could not be torn down.
    pub left: Vec<String>,
    /// Words that name the account, and are not in the report.
    pub private: Vec<String>,
}

impl Report {
    /// Whether all is as it should be.
    pub fn is_good(&self) -> bool {
        self.ended.is_none()
            && self.left.is_empty()
            && self.laws.iter().all(|law| law.outcome == Outcome::Passed)
    }

    /// As JSON.
    pub fn json(&self) -> String {
        // Text by text: a number of a measurement is no account's.
        let law = |Law { name, outcome, seconds }: &Law| {
            let outcome = match outcome {
                Outcome::Passed => Outcome::Passed,
                Outcome::Failed(why) => Outcome::Failed(self.masked(why)),
            };
            Law { name, outcome, seconds: *seconds }
        };
        let document = json!({
            "cloud": self.cloud, "version": self.version, "began": self.began,
            "scope": self.masked(&self.scope),
            "laws": self.laws.iter().map(law).collect::<Vec<_>>(),
            "ended_early": self.ended.as_ref().map(|why| self.masked(why)),
            "left": self.left.iter().map(|left| self.masked(left)).collect::<Vec<_>>(),
        });
        format!("{document:#}\n")
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# wbstore on {}\n\n{}, {}, {}\n\n| Law | Result | Seconds |\n|---|---|---|\n",
            self.cloud, self.version, self.began, self.scope
        );
        for Law { name, outcome, seconds } in &self.laws {
            let result = if *outcome == Outcome::Passed { "passed" } else { "**failed**" };
            text.push_str(&format!("| {} | {result} | {seconds:.1} |\n", name.replace('_', " ")));
        }
        for Law { name, outcome, .. } in &self.laws {
            if let Outcome::Failed(why) = outcome {
                // Indented, so that nothing in it is markup.
                let lines: String = why.lines().map(|line| format!("    {line}\n")).collect();
                text.push_str(&format!("\n{}:\n\n{lines}", name.replace('_', " ")));
            }
        }
        if let Some(why) = &self.ended {
            text.push_str(&format!("\nEnded early: {why}\n"));
        }
        for left in &self.left {
            text.push_str(&format!("\nLeft behind: {left}\n"));
        }
        self.masked(&text)
    }

    /// Without what names the account: account numbers, ids, and the words of `private`.
    fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let private = self.private.iter().filter(|word| word.len() > 2);
        for word in private {
            text = text.replace(word.as_str(), "PRIVATE");
        }
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let words = text.split_inclusive(|letter| !is_part(letter));
        words
            .map(|word| {
                let bare = word.trim_end_matches(|letter| !is_part(letter));
                let guid = bare.len() == 36 && bare.matches('-').count() == 4;
                if guid { word.replace(bare, "ID") } else { without_numbers(word) }
            })
            .collect()
    }
}

/// Runs of twelve digits or more are account numbers.
fn without_numbers(word: &str) -> String {
    let mut text = String::new();
    let mut digits = String::new();
    for letter in word.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        text.push_str(if digits.len() >= 12 { "ACCOUNT" } else { &digits });
        digits.clear();
        text.push(letter);
    }
    text.truncate(text.len() - 1);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_account_is_not_in_the_report() {
        let failed = Outcome::Failed(
            "wbstore-live-1-123456789012 in 0b1f6471-1bf0-4dda-aec3-cb9272f09590 of acme-prod".to_owned(),
        );
        let report = Report {
            cloud: "aws",
            version: "wbstore 0.1.0".into(),
            began: "2026-01-01T00:00:00Z".into(),
            scope: "account 123456789012, us-east-1".into(),
            laws: vec![Law { name: "a_law", outcome: failed, seconds: 0.987_654_321_098_765 }],
            ended: None,
            left: vec![],
            private: vec!["acme-prod".into()],
        };
        let read: serde_json::Value = serde_json::from_str(&report.json()).expect("JSON");
        assert_eq!(read["laws"][0]["seconds"], 0.987_654_321_098_765);
        for text in [report.json(), report.markdown()] {
            for private in ["123456789012", "0b1f6471", "acme-prod"] {
                assert!(!text.contains(private), "{text}");
            }
            assert!(text.contains("us-east-1") && text.contains("wbstore-live-1-ACCOUNT"), "{text}");
        }
        assert!(!report.is_good());
    }
}
