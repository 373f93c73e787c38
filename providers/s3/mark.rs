//! Where the mark of a bucket is: in its tags, where the store has tags of buckets, else in the id of our CORS rule, else in
//! an object.

use aws_sdk_s3::types::CorsRule;

use super::bucket::StoreBucket;
use super::failure::{code, failure, status};
use super::knowledge::{Known, TAGGING, ask};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::mark::{Codec, DEPLOYMENT, Entries, Mark, Marking, TEAM, UserTags};
use crate::name::OF_TEAM;
use crate::providers::s3_protocol::tag_rule::tag_rule;
use crate::providers::s3_protocol::tags::document;
use crate::tag::TagRule;

/// The same as on AWS, so that a bucket keeps its mark whichever command it is reached with.
pub(crate) const MARKS: Codec = Codec {
    entries: "tags",
    prefix: "wbstore:",
    deployment: "wbstore:deployment",
    most: 10,
    tags: UserTags::Beside,
    ..Codec::DASHED
};

/// The mark has at most five entries.
pub(crate) static TAG_RULE: TagRule = tag_rule(MARKS.most - 5);

/// The object that has the mark where nothing else can.
pub(crate) const OBJECT: &str = ".wbstore/deployment.json";

/// The largest mark, in bytes.
const LARGEST: usize = 64 << 10;

/// Where a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkPlace {
    Tags,
    Rule,
    Object,
}

impl MarkPlace {
    /// What a reviewer should know of it, if it is not the usual one.
    pub(crate) fn remark(self) -> Option<&'static str> {
        match self {
            Self::Tags => None,
            Self::Rule => Some("the store has no tags of buckets: the mark is the id of wbstore's CORS rule"),
            Self::Object => Some(
                "the store has neither tags of buckets nor CORS rules: the mark is the object `.wbstore/deployment.json`",
            ),
        }
    }
}

/// The entries that were found, and where a new mark would be put.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub place: MarkPlace,
    pub entries: Entries,
    /// Why the owner is not known, if a place could not be read and no other has a mark.
    pub denied: Option<Error>,
}

/// Reads the mark of `bucket`; `None` where there is no such bucket.
///
/// # Errors
/// Those of the reads, but for being denied.
pub(crate) async fn read(api: &Api, bucket: &str) -> Result<Option<Marks>> {
    let (tags, rules) = futures::join!(tags(api, bucket), super::cors::rules(api, bucket));
    let found = |place, entries| Ok(Some(Marks { place, entries, denied: None }));
    let mut denied = None;
    match readable(tags, &mut denied)? {
        Known::NoBucket => return Ok(None),
        Known::Set(entries) => return found(MarkPlace::Tags, entries),
        Known::Unset => return found(MarkPlace::Tags, Entries::new()),
        Known::Unknown(_) => {}
    }
    let rules = readable(rules, &mut denied)?;
    match &rules {
        Known::NoBucket => return Ok(None),
        Known::Set(rules) => {
            let entries = of_rules(rules);
            if !entries.is_empty() {
                return found(MarkPlace::Rule, entries);
            }
        }
        Known::Unset | Known::Unknown(_) => {}
    }
    // Also where the store has rules: MinIO seems to, and declines them.
    let in_object = object(api, bucket).await.map(|found| found.map_or(Known::Unset, Known::Set));
    if let Known::Set(entries) = readable(in_object, &mut denied)? {
        return found(MarkPlace::Object, entries);
    }
    let place = match rules {
        Known::Set(_) | Known::Unset => MarkPlace::Rule,
        Known::NoBucket | Known::Unknown(_) => MarkPlace::Object,
    };
    Ok(Some(Marks { place, entries: Entries::new(), denied }))
}

/// What was `read`, where that was not `denied`.
fn readable<T>(read: Result<Known<T>>, denied: &mut Option<Error>) -> Result<Known<T>> {
    match read {
        Err(error) if error.kind() == Kind::Denied => {
            let why = error.chain();
            denied.get_or_insert(error);
            Ok(Known::Unknown(why))
        }
        read => read,
    }
}

async fn tags(api: &Api, bucket: &str) -> Result<Known<Entries>> {
    let call = |root| api.s3.get_bucket_tagging().bucket(bucket).customize().interceptor(root).send();
    let answer = ask(&TAGGING, StoreBucket::at(bucket), call).await?;
    Ok(answer.map(|answer| answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

async fn object(api: &Api, bucket: &str) -> Result<Option<Entries>> {
    let answer = match api.s3.get_object().bucket(bucket).key(OBJECT).send().await {
        Ok(answer) => answer,
        Err(error) if status(&error) == 404 || code(&error) == "NoSuchKey" => return Ok(None),
        Err(error) => return Err(failure(error, "s3:GetObject", format!("{bucket}/{OBJECT}"))),
    };
    let unreadable = || {
        Error::new(Kind::Failed, format!("{bucket}/{OBJECT} is no mark of wbstore"))
            .hint("check the object, and delete it if it is not needed")
    };
    let body = answer.body.collect().await.map_err(|error| unreadable().because(error))?.into_bytes();
    if body.len() > LARGEST {
        return Err(unreadable());
    }
    let entries = serde_json::from_slice(&body).map_err(|error| unreadable().because(error))?;
    Ok(Some(crate::mark::entries(&entries)))
}

/// Writes `mark` to `place`, beside the entries of others; an empty one is removed. Tags also have those that are `wanted`.
///
/// # Errors
/// Those of the calls.
pub(crate) async fn write(
    api: &Api,
    bucket: &str,
    place: MarkPlace,
    mark: &Mark,
    wanted: Option<&Marking>,
) -> Result<()> {
    match place {
        MarkPlace::Tags => put_tags(api, bucket, mark, wanted).await,
        // It goes with the rule.
        MarkPlace::Rule => Ok(()),
        MarkPlace::Object if mark.is_empty() => delete_object(api, bucket).await,
        MarkPlace::Object => {
            let text = serde_json::to_vec(&MARKS.write(mark))
                .map_err(|error| Error::new(Kind::Failed, "write the mark").because(error))?;
            let call = api.s3.put_object().bucket(bucket).key(OBJECT).content_type("application/json");
            let sent = call.body(text.into()).send().await;
            sent.map(drop).map_err(|error| failure(error, "s3:PutObject", format!("{bucket}/{OBJECT}")))
        }
    }
}

/// Deletes the object that is the mark. Success if there is none.
///
/// # Errors
/// Those of the call.
async fn delete_object(api: &Api, bucket: &str) -> Result<()> {
    match api.s3.delete_object().bucket(bucket).key(OBJECT).send().await {
        Err(error) if !matches!(code(&error), "NoSuchKey" | "NoSuchBucket") => {
            Err(failure(error, "s3:DeleteObject", format!("{bucket}/{OBJECT}")))
        }
        _ => Ok(()),
    }
}

async fn put_tags(api: &Api, bucket: &str, mark: &Mark, wanted: Option<&Marking>) -> Result<()> {
    let target = StoreBucket::at(bucket);
    let tags = match tags(api, bucket).await? {
        Known::Set(tags) => tags,
        Known::Unset => Entries::new(),
        Known::NoBucket | Known::Unknown(_) => {
            let message = format!("s3:PutBucketTagging on {target}: the bucket is not visible yet");
            return Err(Error::new(Kind::NotYet, message));
        }
    };
    let tags = MARKS.replace(&tags, mark);
    let tags = wanted.map_or(tags.clone(), |wanted| wanted.with_tags(tags));
    if tags.is_empty() {
        let deleted = api.s3.delete_bucket_tagging().bucket(bucket).send().await;
        return deleted.map(drop).map_err(|error| failure(error, "s3:PutBucketTagging", target));
    }
    let tagging = document(tags)?;
    let sent = api.s3.put_bucket_tagging().bucket(bucket).tagging(tagging).send().await;
    sent.map(drop).map_err(|error| failure(error, "s3:PutBucketTagging", target))
}

/// The mark in the ids of our CORS rules.
fn of_rules(rules: &[CorsRule]) -> Entries {
    let ids = rules.iter().filter_map(|rule| rule.id());
    ids.filter_map(entries_of).next().unwrap_or_default()
}

/// The id of the rule of a storage with this mark: its [entry id](StorageName::entry_id), and `;name=value` for what
/// else the mark has.
pub(crate) fn id_with(mark: &Mark) -> String {
    let mut id = format!("wbstore-{}", mark.get(DEPLOYMENT).unwrap_or_default());
    id.extend(mark.get(TEAM).map(|team| format!("{OF_TEAM}{team}")));
    let named = [MARKS.key(DEPLOYMENT), MARKS.key(TEAM)];
    for (key, value) in MARKS.write(mark).iter().filter(|(key, _)| !named.contains(key)) {
        id.push_str(&format!(";{}={value}", key.strip_prefix(MARKS.prefix).unwrap_or(key)));
    }
    id
}

/// The mark in `id`, if it is the id of a rule of wbstore.
fn entries_of(id: &str) -> Option<Entries> {
    let mut parts = id.strip_prefix("wbstore-")?.split(';');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let (deployment, team) = name.split_once(OF_TEAM).map_or((name, None), |(name, team)| (name, Some(team)));
    let mut entries = Entries::from([(MARKS.key(DEPLOYMENT), deployment.to_owned())]);
    entries.extend(team.map(|team| (MARKS.key(TEAM), team.to_owned())));
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        entries.insert(format!("{}{name}", MARKS.prefix), value.to_owned());
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_in_the_id_of_a_rule() {
        let mark = |entries: &[(&str, &str)]| {
            let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            MARKS.read(&entries.collect())
        };
        let plain = mark(&[("wbstore:deployment", "acme")]);
        assert_eq!(id_with(&plain), "wbstore-acme");
        let whole = mark(&[
            ("wbstore:adopted", "true"),
            ("wbstore:deployment", "acme"),
            ("wbstore:expires", "2026-12-01T00:00:00Z"),
            ("wbstore:lease", "7d"),
        ]);
        assert_eq!(id_with(&whole), "wbstore-acme;adopted=true;expires=2026-12-01T00:00:00Z;lease=7d");
        let team =
            mark(&[("wbstore:deployment", "acme"), ("wbstore:lease", "7d"), ("wbstore:team", "vision")]);
        assert_eq!(id_with(&team), "wbstore-acme-Team-vision;lease=7d");
        for mark in [plain, whole, team] {
            assert_eq!(entries_of(&id_with(&mark)).map(|entries| MARKS.read(&entries)), Some(mark));
        }
        assert_eq!(entries_of("uploads"), None);
        assert_eq!(entries_of("wbstore-"), None);
    }
}
