//! The database of `MYSQL`.

use mysql_async::Conn;

use super::{Probe, Unanswered};
use crate::text::Count;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

const SCHEMA: &str = "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA \
                      WHERE SCHEMA_NAME = DATABASE()";
const TABLES: &str = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";

impl Probe<'_> {
    /// What W&B's documentation creates the database with: utf8mb4, utf8mb4_general_ci.
    pub(super) async fn schema(&self, conn: &mut Conn) -> Verdict {
        let found: Result<Vec<(String, String)>, Unanswered> = self.rows(conn, SCHEMA).await;
        let rows = match found {
            Ok(rows) => rows,
            Err(unanswered) => return self.unknown("SELECT FROM information_schema.SCHEMATA", &unanswered),
        };
        let Some((set, collation)) = rows.into_iter().next() else {
            return inconclusive("the database is not in information_schema.SCHEMATA");
        };
        let (set, collation) = (self.redaction.shown(&set), self.redaction.shown(&collation));
        match (set.as_str(), collation.as_str()) {
            ("utf8mb4", "utf8mb4_general_ci") => passed(format!("{set}, {collation}")),
            ("utf8mb4", _) => warned(
                format!("{set} with {collation}, not utf8mb4_general_ci"),
                format!("before the server creates its tables, run:\n{}", self.character_set_line()),
            ),
            _ => failed(
                format!("{set}, which cannot store all of Unicode"),
                format!("before the server creates its tables, run:\n{}", self.character_set_line()),
            ),
        }
    }

    pub(super) async fn tables(&self, conn: &mut Conn) -> Verdict {
        let found: Result<Vec<String>, Unanswered> = self.rows(conn, TABLES).await;
        let names = match found {
            Ok(names) => names,
            Err(unanswered) => return self.unknown("SELECT FROM information_schema.TABLES", &unanswered),
        };
        let count = Count(names.len() as u64);
        match names.iter().any(|name| name == "schema_migrations") {
            _ if names.is_empty() => passed("none: a new database"),
            true => passed(format!("{count}: a database that a W&B server has used")),
            false => warned(
                format!("{count}, none of them schema_migrations: another program may use this database"),
                "create a database for W&B alone",
            ),
        }
    }
}
