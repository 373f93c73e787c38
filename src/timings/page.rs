//! The timeline as a page that needs nothing else: no script, no font, no network.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::{Pause, Request, Run};

/// The most requests that have a line of their own.
const SHOWN: usize = 2_000;
/// Marks on the axis of time.
const TICKS: u64 = 5;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5f6368; --line: #d9dce1; --ground: #ffffff; --even: #f5f6f8;
  --plan: #3b6fd4; --again: #8250c4; --apply: #1a7f4b; --back: #b3610d; --other: #5f6368; --failed: #c62828; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6ea; --soft: #9aa0a8; --line: #3a3f47; --ground: #16181c; --even: #1e2127;
    --plan: #7ba6f7; --again: #bd93f5; --apply: #57c98b; --back: #e8a45a; --other: #9aa0a8; --failed: #ff7b72; }
}
body { margin: 1.5rem; color: var(--ink); background: var(--ground); font: 13px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 1rem; color: var(--soft); }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: .15rem .5rem .15rem 0; vertical-align: top; overflow-wrap: anywhere; }
tbody tr:nth-child(even) { background: var(--even); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.phase, .after { color: var(--soft); }
.axis { display: flex; justify-content: space-between; font-variant-numeric: tabular-nums; }
.track { position: relative; height: 1.1rem; border-left: 1px solid var(--line); border-right: 1px solid var(--line); }
.wait, .bar { position: absolute; height: .35rem; top: .4rem; background: var(--line); }
.bar { height: .8rem; top: .15rem; min-width: 2px; border-radius: 2px; background: var(--other); }
.plan { background: var(--plan); } .again { background: var(--again); } .apply { background: var(--apply); }
.back { background: var(--back); } .failed { background: var(--failed); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; border-radius: 2px; vertical-align: -1px; }
";

/// `run` as a page.
pub(super) fn html(run: &Run) -> String {
    let sum: u64 = run.requests.iter().map(|request| request.took_ms).sum();
    let all = run.requests.len() as u64 + run.omitted;
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing may be loaded, whatever a name holds.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "wbstore timings: " (run.command) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (run.command) }
                p {
                    "wbstore " (run.wbstore) ", started " (run.started) ", exit code " (run.exit_code) ". "
                    (all) " requests in " (run.trips) " dependent round trips, " (seconds(run.took_ms))
                    " in all; " (seconds(sum)) " if they had followed each other."
                }
                (key())
                @if !run.pauses.is_empty() { (pauses(&run.pauses)) }
                (timeline(run))
                @if all > SHOWN as u64 {
                    p { "The first " (SHOWN) " of " (all) " requests are shown; a file that ends in .json has more." }
                }
            }
        }
    };
    page.into_string()
}

fn key() -> Markup {
    markup! {
        p.key {
            "Requests by what they are sent for:"
            span.plan {} "plan" span.again {} "decide again" span.apply {} "apply" span.back {} "read back"
            span style="background: var(--other)" {} "other" span.failed {} "no response, or a fault of the server"
        }
    }
}

fn pauses(pauses: &[Pause]) -> Markup {
    markup! {
        h2 { "Pauses before retries" }
        table {
            thead { tr { th.number style="width: 7rem" { "start" } th.number style="width: 7rem" { "length" } th { "why" } } }
            tbody {
                @for pause in pauses {
                    tr {
                        td.number { (seconds(pause.start_ms)) }
                        td.number { (seconds(pause.took_ms)) }
                        td { (pause.why) }
                    }
                }
            }
        }
    }
}

fn timeline(run: &Run) -> Markup {
    let total = run.requests.iter().map(Request::end).max().unwrap_or(0).max(1);
    markup! {
        table {
            thead {
                tr {
                    th style="width: 24%" { "resource" }
                    th style="width: 20%" { "request" }
                    th.number style="width: 4.5rem" { "start" }
                    th.number style="width: 4.5rem" { "length" }
                    th.number style="width: 4.5rem" { "wait" }
                    th { div.axis { @for tick in 0..=TICKS { span { (seconds(total * tick / TICKS)) } } } }
                    th style="width: 16%" { "waited for" }
                }
            }
            tbody {
                @for request in run.requests.iter().take(SHOWN) { (line(run, request, total)) }
            }
        }
    }
}

fn line(run: &Run, request: &Request, total: u64) -> Markup {
    let percent = |ms: u64| ms as f64 * 100.0 / total as f64;
    let (start, took, wait) = (percent(request.start_ms), percent(request.took_ms), percent(request.wait_ms));
    let phase = match request.phase.as_str() {
        _ if request.status == 0 || request.status >= 500 => "bar failed",
        "plan" => "bar plan",
        "decide again" => "bar again",
        "apply" => "bar apply",
        "read back" => "bar back",
        _ => "bar",
    };
    let after = request.after.and_then(|after| run.requests.get(after));
    markup! {
        tr {
            td { (request.subject) @if !request.phase.is_empty() { " " span.phase { "(" (request.phase) ")" } } }
            td { (request.operation) " " span.phase { @if request.status == 0 { "no response" } @else { (request.status) } } }
            td.number { (seconds(request.start_ms)) }
            td.number { (seconds(request.took_ms)) }
            td.number { (seconds(request.wait_ms)) }
            td {
                div.track {
                    @if request.wait_ms > 0 {
                        div.wait style={ "left:" (format!("{:.3}", start - wait)) "%;width:" (format!("{wait:.3}")) "%" } {}
                    }
                    div class=(phase) style={ "left:" (format!("{start:.3}")) "%;width:" (format!("{took:.3}")) "%" } {}
                }
            }
            td.after { @if let Some(after) = after { (after.operation) @if after.subject != request.subject { " of " (after.subject) } } @else { "the start" } }
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}
