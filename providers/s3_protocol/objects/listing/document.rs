//! The XML of a page of versions, read without the SDK, which keeps every field of every version: that takes
//! five times as long, and most of the memory and the time that emptying a bucket takes.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use super::{cursor, decode};
use crate::empty::{Entry, Page, What};

/// What the SDK reads in place of the page.
const NOTHING: &str = "<ListVersionsResult/>";
const ROOT: &[u8] = b"ListVersionsResult";
/// Where the root element is, in bytes.
const BEGINNING: usize = 512;

/// The body of a successful response, taken from the SDK.
#[derive(Clone, Debug, Default)]
pub(super) struct Body(Arc<Mutex<Option<SdkBody>>>);

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        // The SDK reads anything else as a failed response, and sends the request again.
        if response.status().is_success() && response.body().bytes().is_some_and(is_listing) {
            let body = std::mem::replace(response.body_mut(), SdkBody::from(NOTHING));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}

impl Body {
    /// The page that the body is.
    ///
    /// # Errors
    /// When it is none, or the SDK accepted something else in its place.
    pub(super) fn page(&self) -> Result<Page, BoxError> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page(std::str::from_utf8(body.as_ref().and_then(SdkBody::bytes).unwrap_or_default())?)
    }
}

/// Whether `body` begins with the document, behind the XML declaration.
fn is_listing(body: &[u8]) -> bool {
    body[..body.len().min(BEGINNING)].windows(ROOT.len()).any(|part| part == ROOT)
}

/// Reads a document (S3 API reference, "ListObjectVersions").
pub(super) fn page(xml: &str) -> Result<Page, BoxError> {
    let mut reader = Reader::from_str(xml);
    let (mut fields, mut page) = (Fields::default(), Page::default());
    let mut entry = Fields::default();
    let (mut depth, mut text) = (0, String::new());
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                if depth == 0 && tag.local_name().as_ref() != ROOT {
                    return Err("it is no ListVersionsResult".into());
                }
                depth += 1;
                text.clear();
            }
            Event::Text(part) => text.push_str(&part.decode()?),
            Event::GeneralRef(part) => match part.resolve_char_ref()? {
                Some(letter) => text.push(letter),
                None => text.push_str(resolve_xml_entity(&part.decode()?).ok_or("an unknown entity")?),
            },
            Event::CData(part) => text.push_str(&part.decode()?),
            Event::End(tag) => {
                let name = tag.local_name();
                match (depth, name.as_ref()) {
                    (2, b"Version") => page.entries.push(std::mem::take(&mut entry).entry(false)?),
                    (2, b"DeleteMarker") => page.entries.push(std::mem::take(&mut entry).entry(true)?),
                    (2, name) => fields.set(name, &mut text),
                    (3, name) => entry.set(name, &mut text),
                    _ => {}
                }
                depth -= 1;
            }
            Event::Eof if depth == 0 && fields.is_truncated.is_some() => break,
            Event::Eof => return Err("it is cut off".into()),
            _ => {}
        }
    }
    let is_encoded = fields.encoding.as_deref() == Some("url");
    for entry in &mut page.entries {
        entry.key = decode(std::mem::take(&mut entry.key), is_encoded);
    }
    if fields.is_truncated == Some(true) {
        page.next = Some(cursor(fields.next_key, fields.next_id, is_encoded));
    }
    Ok(page)
}

/// The elements of the document, or of one version, that matter.
#[derive(Default)]
struct Fields {
    encoding: Option<String>,
    is_truncated: Option<bool>,
    next_key: Option<String>,
    next_id: Option<String>,
    key: Option<String>,
    id: Option<String>,
    is_latest: bool,
    size: u64,
}

impl Fields {
    fn set(&mut self, name: &[u8], text: &mut String) {
        let mut take = || Some(std::mem::take(text));
        match name {
            b"EncodingType" => self.encoding = take(),
            b"IsTruncated" => self.is_truncated = Some(text == "true"),
            b"NextKeyMarker" => self.next_key = take(),
            b"NextVersionIdMarker" => self.next_id = take(),
            b"Key" => self.key = take(),
            b"VersionId" => self.id = take(),
            b"IsLatest" => self.is_latest = text == "true",
            b"Size" => self.size = text.parse().unwrap_or_default(),
            _ => {}
        }
    }

    fn entry(self, is_marker: bool) -> Result<Entry, BoxError> {
        let what = match (is_marker, self.is_latest) {
            (true, _) => What::Marker,
            (false, true) => What::Current,
            (false, false) => What::Noncurrent,
        };
        let key = self.key.ok_or("a version without a key")?;
        Ok(Entry { key, id: self.id, what, size: self.size, ..Entry::default() })
    }
}
