//! The tags that the user wants on what a deployment creates, and what each cloud accepts of them.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::text::{counted, word};
use crate::value::quoted;

/// The beginnings of the keys of marks, on whichever cloud.
const OURS: [&str; 3] = ["wbstore:", "wbstore-", "wbstore_"];

/// A tag, as `--tag` gives it: `KEY=VALUE`. Its form depends on the [cloud](TagRule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let (key, value) = input.split_once('=').ok_or_else(|| {
            Error::input(format!("the tag {} has no `=`", quoted(input)))
                .hint("use `--tag KEY=VALUE`; `--tag KEY=` has an empty value")
        })?;
        if key.is_empty() {
            return Err(
                Error::input(format!("the tag {} has no key", quoted(input))).hint("use `--tag KEY=VALUE`")
            );
        }
        if let Some(ours) = OURS.into_iter().find(|ours| begins(key, ours)) {
            return Err(Error::input(format!(
                "the tag key {} begins with `{ours}`, as those of wbstore's own mark do",
                quoted(key)
            ))
            .hint("use another key"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// What a cloud accepts as tags.
#[derive(Debug)]
pub(crate) struct TagRule {
    /// What the cloud calls one.
    pub(crate) what: &'static str,
    pub(crate) key: TagText,
    pub(crate) value: TagText,
    /// Beginnings of keys that are reserved, in any case.
    pub(crate) reserved: &'static [&'static str],
    /// Whether two keys that differ in case alone are the same.
    pub(crate) any_case: bool,
    /// The most that fit beside the mark of wbstore.
    pub(crate) most: usize,
}

/// What a cloud accepts as keys, or as values.
#[derive(Debug)]
pub(crate) struct TagText {
    /// In characters.
    pub(crate) longest: usize,
    /// In bytes of UTF-8.
    pub(crate) largest: usize,
    pub(crate) accepts: fn(char) -> bool,
    pub(crate) begins: fn(char) -> bool,
    /// The allowed form, as it completes "use …".
    pub(crate) form: &'static str,
}

impl TagText {
    /// What is wrong with `text`, as it completes "the key … ".
    fn fault(&self, text: &str) -> Option<String> {
        if let Some((at, bad)) = text.chars().enumerate().find(|(_, letter)| !(self.accepts)(*letter)) {
            return Some(format!("contains {} at position {}", quoted(&bad.to_string()), at + 1));
        }
        if let Some(first) = text.chars().next().filter(|first| !(self.begins)(*first)) {
            return Some(format!("begins with `{first}`"));
        }
        let (length, size) = (text.chars().count(), text.len());
        if length > self.longest {
            return Some(format!("has {length} characters; {} are allowed", self.longest));
        }
        (size > self.largest).then(|| format!("has {size} bytes; {} are allowed", self.largest))
    }

    /// `text` as the cloud accepts it, if that is a matter of case and separators.
    fn repaired(&self, text: &str) -> Option<String> {
        let accepted = |letter: char| match letter {
            letter if (self.accepts)(letter) => letter,
            letter if letter.is_alphabetic() => letter.to_lowercase().next().unwrap_or(letter),
            _ => '-',
        };
        let repaired: String = text.chars().map(accepted).collect();
        self.fault(&repaired).is_none().then_some(repaired)
    }
}

impl TagRule {
    /// Checks what `--tag` gave.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) with what is wrong, and the form that is allowed or that was probably
    /// meant.
    pub(crate) fn check(&self, tags: &[Tag]) -> Result<()> {
        let what = self.what;
        for (index, tag) in tags.iter().enumerate() {
            let Tag { key, value } = tag;
            if let Some(reserved) = self.reserved.iter().find(|reserved| begins(key, reserved)) {
                return Err(Error::input(format!(
                    "--tag: the {what} key {} begins with `{reserved}`, which is reserved",
                    quoted(key)
                ))
                .hint("use another key"));
            }
            for (part, text, rule) in [("key", key, &self.key), ("value", value, &self.value)] {
                if let Some(why) = rule.fault(text) {
                    let hint = self.meant(tag).unwrap_or_else(|| format!("use {}", rule.form));
                    return Err(
                        Error::input(format!("--tag: the {what} {part} {} {why}", quoted(text))).hint(hint)
                    );
                }
            }
            if tags[..index].iter().any(|earlier| self.is_same(&earlier.key, key)) {
                return Err(Error::input(format!("--tag: the {what} {} is given twice", quoted(key)))
                    .hint(format!("omit one of the two: a resource has one value for each {what}")));
            }
        }
        if tags.len() > self.most {
            let given = counted(&[(tags.len() as u64, what)]);
            return Err(Error::input(format!(
                "--tag: {given} are given; {} fit beside wbstore's own",
                self.most
            ))
            .hint(format!("omit {}", tags.len() - self.most)));
        }
        Ok(())
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || self.any_case && one.to_lowercase() == other.to_lowercase()
    }

    fn meant(&self, tag: &Tag) -> Option<String> {
        let (key, value) = (self.key.repaired(&tag.key)?, self.value.repaired(&tag.value)?);
        let is_plain = word(&key).is_some() && (value.is_empty() || word(&value).is_some());
        is_plain.then(|| format!("use `--tag {key}={value}`: keys are {}", self.key.form))
    }
}

/// Whether `text` begins with `start`, in any case.
fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Labels of few letters, of which there may be two.
    const RULE: TagRule = TagRule {
        what: "label",
        key: TagText { begins: |letter| letter.is_ascii_lowercase(), form: "lowercase letters", ..TEXT },
        value: TEXT,
        reserved: &["cloud-"],
        any_case: true,
        most: 2,
    };

    const TEXT: TagText = TagText {
        longest: 8,
        largest: 10,
        accepts: |letter| letter.is_lowercase() || matches!(letter, '-' | '0'..='9'),
        begins: |_| true,
        form: "up to 8 lowercase letters, digits and `-`",
    };

    fn check(tags: &[&str]) -> Result<()> {
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse()).collect::<Result<_>>()?;
        RULE.check(&tags)
    }

    #[test]
    fn what_the_cloud_accepts_is_accepted() {
        for tags in [&[][..], &["a=", "b=1-x"], &["team=größe"], &["ab-cdefg=12345678"]] {
            check(tags).unwrap();
        }
        let tag: Tag = "key=a=b".parse().unwrap();
        assert_eq!((tag.key.as_str(), tag.value.as_str()), ("key", "a=b"), "the first `=` ends the key");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_write() {
        for (tags, says, hint) in [
            (&["team"][..], "the tag `team` has no `=`", "use `--tag KEY=VALUE`"),
            (&["=ml"], "the tag `=ml` has no key", "use `--tag KEY=VALUE`"),
            (&["WBStore:x=1"], "the tag key `WBStore:x` begins with `wbstore:`", "use another key"),
            (&["wbstore-x=1"], "the tag key `wbstore-x` begins with `wbstore-`", "use another key"),
            (
                &["Cloud-x=1"],
                "the label key `Cloud-x` begins with `cloud-`, which is reserved",
                "use another key",
            ),
            (
                &["Team=ML"],
                "the label key `Team` contains `T` at position 1",
                "use `--tag team=ml`: keys are lowercase",
            ),
            (&["team=a b"], "the label value `a b` contains ` ` at position 2", "use `--tag team=a-b`"),
            (&["0team=x"], "the label key `0team` begins with `0`", "use lowercase letters"),
            (&["abcdefghi=x"], "has 9 characters; 8 are allowed", "use lowercase letters"),
            (&["a=ßßßßßß"], "has 12 bytes; 10 are allowed", "use up to 8 lowercase letters"),
            (&["a=1", "a=2"], "the label `a` is given twice", "omit one of the two"),
            (&["a=1", "b=2", "c=3"], "3 labels are given; 2 fit beside wbstore's own", "omit 1"),
        ] {
            let error = check(tags).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert!(
                error.what_next().is_some_and(|next| next.starts_with(hint)),
                "{error}: {:?}",
                error.what_next()
            );
        }
    }

    proptest! {
        #[test]
        fn a_suggestion_is_accepted(key in any::<String>(), value in any::<String>()) {
            let Ok(tag) = format!("{key}={value}").parse::<Tag>() else { return Ok(()) };
            let Err(error) = RULE.check(std::slice::from_ref(&tag)) else { return Ok(()) };
            let meant = error.what_next().and_then(|next| next.strip_prefix("use `--tag ")?.split_once('`'));
            if let Some((meant, _)) = meant {
                prop_assert!(RULE.check(&[meant.parse().unwrap()]).is_ok(), "{meant}");
            }
        }
    }
}
