//! Which versions of MySQL W&B supports (docs.wandb.ai, "Version requirements").

use crate::verify::{Verdict, failed, inconclusive, passed, warned};

const UPGRADE: &str = "use MySQL 8.4";

/// The verdict on `version`, with the server's `comment`, and with the version of Aurora where it is that.
pub(super) fn judge(version: &str, comment: &str, aurora: Option<&str>) -> Verdict {
    let is_mariadb = [version, comment].iter().any(|text| text.to_lowercase().contains("mariadb"));
    if is_mariadb {
        return failed(format!("{version} is MariaDB, which W&B does not support"), UPGRADE);
    }
    if let Some(aurora) = aurora {
        let words = format!("Aurora MySQL {aurora}");
        return match numbers(aurora) {
            Some(found) if found >= (3, 5, 2) => passed(words),
            Some(_) => {
                failed(format!("{words} is older than 3.05.2"), "upgrade to Aurora MySQL 3.05.2 or newer")
            }
            None => inconclusive(words),
        };
    }
    match numbers(version) {
        Some((8, 4, _)) => passed(format!("{version} ({comment})")),
        Some((8, 0, 32..)) => warned(
            format!("{version}: MySQL 8.0 reached its end of life in April 2026"),
            "upgrade to MySQL 8.4",
        ),
        Some((8, 0, _) | (..8, ..)) => failed(format!("{version} is older than 8.0.32"), UPGRADE),
        Some(_) => inconclusive(format!("{version} is not validated by W&B, which names 8.4")),
        None => inconclusive(format!("the server's version is `{version}`")),
    }
}

/// The first three numbers of `version`; what follows them says nothing about it.
fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let end = version.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(version.len());
    let mut numbers = version[..end].split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_by_its_own_version() {
        for (version, comment, aurora, expected) in [
            ("8.4.6", "MySQL Community Server - GPL", None, "passed"),
            ("8.4.5-5", "Percona Server (GPL), Release 5", None, "passed"),
            ("8.0.44-google", "(Google)", None, "warned"),
            ("8.0.32", "Source distribution", None, "warned"),
            ("8.0.31", "Source distribution", None, "failed"),
            ("5.7.44-log", "MySQL Community Server (GPL)", None, "failed"),
            ("8.0.11-TiDB-v8.5.0", "TiDB Server", None, "failed"),
            ("9.7.4", "MySQL Community Server - GPL", None, "inconclusive"),
            ("8.3.0", "MySQL Community Server - GPL", None, "inconclusive"),
            ("10.11.19-MariaDB-0+deb12u1", "Debian 12", None, "failed"),
            ("11.4.2", "MariaDB Server", None, "failed"),
            ("8.0.39", "Source distribution", Some("3.08.2"), "passed"),
            ("8.0.28", "Source distribution", Some("3.05.1"), "failed"),
            ("8.0.28", "Source distribution", Some("?"), "inconclusive"),
            ("?", "", None, "inconclusive"),
            ("99999999999.1", "", None, "inconclusive"),
        ] {
            let verdict = judge(version, comment, aurora);
            let word = serde_json::to_value(&verdict).unwrap()["verdict"].clone();
            assert_eq!(word, expected, "{version}: {verdict:?}");
        }
    }
}
