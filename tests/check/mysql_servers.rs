//! `MYSQL` on real servers.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::mysql::{MysqlKind, MysqlServer};

use crate::support::{Checked, ENCODED, check};

async fn server(kind: MysqlKind) -> MysqlServer {
    MysqlServer::start(kind, &[]).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Checks a server of `kind` whose version has this verdict, with an exit code to match.
async fn works_on(kind: MysqlKind, verdict: &str, code: i32) {
    let authority = Authority::new();
    let mysql = server(kind).await;
    let url = |password: &str, database: &str| {
        format!("mysql://wandb_local:{password}@127.0.0.1:{}/{database}?tls=preferred", mysql.port())
    };
    let right = url(ENCODED, "wandb_local");
    let ran = check(&[("MYSQL", &right)], &authority, &["--write"]).await.ends(code);
    ran.is("MYSQL authentication", "passed", &["wandb_local"])
        .is("MYSQL version", verdict, &[])
        .is("MYSQL writable", "passed", &[])
        .is("MYSQL settings", "warned", &["[mysqld]", "max_prepared_stmt_count = 1048576"])
        .is("MYSQL binary log", "warned", &["log_bin"])
        .is("MYSQL character set", "passed", &["utf8mb4_general_ci"])
        .is("MYSQL grants", "passed", &[])
        .is("MYSQL write", "passed", &[]);
    // The second look sees no table of the first.
    let ran = check(&[("MYSQL", &right)], &authority, &[]).await.ends(code);
    ran.is("MYSQL tables", "passed", &["a new database"]);
    let ran = check(&[("MYSQL", &url("wrong", "wandb_local"))], &authority, &[]).await.ends(6);
    ran.is("MYSQL authentication", "failed", &["1045", "CREATE USER 'wandb_local'@'%'"]);
    let ran = check(&[("MYSQL", &url(ENCODED, "other"))], &authority, &[]).await.ends(6);
    ran.is("MYSQL database", "failed", &["1044", "CREATE DATABASE other"]);
}

#[tokio::test]
#[ignore = "needs mariadbd: cargo sandbox test"]
async fn it_works_on_the_installed_mariadb() {
    works_on(MysqlKind::MariaDb, "failed", 6).await;
}

#[tokio::test]
#[ignore = "needs mysqld: cargo sandbox test"]
async fn it_works_on_the_installed_mysql() {
    works_on(MysqlKind::Mysql, "inconclusive", 0).await;
}
