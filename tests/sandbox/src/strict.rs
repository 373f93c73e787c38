//! What AWS refuses and the emulators let through.
//!
//! Each rule is one function that looks at one request and says what AWS would have answered, or
//! nothing. The tables below are the whole list.

mod abac;
mod bucket;
mod document;
pub mod identity;
mod memory;
pub mod notification;
mod owner;
mod policy;
mod presigned;
mod queue;
mod region;
mod simulation;

use std::sync::Arc;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::reply::{ApiError, Reply};
use crate::upstream::Upstream;

use identity::{Identity, Ledger};
use memory::Memory;

/// What AWS would object to, if anything.
type Check = fn(&Call) -> Option<ApiError>;

/// Rules that need nothing but the request.
const ON_SIGHT: &[(&str, Check)] = &[
    ("a presigned URL expires", presigned::expired),
    ("us-east-1 is not a LocationConstraint", bucket::location),
    ("account-regional names have a form and a header", bucket::namespace),
    ("a checksum is required", document::checksum),
    ("DeleteObjects takes at most 1000 keys", document::thousand_keys),
    ("at most 100 CORS rules", document::hundred_cors_rules),
    ("notification ids are unique", notification::unique_ids),
    ("notification filters must not overlap", notification::overlap),
    ("no FIFO destination", notification::fifo),
    ("destinations are in the bucket's region", notification::region),
];

/// Whether a request may go on to the emulator.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As far as we can tell AWS would try.
    Pass,
    /// The emulator has no such call.
    Answer(Reply),
    /// AWS would refuse.
    Refuse {
        /// The rule, in words, for the journal.
        rule: &'static str,
        /// What AWS would say.
        error: ApiError,
    },
}

fn is_aws(call: &Call) -> bool {
    matches!(call.dialect, Dialect::Aws(_))
}

/// What some regions and partitions do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Tags in `CreateBucket` (hashicorp/terraform-provider-aws#45684).
    TagsOfNewBuckets,
    /// Buckets in the account's own namespace
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>).
    RegionalNames,
}

/// The rules and what they have learnt.
#[derive(Clone, Debug)]
pub struct Strict {
    enabled: bool,
    memory: Arc<Memory>,
}

impl Default for Strict {
    /// All rules.
    fn default() -> Self {
        Self { enabled: true, memory: Arc::default() }
    }
}

impl Strict {
    /// No rules: the bare emulator.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// Judges a request before the emulator sees it.
    pub async fn judge(&self, call: &Call, upstream: &Upstream) -> Verdict {
        match self.complaint(call, upstream).await {
            Some((rule, error)) => Verdict::Refuse { rule, error },
            None => self.instead(call).map_or(Verdict::Pass, Verdict::Answer),
        }
    }

    /// Lets an access key do what an IAM policy says and nothing else.
    pub fn restrict(&self, access_key: &str, policy: &str) {
        self.memory.restrict(access_key, Identity::new(policy));
    }

    /// What the calls of a restricted access key came to.
    pub fn ledger(&self, access_key: &str) -> Ledger {
        self.memory.ledger(access_key)
    }

    /// Leaves out something that AWS has in most regions.
    pub fn leave_out(&self, feature: Feature) {
        self.memory.leave_out(feature);
    }

    fn instead(&self, call: &Call) -> Option<Reply> {
        if !self.enabled || !is_aws(call) {
            return None;
        }
        abac::answer(call, &self.memory).or_else(|| simulation::answer(call, &self.memory))
    }

    async fn complaint(&self, call: &Call, upstream: &Upstream) -> Option<(&'static str, ApiError)> {
        // Our own doubles refuse what their clouds refuse; an emulator of AWS needs these.
        if !self.enabled || !matches!(upstream.dialect(), Dialect::Aws(_)) {
            return None;
        }
        let memory = &self.memory;
        for (rule, check) in ON_SIGHT {
            if let Some(error) = check(call) {
                return Some((rule, error));
            }
        }
        if let Some(error) = memory.denial(call) {
            return Some(("an IAM policy allows what it says", error));
        }
        if let Some(error) = bucket::left_out(call, memory) {
            return Some(("not every region has it", error));
        }
        if let Some(error) = abac::tagging(call, memory) {
            return Some(("attribute-based access control has its own tagging", error));
        }
        if let Some(error) = queue::deleted_recently(call, memory) {
            return Some(("a queue's name rests for 60 s", error));
        }
        // From here on the emulator is asked, so these come last.
        if let Some(error) = region::elsewhere(call, memory, upstream).await {
            return Some(("a bucket answers in its own region", error));
        }
        if let Some(error) = owner::stranger(call, memory, upstream).await {
            return Some(("buckets are private to their account", error));
        }
        if let Some(error) = owner::expected(call, memory, upstream).await {
            return Some(("x-amz-expected-bucket-owner", error));
        }
        if let Some(error) = bucket::already_owned(call, memory, upstream).await {
            return Some(("creating one's own bucket with tags is a conflict", error));
        }
        let error = notification::destinations(call, memory, upstream).await?;
        Some(("S3 tries each destination", error))
    }

    /// Takes note of what an answer tells.
    pub fn learn(&self, call: &Call, reply: &Reply) {
        if self.enabled && reply.status().is_success() {
            self.memory.learn(call);
        }
    }
}
