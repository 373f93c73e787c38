//! The pace of calls: more at once while the service keeps up, half as many when it throttles.
//!
//! A call that deletes a thousand objects may be more than the service allows in the time that it takes, so
//! that even one call at a time is too many. The limit can therefore be less than one: calls are then started
//! at intervals. After a halving it returns as in CUBIC (RFC 9438, section 4), fast at first, slowly where the
//! service throttled before, and faster again beyond; by successful calls in place of time, so that a service
//! that throttles one call in a hundred, whatever the pace, does not slow it down for good.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::retry::LONGEST_WAIT;
use crate::value::quoted;

/// The first wait; it doubles with every try.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait that no response requested.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// A service whose answers take that many times as long as the fastest is not asked for more at once.
const SLOWER: f64 = 2.0;
/// How many calls have to succeed until the limit is again the one at which the service throttled, at least …
const RETURN: f64 = 10.0;
/// … and as a multiple of that limit: so many times the length of a call.
const ROUND_TRIPS: f64 = 8.0;
/// The longest time between two calls, unless the service asks for more.
const LONGEST_GAP: f64 = 5.0;
/// A timer that was late by so much is made up for.
const LATE: Duration = Duration::from_millis(20);

/// How many calls may be under way.
#[derive(Debug)]
pub(super) struct Pace {
    most: f64,
    limit: f64,
    /// The limit at which the service throttled, and how many calls have succeeded since.
    throttled: Option<(f64, f64)>,
    halved: Instant,
    resume: Instant,
    /// How long the fastest call took, and how long calls take on average, in seconds.
    fastest: f64,
    usual: f64,
}

impl Pace {
    /// The pace at the beginning, `now`: `first` calls at once, and never more than `most`.
    pub(super) fn new(first: u16, most: u16, now: Instant) -> Self {
        let (limit, most) = (f64::from(first.min(most)), f64::from(most));
        Self { most, limit, throttled: None, halved: now, resume: now, fastest: f64::MAX, usual: 0.0 }
    }

    /// Whether one more call may be started beside `running` others.
    pub(super) fn allows(&self, running: usize, now: Instant) -> bool {
        now >= self.resume && running < self.limit()
    }

    /// When the next call may be started, as far as that depends on time.
    pub(super) fn resumes(&self) -> Instant {
        self.resume
    }

    /// A call is started.
    pub(super) fn starts(&mut self, now: Instant) {
        if self.throttled.is_some() {
            let gap = (self.usual / self.limit).min(LONGEST_GAP);
            let late = now.checked_sub(LATE).unwrap_or(now);
            self.resume = self.resume.max(late) + Duration::from_secs_f64(gap);
        }
    }

    /// A call of `started` succeeded.
    pub(super) fn went_well(&mut self, started: Instant, now: Instant) {
        let took = now.saturating_duration_since(started).as_secs_f64();
        self.fastest = self.fastest.min(took);
        self.usual = if self.usual == 0.0 { took } else { self.usual.mul_add(0.8, took * 0.2) };
        let limit = match &mut self.throttled {
            // It is still looked for, and doubles in the time of a call.
            None if took <= self.fastest * SLOWER => self.limit + 1.0,
            None => self.limit,
            Some((at, succeeded)) => {
                *succeeded += 1.0;
                let missing = 1.0 - *succeeded / RETURN.max(ROUND_TRIPS * *at);
                *at * (1.0 - missing.powi(3) / 2.0)
            }
        };
        self.limit = limit.min(self.most);
    }

    /// The service asked to slow down in answer to a call of `started`. The answers to all calls that
    /// were under way at once count as one request to slow down, or ten of them would stop us; returns
    /// whether this is the first of them.
    pub(super) fn slow_down(&mut self, started: Instant, asked: Option<Duration>, now: Instant) -> bool {
        let first = started >= self.halved;
        if first {
            let took = now.saturating_duration_since(started).as_secs_f64();
            self.usual = if self.usual == 0.0 { took } else { self.usual };
            let least = self.usual / LONGEST_GAP;
            self.throttled = Some((self.limit, 0.0));
            self.limit = (self.limit / 2.0).max(least);
            self.halved = now;
        }
        if let Some(wait) = asked {
            self.resume = self.resume.max(now + wait.min(LONGEST_WAIT));
        }
        first
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u16")]
    fn limit(&self) -> usize {
        self.limit.ceil().max(1.0) as usize
    }
}

/// The most deletions a second that a user allows, together for all buckets of a run.
#[derive(Clone, Debug)]
pub(crate) struct MaxRate {
    per_second: u32,
    resume: Arc<Mutex<Option<Instant>>>,
}

impl FromStr for MaxRate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rate = text.parse().ok().filter(|rate| *rate > 0);
        let invalid =
            || Error::input(format!("{} is no rate: use a number of deletions a second", quoted(text)));
        rate.map(Self::new).ok_or_else(invalid)
    }
}

impl MaxRate {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, resume: Arc::default() }
    }

    /// How many entries a call may delete: what is allowed in a second.
    pub(super) fn at_once(&self) -> usize {
        usize::try_from(self.per_second).unwrap_or(usize::MAX)
    }

    /// Whether a call may be started.
    pub(super) fn allows(&self, now: Instant) -> bool {
        self.resumes().is_none_or(|resumes| now >= resumes)
    }

    /// When the next call may be started.
    pub(super) fn resumes(&self) -> Option<Instant> {
        *self.resume.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that deletes `number` entries is started.
    pub(super) fn starts(&self, number: usize, now: Instant) {
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        *resume = Some(resume.map_or(now, |resume| resume.max(now)) + after(number, self.per_second.into()));
    }
}

/// How long `number` things take at a rate of so many a second.
#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn after(number: usize, per_second: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / per_second.max(1.0))
}

/// How long to wait before try number `tries` (the first repetition is 1): anything up to twice the
/// last bound, so that many clients that were throttled together do not retry together.
pub(super) fn backoff(tries: u32) -> Duration {
    let bound = FIRST_WAIT.saturating_mul(1 << tries.min(16)).min(LONGEST_BACKOFF);
    bound.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn room(pace: &Pace, now: Instant) -> usize {
        (0..100).take_while(|running| pace.allows(*running, now)).count()
    }

    #[test]
    fn it_starts_gently_and_doubles_in_the_time_of_a_call() {
        let now = Instant::now();
        let mut pace = Pace::new(4, 20, now);
        for limit in [4, 8, 16, 20] {
            assert_eq!(room(&pace, now), limit);
            for _ in 0..limit {
                pace.went_well(now, now + SECOND);
            }
        }
    }

    #[test]
    fn a_service_that_answers_later_gets_no_more_at_once() {
        let now = Instant::now();
        let mut pace = Pace::new(4, 20, now);
        pace.went_well(now, now + SECOND);
        for _ in 0..100 {
            pace.went_well(now, now + 3 * SECOND);
        }
        assert_eq!(room(&pace, now), 5);
    }

    #[test]
    fn one_wave_of_refusals_halves_once_and_successes_bring_it_back() {
        let start = Instant::now();
        let later = start + SECOND;
        let mut pace = Pace::new(10, 10, start);
        assert!(pace.slow_down(start, None, later));
        for _ in 0..9 {
            assert!(!pace.slow_down(start, None, later));
        }
        assert_eq!(room(&pace, later), 5);
        pace.slow_down(later, None, later + SECOND);
        assert_eq!(room(&pace, later), 3);
        for _ in 0..200 {
            pace.went_well(later, later + SECOND);
        }
        assert_eq!(room(&pace, later), 10);
    }

    #[test]
    fn it_never_stops_for_good() {
        let mut now = Instant::now();
        let mut pace = Pace::new(10, 10, now);
        for _ in 0..40 {
            now += 6 * SECOND;
            assert_eq!(room(&pace, now), pace.limit());
            pace.starts(now);
            pace.slow_down(now, None, now + SECOND);
        }
        assert_eq!(pace.limit(), 1);
    }

    #[test]
    fn what_the_server_asks_for_is_waited() {
        let now = Instant::now();
        let mut pace = Pace::new(10, 10, now);
        pace.slow_down(now, Some(3 * SECOND), now);
        assert_eq!(room(&pace, now + 2 * SECOND), 0);
        assert_eq!(room(&pace, now + 3 * SECOND), 5);
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        assert!((0..100).all(|_| backoff(1) <= FIRST_WAIT * 2));
        assert!((0..100).all(|_| backoff(60) <= LONGEST_BACKOFF));
    }

    /// A service that allows `per_second` deletions, and saves up what a second allows.
    fn deleted_of(per_second: f64, batch: u32, latency: Duration, most: u16) -> f64 {
        let begun = Instant::now();
        let (mut now, mut pace) = (begun, Pace::new(10.min(most), most, begun));
        let (mut tokens, mut deleted, mut under_way) = (per_second, 0.0, std::collections::VecDeque::new());
        let step = Duration::from_millis(1);
        while now < begun + 60 * SECOND {
            now += step;
            tokens = (tokens + per_second * step.as_secs_f64()).min(per_second);
            while pace.allows(under_way.len(), now) {
                pace.starts(now);
                let allowed = tokens >= f64::from(batch);
                tokens -= if allowed { f64::from(batch) } else { 0.0 };
                under_way.push_back((now, allowed));
            }
            while let Some((started, allowed)) =
                under_way.front().copied().filter(|call| call.0 + latency <= now)
            {
                under_way.pop_front();
                if allowed {
                    deleted += f64::from(batch);
                    pace.went_well(started, now);
                } else {
                    pace.slow_down(started, None, now);
                }
            }
        }
        deleted / 60.0 / per_second
    }

    #[test]
    fn it_finds_what_the_service_allows() {
        for (batch, most) in [(1000, 64), (1, 400)] {
            for milliseconds in [5, 50, 300] {
                let share = deleted_of(3500.0, batch, Duration::from_millis(milliseconds), most);
                let possible = f64::from(most) * f64::from(batch) / 3.5 / milliseconds as f64;
                assert!(share > 0.9 * possible.min(1.0), "{share} of {possible}: {batch}, {milliseconds} ms");
            }
        }
    }

    #[test]
    fn a_user_sets_a_rate_for_all_together() {
        let now = Instant::now();
        let rate = MaxRate::new(500);
        let other = rate.clone();
        assert_eq!((rate.resumes(), rate.at_once()), (None, 500));
        rate.starts(500, now);
        other.starts(250, now);
        assert_eq!(rate.resumes(), Some(now + Duration::from_millis(1500)));
    }
}
