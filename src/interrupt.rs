//! Ctrl-C and SIGTERM.
//!
//! The first requests an orderly end, the second ends at once. A run that waits for something
//! that it can leave at any moment ends with the first, even where the call never returns: reading
//! credentials from a FIFO or a hung mount blocks a thread, and no runtime can cancel that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::error::exit;

/// How long a run that was asked to end may take to do so by itself where it only waits.
const GRACE: Duration = Duration::from_millis(300);

/// What a run waits for, where nothing is lost if it ends there.
#[derive(Clone, Debug, Default)]
pub struct Waits(Arc<Mutex<Option<(String, Instant)>>>);

/// Ends the wait that [`Waits::begin`] began.
#[derive(Debug)]
pub struct Wait(Waits);

impl Waits {
    /// A wait for `what`, such as `reading the account`, begins; it ends when the result is dropped.
    #[must_use]
    pub fn begin(&self, what: &str) -> Wait {
        self.set(Some((what.to_owned(), Instant::now())));
        Wait(self.clone())
    }

    fn set(&self, wait: Option<(String, Instant)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }

    /// What is waited for, for longer than a run takes to notice that it should end.
    fn stuck(&self) -> Option<String> {
        let wait = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wait.as_ref().filter(|(_, since)| since.elapsed() >= GRACE).map(|(what, _)| what.clone())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Own(u8),
    /// It was left behind: at once after a second signal, or while it waited for what is named.
    Left(Option<String>),
}

/// Waits for the exit code of `run`, which `cancel` asks to end; `signals` listens since before it began.
pub async fn end(
    mut run: oneshot::Receiver<u8>,
    mut signals: Signals,
    cancel: CancellationToken,
    waits: &Waits,
) -> End {
    // A run that went away without a code has panicked.
    let code = |code: Result<u8, _>| End::Own(code.unwrap_or(exit::FAILED));
    tokio::select! {
        ended = &mut run => return code(ended),
        () = signals.next() => cancel.cancel(),
    }
    loop {
        tokio::select! {
            ended = &mut run => return code(ended),
            () = signals.next() => return End::Left(None),
            () = tokio::time::sleep(GRACE) => if let Some(what) = waits.stuck() {
                return End::Left(Some(what));
            },
        }
    }
}

/// Ctrl-C and SIGTERM. Without a handler, the system's default applies.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    /// Listens from now on; to be called within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            Some(()) = async { interrupt.as_mut()?.recv().await } => {}
            Some(()) = async { terminate.as_mut()?.recv().await } => {}
            else => std::future::pending().await,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens from now on.
    pub fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
