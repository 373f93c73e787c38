//! Sanitizes text from servers for terminals, and formats amounts.

use std::fmt;

/// The most letters of a text from a server that are kept. An error message of a cloud is shorter; what is
/// longer is a page of a proxy, or meant to fill a log.
const LONGEST: usize = 600;

/// `text` on one line, without what a terminal would obey and without what is not seen and could make a line
/// read as something else, cut at 600 letters. Line breaks and tabs become spaces, and a backtick, between which
/// commands are suggested, a typographic apostrophe: a straight one ends a quotation too.
pub(crate) fn clean(text: &str) -> String {
    let text = text.trim_start();
    let mut letters =
        text.chars().filter_map(harmless).map(|letter| if letter == '`' { '’' } else { letter });
    let mut kept: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        kept.push('…');
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// The first line of the text of the element `name` in an answer that is XML, [clean]. Azure Storage adds the
/// request's id and the time on further lines.
pub(crate) fn xml_element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    text.lines().next().map(clean)
}

/// `text` where it may be a part of a suggested command: a single word of a name, an id or a path, which is no
/// option.
pub(crate) fn word(text: &str) -> Option<&str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._/:@+".contains(letter);
    (!text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)).then_some(text)
}

/// What stands for `letter` in harmless text, if anything does.
pub(crate) fn harmless(letter: char) -> Option<char> {
    match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() || is_unseen(letter) => None,
        letter => Some(letter),
    }
}

/// Whether `letter` is not seen and changes how others are: it turns the direction of writing, joins, breaks
/// or hides. These are the letters of the general category Cf, the fillers, and the variation selectors
/// beyond the first block, in which texts are hidden (Unicode Standard, chapter 23).
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1345f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A size, in the largest decimal unit that leaves a digit before the point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub u64);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        match UNITS.iter().find(|(size, _)| self.0 >= *size) {
            Some((size, unit)) => write!(f, "{:.1} {unit}", self.0 as f64 / *size as f64),
            None if self.0 == 1 => f.write_str("1 byte"),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A number, its digits in groups of three: `250,000`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
        f.write_str(&groups.join(","))
    }
}

/// What there is of `parts`, each a number and the word for one of them, as a sentence counts it:
/// `12 objects, 1 version and 2 uploads`.
pub(crate) fn counted(parts: &[(u64, &str)]) -> String {
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{} {what}{}", Count(*count), if *count == 1 { "" } else { "s" }))
        .collect();
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_colour_move_or_turn_our_text() {
        assert_eq!(clean("a\u{1b}[31mred\u{202e}\nline\u{7}"), "a[31mred line");
        assert_eq!(clean("\u{200b}\u{9b}31m\u{2028}x\u{e0041}\u{feff}"), "31m x");
    }

    #[test]
    fn text_of_others_ends_no_quote_and_adds_no_option() {
        assert_eq!(clean("q`; `reboot"), "q’; ’reboot");
        for harmless in ["acme-media", "projects/p/topics/t_1", "arn:aws:sqs:eu-west-1:1:q", "a@b.example"] {
            assert_eq!(word(harmless), Some(harmless));
        }
        for hostile in ["", "--yes", "a b", "a;b", "$(a)", "a`", "a'", "é", "a\n"] {
            assert_eq!(word(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn a_message_has_an_end() {
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
        assert_eq!(clean(&"x".repeat(LONGEST)).chars().count(), LONGEST);
    }

    #[test]
    fn amounts_read_as_a_sentence_does() {
        assert_eq!(counted(&[(0, "object")]), "nothing");
        assert_eq!(counted(&[(2, "object"), (0, "marker"), (1, "upload")]), "2 objects and 1 upload");
        assert_eq!(counted(&[(1, "a"), (1, "b"), (1, "c")]), "1 a, 1 b and 1 c");
        assert_eq!(
            [0, 999, 1000, 250_000, 1_234_567].map(|n| Count(n).to_string()).join(" "),
            "0 999 1,000 250,000 1,234,567"
        );
        assert_eq!([Bytes(1).to_string(), Bytes(3_400_000).to_string()], ["1 byte", "3.4 MB"]);
    }
}
