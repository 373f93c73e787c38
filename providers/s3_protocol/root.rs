//! The root element of a raw response: the SDK reads the document of another call as one without content.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Reads the root element of a raw response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Root(Arc<Mutex<Option<String>>>);

impl Root {
    /// Its local name, `{` for JSON, and nothing where the body is neither.
    pub(crate) fn name(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Root {
    fn name(&self) -> &'static str {
        "Root"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let root = context.response().body().bytes().and_then(root_of);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = root;
        Ok(())
    }
}

/// The root element of `body`.
fn root_of(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    if text.trim_start().starts_with('{') {
        return Some("{".to_owned());
    }
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) | Event::Empty(tag) => {
                return Some(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
            }
            Event::Text(text) if !text.iter().all(u8::is_ascii_whitespace) => return None,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    #[test]
    fn the_root_is_found_behind_declaration_comment_and_prefix() {
        for (body, root) in [
            (
                "<?xml version=\"1.0\"?>\n<!-- a -->\n<CORSConfiguration xmlns=\"x\"><CORSRule/>",
                Some("CORSConfiguration"),
            ),
            ("<ns:Tagging xmlns:ns=\"x\"/>", Some("Tagging")),
            ("<ListBucketResult>", Some("ListBucketResult")),
            ("<!DOCTYPE html><html><body>", Some("html")),
            (" {\"Version\": \"2012-10-17\"}", Some("{")),
            ("", None),
            ("  ", None),
            ("ok", None),
            ("<", None),
        ] {
            assert_eq!(root_of(body.as_bytes()).as_deref(), root, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_has_a_root_or_none(before in outside::text(), name in outside::text(), after in outside::text()) {
            for text in [format!("{before}<{name}>{after}"), before, name] {
                let root = root_of(text.as_bytes());
                prop_assert!(root.is_none_or(|root| text.contains(&root)));
            }
        }
    }
}
