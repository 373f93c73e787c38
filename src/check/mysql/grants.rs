//! What the account may do with its database.

use std::collections::BTreeSet;

use mysql_async::Conn;

use super::{Probe, Unanswered};
use crate::verify::{Verdict, failed, inconclusive, passed};

/// What creating and migrating tables requires, where the account has not all privileges.
const REQUIRED: [&str; 9] =
    ["ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "REFERENCES", "SELECT", "UPDATE"];

/// The privileges on one database.
#[derive(Debug, Default, PartialEq, Eq)]
struct Granted {
    privileges: BTreeSet<&'static str>,
    /// Some may come through a role.
    by_roles: bool,
}

impl Probe<'_> {
    pub(super) async fn grants(&self, conn: &mut Conn) -> Verdict {
        let shown: Result<Vec<String>, Unanswered> = self.rows(conn, "SHOW GRANTS").await;
        let granted = match shown {
            Ok(lines) => Granted::read(lines.iter().map(String::as_str), &self.url.database),
            Err(unanswered) => return self.unknown("SHOW GRANTS", &unanswered),
        };
        let missing: Vec<_> =
            REQUIRED.into_iter().filter(|name| !granted.privileges.contains(name)).collect();
        match (missing.is_empty(), granted.by_roles) {
            (true, _) => passed("all that the server requires on its database"),
            (false, true) => inconclusive(format!("{} may come through a role", missing.join(", "))),
            (false, false) => failed(
                format!("{} missing on the database", missing.join(", ")),
                format!("run as an administrator of the MySQL server:\n{}", self.grant_line()),
            ),
        }
    }
}

impl Granted {
    /// Reads the lines of `SHOW GRANTS` (MySQL 8.4 manual, "SHOW GRANTS Statement").
    fn read<'a>(lines: impl IntoIterator<Item = &'a str>, database: &str) -> Self {
        let mut granted = Self::default();
        let mut revoked = vec![];
        for line in lines {
            let (revokes, rest) = match (line.strip_prefix("GRANT "), line.strip_prefix("REVOKE ")) {
                (Some(rest), _) => (false, rest),
                (_, Some(rest)) => (true, rest),
                _ => continue,
            };
            let Some((privileges, target)) = rest.split_once(" ON ") else {
                // GRANT `role`@`%` TO …
                granted.by_roles |= !revokes && !rest.starts_with("PROXY");
                continue;
            };
            let target = target
                .split_once(if revokes { " FROM " } else { " TO " })
                .map_or(target, |(target, _)| target);
            if !is_of(target, database) {
                continue;
            }
            let names = privileges.split(", ").map(str::trim);
            let all = names.clone().any(|name| name.starts_with("ALL"));
            let found = REQUIRED.into_iter().filter(|name| all || names.clone().any(|one| one == *name));
            if revokes { revoked.extend(found) } else { granted.privileges.extend(found) }
        }
        // Restrictions of one database that a global grant has (`partial_revokes`).
        granted.privileges.retain(|name| !revoked.contains(name));
        granted
    }
}

/// Whether `target`, such as `*.*` or `` `wandb\_local`.* ``, is all of `database`.
fn is_of(target: &str, database: &str) -> bool {
    let Some(schema) = target.strip_suffix(".*") else { return false };
    let pattern: Vec<char> = schema.trim_matches('`').replace("``", "`").chars().collect();
    let name: Vec<char> = database.chars().collect();
    schema == "*" || is_like(&name, &pattern)
}

/// SQL's `LIKE`, in which a database is granted.
fn is_like(name: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['%', rest @ ..] => (0..=name.len()).any(|at| is_like(&name[at..], rest)),
        ['_', rest @ ..] => !name.is_empty() && is_like(&name[1..], rest),
        ['\\', letter, rest @ ..] | [letter, rest @ ..] => {
            name.first() == Some(letter) && is_like(&name[1..], rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(lines: &[&str]) -> Granted {
        Granted::read(lines.iter().copied(), "wandb_local")
    }

    fn is_complete(granted: &Granted) -> bool {
        granted.privileges.len() == REQUIRED.len()
    }

    #[test]
    fn all_on_the_database_or_everywhere_is_enough() {
        for line in [
            r"GRANT ALL PRIVILEGES ON `wandb\_local`.* TO `wandb_local`@`%` WITH GRANT OPTION",
            "GRANT ALL PRIVILEGES ON `wandb_local`.* TO `wandb_local`@`%`",
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION",
            "GRANT ALL PRIVILEGES ON `wandb%`.* TO `u`@`%`",
            "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER ON `wandb_local`.* TO `u`@`%`",
        ] {
            assert!(is_complete(&on(&["GRANT USAGE ON *.* TO `u`@`%`", line])), "{line}");
        }
    }

    #[test]
    fn what_is_granted_elsewhere_does_not_count() {
        for line in [
            "GRANT ALL PRIVILEGES ON `other`.* TO `u`@`%`",
            r"GRANT ALL PRIVILEGES ON `wandb\_loca`.* TO `u`@`%`",
            "GRANT ALL PRIVILEGES ON `wandb_local`.`runs` TO `u`@`%`",
            "GRANT PROXY ON ``@`` TO `u`@`%`",
        ] {
            assert_eq!(on(&[line]), Granted::default(), "{line}");
        }
        let some = on(&["GRANT SELECT, INSERT ON `wandb_local`.* TO `u`@`%`"]);
        assert_eq!(some.privileges.into_iter().collect::<Vec<_>>(), ["INSERT", "SELECT"]);
    }

    #[test]
    fn roles_and_partial_revokes() {
        assert!(on(&["GRANT `app`@`%` TO `u`@`%`"]).by_roles);
        let granted =
            on(&["GRANT ALL PRIVILEGES ON *.* TO `u`@`%`", "REVOKE DROP ON `wandb_local`.* FROM `u`@`%`"]);
        assert_eq!(granted.privileges.len(), REQUIRED.len() - 1);
    }

    #[test]
    fn a_pattern_of_many_wildcards_ends() {
        let pattern: Vec<char> = "%_".repeat(8).chars().chain(['x']).collect();
        assert!(!is_like(&"wandb_local_for_tests".chars().collect::<Vec<_>>(), &pattern));
    }
}
