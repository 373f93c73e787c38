//! Lifecycle rules of others that delete what W&B stores. On a bucket or account that is adopted or used they
//! take effect as before, and files of runs are gone without an error anywhere (B8).

use crate::value::quoted;

/// The finding on `rule`, such as "the lifecycle rule `tidy`", which deletes objects below `prefix` (all if
/// empty) at a time such as "30 days after they were created".
pub(crate) fn deletes_objects(rule: &str, prefix: &str, time: &str) -> String {
    let scope = if prefix.is_empty() { String::new() } else { format!(" below {}", quoted(prefix)) };
    format!(
        "{rule} deletes objects{scope} {time}, files of W&B runs included: disable it unless that is intended"
    )
}
