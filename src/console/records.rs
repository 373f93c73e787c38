//! The records of `tracing` that are shown: waits always, requests with `--verbose`.

use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::AutoStream;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

use crate::patience;
use crate::view::error::note;
use crate::view::{bars, json, words};

/// Shows what is recorded from now on, on stderr; waits as JSON where `json` says so.
///
/// Only wbstore's own records are shown: they are written from an allow-list, while those of the
/// libraries below may hold headers.
pub fn show(verbose: bool, json: Arc<AtomicBool>) {
    let waits = Waits { json }.with_filter(Targets::new().with_target(patience::TARGET, LevelFilter::TRACE));
    let colour = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let shown =
        Targets::new().with_target("wbstore", Level::INFO).with_target(patience::TARGET, LevelFilter::OFF);
    let requests = verbose
        .then(|| fmt::layer().with_writer(|| Above).with_ansi(colour).with_target(false).with_filter(shown));
    // A second subscriber in one process would be an embedder's, and theirs to choose.
    let _ = tracing_subscriber::registry().with(waits).with(requests).try_init();
}

/// stderr, above whatever is drawn at its end.
struct Above;

impl Write for Above {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        bars::above(|| io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Shows each wait on a line.
struct Waits {
    json: Arc<AtomicBool>,
}

impl<S: Subscriber> Layer<S> for Waits {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut wait = Wait::default();
        event.record(&mut wait);
        let text = match self.json.load(Ordering::Relaxed) {
            true => json::line(&wait).unwrap_or_default(),
            false => wait.line(),
        };
        // Where that fails there is nobody left to tell.
        let _ = Above.write_all(text.as_bytes());
    }
}

/// A call is made again in so many seconds, because of a failure. Its form is that of a step's event, of
/// which it has no address.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(tag = "event", rename = "waiting")]
struct Wait {
    why: String,
    next_seconds: f64,
}

impl Wait {
    fn line(&self) -> String {
        let next = Duration::try_from_secs_f64(self.next_seconds).unwrap_or_default();
        note(&format!("retrying in {}: {}", words::countdown(next), self.why))
    }
}

impl Visit for Wait {
    fn record_f64(&mut self, _: &Field, value: f64) {
        self.next_seconds = (value * 1000.0).round() / 1000.0;
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.why);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_line_for_people_and_an_event_for_programs() {
        let wait = Wait { why: "GET https://arm/\u{1b}[31m: HTTP status 429".to_owned(), next_seconds: 1.25 };
        assert_eq!(wait.line(), "note: retrying in 2s: GET https://arm/[31m: HTTP status 429\n");
        let event = json::line(&Wait { why: "busy".to_owned(), next_seconds: 1.25 }).unwrap();
        assert_eq!(event, "{\"event\":\"waiting\",\"why\":\"busy\",\"next_seconds\":1.25}\n");
    }
}
