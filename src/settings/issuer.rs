//! `OIDC_ISSUER`, and the words of `OIDC_AUTH_METHOD`.

use url::{Host, Url};

use super::malformed::{Flaw, Grammar};

/// The issuer as the provider's discovery document has to repeat it, byte for byte (OpenID Connect Discovery 1.0,
/// section 4.3). Nothing of it is normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    text: String,
    host: String,
}

const EXAMPLE: &str = "https://acme.okta.com";
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

impl Issuer {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address of the discovery document: a slash at the end of the issuer is removed first (section 4).
    pub(crate) fn discovery(&self) -> String {
        format!("{}{WELL_KNOWN}", self.text.strip_suffix('/').unwrap_or(&self.text))
    }
}

impl Grammar for Issuer {
    fn read(text: &str) -> Result<Self, Flaw> {
        let form = || format!("use a form such as `{EXAMPLE}`");
        let trimmed = text.trim();
        if trimmed != text {
            return Err(
                Flaw::new(0, "white space around the value", "remove it").repaired(trimmed.to_owned())
            );
        }
        if let Some(at) = text.find(|letter: char| letter.is_control() || letter.is_whitespace()) {
            return Err(Flaw::new(at, "a space or a control character", form()));
        }
        if let Some(at) = text.find('@') {
            return Err(Flaw::new(at, "a user name or password", form()));
        }
        if let Some(at) = text.find(['?', '#']) {
            return Err(Flaw::new(at, "a query or fragment", "remove it").repaired(text[..at].to_owned()));
        }
        let rest = match text.split_once(':') {
            Some(("https", rest)) => rest,
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") =>
            {
                return Err(Flaw::new(0, "a scheme that is not `https://`", "use `https://`")
                    .repaired(format!("https:{rest}")));
            }
            _ if text.contains('.') && !text.contains("//") => {
                return Err(Flaw::new(0, "the scheme `https://` is missing", "add it")
                    .repaired(format!("https://{text}")));
            }
            _ => return Err(Flaw::new(0, "the scheme `https://` is missing", form())),
        };
        if !rest.starts_with("//") || rest.starts_with("///") {
            return Err(Flaw::new(
                "https:".len(),
                "`https:` is not followed by two slashes",
                "write `https://`",
            )
            .repaired(format!("https://{}", rest.trim_start_matches('/'))));
        }
        if let Some(at) = text.find("/.well-known") {
            let advice = "remove everything from `/.well-known`: W&B adds it";
            return Err(Flaw::new(at, "the address of the discovery document, not the issuer", advice)
                .repaired(text[..at].to_owned()));
        }
        let url = Url::parse(text).map_err(|_| Flaw::new(0, "not a URL", form()))?;
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(address) => address.to_string(),
            None => return Err(Flaw::new("https://".len(), "the host is missing", form())),
        };
        if host.ends_with(".amazoncognito.com") {
            let advice = "use the user pool's issuer, `https://cognito-idp.REGION.amazonaws.com/POOL_ID`";
            return Err(Flaw::new(
                "https://".len(),
                "the domain of Cognito's login page, not the issuer",
                advice,
            ));
        }
        Ok(Self { text: text.to_owned(), host })
    }

    fn masked(&self) -> String {
        self.text.clone()
    }
}
