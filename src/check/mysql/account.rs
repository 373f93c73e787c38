//! The account and database of `MYSQL`, as statements to run.

use super::{Probe, Unanswered};
use crate::text::word;
use crate::verify::{Verdict, inconclusive, passed, warned};

impl Probe<'_> {
    /// The database, where it may be a part of a statement as it is.
    fn database(&self) -> &str {
        plain(&self.url.database).unwrap_or("DATABASE")
    }

    /// `'user'@'%'`.
    fn account(&self) -> String {
        let user = self.url.user.as_deref().and_then(plain).unwrap_or("USER");
        format!("'{user}'@'%'")
    }

    /// Creates the user.
    pub(super) fn account_lines(&self) -> String {
        format!("CREATE USER {} IDENTIFIED BY 'PASSWORD';", self.account())
    }

    /// Creates the database and grants the user all of it (docs.wandb.ai, "MySQL database creation").
    pub(super) fn database_lines(&self) -> String {
        format!(
            "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n{}",
            self.database(),
            self.grant_line()
        )
    }

    pub(super) fn grant_line(&self) -> String {
        format!("GRANT ALL ON {}.* TO {} WITH GRANT OPTION;", self.database(), self.account())
    }

    pub(super) fn plugin_lines(&self) -> String {
        format!(
            "change the account's plugin:\nALTER USER {} IDENTIFIED WITH caching_sha2_password BY 'PASSWORD';",
            self.account()
        )
    }

    pub(super) fn character_set_line(&self) -> String {
        format!("ALTER DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;", self.database())
    }

    /// mysql_native_password is off by default in MySQL 8.4 and removed in 9.0 (MySQL 8.4 manual, "Native
    /// Pluggable Authentication").
    pub(super) async fn plugin(&self, conn: &mut mysql_async::Conn) -> Verdict {
        let shown: Result<Vec<String>, Unanswered> = self.rows(conn, "SHOW CREATE USER CURRENT_USER()").await;
        let statement = match shown {
            Ok(rows) => rows.into_iter().next().unwrap_or_default(),
            Err(unanswered) => return self.unknown("SHOW CREATE USER", &unanswered),
        };
        // What follows the name may be a hash of the password.
        let plugin = statement.split_once("IDENTIFIED WITH '").and_then(|(_, rest)| rest.split_once('\''));
        match plugin.map(|(plugin, _)| self.redaction.shown(plugin)) {
            Some(plugin) if plugin == "mysql_native_password" => {
                warned("mysql_native_password, which is off in MySQL 8.4 and gone in 9", self.plugin_lines())
            }
            Some(plugin) => passed(plugin),
            None => inconclusive("SHOW CREATE USER names no plugin"),
        }
    }
}

/// `name`, where it needs no quotes in a statement.
fn plain(name: &str) -> Option<&str> {
    word(name).filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}
