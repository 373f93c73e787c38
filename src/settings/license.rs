//! `LICENSE`: a JSON Web Token, which only W&B can sign. It is read, not verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::malformed::{Flaw, Grammar};
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

const ADVICE: &str = "copy the license from https://deploy.wandb.ai once more, as one line";
/// What is left of a license when its end is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The claims of a license that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LicenseToken {
    /// `None` where the token does not say.
    pub expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
}

impl Grammar for LicenseToken {
    fn read(text: &str) -> Result<Self, Flaw> {
        if let Some(at) = text.find(char::is_whitespace) {
            let compact: String = text.split_whitespace().collect();
            return Err(Flaw::new(at, "white space in the token", "remove it").repaired(compact));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            let reason = format!("not a license: {} parts between dots, not three", parts.len());
            return Err(Flaw::new(0, reason, ADVICE));
        };
        let bytes = |part: &str, at: usize| {
            let unpadded = part.trim_end_matches('=');
            let bytes = URL_SAFE_NO_PAD.decode(unpadded).ok().filter(|bytes| !bytes.is_empty());
            bytes.ok_or_else(|| Flaw::new(at, "a part of the token that is not base64url", ADVICE))
        };
        let payload_at = header.len() + 1;
        bytes(header, 0)?;
        let claims = bytes(payload, payload_at)?;
        bytes(signature, payload_at + payload.len() + 1)?;
        let claims: Claims = serde_json::from_slice(&claims)
            .map_err(|_| Flaw::new(payload_at, "claims that are not a JSON object", ADVICE))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time out of range is refused by the clock type"
        )]
        let expires = match claims.exp {
            None => None,
            Some(seconds) => Some(
                Timestamp::from_second(seconds as i64)
                    .map_err(|_| Flaw::new(payload_at, "an `exp` that is not a date", ADVICE))?,
            ),
        };
        Ok(Self { expires })
    }

    fn masked(&self) -> String {
        "***".to_owned()
    }
}

impl LicenseToken {
    /// The verdict on its end.
    pub(crate) fn verdict(&self, now: Timestamp) -> Verdict {
        const RENEW: &str = "request a new license from W&B, and set it before that date";
        let Some(expires) = self.expires else {
            return inconclusive("the license has no `exp`: when it ends is not known");
        };
        let date = expires.strftime("%Y-%m-%d");
        let left = expires.duration_since(now);
        let days = left.as_hours() / 24;
        if left.is_negative() {
            failed(format!("the license ended on {date}"), "request a new license from W&B")
        } else if left < SOON {
            warned(format!("the license ends on {date}, in {days} days"), RENEW)
        } else {
            passed(format!("the license ends on {date}, in {days} days"))
        }
    }
}
