//! Who asks.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::asked::Asked;
use super::keys;
use super::refusal::{Answer, Refusal};

/// An account, or nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Anonymous,
    Account(String),
}

impl Caller {
    /// As the cloud's messages call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Anonymous => "Anonymous caller",
            Self::Account(email) => email,
        }
    }

    /// Reads the bearer token: one of [`token`], or a JWT that the account signed itself
    /// (<https://google.aip.dev/auth/4111>).
    pub(super) fn of(asked: &Asked) -> Answer<Self> {
        let Some(header) = asked.header("authorization") else { return Ok(Self::Anonymous) };
        let email = header.strip_prefix("Bearer ").and_then(|token| opaque(token).or_else(|| jwt(token)));
        email.map(Self::Account).ok_or_else(|| {
            Refusal::unknown_caller(
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                 cookie or other valid authentication credential. See \
                 https://developers.google.com/identity/sign-in/web/devconsole-project.",
            )
            .info("ACCESS_TOKEN_TYPE_UNSUPPORTED", "googleapis.com", &[])
        })
    }

    /// The same where nobody is not enough.
    pub(super) fn known(asked: &Asked) -> Answer<Self> {
        match Self::of(asked)? {
            Self::Anonymous => Err(Refusal::unknown_caller(
                "Request is missing required authentication credential. Expected OAuth 2 access token, \
                 login cookie or other valid authentication credential. See \
                 https://developers.google.com/identity/sign-in/web/devconsole-project.",
            )
            .reason("required")
            .info("CREDENTIALS_MISSING", "googleapis.com", &[])),
            caller @ Self::Account(_) => Ok(caller),
        }
    }
}

/// An access token, which names its holder.
pub(super) fn token(email: &str) -> String {
    format!("ya29.{}", BASE64_URL_SAFE_NO_PAD.encode(email))
}

fn opaque(token: &str) -> Option<String> {
    let email = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("ya29.")?).ok()?;
    String::from_utf8(email).ok()
}

fn jwt(token: &str) -> Option<String> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    if !keys::verify(signed.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?) {
        return None;
    }
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let lives = claims["exp"].as_i64()? > Timestamp::now().as_second();
    // Either one is enough, and none of them is not.
    let meant = claims["scope"].is_string() || claims["aud"].is_string();
    (lives && meant).then(|| claims["iss"].as_str().map(str::to_owned)).flatten()
}

/// `POST /tokeninfo`: whose an access token is
/// (<https://developers.google.com/identity/sign-in/web/backend-auth#calling-the-tokeninfo-endpoint>).
pub(super) fn tokeninfo(asked: &Asked) -> Answer<Value> {
    let token = form_urlencoded::parse(&asked.body).find(|(name, _)| name == "access_token");
    let email = token.and_then(|(_, token)| opaque(&token));
    let email = email.ok_or_else(|| Refusal::invalid("invalid_token").reason("invalid_token"))?;
    Ok(json!({"email": email, "email_verified": "true", "expires_in": "3599"}))
}

/// `POST /token`: an access token for a signed assertion (RFC 7523), at the address that the key
/// file names.
pub(super) fn exchange(asked: &Asked) -> Answer<Value> {
    let refused = || Refusal::invalid("invalid_grant").reason("invalid_grant");
    if asked.method != Method::POST {
        return Err(Refusal::unknown_call("any other way to a token"));
    }
    let form = || form_urlencoded::parse(&asked.body);
    // A user's own credentials (RFC 6749, section 6); the token that renews them names the user here. Google's
    // library sends JSON, which its service reads as well as a form.
    let renewing = form().find(|(name, _)| name == "refresh_token").map(|(_, value)| value.into_owned());
    let document: Option<Value> = serde_json::from_slice(&asked.body).ok();
    let renewing = renewing.or_else(|| Some(document?["refresh_token"].as_str()?.to_owned()));
    if let Some(renewing) = renewing {
        return Ok(json!({"access_token": token(&renewing), "expires_in": 3599, "token_type": "Bearer"}));
    }
    let assertion = form()
        .find(|(name, _)| name == "assertion")
        .map(|(_, value)| value.into_owned())
        .ok_or_else(refused)?;
    let email = jwt(&assertion).ok_or_else(refused)?;
    Ok(json!({"access_token": token(&email), "expires_in": 3599, "token_type": "Bearer"}))
}
