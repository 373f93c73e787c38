//! Custom endpoints: which are accepted, and how they are shown.

use std::str::FromStr;

use url::{Host, Url};

use crate::error::{Error, Result};
use crate::http::redact;

/// The address of a service, to which tokens and keys can be sent: `https`, or `http` on this machine.
/// A path is kept; Azurite has the account there, `http://127.0.0.1:10000/<account>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// The address, with a path that does not end with `/` unless it is no more than that.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The endpoint in `variable`, where an address without a scheme has that of `scheme`.
    ///
    /// # Errors
    /// As [`Endpoint::from_str`], with the name of the variable.
    pub(crate) fn in_variable(variable: &str, text: &str, scheme: &str) -> Result<Self> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("{scheme}://{text}") };
        whole.parse().map_err(|error: Error| error.context(variable))
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORM: &str = "use https://host[:port][/path], or http://127.0.0.1:port for an emulator";
        // The address is not repeated: it may hold a password or a signature.
        let refuse = |why: &str, hint: &str| Err(Error::input(format!("the endpoint {why}")).hint(hint));
        let Ok(mut url) = input.parse::<Url>() else { return refuse("is not a URL", FORM) };
        let Some(loopback) = url.host().as_ref().map(is_loopback) else { return refuse("has no host", FORM) };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "contains a user name or password",
                "remove them; credentials are configured separately",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or fragment", FORM);
        }
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return refuse(
                    "is plain http on another machine, so credentials would be sent unencrypted",
                    "use https, or an address of this machine",
                );
            }
            scheme => return refuse(&format!("has the scheme `{scheme}`"), FORM),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url })
    }
}

/// Whether the host is this machine, by name or address.
pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// The custom endpoints of services, as the end of a [scope](crate::resource::Stack::scope); empty where
/// there are none.
pub(crate) fn elsewhere<'a>(services: impl IntoIterator<Item = (&'static str, &'a Endpoint)>) -> String {
    let mut places: Vec<(String, Vec<&str>)> = vec![];
    for (service, endpoint) in services {
        let shown = redact(&endpoint.url).trim_end_matches('/').to_owned();
        match places.iter_mut().find(|(place, _)| *place == shown) {
            Some((_, names)) => names.push(service),
            None => places.push((shown, vec![service])),
        }
    }
    places.iter().map(|(place, names)| format!(", custom endpoint {place} ({})", names.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_accepted_anywhere_and_http_on_this_machine() {
        for (good, kept) in [
            ("https://management.azure.com", "https://management.azure.com/"),
            ("http://127.0.0.1:10000/acme", "http://127.0.0.1:10000/acme"),
            ("http://127.0.0.1:10000/acme/", "http://127.0.0.1:10000/acme"),
            ("http://localhost:10001", "http://localhost:10001/"),
            ("http://[::1]:1/a", "http://[::1]:1/a"),
        ] {
            assert_eq!(good.parse::<Endpoint>().unwrap().url().as_str(), kept);
        }
    }

    #[test]
    fn the_rest_is_rejected_and_never_repeated() {
        for bad in [
            "",
            "hunter2",
            "management.azure.com",
            "http://",
            "http://hunter2.example.com",
            "http://127.0.0.1.hunter2.com",
            "https://me:hunter2@management.azure.com",
            "https://acme.blob.core.windows.net/?sig=hunter2",
            "https://acme.blob.core.windows.net/#hunter2",
            "ftp://hunter2",
            "file:///hunter2",
        ] {
            let error = bad.parse::<Endpoint>().unwrap_err();
            assert!(!error.chain().contains("hunter2"), "{}", error.chain());
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
    }

    #[test]
    fn a_variable_may_leave_the_scheme_out_and_is_named() {
        let set = |text| Endpoint::in_variable("PUBSUB_EMULATOR_HOST", text, "http");
        assert_eq!(set("localhost:8085").unwrap().url().as_str(), "http://localhost:8085/");
        let error = set("10.0.0.1:80").unwrap_err();
        assert!(error.to_string().starts_with("PUBSUB_EMULATOR_HOST: the endpoint is plain http"), "{error}");
    }

    #[test]
    fn services_at_one_endpoint_are_shown_together() {
        let [local, other] =
            ["http://127.0.0.1:4566/", "https://storage.example/path/"].map(|text| text.parse().unwrap());
        assert_eq!(elsewhere([]), "");
        assert_eq!(
            elsewhere([("S3", &local), ("SQS", &other), ("STS", &local)]),
            ", custom endpoint http://127.0.0.1:4566 (S3, STS), custom endpoint https://storage.example/path (SQS)"
        );
    }
}
