//! `HOST`: whether the server is reachable as browsers reach it.

use jiff::{SignedDuration, Timestamp};

use super::connection::{Peer, Unsecured};
use super::{Lines, Run};
use crate::error::Error;
use crate::http::{Answer, Method, Request, Url, redact};
use crate::origin::Origin;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// What is left of a certificate when its renewal is late: authorities that renew by themselves do so a month, and
/// for those of 45 days two weeks, before the end.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The size of an upload that W&B's own `wandb verify` posts, in bytes.
const LARGE: usize = 10 << 20;

/// Checks the server at `origin`.
pub(super) async fn check(origin: &Origin, run: &Run<'_>, lines: &Lines) {
    let Some((url, peer)) = parts(origin) else { return };
    match peer.addresses(&run.deadline).await {
        Ok(addresses) => lines.add("address", passed(addresses.join(", "))),
        Err(unreached) => return lines.add("address", failed(unreached.to_string(), unreached.hint())),
    }
    let probe = Probe { origin, url, peer, run };
    if probe.url.scheme() == "https" {
        let verdict = probe.certificate().await;
        let ends = matches!(verdict, Verdict::Failed { .. });
        lines.add("certificate", verdict);
        if ends {
            return;
        }
    }
    let front = probe.get("/").await;
    if let Ok(answer) = &front {
        lines.add("redirect", probe.redirect(answer));
    }
    lines.add("server", probe.server(front).await);
    if run.write {
        lines.add("body limit", probe.body_limit().await);
    }
}

/// The origin as a URL, and as a host and port.
fn parts(origin: &Origin) -> Option<(Url, Peer)> {
    let url = Url::parse(origin.as_str()).ok()?;
    let peer = Peer { host: url.host_str()?.to_owned(), port: url.port_or_known_default()? };
    Some((url, peer))
}

struct Probe<'a> {
    origin: &'a Origin,
    url: Url,
    peer: Peer,
    run: &'a Run<'a>,
}

impl Probe<'_> {
    async fn certificate(&self) -> Verdict {
        let Self { peer, run, .. } = self;
        let stream = match peer.connect(&run.deadline).await {
            Ok(stream) => stream,
            // Where a proxy is between here and there, requests may pass that a connection does not.
            Err(unreached) => match self.get("/").await {
                Ok(_) => return inconclusive(format!("{unreached}; requests pass through a proxy")),
                Err(_) => return failed(unreached.to_string(), unreached.hint()),
            },
        };
        let chain = match peer.secure(stream, run.trust, &run.deadline).await {
            Ok((_, chain)) => chain,
            Err(unsecured @ Unsecured::Rejected(_)) => {
                let hint = format!("terminate TLS at {peer}, in front of the W&B server");
                return failed(unsecured.to_string(), hint);
            }
            Err(unsecured) => return failed(unsecured.to_string(), "check that the port is that of https"),
        };
        match run.trust.judge(&chain, &peer.host, run.now) {
            Ok(end) => lifetime(end, run.now),
            Err(untrusted) => {
                let hint = match untrusted.is_of_unknown_issuer {
                    true => {
                        "W&B requires a certificate of a public authority, sent with its intermediate certificates; `--ca FILE` trusts another authority here"
                    }
                    false => "install a valid certificate for this host in front of the W&B server",
                };
                failed(untrusted.reason, hint)
            }
        }
    }

    /// A redirect to another origin is followed by browsers, whose requests then come from there: the bucket's CORS
    /// rule and the provider's callback are for `HOST`.
    fn redirect(&self, answer: &Answer) -> Verdict {
        let target = answer.header("location").filter(|_| (300..400).contains(&answer.status));
        let Some(target) = target.and_then(|target| self.url.join(target).ok()) else {
            return passed("none to another address");
        };
        if target.origin() == self.url.origin() {
            return passed(format!("stays at {}", self.origin));
        }
        warned(
            format!("{} redirects to {}", self.origin, redact(&target)),
            "set HOST to the address at which browsers arrive, unless it is a sign-in page in front of the server",
        )
    }

    /// What W&B's chart probes for its server to be alive and ready.
    async fn server(&self, front: Result<Answer, String>) -> Verdict {
        if let Err(reason) = front {
            return inconclusive(format!("not up yet: {reason}"));
        }
        for path in ["/healthz", "/ready"] {
            match self.get(path).await {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => {
                    return inconclusive(format!("not up yet: {path} returns HTTP status {}", answer.status));
                }
                Err(reason) => return inconclusive(format!("not up yet: {reason}")),
            }
        }
        passed("/healthz and /ready return 200")
    }

    async fn body_limit(&self) -> Verdict {
        // What the W&B client posts to; white space is no query, so that it changes nothing.
        let request = Request::new(Method::POST, &format!("{}/graphql", self.origin));
        let request =
            request.map(|request| request.header("content-type", "application/json").body(vec![b' '; LARGE]));
        match self.send(request).await {
            Ok(answer) if answer.status == 413 => failed(
                "a request of 10 MB is rejected (HTTP status 413)",
                "raise the limit of the ingress, of ingress-nginx with the annotation `nginx.ingress.kubernetes.io/proxy-body-size: \"0\"`",
            ),
            Ok(answer) if answer.status >= 500 => {
                inconclusive(format!("a request of 10 MB is answered with HTTP status {}", answer.status))
            }
            Ok(_) => passed("a request of 10 MB is accepted"),
            Err(reason) => inconclusive(reason),
        }
    }

    async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Request::new(Method::GET, &format!("{}{path}", self.origin))).await
    }

    async fn send(&self, request: Result<Request, Error>) -> Result<Answer, String> {
        let request = request.map_err(|error| error.chain())?.repeatable(false);
        let sent = self.run.deadline.wait(request.to_string(), self.run.client.send(&request)).await;
        sent.map_err(|overdue| overdue.to_string())?.map_err(|error| error.chain())
    }
}

fn lifetime(end: Timestamp, now: Timestamp) -> Verdict {
    let left = end.duration_since(now);
    let words = format!("valid until {}, for {} days", end.strftime("%Y-%m-%d"), left.as_hours() / 24);
    if left < SOON {
        warned(words, "renew the certificate, and check what should renew it")
    } else {
        passed(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_comes_with_a_warning() {
        let now: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        let in_days = |days: i64| now + SignedDuration::from_hours(24 * days);
        assert_eq!(lifetime(in_days(60), now), passed("valid until 2027-01-25, for 60 days"));
        assert!(matches!(lifetime(in_days(13), now), Verdict::Warned { .. }));
    }
}
