//! Text of others, made safe for a terminal.

use std::borrow::Cow;

/// Takes out of `text` what could move the cursor, change colours or reorder what is read: control
/// characters and the marks of bidirectional text. A line break or tab becomes a space, so that the
/// words beside it stay apart.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| replacement(c) == Some(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(replacement).collect())
}

fn replacement(c: char) -> Option<char> {
    match c {
        '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn takes_out_what_a_terminal_would_obey() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\u{9b}2J"), "[31mred2J");
        assert_eq!(clean("a\r\nb\tc"), "a b c");
        assert_eq!(clean("nimda\u{202e}admin\u{2069}"), "nimdaadmin");
    }

    #[test]
    fn leaves_all_else() {
        let text = "Bücher, 本, 🪣 and `code` — fine";
        assert!(matches!(clean(text), std::borrow::Cow::Borrowed(same) if same == text));
    }
}
