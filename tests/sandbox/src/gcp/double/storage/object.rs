//! One version of an object, in all its forms.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use googleapis_tonic_google_storage_v2::google::storage::v2;
use hyper::body::Bytes;
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::super::time;
use super::names;
use super::signed::hex;

/// What can be chosen and is only kept.
const KEPT: &[&str] =
    &["cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "customTime", "metadata"];

#[derive(Clone, Debug)]
pub(in super::super) struct Object {
    pub(in super::super) name: String,
    pub(super) generation: i64,
    pub(super) metageneration: i64,
    pub(in super::super) content: Bytes,
    pub(super) content_type: String,
    pub(super) storage_class: String,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Since when it is not the current version.
    pub(super) noncurrent: Option<Timestamp>,
    /// When it was deleted, and until when it is kept nevertheless.
    pub(super) deleted: Option<(Timestamp, Timestamp)>,
    pub(super) event_based_hold: bool,
    pub(super) temporary_hold: bool,
    /// Other settings by their JSON names.
    pub(super) kept: Map<String, Value>,
}

impl Object {
    /// A new version. `chosen` is the resource that the client sent.
    pub(super) fn new(name: &str, generation: i64, class: &str, content: Bytes, chosen: &Value) -> Self {
        let now = Timestamp::now();
        let text = |key: &str| chosen[key].as_str().map(str::to_owned);
        let kept = KEPT.iter().filter_map(|key| Some(((*key).to_owned(), chosen.get(*key)?.clone())));
        Self {
            name: name.to_owned(),
            generation,
            metageneration: 1,
            content,
            content_type: text("contentType").unwrap_or_else(|| "application/octet-stream".to_owned()),
            storage_class: text("storageClass").unwrap_or_else(|| class.to_owned()),
            created: now,
            updated: now,
            noncurrent: None,
            deleted: None,
            event_based_hold: chosen["eventBasedHold"].as_bool().unwrap_or_default(),
            temporary_hold: chosen["temporaryHold"].as_bool().unwrap_or_default(),
            kept: kept.collect(),
        }
    }

    pub(in super::super) fn live(&self) -> bool {
        self.noncurrent.is_none()
    }

    /// Big-endian, as the documentation has it:
    /// <https://cloud.google.com/storage/docs/hashes-etags>.
    pub(super) fn crc32c(&self) -> String {
        BASE64_STANDARD.encode(crc32c::crc32c(&self.content).to_be_bytes())
    }

    pub(super) fn md5(&self) -> String {
        BASE64_STANDARD.encode(Md5::digest(&self.content))
    }

    pub(super) fn md5_hex(&self) -> String {
        hex(&Md5::digest(&self.content))
    }

    pub(super) fn etag(&self) -> String {
        BASE64_STANDARD.encode(format!("{}/{}", self.generation, self.metageneration))
    }

    /// <https://cloud.google.com/storage/docs/json_api/v1/objects#resource>
    pub(super) fn json(&self, bucket: &str, url: &str) -> Value {
        let (name, generation) = (&self.name, self.generation);
        let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let mut json = json!({
            "kind": "storage#object",
            "id": format!("{bucket}/{name}/{generation}"),
            "selfLink": format!("{url}/storage/v1/b/{bucket}/o/{encoded}"),
            "mediaLink": format!("{url}/download/storage/v1/b/{bucket}/o/{encoded}?generation={generation}&alt=media"),
            "name": name, "bucket": bucket,
            "generation": generation.to_string(), "metageneration": self.metageneration.to_string(),
            "contentType": self.content_type, "storageClass": self.storage_class,
            "size": self.content.len().to_string(),
            "md5Hash": self.md5(), "crc32c": self.crc32c(), "etag": self.etag(),
            "timeCreated": time::text(self.created), "updated": time::text(self.updated),
            "timeStorageClassUpdated": time::text(self.created), "timeFinalized": time::text(self.created),
        });
        for (key, value) in &self.kept {
            json[key] = value.clone();
        }
        for (key, hold) in [("eventBasedHold", self.event_based_hold), ("temporaryHold", self.temporary_hold)]
        {
            if hold {
                json[key] = true.into();
            }
        }
        if let Some(since) = self.noncurrent {
            json["timeDeleted"] = time::text(since).into();
        }
        if let Some((deleted, until)) = self.deleted {
            json["softDeleteTime"] = time::text(deleted).into();
            json["hardDeleteTime"] = time::text(until).into();
        }
        json
    }

    /// <https://cloud.google.com/storage/docs/reference/rpc/google.storage.v2#object>
    pub(super) fn proto(&self, bucket: &str) -> v2::Object {
        let text = |key: &str| self.kept.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let metadata = self.kept.get("metadata").and_then(Value::as_object);
        let metadata = metadata.into_iter().flatten();
        v2::Object {
            name: self.name.clone(),
            bucket: names::resource(bucket),
            etag: self.etag(),
            generation: self.generation,
            metageneration: self.metageneration,
            storage_class: self.storage_class.clone(),
            size: i64::try_from(self.content.len()).unwrap_or(i64::MAX),
            content_encoding: text("contentEncoding"),
            content_disposition: text("contentDisposition"),
            cache_control: text("cacheControl"),
            content_language: text("contentLanguage"),
            delete_time: self.noncurrent.map(time::proto),
            finalize_time: Some(time::proto(self.created)),
            content_type: self.content_type.clone(),
            create_time: Some(time::proto(self.created)),
            update_time: Some(time::proto(self.updated)),
            checksums: Some(v2::ObjectChecksums {
                crc32c: Some(crc32c::crc32c(&self.content)),
                md5_hash: Md5::digest(&self.content).to_vec(),
            }),
            temporary_hold: self.temporary_hold,
            event_based_hold: self.event_based_hold.then_some(true),
            metadata: metadata
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            soft_delete_time: self.deleted.map(|(deleted, _)| time::proto(deleted)),
            hard_delete_time: self.deleted.map(|(_, until)| time::proto(until)),
            ..v2::Object::default()
        }
    }
}
