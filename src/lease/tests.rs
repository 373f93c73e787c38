use proptest::prelude::*;

use super::*;

fn lease(text: &str) -> Lease {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn one_meaning_has_one_text() {
    for (input, text) in [
        ("7d", "7d"),
        ("007d", "7d"),
        ("2w", "14d"),
        ("12h", "12h"),
        ("24h", "1d"),
        ("90m", "90m"),
        ("1h30m", "90m"),
        ("90s", "90s"),
        ("120m", "2h"),
        ("1m", "1m"),
        ("366d", "366d"),
        ("never", "never"),
        ("Never", "never"),
        ("2027-03-01", "2027-03-01T00:00:00Z"),
        ("2027-03-01T18:00:00Z", "2027-03-01T18:00:00Z"),
        ("2027-03-01T18:00:00.75+02:00", "2027-03-01T16:00:00Z"),
    ] {
        let lease = lease(input);
        assert_eq!(lease.as_str(), text, "{input}");
        assert_eq!(text.parse::<Lease>().unwrap(), lease, "{input} read back");
    }
}

#[test]
fn refuses_the_rest_and_says_why() {
    for (input, message) in [
        ("", "invalid expiry ``"),
        ("1M", "invalid expiry `1M`: `M` could mean minutes or months"),
        ("7D", "invalid expiry `7D`: units are lower-case"),
        ("7y", "invalid expiry `7y`: months and years vary in length"),
        ("0m", "invalid expiry `0m`: shorter than a minute"),
        ("59s", "invalid expiry `59s`: shorter than a minute"),
        ("366d1s", "invalid expiry `366d1s`: longer than 366 days"),
        ("99999999999999999999w", "invalid expiry `99999999999999999999w`: longer than 366 days"),
        ("2027-02-30", "invalid expiry `2027-02-30`"),
        ("2027-03", "invalid expiry `2027-03`"),
        ("2027-03-01T18:00", "invalid expiry `2027-03-01T18:00`"),
        ("2027-03-01T18:00:00Z[Europe/Berlin]", "invalid expiry `2027-03-01T18:00:00Z[Europe/Berlin]`"),
    ] {
        let error = input.parse::<Lease>().unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.what_next().is_some(), "{input}: no hint");
    }
}

#[test]
fn ends_when_it_says() {
    let start: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    let end = |text: &str| lease(text).ends_at(start).map(|end| end.to_string());
    assert_eq!(end("7d").as_deref(), Some("2027-01-08T12:00:00Z"));
    assert_eq!(end("90m").as_deref(), Some("2027-01-01T13:30:00Z"));
    assert_eq!(end("2027-03-01").as_deref(), Some("2027-03-01T00:00:00Z"));
    assert_eq!(end("never"), None);
    assert_eq!(lease("366d").ends_at(Timestamp::MAX), Some(Timestamp::MAX));
}

#[test]
fn a_date_just_asked_for_lies_ahead() {
    let now: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    let refusal = |text: &str| lease(text).require_ahead(now).err().map(|error| error.to_string());
    assert_eq!(refusal("7d"), None);
    assert_eq!(refusal("never"), None);
    assert_eq!(refusal("2027-01-02"), None);
    assert_eq!(refusal("2027-01-01").as_deref(), Some("the expiry 2027-01-01T00:00:00Z has passed"));
    assert_eq!(
        refusal("2028-06-01").as_deref(),
        Some("the expiry 2028-06-01T00:00:00Z is more than 366 days away")
    );
}

proptest! {
    #[test]
    fn never_panics(input in any::<String>()) {
        let _ = input.parse::<Lease>();
    }

    #[test]
    fn what_is_stored_reads_back(input in "([0-9]{1,4}[smhdw]){1,3}|20[0-9]{2}-[01][0-9]-[0-3][0-9]") {
        if let Ok(lease) = input.parse::<Lease>() {
            let tag_safe = |c: char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c);
            prop_assert!(lease.as_str().chars().all(tag_safe));
            prop_assert_eq!(lease.as_str().parse::<Lease>().unwrap(), lease);
        }
    }
}
