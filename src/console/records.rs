//! The records of `tracing` that are shown: waits always, requests with `--verbose`.

use std::fmt::Debug;
use std::io::{self, Write};
use std::time::Duration;

use anstream::AutoStream;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

use super::{Volume, log};
use crate::cli::Format;
use crate::retry;
use crate::timings::{Recorder, Timings};
use crate::view::remark::Remark;
use crate::view::{bars, json, words};

/// Shows what is recorded from now on, on stderr, in `format`.
///
/// Only wbstore's own records are shown: they are written from an allow-list, while those of the
/// libraries below may hold headers.
pub(super) fn show(volume: Volume, format: Format, timings: Option<Timings>) {
    let verbose = volume == Volume::Verbose;
    let waits = (volume != Volume::Quiet).then_some(Waits { format });
    let waits = waits.with_filter(Targets::new().with_target(retry::TARGET, LevelFilter::TRACE));
    let colour = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let shown = || {
        let all = Targets::new().with_target("wbstore", Level::INFO);
        all.with_target(retry::TARGET, LevelFilter::OFF)
    };
    let text = || fmt::layer().with_writer(|| Above).with_ansi(colour).with_target(false);
    let texts = (verbose && format == Format::Human).then(|| text().with_filter(shown()));
    let objects = (verbose && format == Format::Json).then(|| log::Json.with_filter(shown()));
    let all = Targets::new().with_target("wbstore", Level::TRACE);
    let kept = timings.map(|timings| Recorder(timings).with_filter(all));
    // A second subscriber in one process would be an embedder's, and theirs to choose.
    let _ = tracing_subscriber::registry().with(waits).with(texts).with(objects).with(kept).try_init();
}

/// stderr, above whatever is drawn at its end.
pub(super) struct Above;

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
    format: Format,
}

impl<S: Subscriber> Layer<S> for Waits {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut wait = Wait::default();
        event.record(&mut wait);
        let text = match self.format {
            Format::Json => json::line(&wait).unwrap_or_default(),
            Format::Human => wait.line(),
        };
        // A failure to write is ignored: it could not be reported.
        let _ = Above.write_all(text.as_bytes());
    }
}

/// A call is retried in so many seconds after a failure. Its form is that of a step's event, of
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
        Remark::note(&format!("retrying in {}: {}", words::countdown(next), self.why)).text(Format::Human)
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
