//! The one loop that retries calls: which failures pass, how long it waits in between, and how a
//! wait is shown.
//!
//! A wait that a server requests (`Retry-After` and its relatives) is observed up to [`LONGEST_WAIT`]; a
//! longer wait ends the call, by [`Error::retry_after`]. Every wait of a second or more is reported: by
//! the engine's events in a step, by [`show`] everywhere else. Whether a call may be sent twice at all is
//! a property of the request, and decided by who calls [`retry`].

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};

/// How long a network fault or throttling may last.
pub(crate) const FAULT_WITHIN: Duration = Duration::from_secs(60);
/// The longest wait that a server can request.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The target of the `tracing` events that [`show`] records.
pub(crate) const TARGET: &str = "wbstore::waiting";
/// How often a client sends a call that may be sent twice.
pub(crate) const TRIES: u32 = 3;

/// Shorter waits are not reported.
const SHOWN_FROM: Duration = Duration::from_secs(1);
/// How often a throttled read is retried before the failure is final.
const LOOKS_AGAIN: usize = 4;
/// How often a request for credentials is retried: all of a run waits for it, and nobody above tries again.
const CREDENTIALS_AGAIN: usize = 4;
/// How often one page of a long listing is retried: giving up would restart the listing.
const PAGES_AGAIN: usize = 6;
/// How often a change is merged again after a concurrent write.
const CHANGES: usize = 10;

tokio::task_local! {
    static IN_STEPS: ();
}

/// Runs `work`, the steps of the engine. A call that the server asks to delay returns at once:
/// the engine waits, which reports it with the step's address and stops at Ctrl-C.
pub(crate) async fn in_steps<T>(work: impl Future<Output = T>) -> T {
    IN_STEPS.scope((), work).await
}

/// The pauses between the tries of one call: increasing, and with jitter.
pub(crate) struct Pauses(ExponentialBackoff);

impl Pauses {
    /// Unlimited pauses, for as long as the caller's patience lasts.
    pub(crate) fn endless() -> Self {
        Self::of(usize::MAX, Duration::from_secs(5))
    }

    fn of(times: usize, longest: Duration) -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(longest)
            .with_jitter()
            .with_max_times(times);
        Self(pauses.build())
    }

    /// The next one, which is at least what the server `asked` for; `None` where there is no other try, or
    /// not enough time `left` for the pause.
    pub(crate) fn next(&mut self, asked: Option<Duration>, left: Duration) -> Option<Duration> {
        let pause = self.0.next()?.max(asked.unwrap_or_default());
        (pause <= left).then_some(pause)
    }
}

/// How a client retries a call.
fn client() -> Pauses {
    Pauses::of(TRIES as usize - 1, LONGEST_WAIT)
}

/// A failure that passes.
pub(crate) struct Fault {
    /// What failed, as it is shown during a long wait.
    pub(crate) why: String,
    /// The wait that the server requests.
    pub(crate) asked: Option<Duration>,
    /// How long it may last, where that is not [`FAULT_WITHIN`].
    pub(crate) within: Option<Duration>,
}

impl Fault {
    pub(crate) fn new(why: String, asked: Option<Duration>) -> Self {
        Self { why, asked, within: None }
    }
}

/// Sends `call`, which may be sent twice, and sends it again while `fault` says that its result is a
/// failure that passes. The last result, whatever it is.
pub(crate) async fn repeat<R, F>(call: impl FnMut() -> F, fault: impl Fn(&R) -> Option<Fault>) -> R
where
    F: Future<Output = R>,
{
    retry(client(), call, fault).await
}

/// As [`repeat`], for a `call` that gets credentials.
pub(crate) async fn repeat_for_credentials<R, F>(
    call: impl FnMut() -> F,
    fault: impl Fn(&R) -> Option<Fault>,
) -> R
where
    F: Future<Output = R>,
{
    retry(Pauses::of(CREDENTIALS_AGAIN, Duration::from_secs(1)), call, fault).await
}

/// The loop: retries `call` after one of the `pauses`, while its result is a fault.
async fn retry<R, F>(
    mut pauses: Pauses,
    mut call: impl FnMut() -> F,
    fault: impl Fn(&R) -> Option<Fault>,
) -> R
where
    F: Future<Output = R>,
{
    let begun = Instant::now();
    loop {
        let result = call().await;
        let Some(Fault { why, asked, within }) = fault(&result) else { return result };
        let budget = within.unwrap_or(FAULT_WITHIN + asked.unwrap_or_default());
        let pause = pauses.next(asked, budget.saturating_sub(begun.elapsed()));
        match pause.filter(|_| is_waited(asked)) {
            Some(pause) => wait(&why, pause).await,
            None => return result,
        }
    }
}

/// The wait that the headers of a response request: `Retry-After` in seconds or as a
/// date (RFC 9110, section 10.2.3), and what Amazon and Microsoft have beside it, in milliseconds.
pub(crate) fn asked<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Option<Duration> {
    let milliseconds = |name| header(name)?.trim().parse().ok().map(Duration::from_millis);
    let precise =
        ["x-amz-retry-after", "retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(milliseconds);
    precise.or_else(|| {
        let text = header("retry-after")?.trim();
        let seconds = || text.parse().ok().map(Duration::from_secs);
        let until = || {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Some(Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default())
        };
        seconds().or_else(until)
    })
}

/// Whether an answer of this HTTP status is a fault that may pass: one of the server, or a request to
/// come back at a time that it names.
pub(crate) fn is_fault(status: u16, asked: Option<Duration>) -> bool {
    matches!(status, 408 | 500 | 502 | 503 | 504) || (status == 429 && asked.is_some())
}

/// How long a client whose loop is its own waits after `tries` tries, where the server wants it to wait
/// for `asked`. `None` when it does not.
pub(crate) fn pause_after(tries: u32, asked: Option<Duration>) -> Option<Duration> {
    let mut pauses = client();
    let _ = (1..tries).map_while(|_| pauses.0.next()).last();
    pauses.next(asked, Duration::MAX).filter(|_| is_waited(asked))
}

/// Whether what the server asks for is waited here.
fn is_waited(asked: Option<Duration>) -> bool {
    asked.is_none_or(|asked| asked <= LONGEST_WAIT && (asked < SHOWN_FROM || IN_STEPS.try_get().is_err()))
}

/// Reports that the call which failed for `why` is retried in `pause`, where that is long enough to be
/// noticed.
pub(crate) fn show(why: &str, pause: Duration) {
    if pause >= SHOWN_FROM {
        tracing::warn!(target: TARGET, why, seconds = pause.as_secs_f64());
    }
}

/// Reports and waits for `pause` before the call that failed for `why` is retried.
async fn wait(why: &str, pause: Duration) {
    show(why, pause);
    tokio::time::sleep(pause).await;
}

/// Sends `look`, which changes nothing, and retries it while the cloud is only busy. Faults of the
/// network and of the server are not repeated here: the clients below have done that already.
///
/// # Errors
/// Those of `look`, the last one where it stayed busy.
pub(crate) async fn unless_busy<T, F>(look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let busy = |error: &Error| error.passes() && matches!(error.kind(), Kind::Throttled | Kind::Conflict);
    again(Pauses::of(LOOKS_AGAIN, Duration::from_secs(5)), busy, look).await
}

/// Reads one `page` of a long listing, and retries while its failure is one that passes.
///
/// # Errors
/// Those of `page`, the last one where it went on.
pub(crate) async fn page<T, F>(page: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    again(Pauses::of(PAGES_AGAIN, Duration::from_secs(5)), Error::passes, page).await
}

/// Runs `change`, which reads something and writes it on the condition that it was not written
/// since, and retries after concurrent writes. `call` names the operation in errors.
///
/// # Errors
/// Those of `change`; [`Kind::Failed`] when another writer was faster every time. That is final, regardless
/// of `--wait`: the pauses in between were long enough.
pub(crate) async fn undisturbed<F>(call: &str, change: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let conflict = |error: &Error| error.passes() && error.kind() == Kind::Conflict;
    let pauses = Pauses::of(CHANGES - 1, Duration::from_secs(1));
    match again(pauses, conflict, change).await {
        Err(error) if conflict(&error) && error.server_wait().is_none() => Err(Error::new(
            Kind::Failed,
            format!("{call}: another writer changed it {CHANGES} times in a row"),
        )
        .hint("another tool keeps writing to it; stop that and run again")),
        result => result,
    }
}

async fn again<T, F>(pauses: Pauses, passes: impl Fn(&Error) -> bool, call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    retry(pauses, call, |result| {
        let error = result.as_ref().err().filter(|error| passes(error))?;
        Some(Fault { within: error.budget(), ..Fault::new(error.chain(), error.server_wait()) })
    })
    .await
}

/// A span of time as it is read: `90s` is `1m 30s`.
pub(crate) fn span(length: Duration) -> String {
    SignedDuration::try_from(length).map_or_else(|_| format!("{length:?}"), |length| format!("{length:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86400);

    fn header<'a>(name: &'static str, value: &'a str) -> impl Fn(&'static str) -> Option<&'a str> {
        move |asked| (asked == name).then_some(value)
    }

    #[test]
    fn a_server_asks_in_seconds_milliseconds_or_by_a_date() {
        assert_eq!(asked(header("retry-after", " 17 ")), Some(Duration::from_secs(17)));
        assert_eq!(asked(header("x-amz-retry-after", "1500")), Some(Duration::from_millis(1500)));
        assert_eq!(asked(header("x-ms-retry-after-ms", "20")), Some(Duration::from_millis(20)));
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&(Timestamp::now() + DAY))
            .unwrap();
        let left = asked(header("retry-after", &date)).unwrap();
        assert!(left <= DAY && left > DAY - Duration::from_secs(10), "{left:?}");
        let past = asked(header("retry-after", "Fri, 01 Jan 2021 00:00:00 GMT"));
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(asked(header("retry-after", "soon")), None);
        assert_eq!(asked(|_| None), None);
    }

    #[test]
    fn a_client_waits_as_long_as_the_server_asks_and_no_longer_than_the_cap() {
        assert_eq!(pause_after(1, Some(LONGEST_WAIT)), Some(LONGEST_WAIT));
        assert_eq!(pause_after(1, Some(LONGEST_WAIT + Duration::from_secs(1))), None);
        assert_eq!(pause_after(TRIES, None), None);
        assert!((1..TRIES).filter_map(|tries| pause_after(tries, None)).all(|pause| pause < SHOWN_FROM));
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_cloud_is_asked_again_after_the_wait_that_it_names() {
        let begun = Instant::now();
        let mut calls = 0;
        let done = unless_busy(|| {
            calls += 1;
            let busy = Error::new(Kind::Throttled, "busy").retry_after(Duration::from_secs(20));
            std::future::ready(if calls == 1 { Err(busy) } else { Ok(calls) })
        });
        assert_eq!(done.await.unwrap(), 2);
        assert_eq!(begun.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_cap_is_not_begun() {
        let begun = Instant::now();
        let mut calls = 0;
        let error = page(|| {
            calls += 1;
            std::future::ready(Err::<(), _>(Error::new(Kind::Transient, "down").retry_after(DAY)))
        });
        let error = error.await.unwrap_err();
        assert_eq!((error.kind(), calls, begun.elapsed()), (Kind::Throttled, 1, Duration::ZERO));
        assert!(error.chain().contains("24h") && error.what_next().unwrap().contains("24h"), "{error:?}");
    }

    #[tokio::test]
    async fn in_a_step_the_engine_waits() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(in_steps(async { pause_after(1, second) }).await, None);
        assert!(in_steps(async { pause_after(1, None) }).await.is_some());
        assert!(pause_after(1, second).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cloud_that_stays_busy_is_given_up() {
        let begun = Instant::now();
        let busy = || Error::new(Kind::Throttled, "busy").retry_after(LONGEST_WAIT);
        assert!(unless_busy(|| std::future::ready(Err::<(), _>(busy()))).await.is_err());
        // The wait that the server asks for is granted on top of the time that a fault may last.
        assert_eq!(begun.elapsed(), FAULT_WITHIN + LONGEST_WAIT);
    }
}
