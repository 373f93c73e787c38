//! How far the clock of this machine is from that of a service.

use jiff::{SignedDuration, Timestamp};

use crate::http::{Client, Method, Request, Url, redact};
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// More than this is not the way there: clocks that are set by a time server are off by less than a second.
const NOTICED: SignedDuration = SignedDuration::from_secs(60);

/// Compares this machine's clock with the `Date` of an answer at `url`, whose service rejects requests that are off by
/// more than `allowed`. The request has no credentials: any answer will do.
pub(crate) async fn clock(url: &str, allowed: SignedDuration) -> Verdict {
    let Ok(place) = url.parse::<Url>() else { return inconclusive("not checked: the endpoint is not a URL") };
    let place = redact(&place);
    let sent = Timestamp::now();
    let answer =
        async { Client::new()?.send(&Request::new(Method::GET, url)?.repeatable(false)).await }.await;
    let received = Timestamp::now();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return super::faulted(&error),
    };
    let Some(date) = answer.header("date") else {
        return inconclusive(format!("{place} answers without a date"));
    };
    match jiff::fmt::rfc2822::parse(date) {
        Ok(date) => judge(sent, received, date.timestamp(), allowed, &place),
        Err(_) => inconclusive(format!("{place} answers with a date that cannot be read: {}", clean(date))),
    }
}

/// What it means that a request sent and answered at these times got an answer of `date`, a time in whole seconds.
fn judge(
    sent: Timestamp,
    received: Timestamp,
    date: Timestamp,
    allowed: SignedDuration,
    place: &str,
) -> Verdict {
    let ahead = if date < sent - SignedDuration::from_secs(1) {
        sent.duration_since(date)
    } else if date > received {
        -date.duration_since(received)
    } else {
        SignedDuration::ZERO
    };
    let off = ahead.abs();
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    let limit = format!("requests are rejected that are off by more than {} minutes", allowed.as_mins());
    if off.is_zero() {
        return passed(format!("the same as that of {place}"));
    }
    let reason = format!("{} {way} that of {place}", amount(off));
    let hint = "set the clock, on Linux with `timedatectl set-ntp true`";
    if off > allowed {
        failed(format!("{reason}; {limit}"), hint)
    } else if off > NOTICED {
        warned(format!("{reason}; {limit}"), hint)
    } else {
        passed(reason)
    }
}

fn amount(off: SignedDuration) -> String {
    match off.as_secs() {
        seconds @ ..120 => format!("{} s", seconds.max(1)),
        seconds @ ..7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_counts_from_the_limit_of_the_service() {
        let sent: Timestamp = "2026-11-26T12:00:00.9Z".parse().unwrap();
        let received = sent + SignedDuration::from_millis(400);
        let at = |seconds: i64| {
            let date = Timestamp::from_second(sent.as_second() + seconds).unwrap();
            judge(sent, received, date, SignedDuration::from_mins(5), "https://sts.example/")
        };
        assert_eq!(at(0), passed("the same as that of https://sts.example/"));
        assert_eq!(at(1), passed("the same as that of https://sts.example/"));
        assert_eq!(at(11), passed("9 s behind that of https://sts.example/"));
        assert_eq!(at(-30), passed("30 s ahead of that of https://sts.example/"));
        assert!(matches!(at(200), Verdict::Warned { reason, .. } if reason.starts_with("3 minutes behind")));
        let failed = at(-7300);
        assert!(
            matches!(&failed, Verdict::Failed { reason, .. } if reason.starts_with("2 hours ahead of")
                && reason.ends_with("off by more than 5 minutes")),
            "{failed:?}"
        );
    }
}
