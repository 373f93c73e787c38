//! What holds for every value: no panic, a column within the value, a repaired form that is read, and no secret
//! in what is said.

use proptest::prelude::*;

use crate::outside::text;
use crate::secret::Secret;
use crate::settings::bucket_address::BucketAddress;
use crate::settings::host_url::HostUrl;
use crate::settings::issuer::Issuer;
use crate::settings::license::LicenseToken;
use crate::settings::mysql_url::MysqlUrl;
use crate::settings::queue_address::QueueAddress;
use crate::settings::redis_url::RedisUrl;
use crate::settings::slack::{SlackClientId, SlackSecretForm};
use crate::settings::url_parts::encoded;
use crate::settings::{Grammar, dotenv};

/// What is said of `value`: all of a malformed one, or the masked form and the warnings of another.
fn said<G: Grammar>(value: &str) -> Result<String, TestCaseError> {
    match G::parse(value) {
        Ok(read) => Ok(format!("{} {:?}", read.masked(), read.warnings())),
        Err(flaw) => {
            prop_assert!((1..=value.chars().count() + 1).contains(&flaw.column), "{:?}: {:?}", value, flaw);
            prop_assert!(!flaw.reason.is_empty() && !flaw.advice.is_empty());
            if let Some(repaired) = &flaw.repaired {
                prop_assert!(repaired == "***" || G::parse(repaired).is_ok(), "{:?}: {:?}", value, flaw);
            }
            Ok(format!("{} {} {:?}", flaw.reason, flaw.advice, flaw.repaired))
        }
    }
}

fn all_said(value: &str) -> Result<(), TestCaseError> {
    said::<RedisUrl>(value)?;
    said::<MysqlUrl>(value)?;
    said::<BucketAddress>(value)?;
    said::<QueueAddress>(value)?;
    said::<Issuer>(value)?;
    said::<HostUrl>(value)?;
    said::<LicenseToken>(value)?;
    said::<SlackClientId>(value)?;
    said::<SlackSecretForm>(value).map(drop)
}

/// Values that begin as one of W&B's do.
fn value() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(
        &[
            "redis", "rediss", "mysql", "cloudsql", "s3", "gs", "gcs", "az", "cw", "sqs", "pubsub", "https",
            "http", "",
        ][..],
    );
    let rest = prop_oneof!["[a-z0-9:/?#@%&=._é -]{0,40}", text()];
    (scheme, rest).prop_map(|(scheme, rest)| format!("{scheme}:{rest}"))
}

/// A password, with a part of it that no other text has.
fn password() -> impl Strategy<Value = String> {
    let around = "[a-zA-Z0-9@/#%?:+&=$é ~!*-]{0,6}";
    (around, around).prop_map(|(before, after)| format!("{before}CANARY{after}"))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(value in value()) {
        all_said(&value)?;
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(value in text()) {
        all_said(&value)?;
    }

    #[test]
    fn a_raw_password_is_never_repeated_and_its_repaired_form_is_read(password in password()) {
        for value in [
            format!("redis://:{password}@cache.acme.com:6379?tls=true"),
            format!("rediss://user:{password}@cache.acme.com"),
            format!("redis://{password}@cache.acme.com"),
            format!("redis://{password}:@cache.acme.com"),
            format!("redis://cache.acme.com?password={password}"),
            format!("redis://cache.acme.com:6379/?auth=x@{password}"),
        ] {
            let said = said::<RedisUrl>(&value)?;
            prop_assert!(!said.contains("CANARY"), "{}: {}", value, said);
        }
        let said_of_mysql = said::<MysqlUrl>(&format!("mysql://{password}@db.acme.com/wandb_local"))?;
        prop_assert!(!said_of_mysql.contains("CANARY") || password.contains([':']), "{}", said_of_mysql);
        let said_of_mysql = said::<MysqlUrl>(&format!("mysql://wandb:{password}@db.acme.com:3306/wandb_local"))?;
        prop_assert!(!said_of_mysql.contains("CANARY"), "{}", said_of_mysql);
        let value = format!("s3://AK:{password}@minio.acme.com:9000/wandb?region=us-east-1?tls=true");
        let said_of_bucket = said::<BucketAddress>(&value)?;
        prop_assert!(!said_of_bucket.contains("CANARY"), "{}", said_of_bucket);
    }

    #[test]
    fn an_encoded_password_comes_back(password in "\\PC{1,20}") {
        let code = encoded(&password);
        let redis = RedisUrl::parse(&format!("redis://:{code}@h")).unwrap();
        prop_assert_eq!(redis.password.as_ref().map(Secret::reveal), Some(&*password));
        let mysql = MysqlUrl::parse(&format!("mysql://u:{code}@h/d")).unwrap();
        prop_assert_eq!(mysql.password.as_ref().map(Secret::reveal), Some(&*password));
        let bucket = BucketAddress::parse(&format!("s3://AK:{code}@b")).unwrap();
        prop_assert_eq!(bucket.keys.as_ref().and_then(|keys| keys.secret.as_ref()).map(Secret::reveal), Some(&*password));
        // What unescapes a `+` reads the same.
        prop_assert!(!code.contains('+'));
    }

    #[test]
    fn any_file_is_read_or_refused(lines in prop::collection::vec((text(), text()), 0..6)) {
        let file: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let _ = dotenv::read(&file, "wandb.env");
    }

    #[test]
    fn a_quoted_value_comes_back(value in "[^'\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}]{1,30}") {
        let (settings, _) = dotenv::read(&format!("LICENSE='{value}'\n"), "wandb.env").unwrap();
        prop_assert_eq!(settings.iter().next().unwrap().value.reveal(), value.as_str());
    }
}
