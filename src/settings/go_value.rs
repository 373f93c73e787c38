//! Values of parameters as Go reads them.

/// Whether `text` is what Go's `time.ParseDuration` reads: `30s`, `1h15m`, `1.5ms`, `0`.
pub(super) fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, unit) = rest.split_at(number);
        if digits.is_empty() || digits == "." || digits.matches('.').count() > 1 {
            return false;
        }
        let units = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        // `ms` before `m`.
        let Some(unit_text) =
            units.into_iter().filter(|one| unit.starts_with(one)).max_by_key(|one| one.len())
        else {
            return false;
        };
        rest = &unit[unit_text.len()..];
    }
    true
}

/// Whether `text` is what Go's `strconv.ParseBool` reads, and then its value.
pub(super) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for good in ["0", "30s", "1h15m30.918s", "1.5ms", "-3m", ".5s", "10µs", "1s"] {
            assert!(is_go_duration(good), "{good}");
        }
        for bad in ["", "30", "s", "1d", "1 s", "1.2.3s", "-", "5m3", "."] {
            assert!(!is_go_duration(bad), "{bad}");
        }
    }

    #[test]
    fn truth_is_that_of_go() {
        assert_eq!([go_bool("True"), go_bool("0"), go_bool("yes")], [Some(true), Some(false), None]);
    }
}
