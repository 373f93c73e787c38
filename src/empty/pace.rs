//! The pace of calls: more at once while the service keeps up, half as many when it throttles.

use std::time::Duration;

use tokio::time::Instant;

use crate::retry::LONGEST_WAIT;

/// The first wait; it doubles with every try.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait that no response requested.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// How many calls may be under way: additive increase, multiplicative decrease.
#[derive(Debug)]
pub(super) struct Pace {
    most: f64,
    limit: f64,
    halved: Instant,
    resume: Instant,
}

impl Pace {
    /// The pace at the beginning, `now`: `most` calls at once, which is never exceeded.
    pub(super) fn new(most: u16, now: Instant) -> Self {
        let most = f64::from(most);
        Self { most, limit: most, halved: now, resume: now }
    }

    /// Whether one more call may be started beside `running` others.
    pub(super) fn allows(&self, running: usize, now: Instant) -> bool {
        now >= self.resume && running < self.limit()
    }

    /// A call succeeded.
    pub(super) fn went_well(&mut self) {
        self.limit = (self.limit + 1.0 / self.limit).min(self.most);
    }

    /// The service asked to slow down in answer to a call of `started`. The answers to all calls that
    /// were under way at once count as one request to slow down, or ten of them would stop us; returns
    /// whether this is the first of them.
    pub(super) fn slow_down(&mut self, started: Instant, asked: Option<Duration>, now: Instant) -> bool {
        let first = started >= self.halved;
        if first {
            self.limit = (self.limit / 2.0).max(1.0);
            self.halved = now;
        }
        if let Some(wait) = asked {
            self.resume = self.resume.max(now + wait.min(LONGEST_WAIT));
        }
        first
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u16")]
    fn limit(&self) -> usize {
        self.limit as usize
    }
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

    fn room(pace: &Pace, now: Instant) -> usize {
        (0..100).take_while(|running| pace.allows(*running, now)).count()
    }

    #[test]
    fn one_wave_of_refusals_halves_once_and_successes_bring_it_back() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        let mut pace = Pace::new(10, start);
        assert_eq!(room(&pace, start), 10);
        assert!(pace.slow_down(start, None, later));
        for _ in 0..9 {
            assert!(!pace.slow_down(start, None, later));
        }
        assert_eq!(room(&pace, later), 5);
        pace.slow_down(later, None, later + Duration::from_secs(1));
        assert_eq!(room(&pace, later), 2);
        for _ in 0..200 {
            pace.went_well();
        }
        assert_eq!(room(&pace, later), 10);
    }

    #[test]
    fn it_never_stops_for_good() {
        let mut now = Instant::now();
        let mut pace = Pace::new(10, now);
        for _ in 0..20 {
            pace.slow_down(now, None, now);
            now += Duration::from_secs(1);
        }
        assert_eq!(room(&pace, now), 1);
    }

    #[test]
    fn what_the_server_asks_for_is_waited() {
        let now = Instant::now();
        let mut pace = Pace::new(10, now);
        pace.slow_down(now, Some(Duration::from_secs(3)), now);
        assert_eq!(room(&pace, now + Duration::from_secs(2)), 0);
        assert_eq!(room(&pace, now + Duration::from_secs(3)), 5);
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        assert!((0..100).all(|_| backoff(1) <= FIRST_WAIT * 2));
        assert!((0..100).all(|_| backoff(60) <= LONGEST_BACKOFF));
    }
}
