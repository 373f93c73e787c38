//! What S3 checks before it takes a notification configuration.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html>

use hyper::Method;

use super::memory::Memory;
use super::policy;
use crate::call::Call;
use crate::reply::ApiError;
use crate::upstream::Upstream;

/// S3's word for a queue that is not there.
pub const NO_QUEUE: &str = "The destination queue does not exist";

/// S3's word for a queue whose policy does not let it in (yet).
pub const NOT_PERMITTED: &str =
    "Permissions on the destination queue do not allow S3 to publish notifications from this bucket";

/// One entry of the configuration, whatever its destination.
struct Entry {
    id: String,
    arn: String,
    events: Vec<String>,
    prefix: String,
    suffix: String,
}

/// S3's answer when a destination cannot be reached: which one and why stands beside the message.
pub fn unreachable(arn: &str, reason: &str) -> ApiError {
    invalid("Unable to validate the following destination configurations")
        .field("ArgumentName", arn)
        .field("ArgumentValue", reason)
}

/// What S3 says of a configuration whose first destination does not let it in.
pub fn not_permitted(call: &Call) -> ApiError {
    let first = entries(call).into_iter().next();
    unreachable(&first.map(|entry| entry.arn).unwrap_or_default(), NOT_PERMITTED)
}

/// An id names one entry.
pub(super) fn unique_ids(call: &Call) -> Option<ApiError> {
    let entries = entries(call);
    pairs(&entries)
        .any(|(one, other)| !one.id.is_empty() && one.id == other.id)
        .then(|| invalid("Same ID used for multiple configurations. IDs must be unique."))
}

/// "you can't define filtering rules with overlapping prefixes, overlapping suffixes, or prefix and
/// suffix overlapping" for the same event type. Two entries collide when they share a type and some
/// key could match both.
pub(super) fn overlap(call: &Call) -> Option<ApiError> {
    let entries = entries(call);
    pairs(&entries).any(|(one, other)| one.overlaps(other)).then(|| {
        invalid("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
    })
}

/// "Amazon SQS FIFO queues aren't supported as an Amazon S3 event notification destination."
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>
pub(super) fn fifo(call: &Call) -> Option<ApiError> {
    let entries = entries(call);
    let entry = entries.iter().find(|entry| entry.arn.ends_with(".fifo"))?;
    Some(unreachable(&entry.arn, "FIFO queues are not supported as a destination"))
}

/// Bucket and destination share a region: same page as above. The caller signs for the bucket's.
pub(super) fn region(call: &Call) -> Option<ApiError> {
    let entries = entries(call);
    let elsewhere = |entry: &Entry| entry.arn.split(':').nth(3) != Some(call.region.as_str());
    let message =
        "The notification destination service region is not valid for the bucket location constraint";
    entries.iter().any(elsewhere).then(|| invalid(message))
}

/// "If the message fails, the entire PUT action will fail": S3 sends a test message to each queue.
/// moto takes everything; ministack refuses, but leaves out which destination and why.
pub(super) async fn destinations(call: &Call, memory: &Memory, upstream: &Upstream) -> Option<ApiError> {
    if call
        .header("x-amz-skip-destination-validation")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return None;
    }
    let bucket = format!("arn:aws:s3:::{}", call.bucket.as_deref()?);
    let account = call.account.clone().or_else(|| memory.owner(call.bucket.as_deref()?))?;
    for entry in entries(call) {
        let Some(queue) = Queue::parse(&entry.arn) else {
            continue;
        };
        let Some(policy) = queue.policy(upstream).await else {
            return Some(unreachable(&entry.arn, NO_QUEUE));
        };
        if !policy::lets_s3_send(&policy, &entry.arn, &bucket, &account) {
            return Some(unreachable(&entry.arn, NOT_PERMITTED));
        }
    }
    None
}

impl Entry {
    fn overlaps(&self, other: &Self) -> bool {
        let share_event =
            self.events.iter().any(|one| other.events.iter().any(|other| same_event(one, other)));
        let nested = |one: &str, other: &str, contains: fn(&str, &str) -> bool| {
            contains(one, other) || contains(other, one)
        };
        share_event
            && nested(&self.prefix, &other.prefix, |long, short| long.starts_with(short))
            && nested(&self.suffix, &other.suffix, |long, short| long.ends_with(short))
    }
}

/// `s3:ObjectCreated:*` is the family of `s3:ObjectCreated:Put`.
fn same_event(one: &str, other: &str) -> bool {
    let family = |event: &str, of: &str| event.strip_suffix('*').is_some_and(|stem| of.starts_with(stem));
    one == other || family(one, other) || family(other, one)
}

struct Queue<'a> {
    region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> Queue<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        match arn.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "sqs", region, account, name] => Some(Self { region, account, name }),
            _ => None,
        }
    }

    /// The queue's policy, null when it has none; `None` when there is no such queue.
    async fn policy(&self, upstream: &Upstream) -> Option<serde_json::Value> {
        let url = format!("http://localhost/{}/{}", self.account, self.name);
        let body = serde_json::json!({"QueueUrl": url, "AttributeNames": ["Policy"]}).to_string();
        let headers = [
            ("x-amz-target", "AmazonSQS.GetQueueAttributes"),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let reply =
            upstream.ask(self.account, self.region, "sqs", (Method::POST, "/"), &headers, body).await.ok()?;
        if !reply.status().is_success() {
            return None;
        }
        let answer: serde_json::Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let policy = answer["Attributes"]["Policy"].as_str().unwrap_or("null");
        Some(serde_json::from_str(policy).unwrap_or_default())
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(400, "InvalidArgument", message)
}

fn pairs(entries: &[Entry]) -> impl Iterator<Item = (&Entry, &Entry)> {
    entries.iter().enumerate().flat_map(|(at, one)| entries[at + 1..].iter().map(move |other| (one, other)))
}

fn entries(call: &Call) -> Vec<Entry> {
    if !call.is("s3:PutBucketNotificationConfiguration") {
        return Vec::new();
    }
    let Ok(document) = roxmltree::Document::parse(call.text()) else {
        return Vec::new();
    };
    document.root_element().children().filter_map(entry).collect()
}

fn entry(node: roxmltree::Node<'_, '_>) -> Option<Entry> {
    // The wire has kept the names of the first version of the API.
    let destination = match node.tag_name().name() {
        "QueueConfiguration" => "Queue",
        "TopicConfiguration" => "Topic",
        "CloudFunctionConfiguration" => "CloudFunction",
        _ => return None,
    };
    let texts = |name: &str| -> Vec<String> {
        node.children()
            .filter(|child| child.tag_name().name() == name)
            .filter_map(|child| child.text())
            .map(str::to_owned)
            .collect()
    };
    let filter = |wanted: &str| -> String {
        node.descendants()
            .filter(|rule| rule.tag_name().name() == "FilterRule")
            .find_map(|rule| {
                let text = |name| rule.children().find(|child| child.tag_name().name() == name)?.text();
                text("Name")?
                    .eq_ignore_ascii_case(wanted)
                    .then(|| text("Value").unwrap_or_default().to_owned())
            })
            .unwrap_or_default()
    };
    Some(Entry {
        id: texts("Id").pop().unwrap_or_default(),
        arn: texts(destination).pop()?,
        events: texts("Event"),
        prefix: filter("prefix"),
        suffix: filter("suffix"),
    })
}
