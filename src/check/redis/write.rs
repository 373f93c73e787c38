//! With `--write`: a key is set, read and removed.

use redis::cmd;

use super::{Probe, Session, Unanswered};
use crate::verify::{Verdict, failed, passed};

/// How long the key lasts if it cannot be removed, in seconds.
const LASTS: u64 = 60;

impl Probe<'_> {
    pub(super) async fn write(&self, session: &mut Session) -> Verdict {
        let (key, value) = (format!("wbstore:probe:{:016x}", fastrand::u64(..)), "wbstore");
        let set = cmd("SET").arg(&key).arg(value).arg("EX").arg(LASTS).take();
        if let Err(unanswered) = self.ask::<()>(session, "SET", &set).await {
            return self.unwritten("SET", unanswered);
        }
        let read = self.ask::<Option<String>>(session, "GET", cmd("GET").arg(&key)).await;
        let removed = self.ask::<u64>(session, "DEL", cmd("DEL").arg(&key)).await;
        match (read, removed) {
            (Ok(Some(read)), Ok(1)) if read == value => passed("a key was set, read and removed"),
            (Err(unanswered), _) => self.unwritten("GET", unanswered),
            (_, Err(unanswered)) => self.unwritten("DEL", unanswered),
            _ => failed(
                "a key that was just set reads differently",
                "check that REDIS names the master and nothing evicts keys",
            ),
        }
    }

    fn unwritten(&self, name: &str, unanswered: Unanswered) -> Verdict {
        let why = match unanswered {
            Unanswered::Late(overdue) => overdue.to_string(),
            Unanswered::Error(error) => self.said(error.code().unwrap_or("no valid answer"), &error),
        };
        let hint = "the user of REDIS requires `~* +@all` (`ACL SETUSER`), on a master with free memory";
        failed(format!("{name}: {why}"), hint)
    }
}
