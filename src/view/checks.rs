//! The results of `verify`, `check` and `doctor`, one line per check.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::bars::{Bars, TICK, above};
use super::clean::clean;
use super::escape;
use super::json;
use super::palette::{BAD, GOOD, HEAD, WARN, paint};
use super::progress::{Style, write};
use super::remark::{Remark, hint};
use super::still::{self, Silence};
use super::words::countdown;
use crate::cli::Format;
use crate::verify::{Advice, Check, Checking, CheckingOf, Verdict};

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
    mut checks: UnboundedReceiver<impl Into<CheckingOf>>,
    style: Style,
    writer: &mut (dyn Write + Send),
    words: &mut (dyn Write + Send),
    cancel: &CancellationToken,
) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let is_quiet = matches!(style, Style::Quiet(_));
    let mut bars = (style == Style::Terminal).then(Bars::default);
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut silence = Silence::begin();
    loop {
        tokio::select! {
            checking = checks.recv() => {
                silence = Silence::begin();
                let Some(CheckingOf { deployment, checking }) = checking.map(Into::into) else { break };
                let of = deployment.as_deref();
                match checking {
                    Checking::Begun { name, within } => match &mut bars {
                        Some(bars) => bars.begin(&titled(of, &name), format!("up to {}", countdown(within))),
                        None if is_quiet => {}
                        None => write(words, &begun(of, &name, within, style)),
                    },
                    Checking::Known(check) => {
                        verdicts.count(&check.verdict);
                        let format = style.format();
                        let check = Check { name: titled(of.filter(|_| format == Format::Human), &check.name), ..check };
                        let text = match format {
                            Format::Json => json::line(&Of { deployment: of, what: &check }).unwrap_or_default(),
                            Format::Human => line(&check),
                        };
                        match &mut bars {
                            Some(bars) => {
                                bars.end(&check.name);
                                above(|| write(writer, &text));
                            }
                            None => write(writer, &text),
                        }
                    }
                    Checking::Advice(advice) => {
                        let format = style.format();
                        let advice = Advice { name: titled(of.filter(|_| format == Format::Human), &advice.name), ..advice };
                        let text = match format {
                            Format::Json => json::line(&Of { deployment: of, what: &advice }).unwrap_or_default(),
                            Format::Human => entries(&advice),
                        };
                        above(|| write(writer, &text));
                    }
                }
            }
            _ = clock.tick() => match &mut bars {
                Some(bars) => bars.tick(),
                None if is_quiet => {}
                None => if let Some(lasted) = silence.is_over() {
                    write(words, &still::line(None, None, "checking", lasted, style.format()));
                },
            },
        }
    }
    drop(bars);
    // What was interrupted has no sum.
    if style.format() == Format::Human && !cancel.is_cancelled() {
        write(writer, &summary(&verdicts));
    }
    verdicts
}

/// `what` is of this deployment, where there are several.
#[derive(Serialize)]
struct Of<'a, T: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<&'a str>,
    #[serde(flatten)]
    what: &'a T,
}

/// `name` with that of the deployment before it, where there are several.
fn titled(deployment: Option<&str>, name: &str) -> String {
    deployment.map_or_else(|| name.to_owned(), |deployment| format!("{deployment}: {name}"))
}

/// The line for a check that has started and may take `within`, in the form of a step's wait.
fn begun(deployment: Option<&str>, name: &str, within: Duration, style: Style) -> String {
    #[derive(Serialize)]
    #[serde(tag = "event", rename = "waiting")]
    struct Waiting<'a> {
        why: &'a str,
        left_seconds: f64,
    }
    match style.format() {
        Format::Json => {
            let what = Waiting { why: name, left_seconds: within.as_secs_f64() };
            json::line(&Of { deployment, what: &what }).unwrap_or_default()
        }
        Format::Human => {
            let name = titled(deployment, name);
            Remark::note(&format!("waiting for {name}, up to {}", countdown(within))).text(Format::Human)
        }
    }
}

/// One check, with its verdict as a sign and as a word.
pub fn line(check: &Check) -> String {
    let Check { name, verdict } = check;
    let (sign, text, next) = parts(verdict);
    let style = match verdict {
        Verdict::Passed { .. } => GOOD,
        Verdict::Failed { .. } => BAD,
        Verdict::Warned { .. } | Verdict::Inconclusive { .. } => WARN,
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

/// All of `checks` as a page of Markdown, for an issue.
pub fn page(title: &str, checks: &[Check]) -> String {
    let rows: String = checks.iter().map(row).collect();
    format!("### {title}\n\n| | check | result |\n|---|---|---|\n{rows}")
}

fn row(check: &Check) -> String {
    let Check { name, verdict } = check;
    let (sign, text, next) = parts(verdict);
    let next = next.map(|hint| format!("<br>**hint:** {}", escape::text(hint))).unwrap_or_default();
    format!("| {sign} | {} | {}{next} |\n", escape::text(name), escape::text(text))
}

/// The sign with its word, what is said, and what to do next.
fn parts(verdict: &Verdict) -> (&'static str, &str, Option<&str>) {
    match verdict {
        Verdict::Passed { detail } => ("✓ passed", detail, None),
        Verdict::Failed { reason, hint } => ("✗ failed", reason, hint.as_deref()),
        Verdict::Warned { reason, hint } => ("! warned", reason, Some(hint.as_str())),
        Verdict::Inconclusive { reason } => ("? inconclusive", reason, None),
    }
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
