//! Regions and locations that this release lists, for suggestions alone. A name that is not in a list is
//! used like the others: clouds open regions more often than people update their tools.

/// The regions or locations of a cloud.
pub(crate) struct Listed {
    /// What they are, such as `AWS region`.
    pub what: &'static str,
    /// Their names, between spaces. Of equally near ones the first is suggested.
    pub names: &'static str,
    /// Where all of them are listed, as it completes "see …".
    pub see: &'static str,
}

impl Listed {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.split_whitespace().any(|one| one.eq_ignore_ascii_case(name))
    }

    /// The listed name nearest to `input`, unless they have little in common.
    pub(crate) fn nearest(&self, input: &str) -> Option<&'static str> {
        const ALIKE: f64 = 0.75;
        // No name is longer than 32 characters; the comparison takes time in proportion to both.
        if input.len() > 32 {
            return None;
        }
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
        let input = plain(input);
        self.names
            .split_whitespace()
            .map(|name| (strsim::normalized_damerau_levenshtein(&input, &plain(name)), name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, name)| name)
    }

    /// The hint where `input` is rejected.
    pub(crate) fn hint(&self, input: &str) -> String {
        match self.nearest(input) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("see {}", self.see),
        }
    }

    /// The warning in a plan, where `name` is not listed.
    pub(crate) fn warning(&self, name: &str) -> Option<String> {
        let unlisted =
            || format!("`{name}` is not an {} that this release lists: {}", self.what, self.hint(name));
        (!self.has(name)).then(unlisted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONS: Listed =
        Listed { what: "AWS region", names: "us-east-1 us-east-2 eu-central-1", see: "the documentation" };

    #[test]
    fn what_is_near_is_suggested_and_nothing_else() {
        for (input, hint) in [
            ("us-esat-1", "did you mean `us-east-1`?"),
            ("US_EAST_2", "did you mean `us-east-2`?"),
            ("us-east-1a", "did you mean `us-east-1`?"),
            ("mars", "see the documentation"),
            ("", "see the documentation"),
            (&"us-east-1".repeat(9), "see the documentation"),
        ] {
            assert_eq!(REGIONS.hint(input), hint);
        }
        assert_eq!(REGIONS.warning("US-EAST-1"), None);
        let warning = "`us-east-3` is not an AWS region that this release lists: did you mean `us-east-1`?";
        assert_eq!(REGIONS.warning("us-east-3").as_deref(), Some(warning));
    }
}
