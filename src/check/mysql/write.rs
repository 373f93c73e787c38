//! With `--write`: a table is created, filled, altered and dropped.

use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::{ANSWER_WITHIN, Probe, Unanswered};
use crate::verify::{Verdict, failed, passed};

/// Four bytes in UTF-8, which the character set `utf8mb3` cannot store.
const LETTER: &str = "😀";
/// How long dropping the table may take, also after an interrupt and when no time is left.
const CLEANUP_WITHIN: Duration = Duration::from_secs(5);

/// A statement that failed.
struct Undone {
    statement: String,
    why: Unanswered,
}

impl Probe<'_> {
    pub(super) async fn write(&self, conn: &mut Conn) -> Verdict {
        let table = format!("wbstore_probe_{:016x}", fastrand::u64(..));
        let written = self.fill(conn, &table).await;
        // Whatever became of the first statement: its answer may have been lost.
        if !self.drop_table(conn, &table).await
            && !matches!(&written, Err(undone) if undone.is_refused_creation())
        {
            return failed(
                format!("the table {table} could not be dropped"),
                format!("run `DROP TABLE IF EXISTS {table}` in the database of MYSQL"),
            );
        }
        match written {
            Ok(words) if words == [LETTER] => {
                passed("a table was created, filled with a letter of four bytes, altered and dropped")
            }
            Ok(_) => failed(
                "a letter of four bytes reads differently from how it was written",
                format!("before the server creates its tables, run:\n{}", self.character_set_line()),
            ),
            Err(Undone { statement, why }) => failed(
                format!("{}: {}", first_words(&statement), self.cause(&why)),
                format!("run as an administrator of the MySQL server:\n{}", self.grant_line()),
            ),
        }
    }

    async fn fill(&self, conn: &mut Conn, table: &str) -> Result<Vec<String>, Undone> {
        self.execute(conn, format!("CREATE TABLE {table} (id INT PRIMARY KEY, word VARCHAR(16))")).await?;
        self.execute(conn, format!("INSERT INTO {table} VALUES (1, '{LETTER}')")).await?;
        let statement = format!("SELECT word FROM {table}");
        let words = self.rows(conn, &statement).await.map_err(|why| Undone { statement, why })?;
        self.execute(conn, format!("ALTER TABLE {table} ADD COLUMN note TEXT")).await?;
        Ok(words)
    }

    async fn execute(&self, conn: &mut Conn, statement: String) -> Result<(), Undone> {
        let what = format!("an answer to {}", first_words(&statement));
        let sent =
            self.run.deadline.wait_at_most(ANSWER_WITHIN, what, conn.query_drop(statement.as_str())).await;
        let answered = sent.map_err(Unanswered::Late).and_then(|answer| answer.map_err(Unanswered::Error));
        answered.map_err(|why| Undone { statement, why })
    }

    /// Drops `table`, on another connection where a statement that was given up still occupies the first, and
    /// returns whether it is gone.
    async fn drop_table(&self, conn: &mut Conn, table: &str) -> bool {
        let statement = format!("DROP TABLE IF EXISTS {table}");
        let dropping = tokio::time::timeout(CLEANUP_WITHIN, conn.query_drop(statement.as_str()));
        if matches!(dropping.await, Ok(Ok(()))) {
            return true;
        }
        let anew = async {
            let mut conn = Conn::new(conn.opts().clone()).await?;
            conn.query_drop(statement).await
        };
        matches!(tokio::time::timeout(CLEANUP_WITHIN, anew).await, Ok(Ok(())))
    }
}

impl Undone {
    /// Whether the server refused to create the table.
    fn is_refused_creation(&self) -> bool {
        self.statement.starts_with("CREATE")
            && matches!(self.why, Unanswered::Error(mysql_async::Error::Server(_)))
    }
}

/// `CREATE TABLE`, without the name.
fn first_words(statement: &str) -> String {
    statement.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
