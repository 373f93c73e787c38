//! Where an emulator answers in Azure's place.

use std::net::Ipv6Addr;
use std::str::FromStr;

use url::{Host, Url};

use crate::error::{Error, Result};

/// The address of a service: `https`, or plain `http` on this machine, to which tokens and keys can be
/// sent. A path is kept; Azurite has the account there, `http://127.0.0.1:10000/<account>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// The address, with a path that does not end with `/` unless it is no more than that.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        // The address is not repeated: it may hold a password or a signature.
        let refuse = |why: &str, hint: &str| Err(Error::input(format!("the endpoint {why}")).hint(hint));
        const FORM: &str =
            "use an address such as `https://management.azure.com` or `http://127.0.0.1:10000/account`";
        let Ok(mut url) = input.parse::<Url>() else { return refuse("is no URL", FORM) };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
            None => return refuse("names no host", FORM),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "holds a user name or password",
                "credentials come from `az login` or the environment",
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
                    "is plain http on another machine, which would show the credentials to everybody on the way",
                    "use https",
                );
            }
            _ => return refuse("is neither https nor http", FORM),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_this_machine() {
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
    fn the_rest_is_refused_and_never_repeated() {
        for bad in [
            "",
            "hunter2",
            "management.azure.com",
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
}
