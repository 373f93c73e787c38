//! `MYSQL` on doubles: versions, variables, database and account.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::mysql_double::{MysqlDouble, MysqlManners};

use crate::support::{Checked, ENCODED, check};

fn url(port: u16, query: &str) -> String {
    format!("mysql://wandb_local:{ENCODED}@localhost:{port}/wandb_local{query}")
}

#[tokio::test]
async fn a_server_as_wandb_advises_passes() {
    let authority = Authority::new();
    let mysql = MysqlDouble::secured(MysqlManners::of("8.4.6"), &authority.identity(&[])).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), "?tls=true"))], &authority, &[]).await.ends(0);
    ran.is("MYSQL authentication", "passed", &["wandb_local"])
        .is("MYSQL TLS", "passed", &["TLS_AES_256_GCM_SHA384", "certificate verified"])
        .is("MYSQL version", "passed", &["8.4.6", "MySQL Community Server"])
        .is("MYSQL writable", "passed", &["read_only is OFF"])
        .is("MYSQL settings", "passed", &["all 7"])
        .is("MYSQL binary log", "passed", &[])
        .is("MYSQL character set", "passed", &["utf8mb4_general_ci"])
        .is("MYSQL tables", "passed", &["a new database"])
        .is("MYSQL authentication plugin", "passed", &["caching_sha2_password"])
        .is("MYSQL grants", "passed", &[]);
    for statement in mysql.statements() {
        assert!(["SELECT ", "SHOW "].iter().any(|read| statement.starts_with(read)), "{statement}");
    }
}

#[tokio::test]
async fn each_version_has_its_verdict() {
    let authority = Authority::new();
    let aurora =
        |version: &str| MysqlManners { aurora: Some(version.to_owned()), ..MysqlManners::of("8.0.39") };
    let mariadb = MysqlManners { comment: "Debian 12".to_owned(), ..MysqlManners::of("10.11.19-MariaDB") };
    for (manners, verdict, words) in [
        (MysqlManners::of("8.4.0"), "passed", "8.4.0"),
        (MysqlManners::of("8.0.44"), "warned", "end of life"),
        (MysqlManners::of("8.0.31"), "failed", "older than 8.0.32"),
        (MysqlManners::of("5.7.44-log"), "failed", "use MySQL 8.4"),
        (MysqlManners::of("9.7.4"), "inconclusive", "not validated"),
        (mariadb, "failed", "MariaDB"),
        (aurora("3.08.2"), "passed", "Aurora MySQL 3.08.2"),
        (aurora("3.04.3"), "failed", "3.05.2"),
    ] {
        let mysql = MysqlDouble::start(manners).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await;
        ran.is("MYSQL version", verdict, &[words]);
        assert_eq!(ran.code, Some(if verdict == "failed" { 6 } else { 0 }), "{ran}");
    }
}

#[tokio::test]
async fn settings_that_differ_come_with_lines_for_the_file() {
    let authority = Authority::new();
    let manners = MysqlManners::of("8.4.6").variables(&[
        ("binlog_row_image", "FULL"),
        ("max_prepared_stmt_count", "16382"),
        ("log_bin", "OFF"),
    ]);
    let mysql = MysqlDouble::start(manners).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.ends(0);
    ran.is(
        "MYSQL settings",
        "warned",
        &[
            "binlog_row_image is FULL",
            "[mysqld]\nbinlog_row_image = MINIMAL\nmax_prepared_stmt_count = 1048576",
        ],
    )
    .is("MYSQL binary log", "warned", &["log_bin is OFF"]);
}

#[tokio::test]
async fn a_server_that_cannot_be_written_to_fails() {
    let authority = Authority::new();
    for name in ["read_only", "super_read_only", "innodb_read_only"] {
        let mysql = MysqlDouble::start(MysqlManners::of("8.4.6").variables(&[(name, "ON")])).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.ends(6);
        ran.is("MYSQL writable", "failed", &[name, "primary"]);
    }
}

#[tokio::test]
async fn the_database_has_the_right_letters_and_tables() {
    let authority = Authority::new();
    let with = |set: &str, collation: &str, tables: &[&str]| MysqlManners {
        character_set: (set.to_owned(), collation.to_owned()),
        tables: tables.iter().map(ToString::to_string).collect(),
        ..MysqlManners::of("8.4.6")
    };
    for (manners, name, verdict, words) in [
        (
            with("latin1", "latin1_swedish_ci", &[]),
            "MYSQL character set",
            "failed",
            "ALTER DATABASE wandb_local CHARACTER SET utf8mb4",
        ),
        (with("utf8mb4", "utf8mb4_0900_ai_ci", &[]), "MYSQL character set", "warned", "utf8mb4_0900_ai_ci"),
        (
            with("utf8mb4", "utf8mb4_general_ci", &["runs", "schema_migrations"]),
            "MYSQL tables",
            "passed",
            "W&B server has used",
        ),
        (with("utf8mb4", "utf8mb4_general_ci", &["wp_posts"]), "MYSQL tables", "warned", "another program"),
    ] {
        let mysql = MysqlDouble::start(manners).await;
        check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.is(name, verdict, &[words]);
    }
}

#[tokio::test]
async fn missing_grants_come_with_the_line_to_run() {
    let authority = Authority::new();
    let with = |grants: &[&str]| MysqlManners {
        grants: grants.iter().map(ToString::to_string).collect(),
        ..MysqlManners::of("8.4.6")
    };
    let few = with(&["GRANT SELECT, INSERT ON `wandb_local`.* TO `wandb_local`@`%`"]);
    let line = "GRANT ALL ON wandb_local.* TO 'wandb_local'@'%' WITH GRANT OPTION;";
    for (manners, verdict, words) in [
        (few, "failed", line),
        (with(&["GRANT ALL PRIVILEGES ON *.* TO `wandb_local`@`%`"]), "passed", ""),
        (with(&["GRANT `app`@`%` TO `wandb_local`@`%`"]), "inconclusive", "role"),
    ] {
        let mysql = MysqlDouble::start(manners).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await;
        ran.is("MYSQL grants", verdict, &[words]);
    }
}

#[tokio::test]
async fn ten_thousand_grants_are_read() {
    let authority = Authority::new();
    let mut grants: Vec<_> = (0..10_000)
        .map(|number| format!("GRANT ALL PRIVILEGES ON `other_{number}`.* TO `wandb_local`@`%`"))
        .collect();
    grants.push("GRANT ALL PRIVILEGES ON `wandb_local`.* TO `wandb_local`@`%`".to_owned());
    let mysql = MysqlDouble::start(MysqlManners { grants, ..MysqlManners::of("8.4.6") }).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.ends(0);
    ran.is("MYSQL grants", "passed", &[]);
    let endless = vec!["GRANT USAGE ON *.* TO `wandb_local`@`%`".to_owned(); 60_000];
    let mysql = MysqlDouble::start(MysqlManners { grants: endless, ..MysqlManners::of("8.4.6") }).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await;
    ran.is("MYSQL grants", "inconclusive", &["more than 50000 rows"]);
}

#[tokio::test]
async fn an_old_plugin_of_the_account_is_warned_about() {
    let authority = Authority::new();
    let manners = MysqlManners { plugin: "mysql_native_password".to_owned(), ..MysqlManners::of("8.4.6") };
    let mysql = MysqlDouble::start(manners).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &[]).await.ends(0);
    ran.is(
        "MYSQL authentication plugin",
        "warned",
        &["ALTER USER 'wandb_local'@'%' IDENTIFIED WITH caching_sha2_password"],
    );
    assert!(!ran.stdout.contains("HASH"), "{ran}");
}

#[tokio::test]
async fn with_write_a_table_comes_and_goes() {
    let authority = Authority::new();
    let mysql = MysqlDouble::start(MysqlManners::of("8.4.6")).await;
    let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &["--write"]).await.ends(0);
    ran.is("MYSQL write", "passed", &[]);
    let statements = mysql.statements();
    let written: Vec<_> = statements
        .iter()
        .filter(|one| one.contains("wbstore_probe_"))
        .map(|one| one.split(' ').next())
        .collect();
    assert_eq!(written, ["CREATE", "INSERT", "SELECT", "ALTER", "DROP"].map(Some));
    for (manners, words) in [
        (MysqlManners { letter: "?".to_owned(), ..MysqlManners::of("8.4.6") }, "reads differently"),
        (
            MysqlManners {
                refused: Some(("ALTER", 1142, "ALTER command denied")),
                ..MysqlManners::of("8.4.6")
            },
            "GRANT ALL ON",
        ),
        (
            MysqlManners {
                refused: Some(("DROP", 1142, "DROP command denied")),
                ..MysqlManners::of("8.4.6")
            },
            "could not be dropped",
        ),
    ] {
        let mysql = MysqlDouble::start(manners).await;
        let ran = check(&[("MYSQL", &url(mysql.port(), ""))], &authority, &["--write"]).await.ends(6);
        ran.is("MYSQL write", "failed", &[words]);
        assert!(mysql.statements().iter().any(|statement| statement.starts_with("DROP TABLE")));
    }
}
