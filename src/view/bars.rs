//! Running tasks, drawn below the permanent lines and cleared when they end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::clean::clean;
use super::words;

/// How often the caller should [`tick`](Bars::tick).
pub(super) const TICK: Duration = Duration::from_millis(120);

const SPINNER: &str = "  {spinner} {prefix}: {msg} ({elapsed})";
const BAR: &str = "  {spinner} {prefix}: {human_pos} of {human_len} {msg} [{bar:24}] {rate}/s, {eta} left";

/// All that is drawn on stderr at a time, whoever draws it.
pub(crate) fn screen() -> &'static MultiProgress {
    static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &SCREEN
}

/// Writes above what is drawn.
pub(crate) fn above<T>(write: impl FnOnce() -> T) -> T {
    screen().suspend(write)
}

/// The tasks under way, each with a spinner or a bar.
#[derive(Default)]
pub(super) struct Bars {
    tasks: BTreeMap<String, Task>,
}

struct Task {
    bar: ProgressBar,
    doing: String,
    wait: Option<Wait>,
    counting: bool,
}

struct Wait {
    why: String,
    until: Instant,
    at_most: Instant,
}

impl Bars {
    /// A task has started, or starts again.
    pub(super) fn begin(&mut self, name: &str, doing: impl Into<String>) {
        self.end(name);
        let bar = ProgressBar::new_spinner().with_style(style(SPINNER)).with_prefix(clean(name).into_owned());
        let (bar, doing) = (screen().add(bar), doing.into());
        bar.set_message(doing.clone());
        self.tasks.insert(name.to_owned(), Task { bar, doing, wait: None, counting: false });
    }

    /// A task waits for `why`: it tries again after `next` and gives up after `left`.
    pub(super) fn wait(&mut self, name: &str, why: &str, next: Duration, left: Duration) {
        if let Some(task) = self.tasks.get_mut(name) {
            let now = Instant::now();
            // A server may request a wait beyond the range of the clock.
            let after = |wait| now.checked_add(wait).unwrap_or(now);
            task.wait = Some(Wait { why: clean(why).into_owned(), until: after(next), at_most: after(left) });
            task.counting = false;
            task.bar.set_style(style(SPINNER));
            task.tell(now);
        }
    }

    /// A task has done `done` of `total`.
    pub(super) fn count(&mut self, name: &str, done: u64, total: u64, what: String) {
        if let Some(task) = self.tasks.get_mut(name) {
            task.wait = None;
            if !task.counting {
                task.counting = true;
                task.bar.set_style(style(BAR));
            }
            task.bar.set_message(what);
            task.bar.set_length(total);
            task.bar.set_position(done);
        }
    }

    /// A task has ended, successfully or not.
    pub(super) fn end(&mut self, name: &str) {
        if let Some(task) = self.tasks.remove(name) {
            task.bar.finish_and_clear();
            screen().remove(&task.bar);
        }
    }

    /// Turns the spinners and counts the waits down.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        for task in self.tasks.values_mut() {
            task.tell(now);
            task.bar.tick();
        }
    }
}

impl Drop for Bars {
    /// Removes the bars from the terminal, however the view ends.
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.bar.finish_and_clear();
            screen().remove(&task.bar);
        }
    }
}

impl Task {
    /// Shows what the task waits for, or, after the wait, what it does.
    fn tell(&mut self, now: Instant) {
        let Some(wait) = &self.wait else { return };
        if wait.until <= now {
            self.wait = None;
            self.bar.set_message(self.doing.clone());
            return;
        }
        let (until, at_most) = (wait.until - now, wait.at_most.saturating_duration_since(now));
        let mut text = format!("retrying in {}: {}", words::countdown(until), wait.why);
        if at_most > until {
            text.push_str(&format!(" (for up to {})", words::countdown(at_most)));
        }
        self.bar.set_message(text);
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file and a test parses them.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key(
        "rate",
        |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0}", state.per_sec());
        },
    )
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::{BAR, SPINNER};

    #[test]
    fn the_templates_are_templates() {
        for template in [SPINNER, BAR] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
