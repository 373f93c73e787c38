//! The origin of a W&B server: what a browser sends in the `Origin` header.

use std::hash::{Hash, Hasher};
use std::str::FromStr;

use sha2::{Digest, Sha256};
use url::{Host, Url};

use crate::endpoint::is_loopback;
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

mod script;

/// `scheme://host[:port]`, exactly as a browser serialises it (HTML standard, "Origin"; Fetch
/// standard, "`Origin` header"): lower case, international names in punycode, IPv6 in brackets, no
/// default port, no trailing slash.
///
/// S3 compares this text with the header by characters, so an origin that is off by a slash blocks
/// every upload. Therefore what has one clear meaning is brought into that form, with a
/// [note](Self::notes), and everything else is refused; above all what would open the bucket to
/// more than one origin.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    text: String,
    host: Host,
    port: Option<u16>,
    secure: bool,
    notes: Vec<String>,
}

text_value!(Origin);

/// Two origins are the same when a browser sends the same text; however they were typed.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

const EXAMPLE: &str = "https://wandb.acme.com";

impl Origin {
    /// What was changed to make it what a browser sends, and what looks wrong; one sentence each.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether the host is this machine, by name or address: `localhost` and below, `127.0.0.0/8`
    /// and `::1`. Browsers trust these without TLS (W3C Secure Contexts, section 3.1).
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Checks that the traffic between browser and bucket is encrypted or local: `https`, or
    /// a host that is this machine. With `allow_http` the failure becomes a warning.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for `http` to another machine without `allow_http`.
    pub(crate) fn require_secure(&self, allow_http: bool) -> Result<Option<String>> {
        if self.secure || self.is_loopback() {
            return Ok(None);
        }
        if allow_http {
            return Ok(Some(format!(
                "{self} is not encrypted: anyone on the network path can read the presigned URLs and, with them, the files"
            )));
        }
        Err(Error::input(format!("the host {} does not use https", quoted(&self.text))).hint(format!(
            "use `{}`, or add `--allow-http` if the server has no certificate",
            self.text.replacen("http://", "https://", 1)
        )))
    }

    /// The name of the deployment where none is given: the host with hyphens for all that is not a
    /// letter or digit, and the port where there is one.
    ///
    /// A host too long for a name is cut, and a hash of the origin put in place of the rest, so
    /// that two long hosts do not become one deployment.
    pub(crate) fn slug(&self) -> DeploymentName {
        const HASH: usize = 8;
        let port = self.port.map(|port| format!("-{port}")).unwrap_or_default();
        let host = self.host.to_string().to_ascii_lowercase();
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let whole: String = format!("{}{port}", host.trim_matches(['[', ']'])).chars().map(plain).collect();
        let whole = whole.trim_matches('-');
        if let Ok(name) = whole.parse() {
            return name;
        }
        let kept: String = whole.chars().take(DeploymentName::MAX - HASH - 1).collect();
        let digest = Sha256::digest(&self.text);
        let hash: String = digest.iter().take(HASH / 2).map(|byte| format!("{byte:02x}")).collect();
        DeploymentName::from_parts(kept.trim_matches('-'), &hash)
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let typed = Typed::split(input)?;
        let url = Url::parse(&format!("{}://{}", typed.scheme, typed.authority))
            .map_err(|source| refuse(input, "is not a host").because(source))?;
        let host = url.host().map(|host| host.to_owned()).ok_or_else(|| refuse(input, "has no host"))?;
        check_host(input, typed.host, &host)?;
        if url.port() == Some(0) {
            return Err(refuse(input, "has port 0, which no server listens on"));
        }
        let text = url.origin().ascii_serialization();
        let mut notes = vec![];
        if let Host::Domain(name) = &host {
            script::describe(name, &mut notes);
        }
        // The note on an international name already shows both forms.
        if input != text && notes.is_empty() {
            notes.push(format!("{} is used as {text}, which is what browsers send", shown(input)));
        }
        Ok(Self { text, host, port: url.port(), secure: url.scheme() == "https", notes })
    }
}

/// What was typed, in parts, before the URL parser normalises any of it.
struct Typed<'a> {
    scheme: &'a str,
    authority: &'a str,
    host: &'a str,
}

impl<'a> Typed<'a> {
    /// Splits `input`, and refuses what the URL standard would drop or repair: spaces, line breaks,
    /// backslashes, empty parts.
    fn split(input: &'a str) -> Result<Self> {
        let refused = |why: &str| refuse(input, why);
        if input.is_empty() {
            return Err(Error::input("the host is empty").hint(format!("use a form such as `{EXAMPLE}`")));
        }
        if input.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refused("contains a space or a control character"));
        }
        // Before all that repeats the input: a password must not end up on a terminal or in a log.
        if input.contains('@') {
            return Err(Error::input("the host contains a user name or password")
                .hint(format!("omit everything up to `@`: `{EXAMPLE}`")));
        }
        if input == "null" {
            return Err(refused("is what browsers send for a page without an origin, such as a local file"));
        }
        if input.contains('*') {
            return Err(refused("has a wildcard, which lets other sites read the bucket with a user's URL"));
        }
        if input.contains(',') {
            return Err(Error::input(format!("the host {} contains a comma", shown(input)))
                .hint(format!("use a form such as `{EXAMPLE}`; `--host` may be repeated")));
        }
        let Some((scheme, rest)) = input.split_once("://") else {
            return Err(without_scheme(input));
        };
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(refused(&format!("has the scheme {}, not https", quoted(scheme))));
        }
        if rest.contains('\\') || rest.contains('%') {
            return Err(refused("contains `\\` or `%`"));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        match tail.as_bytes() {
            [] | [b'/'] => {}
            [b'?', ..] | [b'/', b'?', ..] => return Err(cut(input, scheme, authority, "has a query")),
            [b'#', ..] | [b'/', b'#', ..] => return Err(cut(input, scheme, authority, "has a fragment")),
            _ => return Err(cut(input, scheme, authority, "has a path")),
        }
        // The colons of an IPv6 address are inside brackets.
        let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[after_bracket..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(after_bracket + colon);
                (host, Some(&port[1..]))
            }
            None => (authority, None),
        };
        if host.is_empty() {
            return Err(refused("has no host"));
        }
        if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit())) {
            return Err(refused("has no number after the colon"));
        }
        Ok(Self { scheme, authority, host })
    }
}

fn refuse(input: &str, why: &str) -> Error {
    Error::input(format!("the host {} {why}", shown(input))).hint(format!("use a form such as `{EXAMPLE}`"))
}

/// Refuses what follows the host, and shows what is left without it.
/// `input` without its query and fragment, which may hold a token.
fn shown(input: &str) -> String {
    match input.find(['?', '#']) {
        Some(start) => quoted(&format!("{}…", &input[..=start])),
        None => quoted(input),
    }
}

fn cut(input: &str, scheme: &str, authority: &str, why: &str) -> Error {
    let error = Error::input(format!("the host {} {why}", shown(input)));
    error.hint(match format!("{scheme}://{authority}").parse::<Origin>() {
        Ok(origin) => format!("use `{origin}`; an origin is scheme, host and port only"),
        Err(_) => format!("use a form such as `{EXAMPLE}`"),
    })
}

fn without_scheme(input: &str) -> Error {
    let secure = format!("https://{}", input.trim_start_matches('/')).parse::<Origin>();
    let error = Error::input(format!("the host {} has no scheme", shown(input)));
    error.hint(match secure {
        Ok(origin) if origin.is_loopback() => {
            format!("use `{}`", origin.as_str().replacen("https://", "http://", 1))
        }
        Ok(origin) => format!("use `{origin}`"),
        Err(_) => format!("use a form such as `{EXAMPLE}`"),
    })
}

/// Holds the host to what DNS and a certificate can carry; the URL standard lets far more through.
fn check_host(input: &str, typed: &str, host: &Host) -> Result<()> {
    match host {
        Host::Domain(name) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
            if name.ends_with('.') {
                return Err(refuse(input, "ends with a dot, which browsers send as another origin"));
            }
            if name.len() > 253 || !name.split('.').all(label) {
                return Err(refuse(input, "is not a host name"));
            }
        }
        // `https://1` is the address 0.0.0.1 to a browser.
        Host::Ipv4(address) if typed != address.to_string() => {
            return Err(refuse(input, &format!("is read as the address {address}")));
        }
        Host::Ipv4(address) if address.is_unspecified() => {
            return Err(refuse(input, "is not the address of a server"));
        }
        Host::Ipv6(address) if address.is_unspecified() => {
            return Err(refuse(input, "is not the address of a server"));
        }
        Host::Ipv4(_) | Host::Ipv6(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
