//! The part of `verify` that each cloud implements.

use std::time::Duration;

use super::{Check, Probe, Settling, Verdict};
use crate::error::Result;
use crate::http::{Answer, Request};
use crate::resource::Address;

/// A bucket and its queue, as far as `verify` uses them with any credentials.
pub(crate) trait Site: Send + Sync {
    const PROFILE: Profile;

    /// The name of the bucket in events.
    fn bucket(&self) -> &str;

    /// Sends `request` as a browser would: without credentials except those in the request itself.
    ///
    /// # Errors
    /// When there is no response.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Answer>> + Send;

    /// Permits the upload of `key`, as the W&B server does it.
    ///
    /// # Errors
    /// When it cannot be signed.
    fn sign(&mut self, key: &str) -> impl Future<Output = Result<Signed>> + Send;

    /// What to do about an upload that is refused with `code`, for the reason `why`.
    fn refusal(&self, code: &str, why: &str) -> &'static str;

    /// The resources that an event passes through and that nothing can replace; `None` with
    /// `--queue internal`.
    fn route(&self) -> Option<Vec<Address>>;

    /// The next messages; none if `wait` passes without any. A queue that is [peeked](Queue::Peeked) at
    /// does not wait.
    ///
    /// # Errors
    /// Those of the cloud.
    fn receive(&mut self, wait: Duration) -> impl Future<Output = Result<Vec<Message>>> + Send;

    /// Deletes received messages, by their handles.
    ///
    /// # Errors
    /// Those of the cloud.
    fn delete(&mut self, _handles: Vec<String>) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Makes received messages visible to others at once, by their handles.
    ///
    /// # Errors
    /// Those of the cloud.
    fn give_back(&mut self, _handles: Vec<String>) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Why no message is received (again) although the event of a probe may be among them: there are messages of
    /// others, of which this run has `received` as many, and receiving them has consequences.
    fn spares(&self, _received: usize) -> Option<String> {
        None
    }

    /// About how many messages there are, for the `last` time or while more is to come. `None` where that
    /// is not known.
    ///
    /// # Errors
    /// Those of the cloud.
    fn depth(&mut self, _last: bool) -> impl Future<Output = Result<Option<Depth>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Possible reasons why no event arrived, as the rest of a sentence, and what to do. `tested` is
    /// whether the cloud's [test message](Says::Test) was seen.
    fn silence(&self, tested: bool) -> (&'static str, &'static str);
}

/// What whoever set the storage up may do besides: read its settings, and clean up completely.
pub(crate) trait OperatorSite: Site {
    /// What the cloud reports before any upload.
    ///
    /// # Errors
    /// Those of the bucket as a whole: missing, in another region, of another account.
    fn settings(&mut self) -> impl Future<Output = Result<Settings>> + Send;

    /// The address of the object `key`, without a signature.
    ///
    /// # Errors
    /// When there is none.
    fn address(&self, key: &str) -> impl Future<Output = Result<String>> + Send;

    /// An API for browsers that does not apply the bucket's CORS rules.
    fn other_api(&self, _key: &str) -> Option<OtherApi> {
        None
    }

    /// Deletes a probe in every version, and returns what keeps a copy of it. Success if it no longer
    /// exists.
    ///
    /// # Errors
    /// Those of the cloud.
    fn remove(&mut self, probe: &Probe) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Gets ready for the events of objects below `prefix`.
    ///
    /// # Errors
    /// Those of the cloud.
    fn watch(&mut self, prefix: &str) -> impl Future<Output = Result<()>> + Send;

    /// Deletes what [`OperatorSite::watch`] has created.
    ///
    /// # Errors
    /// Those of the cloud, with what is left.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

/// The constants of a cloud.
pub(crate) struct Profile {
    /// The cloud on the command line, such as `aws`.
    pub(crate) cloud: &'static str,
    /// Whose the CORS rules are, such as `the bucket`.
    pub(crate) cors_of: &'static str,
    /// The verdict where every origin is allowed, of a reason and a hint.
    pub(crate) every_origin: fn(&'static str, String) -> Verdict,
    /// How long a CORS rule may take to apply.
    pub(crate) cors_settles: Duration,
    /// The headers that a page sends with an upload, or with a read of a part, and has to be allowed to.
    pub(crate) headers: &'static [&'static str],
    /// The HTTP statuses by which an anonymous read is refused.
    pub(crate) refusals: &'static [u16],
    /// What to do where an anonymous read succeeds.
    pub(crate) exposed: &'static str,
    pub(crate) queue: Queue,
}

/// How messages are read without withholding them from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// The server's own queue; messages are received, and returned.
    Shared,
    /// The server's own queue, of which the first `window` messages can be seen without receiving them.
    Peeked { window: usize },
    /// A queue for this run only.
    Own,
}

/// What the cloud shows before anything is tried.
pub(crate) struct Settings {
    /// Whether only those who are named may read.
    pub(crate) public: Verdict,
    /// Whether the subscription to the events works; `None` where the cloud has none.
    pub(crate) subscription: Option<Verdict>,
    /// Of a team's bucket: what lets its reader in.
    pub(crate) reader: Vec<Check>,
    pub(crate) settling: Option<Settling>,
    /// What would prevent a probe from being deleted, such as `a retention policy`.
    pub(crate) kept_by: Option<String>,
}

/// An API for browsers besides the one that signed URLs lead to.
pub(crate) struct OtherApi {
    /// Its check, such as `preflight JSON API`.
    pub(crate) check: &'static str,
    pub(crate) read: String,
    pub(crate) write: String,
    /// The meaning of its responses.
    pub(crate) detail: &'static str,
    /// What to do where it refuses.
    pub(crate) hint: &'static str,
}

/// An upload that is permitted.
pub(crate) struct Signed {
    /// A secret, where it is signed.
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Why it has a token instead of a signature.
    pub(crate) unsigned: Option<String>,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The same at every look.
    pub(crate) id: String,
    /// The handle by which it is deleted or returned.
    pub(crate) handle: String,
    /// How often it was received, by any consumer.
    pub(crate) times: u64,
    /// When the queue drops it, in seconds since the epoch.
    pub(crate) ends: Option<i64>,
    pub(crate) says: Says,
}

/// The meaning of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// These were created.
    Created(Vec<Object>),
    /// This was created; the text is why the message is not conclusive.
    Unproven(Object, String),
    /// The cloud's test of the queue, from when the events were set up, with its name.
    Test(&'static str),
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bucket: String,
    /// Decoded.
    pub(crate) key: String,
}

/// About how many messages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Those that can be received.
    pub(crate) waiting: u64,
    /// Those that a consumer holds.
    pub(crate) held: u64,
}
