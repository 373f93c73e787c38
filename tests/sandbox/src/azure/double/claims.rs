//! Who asks, and tokens that say so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::sas::hmac;
use super::store::guid;

/// How long a token is good for, in seconds; Entra's default lies between 60 and 90 minutes.
/// <https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime>
pub(super) const LIFETIME: i64 = 3600;

/// What a token for Resource Manager is made out to.
pub(super) const ARM: &[&str] = &["https://management.azure.com", "https://management.core.windows.net"];

/// What a token for the data plane is made out to.
pub(super) const STORAGE: &[&str] = &["https://storage.azure.com"];

/// An application that can sign in.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The directory it signs in to.
    pub tenant: String,
    /// Its application id.
    pub client: String,
    /// Its client secret. As an assertion of a workload identity, or as the header of a managed
    /// one, it is good too.
    pub secret: String,
    /// Its object id in the directory.
    pub object: String,
}

impl Principal {
    /// One of a directory of its own.
    pub fn fresh() -> Self {
        Self::of(&guid())
    }

    /// A new one of a directory.
    pub fn of(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            client: guid(),
            secret: format!("secret-{}", guid()),
            object: guid(),
        }
    }
}

/// Makes tokens and knows its own again.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) principals: Vec<Principal>,
    key: Vec<u8>,
}

/// What a token says.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) object: String,
}

impl Issuer {
    pub(super) fn new(principal: Principal) -> Self {
        Self { principals: vec![principal], key: guid().into_bytes() }
    }

    /// A token for `audience` that lasts `seconds`.
    /// <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>
    pub(super) fn token(&self, principal: &Principal, audience: &str, seconds: i64) -> String {
        let Principal { tenant, client, object, .. } = principal;
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now, "nbf": now,
            "exp": now + seconds, "appid": client, "oid": object, "sub": object, "tid": tenant, "ver": "1.0",
        });
        let head = json!({ "typ": "JWT", "alg": "HS256" });
        let text = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", text(&head), text(&claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac(&self.key, &signed));
        format!("{signed}.{signature}")
    }

    /// Reads a token that was made here, for one of `audiences`.
    pub(super) fn read(&self, token: &str, audiences: &[&str]) -> Result<Caller, Refusal> {
        let invalid = |what| Refusal::new(401, "InvalidAuthenticationToken", what);
        let malformed = || invalid("The access token is invalid.");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        if URL_SAFE_NO_PAD.encode(hmac(&self.key, signed)) != signature {
            return Err(invalid("The access token signature is invalid."));
        }
        let (_, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| malformed())?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| malformed())?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let now = jiff::Timestamp::now().as_second();
        let end = claims["exp"].as_i64().unwrap_or_default();
        if end <= now {
            let message = format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                jiff::Timestamp::from_second(end).unwrap_or_default(),
                jiff::Timestamp::now()
            );
            return Err(Refusal::new(401, "ExpiredAuthenticationToken", message));
        }
        if !audiences.contains(&text("aud").trim_end_matches('/')) {
            let message = format!(
                "The access token has been obtained for wrong audience or resource '{}'. It should exactly \
                 match with one of the allowed audiences '{}'.",
                text("aud"),
                audiences.join("','")
            );
            return Err(Refusal::new(401, "InvalidAuthenticationTokenAudience", message));
        }
        Ok(Caller { tenant: text("tid"), client: text("appid"), object: text("oid") })
    }
}
