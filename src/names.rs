//! The syntax of names: one rule of data for each kind of name, checked in one place.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::text::counted;
use crate::value::{printable, quoted};

/// What the names of one kind have in common. Sets of characters are written as in a regular
/// expression, `a-z0-9-`; a range beyond ASCII holds letters and digits only.
pub(crate) struct Rule {
    /// What it names, as the start of a message: `bucket name`.
    pub what: &'static str,
    /// The allowed form, as it completes "use …".
    pub form: &'static str,
    pub letters: &'static str,
    pub first: &'static str,
    pub last: &'static str,
    /// In characters.
    pub length: RangeInclusive<usize>,
    /// A character that may not follow itself.
    pub single: Option<char>,
    /// What else is rejected, why, and the hint where the form is not enough. `{name}` in the hint is the
    /// name. These are looked for before the characters are.
    pub refused: &'static [(Part, &'static str, &'static str)],
    /// Where the URLs of a scheme hold the name.
    pub urls: &'static [(&'static str, InUrl)],
    /// What the name follows in resource names and ids: `topics`, `storageAccounts`.
    pub collection: &'static str,
}

/// A part of a name that is rejected.
pub(crate) enum Part {
    Start(&'static str),
    End(&'static str),
    Within(&'static str),
    /// Also with digits in place of letters, such as `g00gle` for `google`.
    Alike(&'static str),
    /// The whole, if it consists of digits.
    Digits,
}

/// Where a URL holds a name.
#[derive(Clone, Copy)]
pub(crate) enum InUrl {
    /// The first label of its host.
    Host,
    /// The last segment of its path.
    Path,
}

/// The longer forms in which clouds write names, by their beginnings.
const LONG: [(&str, &str); 3] =
    [("arn:", "is an ARN"), ("/subscriptions/", "is a resource ID"), ("projects/", "is a resource name")];

impl Rule {
    /// A rule to which each kind adds its own.
    pub(crate) const ANY: Self = Self {
        what: "name",
        form: "another name",
        letters: "",
        first: "",
        last: "",
        length: 1..=63,
        single: None,
        refused: &[],
        urls: &[],
        collection: "",
    };

    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) with what is wrong, at which position, and the allowed
    /// form or the name that was probably meant.
    pub(crate) fn check(&self, input: &str) -> Result<()> {
        let Some((why, hint)) = self.fault(input) else { return Ok(()) };
        let what = self.what;
        // A URL is not repeated: the ones that W&B accepts may hold a secret.
        let error = Error::input(match why.as_str() {
            "is empty" | "is a URL" => format!("the {what} {why}"),
            _ => format!("{what} {} {why}", quoted(input)),
        });
        let project = input.strip_prefix("projects/").filter(|_| self.collection != "projects");
        let project = project.and_then(|rest| rest.split('/').next());
        Err(error.hint(match (self.meant(input), project) {
            _ if !hint.is_empty() => hint.replace("{name}", &printable(input)),
            (Some(name), Some(project)) => format!("use `{name}` and --project {}", printable(project)),
            (Some(name), None) => format!("use `{name}`"),
            (None, _) => format!("use {}", self.form),
        }))
    }

    /// What is wrong with `name`, and a hint of its own. What says most comes first: an address is not
    /// "dotted", and an ARN not "too long".
    fn fault(&self, name: &str) -> Option<(String, &'static str)> {
        let plain = |why: String| Some((why, ""));
        let within = |letters, c: char| is_one_of(letters, c);
        if name.is_empty() {
            return plain("is empty".to_owned());
        }
        if name.contains("://") {
            return plain("is a URL".to_owned());
        }
        if let Some((_, why)) = LONG.iter().find(|(start, _)| starts_with(name, start)) {
            return plain((*why).to_owned());
        }
        if !within(self.letters, '.') && name.parse::<Ipv4Addr>().is_ok() {
            return plain("is formatted as an IP address".to_owned());
        }
        for (part, why, hint) in self.refused {
            if let Some(found) = part.found_in(name) {
                return Some((format!("{found}{why}"), hint));
            }
        }
        let upper = |c: char| c.is_ascii_uppercase();
        if name.chars().any(upper) && within(self.letters, 'a') && !within(self.letters, 'A') {
            return plain("has uppercase letters".to_owned());
        }
        let wrong = name.chars().enumerate().find(|(_, c)| !within(self.letters, *c));
        if let Some((at, bad)) = wrong {
            return plain(format!("contains {} at position {}", quoted(&bad.to_string()), at + 1));
        }
        let length = name.chars().count();
        if !self.length.contains(&length) {
            let (least, most) = (self.length.start(), self.length.end());
            let allowed = if least == most {
                format!("{least} are required")
            } else {
                format!("{least} to {most} are allowed")
            };
            return plain(format!("has {}; {allowed}", counted(&[(length as u64, "character")])));
        }
        if let Some(first) = name.chars().next().filter(|c| !within(self.first, *c)) {
            return plain(format!("begins with `{first}`"));
        }
        if let Some(last) = name.chars().last().filter(|c| !within(self.last, *c)) {
            return plain(format!("ends with `{last}`"));
        }
        let doubled = self.single.map(String::from).map(|c| c.repeat(2)).filter(|two| name.contains(two));
        plain(format!("contains `{}`", doubled?))
    }

    /// The name that `input` is probably meant to be.
    fn meant(&self, input: &str) -> Option<String> {
        let candidates = [self.alone(input).map(str::to_owned), self.repaired(input)];
        candidates.into_iter().flatten().find(|name| self.fault(name).is_none())
    }

    /// The name inside one of its longer forms.
    fn alone<'a>(&self, input: &'a str) -> Option<&'a str> {
        if let Some((scheme, rest)) = input.split_once("://") {
            let (_, place) = self.urls.iter().find(|(one, _)| *one == scheme)?;
            let rest = rest.split(['?', '#']).next()?.trim_end_matches('/');
            return match place {
                // What is before an `@` may be a secret.
                InUrl::Host if rest.contains('@') => None,
                InUrl::Host => rest.split(['.', '/', ':']).next(),
                InUrl::Path => rest.rsplit('/').next(),
            };
        }
        if input.starts_with("arn:") {
            let name = input.rsplit(':').next()?;
            return match name.split_once('/') {
                Some((kind, name)) if kind == self.collection => name.rsplit('/').next(),
                _ => name.split('/').next(),
            };
        }
        let mut parts = input.split('/').skip_while(|part| !part.eq_ignore_ascii_case(self.collection));
        parts.nth(1)
    }

    /// `input` in the case, and with the separators, that the rule allows.
    fn repaired(&self, input: &str) -> Option<String> {
        let allowed = |c| is_one_of(self.letters, c);
        let separator = |c| matches!(c, '-' | '_' | '.' | ' ');
        let mut text = String::new();
        for c in input.chars() {
            let c = if allowed(c) { c } else { c.to_ascii_lowercase() };
            let c = if separator(c) && !allowed(c) { '-' } else { c };
            let again = self.single == Some(c) && text.ends_with(c);
            match c {
                '-' if again || !allowed('-') => {}
                c if allowed(c) => text.push(c),
                _ => return None,
            }
        }
        Some(text.trim_matches(separator).to_owned())
    }
}

impl Part {
    /// How a message says that `name` has the part.
    fn found_in(&self, name: &str) -> Option<String> {
        match self {
            Self::Start(text) => name.starts_with(text).then(|| format!("begins with `{text}`, ")),
            Self::End(text) => name.ends_with(text).then(|| format!("ends with `{text}`, ")),
            Self::Within(text) => name.contains(text).then(|| format!("contains `{text}`, ")),
            Self::Alike(text) => look_alike(name, text).map(|found| format!("contains `{found}`, ")),
            Self::Digits => name.bytes().all(|b| b.is_ascii_digit()).then(String::new),
        }
    }
}

/// The part of `name` that is `word`, perhaps with digits in place of the letters that look like them.
pub(crate) fn look_alike<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'l',
        '3' => 'e',
        c => c,
    };
    let at = name.chars().map(letter).collect::<String>().find(word)?;
    name.get(at..at + word.len())
}

/// The one of `known` that `word` may be a misspelling of, in whatever case. Where none is off by a letter, one that
/// `word` is a part of, or that is a part of `word`, comes first.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.7;
    const NEARLY_THE_SAME: f64 = 0.85;
    let word = Some(word.to_lowercase()).filter(|word| !word.is_empty())?;
    let rank = |name: &'a str| {
        let plain = name.to_lowercase();
        let is_part = plain.ends_with(&word) || word.starts_with(&plain) || word.ends_with(&plain);
        let likeness = strsim::normalized_damerau_levenshtein(&word, &plain);
        let class = (likeness >= NEARLY_THE_SAME, is_part);
        (is_part || likeness >= ALIKE).then_some((class, likeness, name))
    };
    let order = |a: &((bool, bool), f64, &str), b: &((bool, bool), f64, &str)| {
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    known.into_iter().filter_map(rank).max_by(order).map(|(.., name)| name)
}

/// Whether `set` has `c`.
fn is_one_of(set: &str, c: char) -> bool {
    let mut rest = set.chars();
    let mut found = false;
    while let Some(first) = rest.next() {
        let mut ahead = rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                rest = ahead;
                last
            }
            _ => first,
        };
        found |= (first..=last).contains(&c);
    }
    found && (c.is_ascii() || c.is_alphanumeric())
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// Whether `text` has the form of a GUID, in either case.
pub(crate) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &str, length| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit());
    groups.len() == 5 && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| hex(group, length))
}

/// 8 hex digits that follow from `parts`. With them a default name is the same on every machine, without
/// a state file, and is unlikely to be in use by others.
pub(crate) fn digits(parts: &[&str]) -> String {
    Sha256::digest(parts.join("\n")).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a type of the names that satisfy a [`Rule`].
macro_rules! checked_name {
    ($(#[$doc:meta])* $type:ident, $($rule:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $type {
            text: String,
        }

        $crate::value::text_value!($type);

        impl $type {
            pub(crate) const RULE: $crate::names::Rule = $crate::names::Rule { $($rule)* };
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(input: &str) -> $crate::error::Result<Self> {
                Self::RULE.check(input)?;
                Ok(Self { text: input.to_owned() })
            }
        }
    };
}

pub(crate) use checked_name;

/// What holds for every rule.
#[cfg(test)]
pub(crate) mod laws {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::name::StorageName;

    fn runner() -> TestRunner {
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })
    }

    /// That `rule` accepts each of `good`, rejects each of `bad` with a message that contains the second
    /// and a hint that begins with the third, and keeps to the laws of all rules.
    #[track_caller]
    pub(crate) fn obeys(rule: &Rule, good: &[&str], bad: &[(&str, &str, &str)]) {
        for name in good {
            assert_eq!(rule.fault(name), None, "{name}");
        }
        for (name, why, hint) in bad {
            let error = rule.check(name).expect_err(name);
            assert!(error.to_string().contains(why), "{name}: {error}");
            assert!(error.what_next().is_some_and(|said| said.starts_with(hint)), "{name}: {error:?}");
        }
        let letters = [rule.letters, rule.first, rule.last];
        let near = format!("[A._ /:{}]{{0,{}}}", rule.letters, rule.length.end() + 1);
        let input = prop_oneof![any::<String>(), near.as_str(), "(arn:|projects/|s3://|az://)[a-z:/@]{0,20}"];
        runner()
            .run(&input, |input| {
                let Err(error) = rule.check(&input) else {
                    prop_assert!(rule.length.contains(&input.chars().count()));
                    prop_assert!(input.chars().all(|c| is_one_of(letters[0], c)));
                    prop_assert!(input.starts_with(|c| is_one_of(letters[1], c)));
                    prop_assert!(input.ends_with(|c| is_one_of(letters[2], c)));
                    return Ok(());
                };
                prop_assert!(error.what_next().is_some());
                prop_assert!(!input.contains("://") || !error.to_string().contains(&input));
                prop_assert!(rule.meant(&input).is_none_or(|name| rule.fault(&name).is_none()));
                Ok(())
            })
            .unwrap();
    }

    /// That what `default` makes of the name of any deployment and team is a name itself.
    pub(crate) fn defaults_are_valid<N>(default: impl Fn(&StorageName) -> N)
    where
        N: FromStr<Err = Error> + Debug + Display + PartialEq,
    {
        const NAMES: &str = "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?|wandb-(google|g00g1e)-com";
        runner()
            .run(&(NAMES, proptest::option::of(NAMES)), |(deployment, team)| {
                let team = team.map(|team| team.parse().unwrap());
                let name = default(&StorageName { deployment: deployment.parse().unwrap(), team });
                prop_assert_eq!(name.to_string().parse::<N>().unwrap(), name);
                Ok(())
            })
            .unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_as_a_regular_expression_has_them() {
        for (set, c, is) in [
            ("a-z0-9-", '-', true),
            ("a-z0-9-", 'm', true),
            ("a-z0-9-", 'M', false),
            ("a-z0-9_.", '_', true),
            ("a-zÀ-\u{10ffff}", 'ü', true),
            ("a-zÀ-\u{10ffff}", '\u{202e}', false),
            ("", 'a', false),
        ] {
            assert_eq!(is_one_of(set, c), is, "{set} {c}");
        }
    }

    #[test]
    fn a_name_in_a_longer_form_is_found_and_a_secret_is_not() {
        let rule = Rule {
            letters: "a-z0-9-",
            first: "a-z",
            last: "a-z0-9",
            urls: &[("s3", InUrl::Host), ("https", InUrl::Path)],
            collection: "topics",
            ..Rule::ANY
        };
        for (input, hint) in [
            ("arn:aws:s3:::acme", "use `acme`"),
            ("arn:aws:sqs:us-east-1:123456789012:acme", "use `acme`"),
            ("arn:aws:x:::topics/path/acme", "use `acme`"),
            ("projects/acme-prod/topics/up", "use `up` and --project acme-prod"),
            ("projects/acme-prod/snapshots/up", "use another name"),
            ("/subscriptions/0/x/Topics/up", "use `up`"),
            ("s3://acme/path", "use `acme`"),
            ("s3://key:hunter2@localhost/acme", "use another name"),
            ("s3://key:hunter/2@localhost/acme", "use another name"),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/acme?x=1", "use `acme`"),
            ("ftp://acme", "use another name"),
        ] {
            let error = rule.check(input).unwrap_err();
            assert_eq!(error.what_next(), Some(hint), "{input}");
            assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
        }
    }
}
