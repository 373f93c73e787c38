//! The deployments of an account, as a table.

use comfy_table::presets::NOTHING;
use comfy_table::{LineStyle, Table, TableStyle};

use super::clean::clean;
use super::palette::{WARN, paint};
use crate::inventory::{Deployment, Inventory, Part};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// One row a deployment; empty when there is none. `now` is in seconds since the epoch. With
/// `ruled` the header is set off by a line; without, every line is a header or a row.
pub fn table(inventory: &Inventory, now: i64, ruled: bool) -> String {
    if inventory.deployments.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(style(ruled));
    table.set_header(["NAME", "REGION", "AGE", "EXPIRES", "PARTS", "MISSING"]);
    table.add_rows(inventory.deployments.iter().map(|deployment| row(deployment, now)));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// What could not be listed.
pub fn unlisted(inventory: &Inventory) -> String {
    let line = |unread: &String| format!("{} {}\n", paint(WARN, "not listed:"), clean(unread));
    inventory.unread.iter().map(line).collect()
}

fn style(ruled: bool) -> TableStyle {
    let rule = LineStyle::none().fill('─').junction('─');
    if ruled { NOTHING.header_separator(rule) } else { NOTHING }
}

fn row(deployment: &Deployment, now: i64) -> [String; 6] {
    // Taken apart, so that a new field of a deployment does not go unseen.
    let Deployment { name: _, team: _, region, created, expires, parts, refers_to: _, missing } = deployment;
    [
        clean(&deployment.title()).into_owned(),
        clean(region).into_owned(),
        created.map_or_else(|| "unknown".to_owned(), |created| span(now.saturating_sub(created))),
        expires.map_or_else(|| "never".to_owned(), |expires| expiry(expires, now)),
        kinds(parts),
        kinds(missing),
    ]
}

/// By name, not by number: fewer resources have a mark than a plan has steps.
fn kinds(parts: &[Part]) -> String {
    let kinds: Vec<_> = parts.iter().map(|part| clean(&part.kind)).collect();
    if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
}

fn expiry(expires: i64, now: i64) -> String {
    if expires > now {
        format!("in {}", span(expires - now))
    } else {
        format!("expired {} ago", span(now.saturating_sub(expires)))
    }
}

/// A span in its largest whole unit. A clock that is a little behind does not produce a negative age.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..MINUTE => format!("{seconds}s"),
        seconds @ MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        seconds @ HOUR..DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}
