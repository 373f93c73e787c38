//! The universe that credentials are for: other clouds that run Google's software have hosts of their own (AIP-4116).

use std::ffi::OsString;

use serde_json::Value;

use super::adc;
use crate::error::{Error, Kind, Result};
use crate::value::quoted;

const GOOGLES: &str = "googleapis.com";

/// Requires the application default credentials to be for Google's own universe, before a token is requested from
/// anywhere (B31). A file that cannot be read is reported by the library.
///
/// # Errors
/// [`Kind::Credentials`] for another universe.
pub(super) fn require_googles(variable: impl Fn(&str) -> Option<OsString>) -> Result<()> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = set("GOOGLE_CLOUD_UNIVERSE_DOMAIN")
        .map(|domain| ("GOOGLE_CLOUD_UNIVERSE_DOMAIN".to_owned(), domain.to_string_lossy().into_owned()));
    let read = adc::file(set).and_then(|(file, _)| {
        let key: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        Some((quoted(&file.to_string_lossy()), key["universe_domain"].as_str()?.to_owned()))
    });
    match named.into_iter().chain(read).find(|(_, domain)| domain != GOOGLES) {
        Some((place, domain)) => Err(Error::new(
            Kind::Credentials,
            format!("the credentials in {place} are for the universe {}", quoted(&domain)),
        )
        .hint(format!("wbstore supports Google Cloud itself, {GOOGLES}; no request was sent"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_googles_own_universe_is_supported() {
        let with = |domain: &'static str| {
            require_googles(move |name| (name == "GOOGLE_CLOUD_UNIVERSE_DOMAIN").then(|| domain.into()))
        };
        assert!(with("").is_ok() && with(GOOGLES).is_ok());
        let error = with("example.cloud").unwrap_err();
        assert_eq!(error.kind(), Kind::Credentials);
        assert!(error.to_string().contains("the universe `example.cloud`"), "{error}");
    }
}
