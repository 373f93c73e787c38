//! What a label may be: <https://cloud.google.com/storage/docs/tags-and-labels#bucket-labels>, the
//! same for topics and subscriptions.

use super::refusal::{Answer, Refusal};

const MOST: usize = 64;
const LONGEST: usize = 63;

/// Refuses what the cloud would.
pub(super) fn check<'a>(labels: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> Answer<()> {
    if labels.len() > MOST {
        return Err(Refusal::invalid(format!("The number of labels must be at most {MOST}.")));
    }
    for (key, value) in labels {
        let starts = key.chars().next().is_some_and(|first| first.is_lowercase());
        if !starts || !fits(key) {
            return Err(Refusal::invalid(format!("Invalid label key: {key:?}")));
        }
        if !fits(value) {
            return Err(Refusal::invalid(format!("Invalid label value: {value:?}")));
        }
    }
    Ok(())
}

fn fits(text: &str) -> bool {
    text.chars().count() <= LONGEST
        && text.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}
