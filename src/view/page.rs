//! A page of text for people: items that are wrapped at words, with their indentation kept.

use anstyle::Style;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::clean::clean;
use super::palette::paint;

/// How far the lines after the first are indented beyond it.
const HANGING: usize = 4;
/// The least that is left for words, in columns: on a narrower page the indentation shrinks instead.
const LEAST: usize = 12;

/// Text under construction. What is added is cleaned here, so that no view can forget it.
pub(super) struct Page {
    text: String,
    /// In columns of a terminal, on which a letter may take two; without one nothing is wrapped.
    width: Option<usize>,
}

impl Page {
    pub(super) fn new(width: Option<usize>) -> Self {
        Self { text: String::new(), width }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Separates what follows from what is there.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A sentence, `style` on all of it.
    pub(super) fn sentence(&mut self, style: Style, text: &str) {
        for line in self.wrapped("", "", text) {
            self.text.push_str(&paint(style, line).to_string());
            self.text.push('\n');
        }
    }

    /// `lead` in `style`, which stays on the first line, then `text`.
    pub(super) fn item(&mut self, indent: usize, style: Style, lead: &str, text: &str) {
        self.hung(indent, HANGING, style, lead, text);
    }

    /// One of a list of sentences.
    pub(super) fn bullet(&mut self, indent: usize, text: &str) {
        self.hung(indent, 2, Style::new(), "-", text);
    }

    fn hung(&mut self, indent: usize, hanging: usize, style: Style, lead: &str, text: &str) {
        let deepest = self.width.map_or(indent, |width| width.saturating_sub(LEAST) / 2);
        let first = " ".repeat(indent.min(deepest));
        let rest = " ".repeat((indent + hanging).min(deepest + 2));
        let lead = clean(lead);
        let lines = self.wrapped(&format!("{first}{lead} "), &rest, text);
        // What follows the lead is not in its style, the spaces that align it included.
        let lead = lead.trim_end();
        let (head, tail) = lines.split_first().map_or(("", &lines[..]), |(head, tail)| (head.as_str(), tail));
        let after = head.get(first.len() + lead.len()..).unwrap_or_default();
        self.text.push_str(&format!("{first}{}{after}\n", paint(style, lead)));
        tail.iter().for_each(|line| self.text.push_str(&format!("{line}\n")));
    }

    /// A line that is copied, and therefore never wrapped.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) {
        self.text.push_str(&format!("{:indent$}{}\n", "", clean(text)));
    }

    fn wrapped(&self, first: &str, rest: &str, text: &str) -> Vec<String> {
        let text = clean(text);
        if text.trim().is_empty() {
            return vec![first.trim_end().to_owned()];
        }
        let Some(width) = self.width else { return vec![format!("{first}{text}").trim_end().to_owned()] };
        let options = Options::new(width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        let text = unbroken(&text);
        let lines = textwrap::wrap(&text, options);
        lines.iter().map(|line| line.trim_end().replace(UNBROKEN, " ")).collect()
    }
}

/// A space at which no line is broken.
const UNBROKEN: char = '\u{a0}';

/// `text` with the commands in backticks held together: one that is broken cannot be copied.
fn unbroken(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Without a partner the last one quotes nothing.
    let is_code = |index: usize| index % 2 == 1 && index + 1 < parts.len();
    let part = |(index, part): (usize, &&str)| match is_code(index) {
        true => part.replace(' ', &UNBROKEN.to_string()),
        false => (*part).to_owned(),
    };
    parts.iter().enumerate().map(part).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use proptest::prelude::*;
    use textwrap::core::display_width;

    use super::super::palette::GOOD;
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split(' ').filter(|word| !word.is_empty()).collect()
    }

    #[test]
    fn a_command_is_copied_whole() {
        let mut page = Page::new(Some(30));
        page.item(2, GOOD, "hint:", "run `wbstore teardown aws --name acme` with it, or not`");
        let text = strip_str(&page.into_text()).to_string();
        let expected = "  hint: run\n      `wbstore teardown aws --name acme`\n      with it, or not`\n";
        assert_eq!(text, expected);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long_unless_one_word_is(
            width in 20usize..300, indent in 0usize..9,
            text in proptest::collection::vec("([a-z]{1,12}|本の袋|ÄÖß|[a-z0-9:/-]{1,60}|→)", 0..40),
        ) {
            let mut page = Page::new(Some(width));
            page.item(indent, GOOD, "+ note:", &text.join(" "));
            let page = strip_str(&page.into_text()).to_string();
            let mut kept = vec!["+", "note:"];
            kept.extend(text.iter().map(String::as_str));
            prop_assert_eq!(page.lines().flat_map(words).collect::<Vec<_>>(), kept);
            for (index, line) in page.lines().enumerate() {
                let of_line = words(line).len() - if index == 0 { 2 } else { 0 };
                prop_assert!(display_width(line) <= width || of_line <= 1, "{line:?} in {width}");
                prop_assert!(index == 0 || line.starts_with("  "), "{line:?}");
            }
        }

        #[test]
        fn without_a_width_an_item_is_a_line(indent in 0usize..9, text in "\\PC{0,200}") {
            let mut page = Page::new(None);
            page.item(indent, GOOD, "-", &text);
            prop_assert_eq!(page.into_text().lines().count(), 1);
        }

        /// No text of others begins a line of its own, whatever the width.
        #[test]
        fn text_of_others_is_indented(width in 20usize..300, text in "\\PC{1,200}") {
            let mut page = Page::new(Some(width));
            page.item(6, GOOD, "note:", &text);
            for line in strip_str(&page.into_text()).to_string().lines() {
                prop_assert!(line.starts_with("  "), "{line:?}");
            }
        }
    }
}
