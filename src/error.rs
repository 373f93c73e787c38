//! One error type, written for the person who reads it.
//!
//! A message is a lowercase fragment that completes "failed to …" or states what is wrong; the
//! cause is a source, printed once; the hint says what to do next.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::retry::{FAULT_WITHIN, LONGEST_WAIT, span};

/// The most letters of a message with its causes: a cause may quote what a server sent.
const LONGEST: usize = 2000;

/// A result with wbstore's own error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Exit codes. These numbers are part of the interface.
pub mod exit {
    /// Done, or nothing to do.
    pub const DONE: u8 = 0;
    /// Failed, with nothing changed.
    pub const FAILED: u8 = 1;
    /// Bad usage or bad input; no request was sent.
    pub const USAGE: u8 = 2;
    /// Refused: ownership, policy or a lock. Nothing was changed.
    pub const REFUSED: u8 = 3;
    /// Some steps were done and some failed; run again.
    pub const PARTIAL: u8 = 4;
    /// `plan --exit-code`: changes are pending.
    pub const PENDING: u8 = 5;
    /// `verify`, `check` or `doctor` found that something does not work.
    pub const UNVERIFIED: u8 = 6;
    /// Interrupted by the user.
    pub const INTERRUPTED: u8 = 130;

    /// Each with what it says.
    pub(crate) const MEANINGS: [(u8, &str); 8] = [
        (DONE, "done, or nothing to do"),
        (FAILED, "failed; nothing was changed"),
        (USAGE, "bad usage or input; no request was sent"),
        (REFUSED, "refused; nothing was changed"),
        (PARTIAL, "partly done; run the command again to continue"),
        (PENDING, "changes are pending (plan --exit-code)"),
        (UNVERIFIED, "verify, check or doctor found that something does not work"),
        (INTERRUPTED, "interrupted"),
    ];

    /// The one of `codes` that a run ends with which has done several things.
    pub(crate) fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
        const WORST_FIRST: [u8; 7] = [INTERRUPTED, PARTIAL, FAILED, USAGE, REFUSED, UNVERIFIED, PENDING];
        let rank =
            |code: &u8| WORST_FIRST.iter().position(|worst| worst == code).unwrap_or(WORST_FIRST.len());
        codes.into_iter().min_by_key(rank).unwrap_or(DONE)
    }
}

/// What kind of failure it is; it decides retries and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be fulfilled.
    Input,
    /// The target belongs to others, or a lock or policy forbids the operation.
    Refused,
    /// The cloud denied this one call.
    Denied,
    /// There are no credentials, or they are expired or wrong.
    Credentials,
    /// An earlier change has not propagated yet; it passes.
    NotYet,
    /// The cloud throttles requests; it passes.
    Throttled,
    /// A fault of the network or of the server; it may pass.
    Transient,
    /// Another change to the same resource is in progress; it passes.
    Conflict,
    /// What exists differs from what the plan is based on. A read that lags behind passes; a change by somebody
    /// else does not.
    Outdated,
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Anything else.
    Failed,
}

impl Kind {
    fn passes(self) -> bool {
        matches!(self, Self::NotYet | Self::Throttled | Self::Transient | Self::Conflict | Self::Outdated)
    }

    /// What to do next, where the failure itself says nothing better.
    fn advice(self) -> Option<&'static str> {
        match self {
            Self::NotYet => Some("an earlier change has not propagated yet; run again in a minute"),
            Self::Throttled => Some("the cloud throttles requests; run again in a minute"),
            Self::Transient => Some("the failure may be temporary; run again"),
            Self::Conflict => {
                Some("another change to the same resource is in progress; run again in a minute")
            }
            _ => None,
        }
    }
}

/// A failure, with a hint on how to continue.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    #[source]
    source: Option<Arc<dyn StdError + Send + Sync>>,
    retry_after: Option<Duration>,
    budget: Option<Duration>,
    under_way: bool,
}

impl Error {
    /// An error of `kind`; `message` is a lowercase fragment without a period.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            source: None,
            retry_after: None,
            budget: None,
            under_way: false,
        }
    }

    /// Input that is refused before the first request.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    /// An operation that wbstore refuses.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The resource to create already exists: created by this run if a response was lost, by others
    /// otherwise. The engine reads it and decides.
    pub fn exists(what: impl fmt::Display) -> Self {
        Self::new(Kind::Conflict, format!("{what} already exists")).hint("`wbstore plan` shows its owner")
    }

    /// Adds what to do next: a sentence, a command or a permission.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause. The message must not repeat its text.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// The answer named a wait before the next call. One over [`LONGEST_WAIT`] makes a failure that
    /// would pass a final one; of what is only not there yet, it is the pause between two looks.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        match self.kind {
            Kind::NotYet => self.retry_after = Some(wait.min(LONGEST_WAIT)),
            _ if self.asks_too_much() => {
                self.kind = Kind::Throttled;
                self.message.push_str(&format!(" (Retry-After: {})", span(wait)));
                self.hint = Some(format!(
                    "run again in {}; wbstore waits at most {} for a server",
                    span(wait),
                    span(LONGEST_WAIT)
                ));
            }
            _ => self.budget = Some(self.budget.unwrap_or(FAULT_WITHIN) + wait),
        }
        self
    }

    /// How long this failure may go on before it is final, where the resource's own patience does
    /// not fit.
    #[must_use]
    pub fn within(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The cloud has accepted the call and works on it: to repeat the call only asks how far it is.
    #[must_use]
    pub fn under_way(mut self) -> Self {
        self.under_way = true;
        self
    }

    /// To repeat the call is more than to ask, since it is one of several: it is decided on again before.
    #[must_use]
    pub fn one_of_several(mut self) -> Self {
        self.under_way = false;
        self
    }

    /// Puts `what` before the message: `failed to <what>: <message>`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next.
    pub fn what_next(&self) -> Option<&str> {
        self.hint.as_deref().or_else(|| self.kind.advice())
    }

    /// Whether a retry of the call can succeed.
    pub fn passes(&self) -> bool {
        self.kind.passes() && !self.asks_too_much()
    }

    /// Whether the requested wait is longer than [`LONGEST_WAIT`].
    pub fn asks_too_much(&self) -> bool {
        self.kind.passes() && self.retry_after.is_some_and(|wait| wait > LONGEST_WAIT)
    }

    /// The wait that the server requested.
    pub fn server_wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// How long this failure may go on.
    pub fn budget(&self) -> Option<Duration> {
        self.budget
    }

    /// Whether to repeat the call only asks how far the cloud is.
    pub fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// The exit code of a process that ends with this error before it changed anything.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Input => exit::USAGE,
            Kind::Refused | Kind::Denied | Kind::Outdated => exit::REFUSED,
            Kind::Interrupted => exit::INTERRUPTED,
            Kind::Credentials
            | Kind::NotYet
            | Kind::Throttled
            | Kind::Transient
            | Kind::Conflict
            | Kind::Failed => exit::FAILED,
        }
    }

    /// The message and its causes on one line, without the hint, cut at 2000 letters.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !words.is_empty() && !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
            text.push('…');
        }
        text
    }
}
