//! What is wrong with a value, where, and what it should be, without its secrets.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::verify::{Verdict, failed, warned};

/// How often one value is repaired: more flaws than this are a value of another kind.
const REPAIRS: usize = 16;

/// A value that does not follow its grammar. No part of it repeats what the value says; only the repaired form
/// does, without passwords and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where the flaw is, counted in characters from 1.
    pub column: usize,
    /// What is wrong, as a lowercase fragment.
    pub reason: String,
    /// What to write instead, as a sentence.
    pub advice: String,
    /// The value as it should be, with `***` for its secrets, where that is certain.
    pub repaired: Option<String>,
}

impl Malformed {
    /// The verdict on the value.
    pub(crate) fn verdict(&self) -> Verdict {
        failed(self.to_string(), self.hint())
    }

    pub(crate) fn hint(&self) -> String {
        match &self.repaired {
            Some(repaired) => format!("{}: `{repaired}`", self.advice),
            None => self.advice.clone(),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.reason)
    }
}

/// Something about a value that is valid and not as W&B advises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    pub reason: String,
    pub hint: String,
}

impl Warning {
    pub(super) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        warned(self.reason.as_str(), self.hint.as_str())
    }
}

/// The first flaw of a value, and the value without it.
pub(crate) struct Flaw {
    /// In bytes.
    at: usize,
    reason: String,
    advice: String,
    repaired: Option<Zeroizing<String>>,
}

impl Flaw {
    /// A flaw at the byte `at`. `reason` and `advice` must not repeat the value.
    pub(super) fn new(at: usize, reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { at, reason: reason.into(), advice: advice.into(), repaired: None }
    }

    /// The same flaw of the whole `text`, of which the part at `place` was read.
    pub(super) fn within(self, text: &str, place: Range<usize>) -> Self {
        let Range { start, end } = place;
        let whole = |part: Zeroizing<String>| {
            Zeroizing::new(format!("{}{}{}", &text[..start], part.as_str(), &text[end..]))
        };
        Self { at: start + self.at, repaired: self.repaired.map(whole), ..self }
    }

    /// The value as it should be, in which other flaws may be left.
    pub(super) fn repaired(mut self, value: String) -> Self {
        self.repaired = Some(Zeroizing::new(value));
        self
    }
}

/// A value with a grammar.
pub(crate) trait Grammar: Sized {
    /// Reads a value without any flaw.
    fn read(text: &str) -> Result<Self, Flaw>;

    /// The value as it was given, with `***` for its secrets.
    fn masked(&self) -> String;

    /// What is valid and not as W&B advises.
    fn warnings(&self) -> Vec<Warning> {
        vec![]
    }

    /// Reads `text`, or reports its first flaw with the form in which no flaw is left.
    fn parse(text: &str) -> Result<Self, Malformed> {
        let flaw = match Self::read(text) {
            Ok(value) => return Ok(value),
            Err(flaw) => flaw,
        };
        let mut repaired = None;
        let mut candidate = flaw.repaired;
        for _ in 0..REPAIRS {
            let Some(text) = candidate else { break };
            match Self::read(&text) {
                Ok(value) => {
                    repaired = Some(value.masked());
                    break;
                }
                Err(flaw) => candidate = flaw.repaired,
            }
        }
        let before = text.get(..flaw.at).unwrap_or(text);
        let column = before.chars().count() + 1;
        Err(Malformed { column, reason: flaw.reason, advice: flaw.advice, repaired })
    }
}
