//! Sanitizes text of others for terminals.

use std::borrow::Cow;

use crate::text::harmless;

/// Removes from `text` what could move the cursor, change colours or reorder what is read, as
/// [`text::clean`](crate::text::clean) does, and leaves the spaces at both ends: a view says where
/// a line begins.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|letter| harmless(letter) == Some(letter)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(harmless).collect())
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn takes_out_what_a_terminal_would_obey() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\u{9b}2J"), "[31mred2J");
        assert_eq!(clean("a\r\nb\tc"), "a  b c");
        assert_eq!(clean("nimda\u{202e}admin\u{2069}"), "nimdaadmin");
    }

    #[test]
    fn leaves_all_else() {
        let text = "Bücher, 本, 🪣 and `code` — fine";
        assert!(matches!(clean(text), std::borrow::Cow::Borrowed(same) if same == text));
    }
}
