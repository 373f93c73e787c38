//! The results of `verify`, one line per check.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::bars::{Bars, TICK, above};
use super::clean::clean;
use super::json;
use super::palette::{BAD, GOOD, HEAD, WARN, paint};
use super::progress::{Style, write};
use super::remark::{Remark, hint};
use super::still::{self, Silence};
use super::words::countdown;
use crate::cli::Format;
use crate::verify::{Advice, Check, Checking, Verdict};

/// The number of checks by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// It works.
    pub passed: usize,
    /// It works, and not as advised.
    pub warned: usize,
    /// It does not work.
    pub failed: usize,
    /// The check could not be completed.
    pub inconclusive: usize,
}

/// Shows `checks` on `writer` as they come and returns how they came out. A running check is
/// shown on a terminal, and reported on `words` otherwise.
pub async fn show(
    mut checks: UnboundedReceiver<Checking>,
    style: Style,
    writer: &mut (dyn Write + Send),
    words: &mut (dyn Write + Send),
    cancel: &CancellationToken,
) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut bars = (style == Style::Terminal).then(Bars::default);
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut silence = Silence::begin();
    loop {
        tokio::select! {
            checking = checks.recv() => {
                silence = Silence::begin();
                match checking {
                    Some(Checking::Begun { name, within }) => match &mut bars {
                        Some(bars) => bars.begin(&name, format!("up to {}", countdown(within))),
                        None => write(words, &begun(&name, within, style)),
                    },
                    Some(Checking::Known(check)) => {
                        verdicts.count(&check.verdict);
                        let text = match style {
                            Style::Json => json::line(&check).unwrap_or_default(),
                            Style::Terminal | Style::Lines => line(&check),
                        };
                        match &mut bars {
                            Some(bars) => {
                                bars.end(&check.name);
                                above(|| write(writer, &text));
                            }
                            None => write(writer, &text),
                        }
                    }
                    Some(Checking::Advice(advice)) => {
                        let text = match style {
                            Style::Json => json::line(&advice).unwrap_or_default(),
                            Style::Terminal | Style::Lines => entries(&advice),
                        };
                        above(|| write(writer, &text));
                    }
                    None => break,
                }
            }
            _ = clock.tick() => match &mut bars {
                Some(bars) => bars.tick(),
                None => if let Some(lasted) = silence.is_over() {
                    write(words, &still::line(None, "checking", lasted, style.format()));
                },
            },
        }
    }
    drop(bars);
    // What was interrupted has no sum.
    if style != Style::Json && !cancel.is_cancelled() {
        write(writer, &summary(&verdicts));
    }
    verdicts
}

/// The line for a check that has started and may take `within`, in the form of a step's wait.
fn begun(name: &str, within: Duration, style: Style) -> String {
    #[derive(Serialize)]
    #[serde(tag = "event", rename = "waiting")]
    struct Waiting<'a> {
        why: &'a str,
        left_seconds: f64,
    }
    match style {
        Style::Json => {
            json::line(&Waiting { why: name, left_seconds: within.as_secs_f64() }).unwrap_or_default()
        }
        Style::Terminal | Style::Lines => {
            Remark::note(&format!("waiting for {name}, up to {}", countdown(within))).text(Format::Human)
        }
    }
}

/// One check, with its verdict as a sign and as a word.
pub fn line(check: &Check) -> String {
    let Check { name, verdict } = check;
    let (style, sign, text, next) = match verdict {
        Verdict::Passed { detail } => (GOOD, "✓ passed", detail, None),
        Verdict::Failed { reason, hint } => (BAD, "✗ failed", reason, hint.as_deref()),
        Verdict::Warned { reason, hint } => (WARN, "! warned", reason, Some(hint.as_str())),
        Verdict::Inconclusive { reason } => (WARN, "? inconclusive", reason, None),
    };
    let mut line = format!("{} {}", paint(style, format!("{sign:<14}")), clean(name));
    if !text.is_empty() {
        line.push_str(": ");
        line.push_str(&clean(text));
    }
    line.push('\n');
    line + &next.map(hint).unwrap_or_default()
}

/// What to enter elsewhere, below what it is for.
fn entries(advice: &Advice) -> String {
    let mut text = format!("  {}:\n", clean(&advice.name));
    for entry in &advice.entries {
        text.push_str(&format!("      {}\n", clean(entry)));
    }
    text
}

fn summary(verdicts: &Verdicts) -> String {
    let Verdicts { passed, warned, failed, inconclusive } = verdicts;
    let (style, head) = match verdicts {
        Verdicts { failed: 1.., .. } => (BAD, "It does not work:"),
        Verdicts { inconclusive: 1.., .. } => (WARN, "Inconclusive:"),
        _ => (HEAD, "It works:"),
    };
    let warned = if *warned > 0 { format!("{warned} warned, ") } else { String::new() };
    format!("{} {passed} passed, {warned}{failed} failed, {inconclusive} inconclusive\n", paint(style, head))
}

impl Verdicts {
    fn count(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Passed { .. } => &mut self.passed,
            Verdict::Warned { .. } => &mut self.warned,
            Verdict::Failed { .. } => &mut self.failed,
            Verdict::Inconclusive { .. } => &mut self.inconclusive,
        } += 1;
    }
}
