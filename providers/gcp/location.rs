//! Where Cloud Storage keeps a bucket.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::listed::Listed;
use crate::value::{quoted, text_value};

/// A multi-region (`US`), dual-region (`NAM4`) or region (`US-CENTRAL1`), in upper case as Cloud Storage
/// reports it (Cloud Storage documentation, "Bucket locations"). Whether it exists shows when the bucket is
/// created.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Location {
    text: String,
}

text_value!(Location);

/// The multi-regions, the predefined dual-regions and the regions. The dual-regions that are put together
/// of two regions carry a `customPlacementConfig` besides, which is not offered.
pub(super) const LOCATIONS: Listed = Listed {
    what: "location of Cloud Storage",
    names: "US EU ASIA ASIA1 EUR4 EUR5 EUR7 EUR8 NAM4 AFRICA-SOUTH1 ASIA-EAST1 ASIA-EAST2 ASIA-NORTHEAST1 \
            ASIA-NORTHEAST2 ASIA-NORTHEAST3 ASIA-SOUTH1 ASIA-SOUTH2 ASIA-SOUTHEAST1 ASIA-SOUTHEAST2 \
            AUSTRALIA-SOUTHEAST1 AUSTRALIA-SOUTHEAST2 EUROPE-CENTRAL2 EUROPE-NORTH1 EUROPE-NORTH2 \
            EUROPE-SOUTHWEST1 EUROPE-WEST1 EUROPE-WEST2 EUROPE-WEST3 EUROPE-WEST4 EUROPE-WEST6 EUROPE-WEST8 \
            EUROPE-WEST9 EUROPE-WEST10 EUROPE-WEST12 ME-CENTRAL1 ME-CENTRAL2 ME-WEST1 \
            NORTHAMERICA-NORTHEAST1 NORTHAMERICA-NORTHEAST2 NORTHAMERICA-SOUTH1 SOUTHAMERICA-EAST1 \
            SOUTHAMERICA-WEST1 US-CENTRAL1 US-EAST1 US-EAST4 US-EAST5 US-SOUTH1 US-WEST1 US-WEST2 US-WEST3 \
            US-WEST4",
    see: "`gcloud storage locations list`, or use a multi-region (US, EU, ASIA), a dual-region such as NAM4, or a \
          region such as us-central1",
};

/// The regions in the European Union, which London and Zurich are not in (Cloud Storage documentation, "Bucket
/// locations").
const EUROPEAN_UNION: [&str; 11] = [
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west3",
    "europe-west4",
    "europe-west8",
    "europe-west9",
];

impl Location {
    /// `US`, which Cloud Storage means where a bucket names none (JSON API, `buckets.insert`).
    pub(crate) fn us() -> Self {
        Self { text: "US".to_owned() }
    }

    /// The regions that may store the messages about a bucket here, which hold the names of its objects: those of
    /// the European Union for a location there (Pub/Sub documentation, "Configure message storage policies"; B28).
    /// `None` where Pub/Sub stores them in the region next to the sender.
    pub(crate) fn message_regions(&self) -> Option<Vec<String>> {
        let regions = match self.text.as_str() {
            "EU" => EUROPEAN_UNION.to_vec(),
            "EUR4" => vec!["europe-north1", "europe-west4"],
            region => EUROPEAN_UNION.iter().copied().filter(|one| one.eq_ignore_ascii_case(region)).collect(),
        };
        (!regions.is_empty()).then(|| regions.into_iter().map(str::to_owned).collect())
    }

    /// Whether a Cloud KMS key in `location` can encrypt a bucket here. The names are the same in
    /// lower case, but for the multi-region of Europe, which Cloud KMS has as `europe` and, within
    /// the union, `eu` (Cloud Storage documentation, "Customer-managed encryption keys").
    pub(crate) fn takes_key_in(&self, location: &str) -> bool {
        location.eq_ignore_ascii_case(&self.text) || (self.text == "EU" && location == "europe")
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.to_ascii_uppercase();
        if has_form(&text) {
            return Ok(Self { text });
        }
        let error = Error::input(format!("{} is not a location of Cloud Storage", quoted(input)));
        let zone =
            text.strip_suffix(|c: char| c.is_ascii_uppercase()).and_then(|rest| rest.strip_suffix('-'));
        Err(error.hint(match zone.filter(|region| region.contains('-') && has_form(region)) {
            Some(region) => {
                format!("a zone is not a location; use its region, `{}`", region.to_ascii_lowercase())
            }
            None => LOCATIONS.hint(input),
        }))
    }
}

/// Words without digits, and a number of at most two digits where there is more than one word. One word
/// alone is a multi-region, with a number a dual-region.
fn has_form(text: &str) -> bool {
    let words = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &text[words.len()..];
    let word = |word: &str| (2..=16).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    words.len() <= 32
        && words.split('-').all(word)
        && number.len() <= 2
        && !number.starts_with('0')
        && (!words.contains('-') || !number.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn either_case_is_one_location() {
        for (given, kept) in [
            ("us", "US"),
            ("EU", "EU"),
            ("Nam4", "NAM4"),
            ("europe-west10", "EUROPE-WEST10"),
            ("europe-west13", "EUROPE-WEST13"),
            ("mars", "MARS"),
        ] {
            assert_eq!(given.parse::<Location>().unwrap().as_str(), kept);
        }
        for name in LOCATIONS.names.split_whitespace() {
            assert_eq!(name.parse::<Location>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn malformed_locations_are_rejected_with_a_suggestion() {
        const SEE: &str = "see `gcloud storage locations list`";
        for (bad, hint) in [
            ("", SEE),
            ("us-central1-a", "a zone is not a location; use its region, `us-central1`"),
            ("us_east1", "did you mean `US-EAST1`?"),
            ("us-central", "did you mean `US-CENTRAL1`?"),
            ("us-east-1", "did you mean `US-EAST1`?"),
            ("EUROPE-WEST1\n", "did you mean `EUROPE-WEST1`?"),
            ("us-central01", "did you mean `US-CENTRAL1`?"),
            ("../us", SEE),
            ("EU ", "did you mean `EU`?"),
        ] {
            let error = bad.parse::<Location>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is not a location of Cloud Storage", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad:?}: {error:?}");
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
