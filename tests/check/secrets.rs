//! No secret is in any line, whatever goes wrong.

use std::fmt::Write as _;

use wbstore_sandbox::ran::finish;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::mysql_double::{Handshake, MysqlDouble, MysqlManners};
use wbstore_sandbox::services::redis_double::{RedisDouble, RedisManners};
use wbstore_sandbox::services::settings::SettingsFile;

/// Has to be encoded, so that both spellings are looked for.
const CANARY: &str = "CANARY@5f3e/9a";
const ENCODED: &str = "CANARY%405f3e%2F9a";

/// Every variable that can hold a secret, with a fault at `seed` of the doubles.
async fn settings(fault: usize) -> SettingsFile {
    let quoting = format!("-ERR unknown command, with args beginning with: '{CANARY}' '{ENCODED}'\r\n");
    let redis = RedisManners::of("7.2.4").password(CANARY);
    let redis = match fault {
        0 => redis,
        1 => redis.answer("AUTH", &quoting),
        2 => redis.answer("INFO", &quoting),
        _ => redis.answer("SET", &quoting),
    };
    let message: &'static str = "Access denied for CANARY@5f3e/9a and CANARY%405f3e%2F9a";
    let mysql = MysqlManners::of("8.4.6");
    let mysql = match fault {
        0 => mysql,
        1 => mysql.handshake(Handshake::Refuses(1045, "28000", message)),
        2 => MysqlManners { version: format!("8.4.{CANARY}"), comment: CANARY.to_owned(), ..mysql },
        _ => MysqlManners { refused: Some(("CREATE", 1142, message)), ..mysql },
    };
    let (redis, mysql) = (RedisDouble::start(redis).await, MysqlDouble::start(mysql).await);
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    SettingsFile::of(&[
        ("HOST", &format!("https://{closed}")),
        ("LICENSE", CANARY),
        ("REDIS", &format!("redis://:{ENCODED}@localhost:{}", redis.port())),
        ("MYSQL", &format!("mysql://u:{ENCODED}@localhost:{}/wandb_local", mysql.port())),
        ("OIDC_ISSUER", &format!("https://{closed}")),
        ("OIDC_CLIENT_ID", "wandb"),
        ("GORILLA_OIDC_SECRET", CANARY),
        ("SLACK_CLIENT_ID", "1.2"),
        ("SLACK_SECRET", CANARY),
        ("BUCKET", &format!("s3://AKIA:{ENCODED}@minio:9000/wandb?region=us-east-1")),
        ("AZURE_STORAGE_KEY", CANARY),
    ])
}

#[tokio::test]
async fn no_secret_is_in_any_line_or_log() {
    for fault in 0..4 {
        let settings = settings(fault).await;
        for format in ["human", "json"] {
            let authority = Authority::new();
            let file = authority.file().display().to_string();
            let arguments =
                ["--write", "--verbose", "--within", "20s", "--format", format, "--ca", file.as_str()];
            let ran = finish(settings.command(&arguments, &[])).await.ends(6);
            let mut said = String::new();
            write!(said, "{ran}").expect("text");
            for secret in [CANARY, ENCODED, "5f3e"] {
                assert!(!said.contains(secret), "{secret} with fault {fault}: {ran}");
            }
        }
    }
}
