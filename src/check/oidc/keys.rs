//! The keys that ID tokens are signed with (RFC 7517).

use std::collections::HashSet;

use serde::Deserialize;

use super::discovery::Discovery;
use super::{Probe, Unread};
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed};

#[derive(Debug, Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
}

impl Probe<'_> {
    pub(super) async fn keys(&self, discovery: &Discovery) -> Verdict {
        let https = |url: &&str| url.starts_with("https://");
        let Some(url) = discovery.jwks_uri.as_deref().filter(https) else {
            return inconclusive("the discovery document names no https address of keys");
        };
        match self.document::<KeySet>(url).await {
            Ok((_, keys)) => keys.verdict(),
            Err(Unread(verdict)) => verdict,
        }
    }
}

impl KeySet {
    fn verdict(&self) -> Verdict {
        let hint = "create a signing key (RSA) at the provider";
        let signing: Vec<_> = self.keys.iter().filter(|key| key.signs()).collect();
        if signing.is_empty() {
            let count = self.keys.len();
            return failed(format!("{count} keys, and none of them signs ID tokens (RSA or EC)"), hint);
        }
        let mut seen = HashSet::new();
        if let Some(kid) = signing.iter().filter_map(|key| key.kid.as_deref()).find(|kid| !seen.insert(*kid))
        {
            return failed(
                format!("two keys have the id {}", clean(kid)),
                "remove one of them at the provider",
            );
        }
        passed(format!("{} for signatures", signing.len()))
    }
}

impl Key {
    fn signs(&self) -> bool {
        ["RSA", "EC"].contains(&self.kty.as_str()) && self.usage.as_deref().is_none_or(|usage| usage == "sig")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_one_key_that_signs_at_least() {
        for (json, expected) in [
            (r#"{"keys": [{"kty": "RSA", "use": "sig", "kid": "a"}, {"kty": "EC", "kid": "b"}]}"#, "passed"),
            (r#"{"keys": []}"#, "failed"),
            (r#"{"keys": [{"kty": "RSA", "use": "enc"}, {"kty": "oct"}]}"#, "failed"),
            (r#"{"keys": [{"kty": "RSA", "kid": "a"}, {"kty": "RSA", "kid": "a"}]}"#, "failed"),
            (r#"{"keys": [{"kty": "RSA"}, {"kty": "RSA"}]}"#, "passed"),
        ] {
            let keys: KeySet = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_value(keys.verdict()).unwrap()["verdict"], expected, "{json}");
        }
    }
}
