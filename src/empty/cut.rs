//! Where to cut a range of keys, judged by what one page of it shows.
//!
//! The page shows at which place its keys differ, of which letters the word at that place consists, and how
//! far a thousand keys go in it. Read as digits of a number, that word can be continued: keys are expected
//! behind its next values, behind the directories that it is in, and nowhere else. A wrong guess costs one
//! call, which brings nothing; the guesses go outwards in steps that double, so that they are few.

use std::collections::BTreeSet;

/// How many digits are computed with: more have no room in a number.
const DIGITS: usize = 12;
/// How far left of the place where keys differ their word is taken to begin.
const LEFT: usize = 8;
/// The most letters of another script that are expected.
const ROWS: usize = 1024;
/// Behind how many of the directories around the last key more keys are looked for.
const DIRECTORIES: usize = 2;
/// How many pages are worth a cut.
const WORTH: f64 = 1.5;
/// How many pages are expected where nothing is known.
const UNKNOWN: f64 = 16.0;
/// By how many powers of two one guess is farther away than the one before.
const STEP: f64 = 2.0;

/// What a page shows of the keys ahead.
pub(super) struct Ahead<'a> {
    last: &'a str,
    until: Option<&'a str>,
    word: Word<'a>,
    /// How many pages are expected in the word, where something is known about that.
    known: f64,
    outer: Option<Word<'a>>,
}

impl<'a> Ahead<'a> {
    /// `shown` are keys of one page, in their order, its first and its last among them. `before` is a key
    /// somewhere before them, where a guess has led to this page. The keys after the last of `shown` and before
    /// `until` are those ahead; `is_followed` is whether there are keys behind `until`, so that they are
    /// expected to go on until there.
    pub(super) fn of(
        shown: &[&'a str],
        before: Option<&str>,
        until: Option<&'a str>,
        is_followed: bool,
    ) -> Option<Self> {
        let (first, last) = (shown.first()?, *shown.last()?);
        let word = Word::of(first, last, shown);
        let is_inside = until.is_some_and(|until| until.starts_with(word.prefix));
        let known = if is_inside && is_followed {
            f64::MAX
        } else {
            // As many as there have been.
            before
                .and_then(|before| before.strip_prefix(word.prefix))
                .map_or(0.0, |rest| (word.last - word.number(rest)) / word.page)
        };
        let outer = before.map(|before| Word::of(before, last, shown));
        Some(Self { last, until, known, outer: outer.filter(|outer| outer.prefix != word.prefix), word })
    }

    /// How many pages are expected, where they are worth a cut.
    pub(super) fn pages(&self) -> f64 {
        let pages = self.word.pages(self.until);
        match self.known {
            _ if pages < WORTH => 0.0,
            known if pages <= 2.0 * known => pages,
            known if known > 0.0 => known,
            _ => UNKNOWN,
        }
    }

    /// How many of them there are for sure.
    pub(super) fn sure(&self) -> f64 {
        if self.known == f64::MAX { self.word.pages(self.until).max(0.0) } else { 0.0 }
    }

    /// At most `most` keys, in their order, that cut those ahead.
    pub(super) fn cuts(&self, most: usize) -> Vec<String> {
        let mut outer = ends(self.last, self.word.prefix);
        if let Some(word) = &self.outer {
            outer.splice(..0, word.ahead(self.until, 0.0, most.div_ceil(2)));
        }
        let most_inner = most - outer.len().min(most / 2);
        let mut cuts = self.word.ahead(self.until, self.known, most_inner);
        cuts.extend(outer);
        // What a rounded number or an unexpected letter has put out of place cuts nothing.
        cuts.retain(|cut| cut.as_str() > self.last && self.until.is_none_or(|until| cut.as_str() < until));
        cuts.truncate(most);
        cuts.sort();
        cuts.dedup();
        cuts
    }
}

/// The ends of the directories that a key is in, the innermost first: what follows all that begins as they
/// do. `prefix` is the part of the key before the word at which the page's keys differ.
fn ends(key: &str, prefix: &str) -> Vec<String> {
    let before_word = prefix.len().checked_sub(1).filter(|at| key.as_bytes()[*at].is_ascii());
    let slashes = prefix.rmatch_indices('/').map(|(at, _)| at);
    let mut places: Vec<usize> = before_word.into_iter().chain(slashes).collect();
    places.dedup();
    if places.len() > DIRECTORIES {
        // The outermost one has the most behind it.
        places.drain(DIRECTORIES - 1..places.len() - 1);
    }
    let end = |at: usize| format!("{}{}", &key[..at], char::from(key.as_bytes()[at] + 1));
    places.into_iter().map(end).collect()
}

/// The word in which the keys of a page differ, as digits of a number between 0 and 1.
struct Word<'a> {
    /// Of the last key, all before the word.
    prefix: &'a str,
    /// The letters that it is made of, in their order.
    letters: Vec<char>,
    /// The last key's number.
    last: f64,
    /// How much of the numbers a page covers.
    page: f64,
}

impl<'a> Word<'a> {
    fn of(first: &str, last: &'a str, shown: &[&str]) -> Self {
        let differs = last.char_indices().zip(first.chars()).find(|((_, a), b)| a != b);
        let at = match differs {
            Some(((at, _), _)) => at,
            None if first.len() < last.len() => first.len(),
            // All versions of one key.
            None => counter(last),
        };
        let is_word = |letter: &char| letter.is_alphanumeric();
        let left: usize = last[..at].chars().rev().take_while(is_word).take(LEFT).map(char::len_utf8).sum();
        let in_word = last[at..].chars().next().is_some_and(|letter| is_word(&letter));
        let start = if in_word { at - left } else { at };
        let length = last[start..].chars().take_while(is_word).count().max(1);
        let (prefix, rest) = last.split_at(start);
        let words = shown.iter().filter_map(|key| key.strip_prefix(prefix));
        let letters =
            words.flat_map(|word| word.chars().take(length).take_while(|letter| !in_word || is_word(letter)));
        let mut word = Self { prefix, letters: alphabet(letters), last: 0.0, page: 0.0 };
        word.last = word.number(rest);
        word.page = word.last - first.strip_prefix(prefix).map_or(0.0, |rest| word.number(rest));
        if word.page <= 0.0 {
            word.page = word.base().powi(-i32::try_from(length.min(DIGITS)).unwrap_or(1));
        }
        word
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of letters")]
    fn base(&self) -> f64 {
        self.letters.len().max(2) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of letters")]
    fn number(&self, text: &str) -> f64 {
        let (mut number, mut unit) = (0.0, 1.0);
        for letter in text.chars().take(DIGITS) {
            let below = self.letters.partition_point(|other| *other < letter);
            unit /= self.base();
            number += below as f64 * unit;
            if self.letters.get(below) != Some(&letter) {
                break;
            }
        }
        number
    }

    /// The key of `number`, with no more digits than tell pages apart.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a digit")]
    fn key(&self, number: f64) -> String {
        let (mut key, mut rest, mut unit) = (self.prefix.to_owned(), number, 1.0);
        while unit > self.page / 16.0 {
            rest *= self.base();
            unit /= self.base();
            let digit = (rest as usize).min(self.letters.len() - 1);
            key.push(self.letters[digit]);
            rest -= rest.floor();
        }
        key
    }

    /// How many pages there are up to `until`, if keys go on as they do.
    fn pages(&self, until: Option<&str>) -> f64 {
        let inside = until.and_then(|until| until.strip_prefix(self.prefix));
        (inside.map_or(1.0, |rest| self.number(rest)) - self.last) / self.page
    }

    /// At most `most` keys ahead of the last one, where as many pages are `known` to be there.
    fn ahead(&self, until: Option<&str>, known: f64, most: usize) -> Vec<String> {
        let pages = self.pages(until);
        if pages < WORTH || most == 0 {
            return vec![];
        }
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let key = |pages: f64| self.key(self.last + pages * self.page);
        if pages <= 2.0 * known {
            let pieces = at_most(pages.round(), most.saturating_add(1));
            (1..pieces).map(|piece| key(pages * f64::from(piece) / f64::from(pieces))).collect()
        } else {
            let steps = at_most((pages.log2() / STEP).ceil(), most);
            let ratio = pages.powf(1.0 / f64::from(steps));
            (0..steps).map(|step| key(ratio.powi(step))).collect()
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number")]
fn at_most(number: f64, most: i32) -> i32 {
    number.max(1.0).min(f64::from(most)) as i32
}

/// The last letter or digit of `key`, where a counter would be; its end, if it has none.
fn counter(key: &str) -> usize {
    key.rfind(|letter: char| letter.is_alphanumeric()).unwrap_or(key.len())
}

/// `seen`, completed: where there are digits or letters of a kind, others of that kind are expected.
fn alphabet(seen: impl Iterator<Item = char>) -> Vec<char> {
    let mut letters: BTreeSet<char> = seen.collect();
    let has =
        |letters: &BTreeSet<char>, kind: std::ops::RangeInclusive<char>| letters.range(kind).next().is_some();
    let kinds = [('0', '9', '9'), ('A', 'F', 'Z'), ('a', 'f', 'z')];
    for (first, hexadecimal, last) in kinds {
        let above = char::from_u32(u32::from(hexadecimal) + 1).unwrap_or(last);
        if above <= last && has(&letters, above..=last) {
            letters.extend(first..=last);
        } else if has(&letters, first..=hexadecimal) {
            letters.extend(first..=hexadecimal);
        }
    }
    let others = || letters.range('\u{80}'..).map(|letter| u32::from(*letter));
    if let (Some(first), Some(last)) = (others().min(), others().max()) {
        // Alphabets are arranged in rows of 16.
        letters.extend((first & !31..=last | 31).filter_map(char::from_u32).take(ROWS));
    }
    if letters.is_empty() {
        letters.extend('0'..='9');
    }
    letters.into_iter().collect()
}
