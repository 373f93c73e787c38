//! What happens to the steps, one plain line an event.

use std::collections::BTreeMap;

use super::clean::clean;
use super::palette::{self, BAD, FAINT, WARN, paint};
use super::remark::hint;
use super::words;
use crate::event::Event;
use crate::resource::Address;
use crate::text::Count;

/// Turns events into lines, and remembers what was reported to avoid repetition.
#[derive(Default)]
pub(super) struct Lines {
    reasons: BTreeMap<Address, String>,
    tenths: BTreeMap<Address, u64>,
}

impl Lines {
    /// The lines for `event`, where it is worth any.
    pub(super) fn of(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Waiting { address, why, left, .. } => {
                let said = self.reasons.insert(address.clone(), why.clone());
                // The engine reports every try; a log shows each reason once.
                (said.as_ref() != Some(why)).then(|| {
                    let (why, most) = (clean(why), words::countdown(*left));
                    format!("{}: retrying for up to {most}: {why}\n", name(address))
                })
            }
            Event::Progress { address, done, total, unit, errors, per_second, left } => {
                // Totals grow during a long listing; each tenth is reported once.
                let tenth = done.saturating_mul(10).checked_div(*total)?;
                let told = self.tenths.entry(address.clone()).or_default();
                (tenth > *told).then(|| {
                    *told = tenth;
                    let left = left.map(words::countdown).map(|left| format!(", {left} left"));
                    format!(
                        "{}: {} of {} {unit}, {}/s{}{}\n",
                        name(address),
                        Count(*done),
                        Count(*total),
                        Count(*per_second),
                        left.unwrap_or_default(),
                        words::after_count("", *errors)
                    )
                })
            }
            event => lasting(event),
        }
    }
}

/// The lines that stay in view whatever is drawn below them: how each step ended.
pub(super) fn lasting(event: &Event) -> Option<String> {
    match event {
        Event::Done { address, action, took } => {
            let (done, took) = (words::done(*action), words::duration(*took));
            Some(format!("{}: {} ({took})\n", name(address), paint(palette::of(*action), done)))
        }
        Event::Failed { address, error, hint: next } => {
            let line = format!("{}: {} {}\n", name(address), paint(BAD, "failed:"), clean(error));
            Some(line + &next.as_deref().map(hint).unwrap_or_default())
        }
        Event::Blocked { address, by } if by.is_empty() => {
            Some(format!("{}: {}\n", name(address), paint(FAINT, "not started")))
        }
        Event::Blocked { address, by } => {
            let by: Vec<_> = by.iter().map(name).collect();
            let words = format!("not started, because it requires {}", by.join(", "));
            Some(format!("{}: {}\n", name(address), paint(FAINT, words)))
        }
        Event::Pending { address, action, how, until } => {
            let doing = paint(palette::of(*action), words::doing(*action));
            Some(format!("{}: {doing} until {until}: {how}\n", name(address)))
        }
        Event::Halted { address, at } => {
            let line = format!("{} {}", paint(WARN, "interrupted:"), clean(at));
            Some(format!("{}: {line}; run again to continue\n", name(address)))
        }
        Event::Interrupted => {
            Some(format!("{} no new steps are started; running steps finish\n", paint(WARN, "interrupted:")))
        }
        Event::Started { .. } | Event::Waiting { .. } | Event::Progress { .. } => None,
    }
}

/// The name of a step, safe to print.
pub(super) fn name(address: &Address) -> String {
    clean(&address.to_string()).into_owned()
}
