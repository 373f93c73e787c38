//! The proxy in force. All clients find it by the same rules, those of the crate hyper-util: the name in capitals
//! first, and one that is set to nothing hides the one in small letters.

use url::Url;

use crate::http::redact;
use crate::verify::{Verdict, passed, warned};

/// The variables that name a proxy, with what they are for.
const PROXIES: [(&str, &str); 3] =
    [("HTTPS_PROXY", "https"), ("HTTP_PROXY", "http"), ("ALL_PROXY", "all other requests")];

/// What `variable` says.
pub(super) fn verdict(variable: impl Fn(&str) -> Option<String>) -> Verdict {
    let in_force = |name: &str| {
        let small = name.to_ascii_lowercase();
        let (name, value) = match variable(name) {
            Some(value) => (name.to_owned(), value),
            None => (small.clone(), variable(&small)?),
        };
        (!value.is_empty()).then_some((name, value))
    };
    let (mut used, mut ignored) = (vec![], vec![]);
    for (name, purpose) in PROXIES {
        let Some((name, value)) = in_force(name) else { continue };
        match shown(&value) {
            // A CGI program gets a header of the request in this variable (httpoxy.org).
            Ok(_) if purpose == "http" && variable("REQUEST_METHOD").is_some() => {
                ignored.push(format!("{name} is not used where REQUEST_METHOD is set"));
            }
            Ok(proxy) => used.push(format!("{name} {proxy}")),
            Err(why) => ignored.push(format!("{name} {why}")),
        }
    }
    let exceptions = in_force("NO_PROXY").map(|(name, hosts)| format!("except for {name} {hosts}"));
    let used = match (used.is_empty(), exceptions) {
        (true, _) => "none is set in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY".to_owned(),
        (false, None) => used.join(", "),
        (false, Some(exceptions)) => format!("{}, {exceptions}", used.join(", ")),
    };
    if ignored.is_empty() {
        return passed(used);
    }
    warned(format!("{}; in force: {used}", ignored.join("; ")), "set it to `http://HOST:PORT`, or unset it")
}

/// The proxy without its user and password.
///
/// # Errors
/// Why it is not used, as a fragment.
fn shown(value: &str) -> Result<String, String> {
    let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    // The value is not repeated: it may hold a password.
    let url = whole.parse::<Url>().map_err(|_| "is not a URL and is ignored".to_owned())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => {}
        "http" | "https" => return Err("has no host and is ignored".to_owned()),
        scheme => return Err(format!("has the scheme {scheme}, which is not supported")),
    }
    let withheld = !url.username().is_empty() || url.password().is_some();
    let proxy = redact(&url).trim_end_matches('/').to_owned();
    Ok(if withheld { format!("{proxy} (user and password withheld)") } else { proxy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Verdict {
        verdict(|name| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_proxy_is_shown_without_its_password() {
        let none = "none is set in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY";
        assert_eq!(with(&[]), passed(none));
        assert_eq!(with(&[("HTTPS_PROXY", ""), ("https_proxy", "http://p:1")]), passed(none));
        assert_eq!(with(&[("NO_PROXY", "acme.com")]), passed(none));
        assert_eq!(
            with(&[("https_proxy", "http://me:hunter2@proxy.acme.com:3128/"), ("no_proxy", ".acme.com")]),
            passed(
                "https_proxy http://proxy.acme.com:3128 (user and password withheld), except for no_proxy .acme.com"
            )
        );
        assert_eq!(with(&[("ALL_PROXY", "proxy:3128")]), passed("ALL_PROXY http://proxy:3128"));
    }

    #[test]
    fn what_is_ignored_is_a_warning_without_the_value() {
        for (variables, why) in [
            (&[("HTTPS_PROXY", "socks5://me:hunter2@proxy:1080")][..], "HTTPS_PROXY has the scheme socks5"),
            (&[("HTTPS_PROXY", "http://hunter2 x")], "HTTPS_PROXY is not a URL"),
            (&[("HTTP_PROXY", "http://proxy"), ("REQUEST_METHOD", "GET")], "HTTP_PROXY is not used"),
        ] {
            let verdict = with(variables);
            let Verdict::Warned { reason, hint } = &verdict else { panic!("{verdict:?}") };
            assert!(reason.starts_with(why) && hint.contains("http://HOST:PORT"), "{verdict:?}");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
