use jiff::Timestamp;

use crate::settings::bucket_address::{BucketAddress, Store, StoreEndpoint};
use crate::settings::host_url::HostUrl;
use crate::settings::issuer::Issuer;
use crate::settings::license::LicenseToken;
use crate::settings::mysql_url::{MysqlUrl, TlsMode};
use crate::settings::queue_address::QueueAddress;
use crate::settings::redis_url::RedisUrl;
use crate::settings::slack::{SlackClientId, SlackSecretForm};
use crate::settings::{Grammar, Malformed, ServerSettings, Variable, check_grammar};
use crate::verify::Verdict;

#[track_caller]
fn malformed<G: Grammar>(text: &str) -> Malformed {
    match G::parse(text) {
        Ok(read) => panic!("{text} is read as {}", read.masked()),
        Err(malformed) => malformed,
    }
}

/// Each malformed value with the column of its flaw and its repaired form.
#[track_caller]
fn are_repaired<G: Grammar>(cases: &[(&str, usize, &str)]) {
    for (text, column, repaired) in cases {
        let flaw = malformed::<G>(text);
        assert_eq!((flaw.column, flaw.repaired.as_deref()), (*column, Some(*repaired)), "{text}: {flaw:?}");
    }
}

/// Each malformed value with the column of its flaw and what is wrong.
#[track_caller]
fn are_refused<G: Grammar>(cases: &[(&str, usize, &str)]) {
    for (text, column, reason) in cases {
        let flaw = malformed::<G>(text);
        assert_eq!(flaw.column, *column, "{text}: {flaw:?}");
        assert!(flaw.reason.contains(reason), "{text}: {flaw:?}");
        assert_eq!(flaw.repaired, None, "{text}");
    }
}

#[track_caller]
fn warns<G: Grammar>(text: &str, reason: &str, hint: &str) {
    let read = G::parse(text).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
    let warnings = read.warnings();
    let found = warnings.iter().any(|one| one.reason.contains(reason) && one.hint.contains(hint));
    assert!(found, "{text}: {warnings:?}");
}

#[test]
fn a_redis_address_has_its_own_parameters() {
    let url = RedisUrl::parse("redis://user:p%40ss@cache.acme.com:6380?tls=true&ttlInSeconds=60&cluster=1")
        .unwrap();
    assert_eq!((url.host.as_str(), url.port, url.tls, url.cluster), ("cache.acme.com", 6380, true, true));
    assert_eq!((url.user.as_deref(), url.ttl_in_seconds), (Some("user"), Some(60)));
    assert_eq!(url.password.as_ref().unwrap().reveal(), "p@ss");
    assert_eq!(url.masked(), "redis://***:***@cache.acme.com:6380?tls=true&ttlInSeconds=60&cluster=1");
    assert_eq!(RedisUrl::parse("redis://[::1]").unwrap().host, "::1");
    assert_eq!(RedisUrl::parse("redis://h?master=m").unwrap().port, 26379);
    assert!(!RedisUrl::parse("redis://h").unwrap().tls);
}

#[test]
fn a_redis_address_is_repaired() {
    are_repaired::<RedisUrl>(&[
        ("rediss://:pw@h:6379", 1, "redis://:***@h:6379?tls=true"),
        ("rediss://:pw@h?ttlInSeconds=1", 1, "redis://:***@h?ttlInSeconds=1&tls=true"),
        ("valkey://h", 1, "redis://h"),
        ("redis:/h", 7, "redis://h"),
        ("Redis://h", 1, "redis://h"),
        ("redis://:p@w@h", 11, "redis://:***@h"),
        ("redis://:p/w@h:6379", 11, "redis://:***@h:6379"),
        ("redis://:12/3@h", 12, "redis://:***@h"),
        ("redis://:p#w@h", 11, "redis://:***@h"),
        ("redis://:p?w@h", 11, "redis://:***@h"),
        ("redis://:p%w@h", 11, "redis://:***@h"),
        ("redis://:p w@h", 11, "redis://:***@h"),
        ("redis://:pé@h", 11, "redis://:***@h"),
        ("rediss://:a@b/c#d?e%f@h", 1, "redis://:***@h?tls=true"),
        ("redis://pw:@h:6379", 9, "redis://:***@h:6379"),
        ("redis://pw@h:6379", 9, "redis://:***@h:6379"),
        ("redis://:@h", 9, "redis://h"),
        ("redis://@h", 9, "redis://h"),
        ("redis://h/0", 10, "redis://h"),
        ("redis://h?tls=true?cluster=true", 19, "redis://h?tls=true&cluster=true"),
        ("\"redis://h\"", 1, "redis://h"),
        (" redis://h", 1, "redis://h"),
    ]);
}

#[test]
fn a_redis_address_that_cannot_be_repaired_is_refused() {
    are_refused::<RedisUrl>(&[
        ("", 1, "the scheme `redis://` is missing"),
        ("h:6379", 1, "the scheme `redis://` is missing"),
        ("http://h", 1, "another scheme"),
        ("redis://", 9, "the host is missing"),
        ("redis://:pw@:6379", 13, "the host is missing"),
        ("redis://h:0", 11, "no port"),
        ("redis://h:x", 11, "no port"),
        ("redis://h_!", 9, "not a host"),
        ("redis://h?tls=yes", 15, "`tls` is no truth value"),
        ("redis://h?dialTimeout=5", 23, "`dialTimeout` is no duration"),
        ("redis://h?poolSize=many", 20, "`poolSize` is no whole number"),
        ("redis://h?tls", 11, "a parameter without a value"),
        ("redis://h?tls=true&tls=false", 20, "there twice"),
        ("redis://h?caCertPath=%zz", 22, "a `%` that encodes nothing"),
        ("redis://h#x", 10, "a fragment"),
        ("redis://:p?tls=true@h?tls=true", 22, "a second `?`"),
        ("redis://h?password=p@ss", 10, "a raw `?` in the user name or password, or a raw `@`"),
    ]);
    warns::<RedisUrl>("redis://h?TLS=true", "column 11: an unknown parameter", "`tls`");
    warns::<RedisUrl>("redis://h?db=1", "column 11", "check its name");
}

#[test]
fn a_mysql_address_has_its_own_schemes_and_parameters() {
    let url = MysqlUrl::parse("mysql://wandb:p%2Bw@db:3307/wandb_local?tls=custom&ssl-ca=/ca.pem").unwrap();
    assert_eq!((url.host.as_str(), url.port, url.database.as_str()), ("db", 3307, "wandb_local"));
    assert_eq!((url.tls, url.ssl_ca.as_deref()), (TlsMode::Custom, Some("/ca.pem")));
    assert_eq!(url.password.as_ref().unwrap().reveal(), "p+w");
    for scheme in ["mysql", "mysql-replica"] {
        assert_eq!(MysqlUrl::parse(&format!("{scheme}://u@h/d")).unwrap().port, 3306);
    }
    assert_eq!(
        MysqlUrl::parse("cloudsql://u:p@project:region:instance/d").unwrap().host,
        "project:region:instance"
    );
}

#[test]
fn a_mysql_address_is_repaired_or_refused() {
    are_repaired::<MysqlUrl>(&[
        ("mysql://u:p@w@h/d", 12, "mysql://u:***@h/d"),
        ("mysql://u:p/w@h:3306/d?tls=true", 12, "mysql://u:***@h:3306/d?tls=true"),
        ("mysql://u:12/3@h/d", 13, "mysql://u:***@h/d"),
        ("mysql://u:p?w@h/d", 12, "mysql://u:***@h/d"),
        ("mysql://u:p#w@h/d", 12, "mysql://u:***@h/d"),
        ("mysql://u:100%@h/d", 14, "mysql://u:***@h/d"),
        ("mysql://u:p@tcp(h:3306)/d", 13, "mysql://u:***@h:3306/d"),
        ("mariadb://u:p@h/d", 1, "mysql://u:***@h/d"),
        ("mysql://u:p@h/d?tls=true?ssl-ca=/x", 25, "mysql://u:***@h/d?tls=true&ssl-ca=/x"),
    ]);
    are_refused::<MysqlUrl>(&[
        ("mysql://u:p@h", 14, "the name of the database is missing"),
        ("mysql://u:p@h/", 14, "the name of the database is missing"),
        ("mysql://u:p@h/a/b", 14, "a path of more than"),
        ("mysql://h/d", 9, "the user name is missing"),
        ("mysql://u:p@h/d?tls=maybe", 21, "an unknown value of `tls`"),
        ("mysql://u:p@h/d?tls=custom", 27, "`tls=custom` without `ssl-ca`"),
        ("u:p@tcp(h)/d", 1, "the scheme `mysql://` is missing"),
    ]);
    warns::<MysqlUrl>("mysql://u@h/d", "no password", "`USER:PASSWORD@HOST`");
    assert_eq!(MysqlUrl::parse("mysql://u@h/d?key=k").unwrap().masked(), "mysql://***@h/d");
    warns::<MysqlUrl>("mysql://u:p@h/d?ssl_ca=/x", "an unknown parameter", "`ssl-ca`");
    warns::<MysqlUrl>("mysql://u:p@h/d?ssl-ca=/x", "`tls=custom` only", "add `tls=custom`");
}

#[test]
fn a_bucket_is_on_any_store() {
    let endpoint = |host: &str, port| StoreEndpoint { host: host.to_owned(), port };
    for (text, store, bucket, prefix) in [
        ("s3://acme", Store::S3, "acme", None),
        ("s3://acme/files", Store::S3, "acme", Some("files")),
        ("s3://AK:SK@acme", Store::S3, "acme", None),
        ("s3:///acme", Store::S3, "acme", None),
        (
            "s3://AK:SK@minio:9000/b/p/q?region=r",
            Store::S3Compatible(endpoint("minio", Some(9000))),
            "b",
            Some("p/q"),
        ),
        ("s3://minio:9000/b?region=r", Store::S3Compatible(endpoint("minio", Some(9000))), "b", None),
        ("cw://AK:SK@cwobject.com/b?tls=true", Store::CoreWeave(endpoint("cwobject.com", None)), "b", None),
        ("cw://b.cwobject.com", Store::CoreWeave(endpoint("b.cwobject.com", None)), "b", None),
        ("gs://acme/files", Store::Gcs, "acme", Some("files")),
        ("gs://sa%40p.iam:key@acme", Store::Gcs, "acme", None),
        ("az://account/container/p", Store::Azure { account: "account".to_owned() }, "container", Some("p")),
        (
            "az://:a2V5%3D@account/container",
            Store::Azure { account: "account".to_owned() },
            "container",
            None,
        ),
    ] {
        let read = BucketAddress::parse(text).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
        assert_eq!(
            (read.store, read.bucket.as_str(), read.prefix.as_deref()),
            (store, bucket, prefix),
            "{text}"
        );
    }
}

#[test]
fn a_bucket_is_repaired_or_refused() {
    are_repaired::<BucketAddress>(&[
        ("gcs://acme", 1, "gs://acme"),
        ("azure://a/c", 1, "az://a/c"),
        ("minio://AK:SK@h:9000/b?region=r", 1, "s3://AK:***@h:9000/b?region=r"),
        ("s3://AK:s/k@h:9000/b?region=r", 10, "s3://AK:***@h:9000/b?region=r"),
        ("s3://AK:SK@h:9000/b?region=r?tls=true", 29, "s3://AK:***@h:9000/b?region=r&tls=true"),
        ("s3://AK:SK@h:9000/b", 20, "s3://AK:***@h:9000/b?region=us-east-1"),
        ("s3://AK:SK@h:9000/b?tls=true", 29, "s3://AK:***@h:9000/b?tls=true&region=us-east-1"),
        (
            "s3://AK:SK@s3.eu-west-1.amazonaws.com/b",
            40,
            "s3://AK:***@s3.eu-west-1.amazonaws.com/b?region=eu-west-1",
        ),
        ("az://:a+b/c==@account/c", 10, "az://:***@account/c"),
    ]);
    are_refused::<BucketAddress>(&[
        ("acme", 1, "the scheme `s3://` is missing"),
        ("https://acme", 1, "another scheme"),
        ("s3://", 6, "the name of the bucket is missing"),
        ("az://account", 13, "the name of the container is missing"),
        ("az://a.blob.core.windows.net/c", 6, "not the name of a storage account"),
        ("s3://AK@h:9000/b?region=r", 6, "only one half of the keys"),
        ("s3://AK:SK@h:9000?region=r", 18, "the name of the bucket is missing"),
        ("gs://a:1", 7, "a port"),
        ("s3://h:9000/b?region=r&tls=x", 28, "`tls` is no truth value"),
    ]);
    warns::<BucketAddress>("s3://AK:SK@h:443/b?region=r", "port 443 without `tls`", "`tls=true`");
    warns::<BucketAddress>(
        "cw://AK:SK@cwobject.com/b?forcePathStyle=true",
        "by host name only",
        "forcePathStyle",
    );
    warns::<BucketAddress>("s3:///acme", "three slashes", "`s3://BUCKET`");
    warns::<BucketAddress>("s3://acme?regoin=r", "an unknown parameter", "`region`");
}

#[test]
fn a_queue_is_of_a_cloud_or_internal() {
    for text in ["sqs://q", "pubsub:/p/t/s", "az://account/q", "internal://"] {
        assert_eq!(QueueAddress::parse(text).unwrap().masked(), text);
    }
    are_repaired::<QueueAddress>(&[
        ("pubsub://p/t/s", 8, "pubsub:/p/t/s"),
        ("https://sqs.us-east-1.amazonaws.com/1/q", 1, "sqs://q"),
        ("arn:aws:sqs:us-east-1:1:q", 1, "sqs://q"),
        ("sqs:/q", 5, "sqs://q"),
        ("internal", 9, "internal://"),
        ("internal:/", 10, "internal://"),
        ("azure://a/q", 1, "az://a/q"),
        ("az://a/q/", 4, "az://a/q"),
    ]);
    are_refused::<QueueAddress>(&[
        ("q", 1, "the scheme is missing"),
        ("kafka://q", 1, "an unknown scheme"),
        ("pubsub:/t/s", 8, "another form"),
        ("az://a", 4, "another form"),
    ]);
}

#[test]
fn an_issuer_is_kept_to_the_byte() {
    for text in
        ["https://acme.okta.com", "https://acme.auth0.com/", "https://login.microsoftonline.com/t/v2.0"]
    {
        assert_eq!(Issuer::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(
        Issuer::parse("https://a.auth0.com/").unwrap().discovery(),
        "https://a.auth0.com/.well-known/openid-configuration"
    );
    are_repaired::<Issuer>(&[
        ("http://a.example", 1, "https://a.example"),
        ("https:/a.example", 7, "https://a.example"),
        ("a.example/x", 1, "https://a.example/x"),
        ("https://a.example?x=1", 18, "https://a.example"),
        ("https://a.example/r/.well-known/openid-configuration", 20, "https://a.example/r"),
        (" https://a.example", 1, "https://a.example"),
    ]);
    are_refused::<Issuer>(&[
        ("https://acme.auth.us-east-1.amazoncognito.com", 9, "the domain of Cognito's login page"),
        ("https://user:pw@a.example", 16, "a user name or password"),
        ("issuer", 1, "the scheme `https://` is missing"),
        ("", 1, "the scheme `https://` is missing"),
    ]);
}

/// A token with `claims`.
fn token(claims: &str) -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
}

#[test]
fn a_license_is_read_and_its_end_judged() {
    let now: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
    let verdict = |seconds: i64| {
        let text = token(&format!(r#"{{"exp":{}}}"#, now.as_second() + seconds));
        LicenseToken::parse(&text).unwrap().verdict(now)
    };
    let day = 86_400;
    assert!(
        matches!(verdict(-1), Verdict::Failed { reason, .. } if reason == "the license ended on 2026-11-25")
    );
    assert!(matches!(verdict(29 * day), Verdict::Warned { reason, .. } if reason.ends_with("in 29 days")));
    assert!(matches!(verdict(31 * day), Verdict::Passed { detail } if detail.ends_with("in 31 days")));
    let endless = LicenseToken::parse(&token("{}")).unwrap();
    assert!(matches!(endless.verdict(now), Verdict::Inconclusive { .. }));
    let broken = format!("{}\n", token("{}"));
    assert_eq!(malformed::<LicenseToken>(&broken).repaired.as_deref(), Some("***"));
    are_refused::<LicenseToken>(&[
        ("canary", 1, "1 parts between dots"),
        ("", 1, "parts between dots"),
        ("e30.!.e30", 5, "not base64url"),
        ("e30.bm8.e30", 5, "not a JSON object"),
    ]);
    assert!(LicenseToken::parse(&token(r#"{"exp":1e300}"#)).is_err());
}

#[test]
fn a_host_is_an_origin() {
    assert_eq!(HostUrl::parse("https://wandb.acme.com").unwrap().masked(), "https://wandb.acme.com");
    warns::<HostUrl>("https://wandb.acme.com/", "ends in a slash", "`https://wandb.acme.com`");
    warns::<HostUrl>("http://wandb.acme.com", "no https", "`https://wandb.acme.com`");
    assert!(HostUrl::parse("http://localhost:8080").unwrap().warnings().is_empty());
    for (text, reason) in [
        ("wandb.acme.com", "has no scheme"),
        ("https://wandb.acme.com/path", "has a path"),
        ("https://user:pw@wandb.acme.com", "a user name or password"),
    ] {
        let flaw = malformed::<HostUrl>(text);
        assert!(flaw.reason.contains(reason) && !flaw.advice.is_empty(), "{flaw:?}");
        assert!(!flaw.reason.contains("pw@"), "{flaw:?}");
    }
}

#[test]
fn slacks_values_have_their_forms() {
    assert!(SlackClientId::parse("1234567890.1234567890123").is_ok());
    assert!(SlackSecretForm::parse(&"0123456789abcdef".repeat(2)).is_ok());
    are_refused::<SlackClientId>(&[
        ("A0123", 1, "two numbers"),
        ("1.", 3, "two numbers"),
        ("1.2.3", 6, "two numbers"),
    ]);
    are_refused::<SlackSecretForm>(&[("xoxb-1", 1, "32 hexadecimal"), ("abc", 4, "32 hexadecimal")]);
}

#[test]
fn each_variable_with_a_grammar_has_a_check() {
    let now = Timestamp::now();
    let check = |variable, value| {
        let settings = ServerSettings::of(&[(variable, value)]);
        check_grammar(&settings, variable, now)
            .into_iter()
            .map(|check| (check.name, check.verdict))
            .collect::<Vec<_>>()
    };
    let [(name, Verdict::Failed { reason, hint })] = &check(Variable::Redis, "rediss://:canary@h")[..] else {
        panic!("it is malformed")
    };
    assert_eq!(name, "REDIS form");
    assert_eq!(reason, "column 1: the scheme `rediss://`, which W&B does not accept");
    assert_eq!(hint.as_deref(), Some("use `redis://` with `tls=true`: `redis://:***@h?tls=true`"));
    assert!(matches!(&check(Variable::OidcAuthMethod, "pkce")[..], [(_, Verdict::Passed { .. })]));
    assert!(matches!(
        &check(Variable::OidcAuthMethod, "client_secret_post")[..],
        [(_, Verdict::Warned { .. })]
    ));
    assert!(matches!(&check(Variable::LocalRestore, "true")[..], [(_, Verdict::Warned { .. })]));
    assert!(matches!(&check(Variable::LoggingEnabled, "yes")[..], [(_, Verdict::Failed { .. })]));
    assert!(check(Variable::AwsRegion, "us-east-1").is_empty());
    assert!(check_grammar(&ServerSettings::default(), Variable::Redis, now).is_empty());
}

#[test]
fn an_address_that_is_written_is_read_back() {
    use crate::settings::bucket_address::{BucketAddress, Store, StoreAddress};
    let address = StoreAddress {
        coreweave: false,
        id: "AK/+1",
        secret: "a/b+c=@:?#%",
        host: "minio.acme.com",
        port: 9000,
        bucket: "acme-wandb",
        region: "us-east-1",
        tls: true,
        force_path_style: true,
    };
    let text = address.to_string();
    assert_eq!(
        text,
        "s3://AK%2F%2B1:a%2Fb%2Bc%3D%40%3A%3F%23%25@minio.acme.com:9000/acme-wandb\
         ?region=us-east-1&tls=true&forcePathStyle=true"
    );
    let read = BucketAddress::parse(&text).unwrap();
    let keys = read.keys.as_ref().unwrap();
    assert_eq!(keys.id.as_deref(), Some("AK/+1"));
    assert_eq!(keys.secret.as_ref().unwrap().reveal(), "a/b+c=@:?#%");
    assert_eq!(
        (read.region.as_deref(), read.tls, read.force_path_style),
        (Some("us-east-1"), Some(true), Some(true))
    );
    assert!(read.warnings().is_empty());
    let masked = StoreAddress { secret: "***", ..address };
    assert_eq!(masked.to_string(), read.masked());
    let coreweave = StoreAddress { coreweave: true, host: "cwobject.com", port: 443, secret: "s", ..masked };
    assert_eq!(coreweave.to_string(), "cw://AK%2F%2B1:s@cwobject.com/acme-wandb?tls=true");
    assert!(matches!(BucketAddress::parse(&coreweave.to_string()).unwrap().store, Store::CoreWeave(_)));
}
