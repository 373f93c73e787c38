//! What somebody else does to a deployment while a run of wbstore is under way.

use std::pin::pin;

use jiff::Timestamp;

use crate::cloud::Cloud;
use crate::fault::{Fault, Side, When};
use crate::journal::Exchange;
use crate::ran::Ran;
use crate::snapshot::Snapshot;

/// The deployment whose mark takes the place of ours.
pub const OTHER: &str = "somebody-else";

/// What every entry that a person adds contains, and nothing else does.
pub const ENTRY: &str = "passer-by";

/// A document of a part of the deployment, as a [`Snapshot`] has it, and the operations that reach it:
/// `s3:*` is any of S3.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Its path.
    pub path: &'static str,
    /// What shows it.
    pub read_by: &'static [&'static str],
    /// What writes it, or deletes what it is a document of.
    pub written_by: &'static [&'static str],
}

impl Document {
    /// The part that it is a document of.
    pub fn part(&self) -> &'static str {
        self.path.rsplit_once('/').map_or(self.path, |(part, _)| part)
    }

    /// Whether a request has shown it.
    pub fn is_read_by(&self, exchange: &Exchange) -> bool {
        is_one_of(self.read_by, exchange)
    }

    /// Whether a request has written it.
    pub fn is_written_by(&self, exchange: &Exchange) -> bool {
        is_one_of(self.written_by, exchange) && exchange.has_changed()
    }
}

fn is_one_of(operations: &[&str], exchange: &Exchange) -> bool {
    operations.iter().any(|operation| match operation.strip_suffix('*') {
        Some(prefix) => exchange.operation.starts_with(prefix),
        None => exchange.operation == *operation,
    })
}

/// What a person left in a document.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The document.
    pub document: Document,
    /// What the document says since then.
    pub text: String,
}

impl Trace {
    /// Whether it is still there.
    pub fn is_in(&self, snapshot: &Snapshot) -> bool {
        snapshot.get(self.document.path).is_some_and(|document| document.contains(&self.text))
    }
}

/// Somebody else with rights of their own, whose requests pass by the proxy. Everything they do gives
/// `None` where there is nothing any more to do it to.
pub trait Person: Cloud {
    /// Where an upload is seen.
    const OBJECTS: Document;

    /// Where the parts of the deployment have their marks; the one of bucket or container is the first.
    const MARKS: &'static [Document];

    /// The documents of others and of us that wbstore writes into.
    const ENTRIES: &'static [Document];

    /// Those entries of others that end when a part of ours is deleted.
    const ENDING: &'static [Document];

    /// The operations that carry a precondition, so that no change by others is lost between the last
    /// look and the write.
    const GUARDED: &'static [&'static str];

    /// The value that wbstore sets, and two others, of one setting.
    const SETTING: [&'static str; 3];

    /// Uploads an object, as the server does.
    fn upload(&self) -> impl Future<Output = Option<Trace>> + Send;

    /// Puts the end of a deployment's lease to `end`, wherever the lease is written.
    fn set_lease_end(&self, deployment: &str, end: Timestamp) -> impl Future<Output = Option<Trace>> + Send;

    /// Puts the mark of [`OTHER`] into one of [`MARKS`](Self::MARKS).
    fn remark(&self, document: &Document) -> impl Future<Output = Option<Trace>> + Send;

    /// Adds an [`ENTRY`] to one of the documents.
    fn add_entry(&self, document: &Document) -> impl Future<Output = Option<Trace>> + Send;

    /// Sets [`SETTING`](Self::SETTING) by hand.
    fn set(&self, value: &str) -> impl Future<Output = Option<Trace>> + Send;

    /// Lets a deployment's lease end a moment ago: after the deployment was made, as time would.
    fn end_lease(&self, deployment: &str) -> impl Future<Output = ()> + Send {
        async move {
            let end = Timestamp::from_second(Timestamp::now().as_second() + 1).unwrap_or_default();
            assert!(self.set_lease_end(deployment, end).await.is_some(), "{deployment} has no lease");
            let left = end.duration_since(Timestamp::now());
            tokio::time::sleep(left.try_into().unwrap_or_default()).await;
        }
    }
}

/// Runs a command, and lets a person act when its request with this place in the journal is on its way:
/// that one and all after it wait meanwhile, and all before it are done. `None` when the run ends before.
pub async fn meanwhile<C: Cloud, T>(
    cloud: &C,
    place: usize,
    run: impl Future<Output = Ran>,
    act: impl Future<Output = T>,
) -> (Ran, Option<T>) {
    let proxy = cloud.proxy();
    proxy.clear_journal();
    let held = proxy.arm(When::operation("*", place).times(usize::MAX), Fault::Hang(Side::Before));
    let act = async {
        held.reached().await;
        proxy.settled().await;
        let done = act.await;
        held.release();
        done
    };
    let (mut run, mut act) = (pin!(run), pin!(act));
    let (ran, done) = tokio::select! {
        ran = &mut run => (ran, None),
        done = &mut act => (run.await, Some(done)),
    };
    proxy.disarm();
    (ran, done)
}

/// What does not hold of an exit code, given what the cloud was asked and has done.
pub fn dishonesty(ran: &Ran, journal: &[Exchange]) -> Option<String> {
    let changed = journal.iter().filter(|exchange| exchange.has_changed()).count();
    let hint = ran.stderr.contains("hint: ");
    match ran.code {
        Some(0) => None,
        Some(1 | 3) if changed == 0 && hint => None,
        Some(4) if changed > 0 && hint => None,
        _ => Some(format!("after {changed} changes, {}a hint: {ran}", if hint { "" } else { "without " })),
    }
}
