//! `MYSQL` where something is wrong with the connection or the account.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::mysql_double::{Handshake, MysqlDouble, MysqlManners};

use crate::support::{Checked, ENCODED, check};

fn url(port: u16, query: &str) -> String {
    format!("mysql://wandb_local:{ENCODED}@localhost:{port}/wandb_local{query}")
}

#[tokio::test]
async fn tls_is_as_the_url_says() {
    let authority = Authority::new();
    let other = Authority::new();
    let manners = || MysqlManners::of("8.4.6");
    let plain = MysqlDouble::start(manners()).await;
    let secured = MysqlDouble::secured(manners(), &authority.identity(&[])).await;
    let unknown = MysqlDouble::secured(manners(), &other.identity(&[])).await;
    let expired = MysqlDouble::secured(manners(), &authority.identity_for(&[], -2)).await;
    for (mysql, query, code, verdict, words) in [
        (&plain, "", 0, "warned", "not encrypted"),
        (&plain, "?tls=preferred", 0, "warned", "offers no TLS"),
        (&plain, "?tls=true", 6, "failed", "offers no TLS"),
        (&plain, "?tls=skip-verify", 6, "failed", "offers no TLS"),
        (&secured, "?tls=preferred", 0, "passed", "not verified"),
        (&secured, "?tls=custom&ssl-ca=/etc/ca.pem", 0, "passed", "certificate verified"),
        (&unknown, "?tls=true", 6, "failed", "add `--ca FILE`"),
        (&unknown, "?tls=skip-verify", 0, "passed", "not verified"),
        (&expired, "?tls=true", 6, "failed", "expired on"),
    ] {
        let ran = check(&[("MYSQL", &url(mysql.port(), query))], &authority, &[]).await.ends(code);
        ran.is("MYSQL TLS", verdict, &[words]);
    }
}

#[tokio::test]
async fn each_refusal_comes_with_what_to_run() {
    let authority = Authority::new();
    let grant = "GRANT ALL ON wandb_local.* TO 'wandb_local'@'%' WITH GRANT OPTION;";
    let create = "CREATE DATABASE wandb_local CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;";
    for (number, state, message, name, words) in [
        (
            1045,
            "28000",
            "Access denied for user 'wandb_local'@'10.0.0.1' (using password: YES)",
            "MYSQL authentication",
            ["1045", "CREATE USER 'wandb_local'@'%'"],
        ),
        (
            1044,
            "42000",
            "Access denied for user 'wandb_local'@'%' to database 'wandb_local'",
            "MYSQL database",
            [create, grant],
        ),
        (1049, "42000", "Unknown database 'wandb_local'", "MYSQL database", [create, grant]),
        (
            1130,
            "HY000",
            "Host '10.0.0.1' is not allowed to connect to this MySQL server",
            "MYSQL authentication",
            ["1130", "CREATE USER"],
        ),
        (
            1129,
            "HY000",
            "Host '10.0.0.1' is blocked because of many connection errors",
            "MYSQL connection",
            ["1129", "flush-hosts"],
        ),
        (1040, "08004", "Too many connections", "MYSQL connection", ["1040", "max_connections"]),
        (
            3159,
            "HY000",
            "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
            "MYSQL TLS",
            ["3159", "`tls=true`"],
        ),
        (
            1524,
            "HY000",
            "Plugin 'mysql_native_password' is not loaded",
            "MYSQL authentication",
            ["1524", "ALTER USER"],
        ),
    ] {
        let manners = MysqlManners::of("8.4.6").handshake(Handshake::Refuses(number, state, message));
        let mysql = MysqlDouble::start(manners).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.ends(6);
        ran.is(name, "failed", &words);
    }
}

#[tokio::test]
async fn a_handshake_that_goes_wrong_is_named() {
    let authority = Authority::new();
    for (handshake, name, words) in [
        (Handshake::Closes, "MYSQL connection", "closed the connection during the handshake"),
        (Handshake::Garbage("HTTP/1.1 400 Bad Request\r\n\r\n"), "MYSQL connection", "MySQL"),
        (Handshake::Garbage(""), "MYSQL connection", "a MySQL handshake with localhost"),
        (Handshake::Switches("mysql_old_password"), "MYSQL authentication", "ALTER USER"),
        (
            Handshake::Switches("authentication_kerberos_client"),
            "MYSQL authentication",
            "authentication_kerberos_client",
        ),
        (Handshake::Switches("mysql_clear_password"), "MYSQL authentication", "no password was sent"),
    ] {
        let mysql = MysqlDouble::start(MysqlManners::of("8.4.6").handshake(handshake.clone())).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &["--within", "4s"]).await;
        assert_eq!(ran.code, Some(6), "{handshake:?}\n{ran}");
        ran.is(name, "failed", &[words]);
    }
}

#[tokio::test]
async fn names_that_a_statement_would_have_to_quote_are_not_in_it() {
    let authority = Authority::new();
    let refuses = Handshake::Refuses(1049, "42000", "Unknown database");
    let mysql = MysqlDouble::start(MysqlManners::of("8.4.6").handshake(refuses)).await;
    let url = format!("mysql://a%27b:{ENCODED}@localhost:{}/w%60%3Bx", mysql.port());
    let ran = check(&[("MYSQL", &url)], &authority, &[]).await.ends(6);
    ran.is("MYSQL database", "failed", &["CREATE DATABASE DATABASE", "TO 'USER'@'%'"]);
}
