//! Text that comes from a server, made harmless for a terminal.

/// `text` without control characters and without the marks that turn the direction of writing, which
/// could make a line read as something else. Line breaks and tabs become spaces.
pub fn clean(text: &str) -> String {
    text.chars().filter_map(harmless).collect::<String>().trim().to_owned()
}

/// What stands for `letter` in harmless text, if anything does.
pub(crate) fn harmless(letter: char) -> Option<char> {
    match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() || turns_direction(letter) => None,
        letter => Some(letter),
    }
}

fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_server_cannot_colour_move_or_turn_our_text() {
        assert_eq!(clean("a\u{1b}[31mred\u{202e}\nline\u{7}"), "a[31mred line");
    }
}
