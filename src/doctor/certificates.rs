//! The certificates that are trusted, and where they come from.

use rustls_native_certs::load_native_certs;

use super::set_of;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// The variables that replace the certificates of this machine (crate rustls-native-certs, "Environment variables").
const READ: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Those by which other tools find a certificate authority: the AWS CLI, Python (and with it the Azure CLI), curl, the
/// Google Cloud CLI.
const UNREAD: [&str; 4] =
    ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"];

pub(super) async fn verdict() -> Verdict {
    let loaded = tokio::task::spawn_blocking(|| {
        let loaded = load_native_certs();
        let errors: Vec<_> = loaded.errors.iter().map(ToString::to_string).collect();
        (loaded.certs.len(), errors)
    });
    match loaded.await {
        Ok((count, errors)) => judge(&set_of(&READ), &set_of(&UNREAD), count, &errors),
        Err(error) => inconclusive(format!("not checked: {error}")),
    }
}

/// What it means that the variables `read` and `unread` are set, and that `count` certificates were found.
fn judge(read: &[&str], unread: &[&str], count: usize, errors: &[String]) -> Verdict {
    let source =
        if read.is_empty() { "of this machine".to_owned() } else { format!("of {}", read.join(" and ")) };
    let hint = match read {
        [] => {
            "install them (Debian: `apt-get install ca-certificates`), or name a PEM file in `SSL_CERT_FILE`"
        }
        _ => "name a PEM file or a folder that can be read, or unset the variable",
    };
    if count == 0 {
        let why = errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return failed(format!("no certificate {source} can be read, and no server is trusted{why}"), hint);
    }
    if let Some(error) = errors.first() {
        return warned(format!("{count} {source}, and some cannot be read: {error}"), hint);
    }
    let system = match read {
        // These have a verifier of their own (crate rustls-platform-verifier).
        [_, ..] if cfg!(any(target_os = "macos", windows)) => {
            "; requests to gcp and azure use those of this machine"
        }
        _ => "",
    };
    match unread.first() {
        Some(first) if read.is_empty() => warned(
            format!("{count} {source}; {} set and not read by wbstore", are(unread)),
            format!(
                "where a proxy inspects TLS, set `SSL_CERT_FILE=\"${first}\"`: the file replaces those of this machine"
            ),
        ),
        _ => passed(format!("{count} {source}{system}")),
    }
}

fn are(names: &[&str]) -> String {
    format!("{} {}", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_they_come_from_is_shown() {
        assert_eq!(judge(&[], &[], 140, &[]), passed("140 of this machine"));
        if cfg!(target_os = "linux") {
            assert_eq!(judge(&["SSL_CERT_FILE"], &["AWS_CA_BUNDLE"], 1, &[]), passed("1 of SSL_CERT_FILE"));
        }
        let unread = judge(&[], &["AWS_CA_BUNDLE"], 140, &[]);
        let Verdict::Warned { reason, hint } = &unread else { panic!("{unread:?}") };
        assert_eq!(reason, "140 of this machine; AWS_CA_BUNDLE is set and not read by wbstore");
        assert!(hint.contains("`SSL_CERT_FILE=\"$AWS_CA_BUNDLE\"`"), "{hint}");
    }

    #[test]
    fn without_any_no_server_is_trusted() {
        let none = judge(&["SSL_CERT_FILE"], &[], 0, &["no such file".to_owned()]);
        assert!(
            matches!(&none, Verdict::Failed { reason, hint: Some(_) } if reason.ends_with(": no such file"))
        );
        assert!(matches!(judge(&[], &[], 2, &["a".to_owned()]), Verdict::Warned { .. }));
    }
}
