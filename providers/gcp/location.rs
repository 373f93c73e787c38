//! Where Cloud Storage keeps a bucket.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// A multi-region, dual-region or region, in upper case as Cloud Storage reports it (Cloud Storage
/// documentation, "Bucket locations").
///
/// A region of a known area with a number that the table does not have is a `Location` too: Google
/// opens regions more often than people update their tools. [`is_known`](Self::is_known) tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    text: String,
}

text_value!(Location);

const MULTI_REGIONS: [&str; 3] = ["US", "EU", "ASIA"];

/// The predefined ones. Those that are put together of two regions of one's own choice carry a
/// `customPlacementConfig` besides, which is not offered.
const DUAL_REGIONS: [&str; 6] = ["ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"];

const REGIONS: [&str; 42] = [
    "AFRICA-SOUTH1",
    "ASIA-EAST1",
    "ASIA-EAST2",
    "ASIA-NORTHEAST1",
    "ASIA-NORTHEAST2",
    "ASIA-NORTHEAST3",
    "ASIA-SOUTH1",
    "ASIA-SOUTH2",
    "ASIA-SOUTHEAST1",
    "ASIA-SOUTHEAST2",
    "AUSTRALIA-SOUTHEAST1",
    "AUSTRALIA-SOUTHEAST2",
    "EUROPE-CENTRAL2",
    "EUROPE-NORTH1",
    "EUROPE-NORTH2",
    "EUROPE-SOUTHWEST1",
    "EUROPE-WEST1",
    "EUROPE-WEST2",
    "EUROPE-WEST3",
    "EUROPE-WEST4",
    "EUROPE-WEST6",
    "EUROPE-WEST8",
    "EUROPE-WEST9",
    "EUROPE-WEST10",
    "EUROPE-WEST12",
    "ME-CENTRAL1",
    "ME-CENTRAL2",
    "ME-WEST1",
    "NORTHAMERICA-NORTHEAST1",
    "NORTHAMERICA-NORTHEAST2",
    "NORTHAMERICA-SOUTH1",
    "SOUTHAMERICA-EAST1",
    "SOUTHAMERICA-WEST1",
    "US-CENTRAL1",
    "US-EAST1",
    "US-EAST4",
    "US-EAST5",
    "US-SOUTH1",
    "US-WEST1",
    "US-WEST2",
    "US-WEST3",
    "US-WEST4",
];

impl Location {
    /// `US`, which Cloud Storage means where a bucket names none (JSON API, `buckets.insert`).
    pub fn us() -> Self {
        Self { text: "US".to_owned() }
    }

    /// Whether the table has it.
    pub fn is_known(&self) -> bool {
        known().any(|name| name == self.text)
    }

    /// Whether objects are kept in more than one region.
    pub fn is_multi_region(&self) -> bool {
        MULTI_REGIONS.contains(&self.text.as_str())
    }

    /// Whether a Cloud KMS key in `location` can encrypt a bucket here. The names are the same in
    /// lower case, but for the multi-region of Europe, which Cloud KMS has as `europe` and, within
    /// the union, `eu` (Cloud Storage documentation, "Customer-managed encryption keys").
    pub fn takes_key_in(&self, location: &str) -> bool {
        location.eq_ignore_ascii_case(&self.text) || (self.text == "EU" && location == "europe")
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.to_ascii_uppercase();
        if known().any(|name| name == text) || is_new_region(&text) {
            return Ok(Self { text });
        }
        let error = Error::input(format!("{} is no location of Cloud Storage", quoted(input)));
        if is_zone(&text) {
            let region = text[..text.len() - 2].to_ascii_lowercase();
            return Err(error.hint(format!("a zone is no location; use its region, `{region}`")));
        }
        Err(error.hint(match nearest(&text) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "use a multi-region (US, EU, ASIA), a dual-region such as NAM4, or a region such as \
                     us-central1"
                .to_owned(),
        }))
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    [&MULTI_REGIONS[..], &DUAL_REGIONS, &REGIONS].into_iter().flatten().copied()
}

/// The words of a region and its number, such as `US-CENTRAL` and `1`.
fn parts(region: &str) -> (&str, &str) {
    region.split_at(region.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

/// A region that is not in the table, with the words of one that is.
fn is_new_region(text: &str) -> bool {
    let (words, number) = parts(text);
    (1..=2).contains(&number.len())
        && !number.starts_with('0')
        && REGIONS.iter().any(|region| parts(region).0 == words)
}

fn is_zone(text: &str) -> bool {
    let region = text.strip_suffix(|c: char| c.is_ascii_uppercase()).and_then(|rest| rest.strip_suffix('-'));
    region.is_some_and(|region| REGIONS.contains(&region))
}

/// The known location nearest to `input`, unless they have little in common.
fn nearest(input: &str) -> Option<&'static str> {
    const ALIKE: f64 = 0.75;
    // No location is longer than 32 characters; the comparison takes time in proportion to both.
    if input.len() > 32 {
        return None;
    }
    let input = input.replace(['_', ' '], "-");
    known()
        .map(|name| (strsim::normalized_damerau_levenshtein(&input, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // The first of equals, so that the answer does not depend on the order of evaluation.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn either_case_is_one_location() {
        for (given, kept) in
            [("us", "US"), ("EU", "EU"), ("Nam4", "NAM4"), ("europe-west10", "EUROPE-WEST10")]
        {
            let location: Location = given.parse().unwrap();
            assert_eq!(location.as_str(), kept);
            assert!(location.is_known());
        }
        let new: Location = "europe-west13".parse().unwrap();
        assert!(!new.is_known());
    }

    #[test]
    fn what_is_none_is_refused_with_a_suggestion() {
        const FORMS: &str = "use a multi-region";
        for (bad, hint) in [
            ("", FORMS),
            ("mars", FORMS),
            ("global", FORMS),
            ("us-central1-a", "a zone is no location; use its region, `us-central1`"),
            ("us-centarl1", "did you mean `US-CENTRAL1`?"),
            ("us_east1", "did you mean `US-EAST1`?"),
            ("us-central", "did you mean `US-CENTRAL1`?"),
            ("us-east-1", "did you mean `US-EAST1`?"),
            ("EUROPE-WEST1\n", "did you mean `EUROPE-WEST1`?"),
            ("us-central01", "did you mean `US-CENTRAL1`?"),
            ("../us", FORMS),
        ] {
            let error = bad.parse::<Location>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is no location of Cloud Storage", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad:?}: {:?}", error.what_next());
        }
    }

    #[test]
    fn keys_are_in_the_same_place_by_another_name() {
        let fits = |bucket: &str, key: &str| bucket.parse::<Location>().unwrap().takes_key_in(key);
        assert!(fits("US", "us") && fits("EU", "europe") && fits("EU", "eu") && fits("us-east1", "us-east1"));
        assert!(!fits("US", "us-east1") && !fits("us-east1", "us") && !fits("US", "global"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<Location>();
        }
    }
}
