use proptest::prelude::*;

use super::*;

fn origin(text: &str) -> Origin {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn an_origin_that_browsers_send_is_taken_as_it_is() {
    for good in [
        "https://wandb.acme.com",
        "https://wandb.acme.com:8443",
        "https://wandb",
        "https://wandb_dev.acme.internal",
        "https://10.0.0.7",
        "https://[2001:db8::7]:8443",
        "http://localhost:8080",
        "http://[::1]:8080",
        "http://wandb.acme.com",
    ] {
        let origin = origin(good);
        assert_eq!(origin.as_str(), good);
        assert_eq!(origin.notes(), [""; 0], "{good}");
    }
}

#[test]
fn what_has_one_meaning_is_brought_into_form_and_noted() {
    for (typed, text) in [
        ("https://wandb.acme.com/", "https://wandb.acme.com"),
        ("HTTPS://WandB.Acme.COM", "https://wandb.acme.com"),
        ("https://wandb.acme.com:443", "https://wandb.acme.com"),
        ("http://localhost:80/", "http://localhost"),
        ("https://[2001:DB8:0:0:0:0:0:7]", "https://[2001:db8::7]"),
    ] {
        let origin = origin(typed);
        assert_eq!(origin.as_str(), text);
        assert_eq!(origin.notes(), [format!("`{typed}` is used as {text}, which is what browsers send")]);
    }
}

#[test]
fn international_names_are_shown_in_both_forms() {
    for typed in ["https://bücher.example", "https://BÜCHER.example/", "https://xn--bcher-kva.example"] {
        let origin = origin(typed);
        assert_eq!(origin.as_str(), "https://xn--bcher-kva.example");
        assert_eq!(origin.notes(), ["`bücher.example` is sent by browsers as xn--bcher-kva.example"]);
    }
}

#[test]
fn mixed_scripts_are_warned_of() {
    let mixed = origin("https://p\u{430}ypal.example");
    assert_eq!(
        mixed.notes()[1],
        "warning: `p\u{430}ypal` mixes Cyrillic and Latin letters, as names that imitate others do; \
         check that it is yours"
    );
    // One script a label, and the ordinary mixture of East Asia, are no reason to worry.
    for honest in ["https://bücher.пример", "https://東京タワーtokyo.example"] {
        assert_eq!(origin(honest).notes().len(), 1, "{honest}");
    }
}

#[test]
fn everything_else_is_refused_with_the_reason() {
    for (bad, message, hint) in [
        ("", "the host is empty", "use a form such as `https://wandb.acme.com`"),
        (
            "*",
            "the host `*` has a wildcard, which lets other sites read the bucket with a user's URL",
            "use a form",
        ),
        (
            "null",
            "the host `null` is what browsers send for a page without an origin, such as a local file",
            "use a form",
        ),
        (
            "https://*.acme.com",
            "the host `https://*.acme.com` has a wildcard, which lets other sites read the bucket with a user's URL",
            "use a form",
        ),
        ("wandb.acme.com", "the host `wandb.acme.com` has no scheme", "use `https://wandb.acme.com`"),
        ("//wandb.acme.com", "the host `//wandb.acme.com` has no scheme", "use `https://wandb.acme.com`"),
        ("localhost:8080", "the host `localhost:8080` has no scheme", "use `http://localhost:8080`"),
        ("https:wandb.acme.com", "the host `https:wandb.acme.com` has no scheme", "use a form"),
        ("ftp://a.example", "the host `ftp://a.example` has the scheme `ftp`, not https", "use a form"),
        ("s3://bucket", "the host `s3://bucket` has the scheme `s3`, not https", "use a form"),
        (
            "https://a.example/home",
            "the host `https://a.example/home` has a path",
            "use `https://a.example`; an origin is scheme, host and port only",
        ),
        ("https://a.example//", "the host `https://a.example//` has a path", "use `https://a.example`"),
        ("https://a.example/?", "the host `https://a.example/?…` has a query", "use `https://a.example`"),
        ("https://a.example?x=1", "the host `https://a.example?…` has a query", "use `https://a.example`"),
        ("https://a.example#x", "the host `https://a.example#…` has a fragment", "use `https://a.example`"),
        (
            "https://u:secret@a.example",
            "the host contains a user name or password",
            "omit everything up to `@`",
        ),
        ("https://@a.example", "the host contains a user name or password", "omit everything up to `@`"),
        (
            " https://a.example",
            "the host ` https://a.example` contains a space or a control character",
            "use a form",
        ),
        (
            "https://a.example\n",
            r"the host `https://a.example\n` contains a space or a control character",
            "use a form",
        ),
        (
            "https://a.example,https://b.example",
            "the host `https://a.example,https://b.example` contains a comma",
            "use a form",
        ),
        (
            "https://a.example,b.example",
            "the host `https://a.example,b.example` contains a comma",
            "use a form",
        ),
        ("https://a!b.example", "the host `https://a!b.example` is not a host name", "use a form"),
        ("https://", "the host `https://` has no host", "use a form"),
        ("https:///", "the host `https:///` has no host", "use a form"),
        ("https://:443", "the host `https://:443` has no host", "use a form"),
        ("https://a.example:", "the host `https://a.example:` has no number after the colon", "use a form"),
        ("https://a.example:x", "the host `https://a.example:x` has no number after the colon", "use a form"),
        (
            "https://a.example:0",
            "the host `https://a.example:0` has port 0, which no server listens on",
            "use",
        ),
        ("https://a.example:65536", "the host `https://a.example:65536` is not a host", "use a form"),
        (r"https:\\a.example", r"the host `https:\\a.example` has no scheme", "use a form"),
        (r"https://a.example\", r"the host `https://a.example\` contains `\` or `%`", "use a form"),
        ("https://a%2eexample", r"the host `https://a%2eexample` contains `\` or `%`", "use a form"),
        ("https://a..example", "the host `https://a..example` is not a host name", "use a form"),
        (
            "https://a.example.",
            "the host `https://a.example.` ends with a dot, which browsers send as another origin",
            "use a form",
        ),
        ("https://1", "the host `https://1` is read as the address 0.0.0.1", "use a form"),
        ("https://0x7f.1", "the host `https://0x7f.1` is read as the address 127.0.0.1", "use a form"),
        ("https://0.0.0.0", "the host `https://0.0.0.0` is not the address of a server", "use a form"),
        ("https://[::]", "the host `https://[::]` is not the address of a server", "use a form"),
        ("https://[::1", "the host `https://[::1` has no number after the colon", "use a form"),
        ("https://xn--a", "the host `https://xn--a` is not a host", "use a form"),
    ] {
        let error = bad.parse::<Origin>().map(|origin| origin.to_string()).unwrap_err();
        assert_eq!(error.to_string(), message);
        let given = error.what_next().unwrap_or_default();
        assert!(given.starts_with(hint), "{bad}: {given}");
        assert!(!error.chain().contains("secret") && !given.contains("secret"), "a password is repeated");
    }
}

#[test]
fn http_is_for_this_machine_unless_allowed() {
    for local in [
        "http://localhost:8080",
        "http://wandb.localhost",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://[::1]",
    ] {
        assert!(origin(local).is_loopback(), "{local}");
        assert_eq!(origin(local).require_secure(false).unwrap(), None);
    }
    let remote = origin("http://10.0.0.7:8080");
    let error = remote.require_secure(false).unwrap_err();
    assert_eq!(error.to_string(), "the host `http://10.0.0.7:8080` does not use https");
    assert_eq!(
        error.what_next(),
        Some("use `https://10.0.0.7:8080`, or add `--allow-http` if the server has no certificate")
    );
    assert!(remote.require_secure(true).unwrap().is_some_and(|warning| warning.contains("not encrypted")));
    assert_eq!(origin("https://10.0.0.7").require_secure(false).unwrap(), None);
    assert!(!origin("http://localhost.acme.com").is_loopback());
}

#[test]
fn the_slug_is_the_host_and_the_port() {
    for (text, slug) in [
        ("https://wandb.acme.com", "wandb-acme-com"),
        ("https://wandb.acme.com:8443", "wandb-acme-com-8443"),
        ("https://bücher.example", "xn--bcher-kva-example"),
        ("https://[::1]:8080", "1-8080"),
        ("https://[2001:db8::7]", "2001-db8--7"),
        ("https://_a_", "a"),
    ] {
        assert_eq!(origin(text).slug().as_str(), slug);
    }
    let long = |last: &str| origin(&format!("https://wandb.research.europe.infrastructure.{last}")).slug();
    assert_eq!(long("acme.com").as_str().len(), DeploymentName::MAX);
    assert!(long("acme.com").as_str().starts_with("wandb-research-europe-infrastru"));
    assert_ne!(long("acme.com"), long("acme.org"));
}

fn plausible() -> impl Strategy<Value = String> {
    "(https?|HTTPS|ftp)://[a-zA-Z0-9äжあ.:\\[\\]_@%-]{1,60}(:[0-9]{0,6})?/?"
}

proptest! {
    #[test]
    fn never_panics(input in any::<String>()) {
        let _ = input.parse::<Origin>();
    }

    #[test]
    fn what_is_accepted_parses_to_itself_and_has_a_slug(input in plausible()) {
        if let Ok(origin) = input.parse::<Origin>() {
            let again: Origin = origin.to_string().parse().unwrap();
            prop_assert_eq!(&again, &origin);
            prop_assert_eq!(again.as_str(), origin.as_str());
            prop_assert!(!origin.as_str().ends_with('/') && origin.as_str().is_ascii());
            let slug = origin.slug();
            prop_assert_eq!(slug.as_str().parse::<DeploymentName>().unwrap(), slug);
        }
    }

    #[test]
    fn hosts_of_any_length_have_a_slug(labels in prop::collection::vec("[a-z0-9_-]{1,63}", 1..5), port in 1u16..) {
        if let Ok(origin) = format!("https://{}:{port}", labels.join(".")).parse::<Origin>() {
            let slug = origin.slug();
            prop_assert_eq!(slug.as_str().parse::<DeploymentName>().unwrap(), slug);
        }
    }
}
