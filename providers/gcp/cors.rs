//! wbstore's entry among the CORS entries of a bucket. Entries have neither name nor id, so it is identified
//! by its fingerprint, which a label of the bucket keeps; entries of others are kept.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cors::CorsRule;
use crate::text::clean;

/// What the browser of a W&B user may do with the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Cors {
    /// The addresses of the W&B server, as browsers send them.
    pub origin: Vec<String>,
    /// The methods it may use.
    pub method: Vec<String>,
    /// The headers its scripts may read; on Cloud Storage also those that it may send (JSON API,
    /// `Buckets` resource, `cors[].responseHeader`).
    pub response_header: Vec<String>,
    /// How long a browser may remember a preflight, in seconds.
    pub max_age_seconds: i32,
}

impl Cors {
    /// The entry that allows pages from `origin`, which is sorted, to read and upload.
    pub(crate) fn for_pages_of(origin: Vec<String>) -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Self {
            origin,
            method: words(&["GET", "HEAD", "PUT"]),
            response_header: words(&["Content-Type", "ETag"]),
            max_age_seconds: 3600,
        }
    }

    /// `entry` in the one order that is compared.
    pub(crate) fn of(entry: &Value) -> Self {
        let words = |name: &str| {
            let words = entry[name].as_array().into_iter().flatten().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        };
        let seconds = &entry["maxAgeSeconds"];
        let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok());
        let mut cors = Self {
            origin: words("origin"),
            method: words("method"),
            response_header: words("responseHeader"),
            max_age_seconds: seconds.and_then(|seconds| seconds.try_into().ok()).unwrap_or_default(),
        };
        for words in [&mut cors.origin, &mut cors.method, &mut cors.response_header] {
            words.sort();
        }
        cors
    }

    /// The entry as it is written.
    pub(crate) fn to_entry(&self) -> Value {
        let Self { origin, method, response_header, max_age_seconds } = self;
        json!({
            "origin": origin, "method": method, "responseHeader": response_header, "maxAgeSeconds": max_age_seconds,
        })
    }

    /// By which the entry is known again: 16 hexadecimal digits, as a label can hold them.
    pub(crate) fn fingerprint(&self) -> String {
        let Self { origin, method, response_header, max_age_seconds } = self;
        let text = format!(
            "{}\n{}\n{}\n{max_age_seconds}",
            origin.join(" "),
            method.join(" "),
            response_header.join(" ")
        );
        Sha256::digest(text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Our entry among `entries`: the one that is `wanted`, or else the one that we wrote earlier, of which
/// `kept` is the fingerprint.
pub(crate) fn ours(entries: &[Value], wanted: Option<&Cors>, kept: Option<&str>) -> Option<Cors> {
    let mut all = entries.iter().map(Cors::of);
    let found = all.clone().find(|entry| Some(entry) == wanted);
    found.or_else(|| all.find(|entry| kept == Some(entry.fingerprint().as_str())))
}

/// `entries` with what is `wanted` in place of what we wrote earlier, and the fingerprint to keep. An equal
/// entry of others has the same effect, and remains theirs.
pub(crate) fn merged(
    entries: &[Value],
    wanted: Option<&Cors>,
    kept: Option<&str>,
) -> (Vec<Value>, Option<String>) {
    let old = |entry: &Value| kept == Some(Cors::of(entry).fingerprint().as_str());
    let mut rest: Vec<_> = entries.to_vec();
    let Some(wanted) = wanted else {
        rest.retain(|entry| !old(entry));
        return (rest, None);
    };
    let fingerprint = wanted.fingerprint();
    if entries.iter().any(|entry| Cors::of(entry) == *wanted) {
        rest.retain(|entry| !old(entry) || Cors::of(entry) == *wanted);
        let still = kept == Some(fingerprint.as_str());
        return (rest, still.then_some(fingerprint));
    }
    rest.retain(|entry| !old(entry));
    rest.push(wanted.to_entry());
    (rest, Some(fingerprint))
}

/// The entries except `ours`, as text.
pub(crate) fn others(entries: &[Value], ours: Option<&Cors>) -> Vec<String> {
    let others = entries.iter().filter(|entry| Some(&Cors::of(entry)) != ours);
    others.map(|entry| format!("CORS entry for {}", clean(&Cors::of(entry).origin.join(", ")))).collect()
}

/// What entries of others before ours, which is the last one where it is not there yet, take from pages of the
/// server (B64). A page may send the headers that it may read.
pub(crate) fn hidden(entries: &[Value], ours: &Cors) -> Vec<String> {
    let rule = |cors: Cors| CorsRule {
        name: format!("the CORS entry for `{}`", clean(&cors.origin.join(", "))),
        origins: cors.origin,
        methods: cors.method,
        headers: cors.response_header.clone(),
        exposed: cors.response_header,
    };
    let earlier = entries.iter().map(Cors::of).take_while(|entry| entry != ours).map(rule);
    rule(ours.clone()).hidden_by(&earlier.collect::<Vec<_>>(), &["content-type"])
}

/// Whether pages of any origin may use one of `entries`.
pub(crate) fn open_to_all(entries: &[Value]) -> bool {
    entries.iter().any(|entry| Cors::of(entry).origin.iter().any(|origin| origin == "*"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    fn acme() -> Cors {
        Cors::for_pages_of(vec!["https://wandb.acme.com".to_owned()])
    }

    fn theirs() -> Value {
        json!({"origin": ["*"], "method": ["GET"], "maxAgeSeconds": 60, "ofTomorrow": true})
    }

    #[test]
    fn ours_joins_and_leaves_and_theirs_stay() {
        let (with, kept) = merged(&[theirs()], Some(&acme()), None);
        assert_eq!(with, [theirs(), acme().to_entry()]);
        assert_eq!(kept, Some(acme().fingerprint()));
        assert_eq!(merged(&with, Some(&acme()), kept.as_deref()), (with.clone(), kept.clone()));
        assert_eq!(merged(&with, None, kept.as_deref()), (vec![theirs()], None));
        assert_eq!(others(&with, Some(&acme())), ["CORS entry for *"]);
        assert!(open_to_all(&with));
    }

    #[test]
    fn an_entry_before_ours_that_takes_the_etag_is_found() {
        let found = hidden(&[theirs(), acme().to_entry()], &acme());
        assert!(found[0].starts_with("the CORS entry for `*` comes before wbstore's rule"), "{found:?}");
        assert_eq!(hidden(&[theirs()], &acme()).len(), 1, "ours will be the last one");
        assert_eq!(hidden(&[acme().to_entry(), theirs()], &acme()), Vec::<String>::new());
    }

    #[test]
    fn a_number_may_be_text() {
        let mut entry = acme().to_entry();
        entry["maxAgeSeconds"] = json!("3600");
        assert_eq!(Cors::of(&entry), acme());
    }

    #[test]
    fn a_new_host_takes_the_place_of_the_old_one() {
        let (old, kept) = merged(&[theirs()], Some(&acme()), None);
        let moved = Cors::for_pages_of(vec!["https://wandb.acme.org".to_owned()]);
        assert_eq!(ours(&old, Some(&moved), kept.as_deref()), Some(acme()));
        let (new, kept) = merged(&old, Some(&moved), kept.as_deref());
        assert_eq!(new, [theirs(), moved.to_entry()]);
        assert_eq!(kept, Some(moved.fingerprint()));
    }

    #[test]
    fn an_equal_entry_of_others_stays_theirs() {
        let mut equal = acme().to_entry();
        equal["method"].as_array_mut().unwrap().reverse();
        let (entries, kept) = merged(std::slice::from_ref(&equal), Some(&acme()), None);
        assert_eq!((entries.as_slice(), kept), ([equal.clone()].as_slice(), None));
        assert_eq!(ours(&entries, Some(&acme()), None), Some(acme()));
        assert_eq!(merged(&entries, None, None).0, [equal]);
    }

    fn entry() -> impl Strategy<Value = Value> {
        let near = (0_usize..16, outside::json(&["origin", "method"]))
            .prop_map(|(place, with)| outside::changed(&acme().to_entry(), place, &with));
        prop_oneof![
            near,
            outside::json(&["origin", "method", "responseHeader", "maxAgeSeconds", "*"]),
            Just(theirs())
        ]
        .prop_filter("is ours", |entry| Cors::of(entry) != acme())
    }

    proptest! {
        #[test]
        fn ours_is_there_once_and_others_stay(theirs in prop::collection::vec(entry(), 0..5)) {
            let (with, kept) = merged(&theirs, Some(&acme()), None);
            prop_assert_eq!(with.iter().filter(|entry| Cors::of(entry) == acme()).count(), 1);
            prop_assert_eq!(merged(&with, Some(&acme()), kept.as_deref()), (with.clone(), kept.clone()));
            prop_assert_eq!(others(&with, Some(&acme())).len(), theirs.len());
            let _ = (hidden(&with, &acme()), open_to_all(&with));
            let moved = Cors::for_pages_of(vec!["https://wandb.acme.org".to_owned()]);
            let (elsewhere, label) = merged(&with, Some(&moved), kept.as_deref());
            prop_assert_eq!(merged(&elsewhere, None, label.as_deref()), (theirs.clone(), None));
            prop_assert_eq!(merged(&with, None, kept.as_deref()), (theirs, None));
        }
    }
}
