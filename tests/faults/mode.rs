//! The ways in which one request can go wrong.

use std::time::Duration;

use wbstore_sandbox::fault::{Armed, Failure, Fault, Side, When};
use wbstore_sandbox::proxy::Proxy;

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    KillBefore,
    KillAfter,
    DropBefore,
    DropAfter,
    Truncate,
    ErrorBefore,
    ErrorAfter,
    SlowDown,
    TooMany,
    Expired,
    Denied,
    OkWithError,
    WebPage,
    Aborted,
    Stale,
    Late,
}

/// The ones that are tried at every request, always.
pub const ALWAYS: &[Mode] = &[Mode::KillBefore, Mode::KillAfter, Mode::DropBefore, Mode::DropAfter];

/// The ones of which each request gets one, unless the sweep is a full one.
pub const IN_TURN: &[Mode] = &[
    Mode::Truncate,
    Mode::ErrorBefore,
    Mode::ErrorAfter,
    Mode::SlowDown,
    Mode::TooMany,
    Mode::Expired,
    Mode::Denied,
    Mode::OkWithError,
    Mode::WebPage,
    Mode::Aborted,
    Mode::Stale,
    Mode::Late,
];

impl Mode {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::KillBefore => "killed before",
            Self::KillAfter => "killed after",
            Self::DropBefore => "connection lost before",
            Self::DropAfter => "answer lost",
            Self::Truncate => "answer cut short",
            Self::ErrorBefore => "500 before",
            Self::ErrorAfter => "500 after",
            Self::SlowDown => "slow down, three times",
            Self::TooMany => "429 with Retry-After",
            Self::Expired => "credentials expired",
            Self::Denied => "denied",
            Self::OkWithError => "200 with an error in it",
            Self::WebPage => "a web page",
            Self::Aborted => "another change under way",
            Self::Stale => "stale, three times",
            Self::Late => "late",
        }
    }

    /// Whether it lies after the cloud's work: for a read that is no other case than before it.
    pub fn comes_after(self) -> bool {
        matches!(self, Self::KillAfter | Self::DropAfter | Self::ErrorAfter)
    }

    /// Whether the process is killed when the request is reached.
    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }

    /// Whether the run is to succeed all the same, because asking again helps.
    pub fn passes(self) -> bool {
        !self.kills() && !matches!(self, Self::Expired | Self::Denied | Self::Stale)
    }

    /// Lays it in wait for the request at this place.
    pub fn arm(self, proxy: &Proxy, index: usize) -> Armed {
        let once = When::request(index);
        let lasting = once.clone().times(usize::MAX);
        let (when, fault) = match self {
            Self::KillBefore => (once, Fault::Hang(Side::Before)),
            Self::KillAfter => (once, Fault::Hang(Side::After)),
            Self::DropBefore => (once, Fault::DropBefore),
            Self::DropAfter => (once, Fault::DropAfter),
            Self::Truncate => (once, Fault::Truncate),
            Self::ErrorBefore => (once, Fault::fail(Failure::Internal)),
            Self::ErrorAfter => (once, Fault::fail_after(Failure::Internal)),
            Self::SlowDown => (once.times(3), Fault::fail(Failure::Throttled)),
            Self::TooMany => (once, Fault::fail(Failure::TooManyRequests(1))),
            Self::Expired => (lasting, Fault::fail(Failure::ExpiredToken)),
            Self::Denied => (lasting, Fault::fail(Failure::AccessDenied)),
            Self::OkWithError => (once, Fault::OkWithError(Failure::Internal)),
            Self::WebPage => (once, Fault::Html),
            Self::Aborted => (once, Fault::fail(Failure::OperationAborted)),
            Self::Stale => (once.times(3), Fault::Stale),
            Self::Late => (once, Fault::Delay(Duration::from_millis(300))),
        };
        proxy.arm(when, fault)
    }
}
