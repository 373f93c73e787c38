//! A URL of W&B's own kinds, in parts as typed. They are not those of the URL standard, nor those of any client
//! library: the server reads them with Go's `net/url`, and its schemes and parameters are its own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::malformed::Flaw;
use crate::names::nearest;
use crate::secret::Secret;

/// What need not be encoded in a user name or password: the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a form of URL allows.
pub(super) struct UrlForm {
    pub schemes: &'static [&'static str],
    /// Schemes that other programs use for the same, each with the text that replaces it and a parameter that
    /// then has to be there.
    pub mistaken: &'static [(&'static str, &'static str, Option<&'static str>)],
    pub parameters: &'static [&'static str],
    /// How the value looks.
    pub example: &'static str,
}

/// The parts as typed, each a part of `text`.
pub(super) struct UrlParts<'a> {
    pub text: &'a str,
    pub scheme: &'a str,
    /// Without the `@`.
    pub userinfo: Option<&'a str>,
    pub host: &'a str,
    /// Where the host begins, in bytes, as with the next two.
    pub host_at: usize,
    pub port: Option<&'a str>,
    /// With the slash before it.
    pub path: &'a str,
    pub path_at: usize,
    pub query: Option<&'a str>,
    query_at: usize,
}

/// One parameter of the query.
pub(super) struct Parameter<'a> {
    pub name: &'a str,
    pub value: String,
    /// Where its value begins, in bytes.
    pub at: usize,
}

impl<'a> UrlParts<'a> {
    /// Splits `text`, which must have a scheme of `form` and nothing in it that a URL would have to encode.
    pub(super) fn split(text: &'a str, form: &UrlForm) -> Result<Self, Flaw> {
        check_text(text, form)?;
        let scheme = check_scheme(text, form)?;
        let start = scheme.len() + 3;
        let rest = &text[start..];
        let delimiter = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        match before_the_last_at(rest, delimiter, form) {
            Delimiter::Ends => {}
            Delimiter::Raw => return Err(raw_character(text, start, start + delimiter)),
            Delimiter::Either => {
                let reason = "a raw `?` in the user name or password, or a raw `@` in a parameter";
                let advice = "write `%3F` for a `?`, and `%40` for an `@`";
                return Err(Flaw::new(start + delimiter, reason, advice));
            }
        }
        let (authority, tail) = rest.split_at(delimiter);
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        if let Some(raw) = userinfo.and_then(first_raw) {
            return Err(raw_character(text, start, start + raw));
        }
        if let Some(at) = tail.find('#') {
            return Err(Flaw::new(
                start + delimiter + at,
                "a fragment: all that follows `#` is ignored",
                "remove it, or write `%23` for `#`",
            ));
        }
        let (path, query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (tail, None),
        };
        if let Some(second) = query.and_then(|query| query.find('?')) {
            let at = start + delimiter + path.len() + 1 + second;
            return Err(Flaw::new(at, "a second `?`", "separate parameters with `&`").repaired(format!(
                "{}&{}",
                &text[..at],
                &text[at + 1..]
            )));
        }
        let (host, port) = split_port(host_and_port);
        let path_at = start + delimiter;
        Ok(Self {
            text,
            scheme,
            userinfo,
            host,
            host_at: path_at - host_and_port.len(),
            port,
            path,
            path_at,
            query,
            query_at: path_at + path.len() + 1,
        })
    }

    /// The user name and the password, as they are after decoding.
    pub(super) fn credentials(&self) -> (Option<String>, Option<Secret>) {
        let Some(userinfo) = self.userinfo else { return (None, None) };
        let (user, password) = match userinfo.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (userinfo, None),
        };
        let some = |text: &str| (!text.is_empty()).then(|| decoded(text));
        (some(user), password.and_then(some).map(Secret::new))
    }

    /// The port, or `default`.
    pub(super) fn port_or(&self, default: u16) -> Result<u16, Flaw> {
        let Some(port) = self.port else { return Ok(default) };
        match port.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(Flaw::new(
                self.path_at - port.len(),
                "no port: it is a number from 1 to 65535",
                "write the port as a number",
            )),
        }
    }

    /// Checks that there is a host, of letters that hosts have.
    pub(super) fn check_host(&self, form: &UrlForm) -> Result<(), Flaw> {
        let at = self.host_at;
        if self.host.is_empty() {
            return Err(Flaw::new(
                at,
                "the host is missing",
                format!("use a form such as `{}`", form.example),
            ));
        }
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                self.host.len() <= 253
                    && self.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
            }
        };
        if is_host {
            Ok(())
        } else {
            Err(Flaw::new(at, "not a host name or address", format!("use a form such as `{}`", form.example)))
        }
    }

    /// The parameters of the query.
    pub(super) fn parameters(&self) -> Result<Vec<Parameter<'a>>, Flaw> {
        let mut found: Vec<Parameter<'a>> = vec![];
        let mut next = self.query_at;
        for pair in self.query.unwrap_or_default().split('&') {
            let begin = next;
            next += pair.len() + 1;
            if pair.is_empty() {
                continue;
            }
            let Some((name, value)) = pair.split_once('=') else {
                return Err(Flaw::new(begin, "a parameter without a value", "write it as `name=value`"));
            };
            let value_at = begin + name.len() + 1;
            if let Some(raw) = first_bad_escape(value) {
                return Err(Flaw::new(value_at + raw, "a `%` that encodes nothing", "write `%25` for `%`"));
            }
            if found.iter().any(|other| other.name == name) {
                return Err(Flaw::new(begin, "a parameter that is there twice", "remove one of the two"));
            }
            found.push(Parameter { name, value: decoded(value), at: value_at });
        }
        Ok(found)
    }

    /// The text with `***` for what is or may be a secret: the password, and the user name with `hides_user` or where
    /// there is no password. Parameters that `form` does not have are left out.
    pub(super) fn masked(&self, form: &UrlForm, hides_user: bool) -> String {
        let userinfo = self.userinfo.map_or_else(String::new, |userinfo| {
            let (user, password) = match userinfo.split_once(':') {
                Some((user, _)) => (user, ":***"),
                None => (userinfo, ""),
            };
            let hides_user = !user.is_empty() && (hides_user || password.is_empty());
            format!("{}{password}@", if hides_user { "***" } else { user })
        });
        let is_known =
            |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| form.parameters.contains(&name));
        let known: Vec<_> = self.query.unwrap_or_default().split('&').filter(is_known).collect();
        let query = if known.is_empty() { String::new() } else { format!("?{}", known.join("&")) };
        let address = &self.text[self.host_at..self.path_at];
        format!("{}://{userinfo}{address}{}{query}", self.scheme, self.path)
    }
}

/// `text` as it has to be written in a user name or password, so that `+` too is what it was after any kind of
/// decoding.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Refuses what is around or in a value because of how it was written down.
fn check_text(text: &str, form: &UrlForm) -> Result<(), Flaw> {
    let trimmed = text.trim();
    if trimmed != text {
        let at = if text.starts_with(char::is_whitespace) { 0 } else { trimmed.len() };
        return Err(Flaw::new(at, "white space around the value", "remove it").repaired(trimmed.to_owned()));
    }
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            // `docker run --env-file` keeps quotes as a part of the value.
            return Err(
                Flaw::new(0, "quotes that are a part of the value", "remove them").repaired(inner.to_owned())
            );
        }
    }
    if let Some(at) = text.find(|letter: char| letter.is_control()) {
        return Err(Flaw::new(at, "a control character", format!("use a form such as `{}`", form.example)));
    }
    Ok(())
}

fn check_scheme<'a>(text: &'a str, form: &UrlForm) -> Result<&'a str, Flaw> {
    let first = form.schemes.first().copied().unwrap_or_default();
    let usual = || format!("use a form such as `{}`", form.example);
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err(Flaw::new(0, format!("the scheme `{first}://` is missing"), usual()));
    };
    let lower = scheme.to_ascii_lowercase();
    let slashes = rest.len() - rest.trim_start_matches('/').len();
    if let Some((wrong, right, parameter)) = form.mistaken.iter().find(|(wrong, ..)| *wrong == lower) {
        let value = format!("{right}://{}", rest.trim_start_matches('/'));
        let value = match parameter {
            Some(parameter) if !value.contains(parameter) => {
                // A `?` before the last `@` is a raw one in the password.
                let tail = value.rsplit('@').next().unwrap_or_default();
                let separator = if tail.contains('?') { '&' } else { '?' };
                format!("{value}{separator}{parameter}")
            }
            _ => value,
        };
        let advice = match parameter {
            Some(parameter) => format!("use `{right}://` with `{parameter}`"),
            None => format!("use `{right}://`"),
        };
        return Err(Flaw::new(0, format!("the scheme `{wrong}://`, which W&B does not accept"), advice)
            .repaired(value));
    }
    let Some(known) = form.schemes.iter().find(|known| **known == lower) else {
        // `cache:6379` has a host in the place of the scheme.
        let reason = if slashes == 0 {
            format!("the scheme `{first}://` is missing")
        } else {
            format!("another scheme than `{first}://`")
        };
        return Err(Flaw::new(0, reason, usual()));
    };
    if *known != scheme || slashes < 2 {
        let at = if *known == scheme { scheme.len() + 1 } else { 0 };
        let advice = format!("begin the value with `{known}://`");
        return Err(Flaw::new(at, "a scheme that is not followed by `://` or is not in lowercase", advice)
            .repaired(format!("{known}://{}", rest.trim_start_matches('/'))));
    }
    Ok(&text[..scheme.len()])
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// What the first delimiter after the scheme is.
enum Delimiter {
    /// The end of host and port.
    Ends,
    /// A part of the user name or password, which has to be encoded.
    Raw,
    /// One of the two: what follows is a query of the form `name=…@…`, or the rest of a password.
    Either,
}

/// What the delimiter in `rest`, which follows the scheme, is: an `@` that comes after it belongs to the end of a
/// password, unless it is in the value of a parameter.
fn before_the_last_at(rest: &str, delimiter: usize, form: &UrlForm) -> Delimiter {
    let (authority, tail) = rest.split_at(delimiter);
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    if path.contains('@') {
        return Delimiter::Raw;
    }
    let Some(query) = query.filter(|query| query.contains('@')) else { return Delimiter::Ends };
    let name = query.split_once('=').map_or("@", |(name, _)| name);
    if form.parameters.contains(&name) {
        return Delimiter::Ends;
    }
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let may_be_address = !authority.starts_with(':') && authority.bytes().all(is_host);
    if may_be_address && !name.contains('@') { Delimiter::Either } else { Delimiter::Raw }
}

/// The flaw of the character at the byte `at`, which has to be encoded. The user name and password begin at
/// `start` and end before the last `@`.
fn raw_character(text: &str, start: usize, at: usize) -> Flaw {
    let raw = text[at..].chars().next().unwrap_or_default();
    let code = encoded(raw.encode_utf8(&mut [0; 4]));
    let reason = format!("a character in the user name or password that a URL must encode: {}", shown(raw));
    let flaw = Flaw::new(at, reason, format!("write it as `{code}`"));
    let Some(end) = text.rfind('@').filter(|end| *end >= start) else { return flaw };
    let userinfo = &text[start..end];
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let colon = if userinfo.contains(':') { ":" } else { "" };
    flaw.repaired(format!("{}{}{colon}{}{}", &text[..start], whole(user), whole(password), &text[end..]))
}

fn shown(raw: char) -> String {
    if raw.is_ascii_graphic() && raw != '`' { format!("`{raw}`") } else { "not a plain one".to_owned() }
}

/// `text` with all that has to be encoded, and what already is left as it is.
fn whole(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if is_escape(rest) {
            whole.push_str(&rest[..3]);
            rest = &rest[3..];
            continue;
        }
        let (one, others) = rest.split_at(letter.len_utf8());
        if needs_encoding(letter) {
            whole.push_str(&encoded(one));
        } else {
            whole.push_str(one);
        }
        rest = others;
    }
    whole
}

/// The first character of a user name and password that has to be encoded.
fn first_raw(userinfo: &str) -> Option<usize> {
    userinfo
        .char_indices()
        .find_map(|(at, letter)| (needs_encoding(letter) && !is_escape(&userinfo[at..])).then_some(at))
}

/// Whether Go's `net/url` accepts `letter` in a user name or password as it is (`validUserinfo`). It accepts `@`
/// too, which not every reader does.
fn needs_encoding(letter: char) -> bool {
    !(letter.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=".contains(letter))
}

fn first_bad_escape(text: &str) -> Option<usize> {
    text.match_indices('%').map(|(at, _)| at).find(|at| !is_escape(&text[*at..]))
}

/// Whether `text` begins with `%` and two hexadecimal digits.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// A host, and what follows its last colon outside of brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_bracket..].rfind(':') {
        Some(colon) => (&text[..after_bracket + colon], Some(&text[after_bracket + colon + 1..])),
        None => (text, None),
    }
}

/// What to say of a parameter that `known` does not have.
pub(super) fn unknown_parameter(name: &str, known: &[&'static str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest documented one is `{nearest}`"),
        None => "remove it, or check its name in W&B's documentation".to_owned(),
    }
}
