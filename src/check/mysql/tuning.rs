//! The server variables that W&B's documentation lists (docs.wandb.ai, "MySQL configuration parameters").

use std::collections::HashMap;

use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// What a variable should be.
enum Advised {
    Word(&'static str),
    AtLeast(u64),
}

const SETTINGS: [(&str, Advised); 7] = [
    ("binlog_format", Advised::Word("ROW")),
    ("binlog_row_image", Advised::Word("MINIMAL")),
    ("innodb_flush_log_at_trx_commit", Advised::Word("1")),
    ("innodb_online_alter_log_max_size", Advised::AtLeast(268_435_456)),
    ("max_prepared_stmt_count", Advised::AtLeast(1_048_576)),
    ("sort_buffer_size", Advised::AtLeast(67_108_864)),
    ("sync_binlog", Advised::Word("1")),
];

/// `innodb_read_only` is on a reader of Aurora, the others on a replica.
const READ_ONLY: [&str; 3] = ["read_only", "super_read_only", "innodb_read_only"];

/// The statement that selects all of these variables; one that a server does not have is not among the rows.
pub(super) fn statement() -> String {
    let names = SETTINGS.iter().map(|(name, _)| *name).chain(READ_ONLY).chain(["log_bin"]);
    let names: Vec<_> = names.map(|name| format!("'{name}'")).collect();
    format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", names.join(", "))
}

pub(super) fn writable(variables: &HashMap<String, String>) -> Verdict {
    let on = READ_ONLY.iter().find(|name| variables.get(**name).is_some_and(|value| is_on(value)));
    match on {
        Some(name) => failed(format!("{name} is ON"), "write the address of the primary (writer) into MYSQL"),
        None if READ_ONLY.iter().any(|name| variables.contains_key(*name)) => passed("read_only is OFF"),
        None => inconclusive("the server does not report read_only"),
    }
}

pub(super) fn settings(variables: &HashMap<String, String>) -> Verdict {
    let mut other = vec![];
    let mut lines = vec!["[mysqld]".to_owned()];
    for (name, advised) in &SETTINGS {
        let value = variables.get(*name).map(String::as_str);
        let (fits, text) = match advised {
            Advised::Word(word) => {
                (value.is_some_and(|value| value.eq_ignore_ascii_case(word)), (*word).to_owned())
            }
            Advised::AtLeast(least) => (
                value.and_then(|value| value.parse().ok()).is_some_and(|value: u64| value >= *least),
                least.to_string(),
            ),
        };
        if !fits {
            other.push(format!("{name} is {}", value.unwrap_or("not reported")));
            lines.push(format!("{name} = {text}"));
        }
    }
    if other.is_empty() {
        return passed(format!("all {} as W&B advises", SETTINGS.len()));
    }
    let hint =
        format!("add to `my.cnf`, or set in the parameter group of a managed server:\n{}", lines.join("\n"));
    warned(other.join(", "), hint)
}

pub(super) fn binary_log(variables: &HashMap<String, String>) -> Verdict {
    match variables.get("log_bin").map(String::as_str) {
        Some(value) if is_on(value) => passed("ON"),
        Some(_) => warned(
            "log_bin is OFF: the database cannot be restored to a point in time",
            "add `log_bin` to `my.cnf`, or enable backups of a managed server",
        ),
        None => inconclusive("the server does not report log_bin"),
    }
}

fn is_on(value: &str) -> bool {
    value.eq_ignore_ascii_case("ON") || value == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_of_mysql_are_warned_about_with_lines_for_the_file() {
        let defaults = variables(&[
            ("binlog_format", "ROW"),
            ("binlog_row_image", "FULL"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("innodb_online_alter_log_max_size", "134217728"),
            ("max_prepared_stmt_count", "16382"),
            ("sort_buffer_size", "262144"),
            ("sync_binlog", "1"),
        ]);
        let Verdict::Warned { reason, hint } = settings(&defaults) else { panic!("they differ") };
        assert!(reason.contains("binlog_row_image is FULL") && !reason.contains("sync_binlog"), "{reason}");
        assert!(
            hint.ends_with(
                "[mysqld]\nbinlog_row_image = MINIMAL\ninnodb_online_alter_log_max_size = 268435456\n\
                 max_prepared_stmt_count = 1048576\nsort_buffer_size = 67108864"
            ),
            "{hint}"
        );
    }

    #[test]
    fn more_than_advised_is_as_good() {
        let mut good = variables(&[
            ("binlog_format", "row"),
            ("binlog_row_image", "minimal"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("innodb_online_alter_log_max_size", "536870912"),
            ("max_prepared_stmt_count", "4194304"),
            ("sort_buffer_size", "67108864"),
            ("sync_binlog", "1"),
        ]);
        assert!(matches!(settings(&good), Verdict::Passed { .. }));
        good.remove("sync_binlog");
        assert!(
            matches!(settings(&good), Verdict::Warned { reason, .. } if reason == "sync_binlog is not reported")
        );
    }

    #[test]
    fn a_reader_is_not_writable() {
        assert!(matches!(writable(&variables(&[("read_only", "OFF")])), Verdict::Passed { .. }));
        for name in READ_ONLY {
            assert!(matches!(writable(&variables(&[(name, "ON")])), Verdict::Failed { .. }), "{name}");
        }
        assert!(matches!(writable(&HashMap::new()), Verdict::Inconclusive { .. }));
        assert!(matches!(binary_log(&variables(&[("log_bin", "OFF")])), Verdict::Warned { .. }));
    }
}
