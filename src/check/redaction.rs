//! Text of servers, without the secrets that they may repeat.

use crate::settings::url_parts::encoded;
use crate::text::clean;

/// Secrets that were sent to a server, whose answers may quote them: Redis, for one, repeats the arguments of a
/// command that it does not know.
#[derive(Default)]
pub(super) struct Redaction(Vec<String>);

impl Redaction {
    /// Hides `secrets`, as they are and as a URL has them.
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let secrets = secrets.into_iter().flatten().filter(|secret| !secret.is_empty());
        let mut hidden: Vec<_> = secrets.flat_map(|secret| [secret.to_owned(), encoded(secret)]).collect();
        // A short secret may be a part of a long one.
        hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(hidden)
    }

    /// `text` of a server, on one line and without what a terminal would obey.
    pub(super) fn shown(&self, text: &str) -> String {
        let hidden = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        clean(&hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::Redaction;

    #[test]
    fn what_a_server_repeats_is_hidden_in_both_spellings() {
        let redaction = Redaction::of([Some("p@ss"), None, Some(""), Some("p@ss/word")]);
        assert_eq!(
            redaction.shown("unknown 'AUTH' with p@ss/word\nand p%40ss and p@ss"),
            "unknown 'AUTH' with *** and *** and ***"
        );
    }
}
