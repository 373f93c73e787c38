//! The mark as labels, whose values are what both Cloud Storage and Pub/Sub allow: at most 63 of lower-case
//! letters, digits, `_` and `-` (Cloud Storage docs, "Bucket labels"; Pub/Sub docs, "Label topics and
//! subscriptions").

use serde_json::{Value, json};

use crate::mark::{Codec, Entries};

/// The value of [`QUEUE`](crate::mark::QUEUE) on a bucket whose events go to Pub/Sub.
pub(super) const PUBSUB: &str = "pubsub";
/// On a bucket: the fingerprint of our CORS entry, which has no name of its own.
pub(super) const CORS: &str = "cors";
/// On adopted resources: the [account](account_label) that was granted a role there, so that only that grant
/// is revoked.
pub(super) const GRANTED: &str = "granted";
/// On a bucket: the [account](account_label) that was allowed to sign as itself.
pub(super) const SIGNER: &str = "signer";

pub(super) const LABELS: Codec = Codec { seconds: true, most: 64, ..Codec::DASHED };

/// The suffix after the project in the address of a user-created service account.
const ACCOUNTS: &str = "iam.gserviceaccount.com";

/// The address of a service account in the form of a label value: its name, `_`, and its project, such as
/// `wandb_acme-prod` for `wandb@acme-prod.iam.gserviceaccount.com`.
pub(super) fn account_label(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let home = domain.split('.').next().unwrap_or_default();
    format!("{name}_{home}").replace('.', "-").chars().take(63).collect()
}

/// The address in `label`, if it is that of a user-created account.
pub(super) fn account_of(label: &str) -> Option<String> {
    match label.split_once('_')? {
        (_, "" | "developer" | "appspot" | "gs-project-accounts") => None,
        (name, project) => Some(format!("{name}@{project}.{ACCOUNTS}")),
    }
}

/// The JSON merge patch that turns the labels `before` into `after` (RFC 7396), where null removes a label.
pub(super) fn patch(before: &Entries, after: &Entries) -> Value {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let set = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    gone.chain(set.map(|(key, value)| (key.clone(), json!(value)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_fits_into_a_label() {
        let email = "wandb@acme-prod.iam.gserviceaccount.com";
        assert_eq!(account_label(email), "wandb_acme-prod");
        assert_eq!(account_of("wandb_acme-prod").as_deref(), Some(email));
        let agent = account_label("service-1@gs-project-accounts.iam.gserviceaccount.com");
        assert_eq!(agent, "service-1_gs-project-accounts");
        assert_eq!(account_of(&agent), None);
    }
}
