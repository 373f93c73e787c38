//! What a command reads besides its options and `wbstore.toml`: the variables and files of other tools.

/// Names, each with what it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambient {
    pub variables: &'static [(&'static str, &'static str)],
    pub files: &'static [(&'static str, &'static str)],
}

/// What every command reads that sends requests.
pub(crate) const EVERYWHERE: Ambient = Ambient {
    variables: &[
        ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY", "Proxy for requests"),
        ("NO_PROXY", "Hosts that are reached without the proxy"),
        ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates that are trusted instead of those of the system"),
    ],
    files: &[],
};
