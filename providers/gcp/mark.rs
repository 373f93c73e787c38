//! The mark as labels, whose values are what both Cloud Storage and Pub/Sub allow: at most 63 of lower-case
//! letters, digits, `_` and `-` (Cloud Storage docs, "Bucket labels"; Pub/Sub docs, "Label topics and
//! subscriptions").

use serde_json::{Value, json};

use crate::mark::{Codec, Entries, UserTags};
use crate::tag::{TagRule, TagText};

/// The value of [`QUEUE`](crate::mark::QUEUE) on a bucket whose events go to Pub/Sub.
pub(super) const PUBSUB: &str = "pubsub";
/// On a bucket: the fingerprint of our CORS entry, which has no name of its own.
pub(super) const CORS: &str = "cors";
/// On what the server's account was granted a role: that [account](account_label), so that only this grant is revoked.
pub(super) const GRANTED: &str = "granted";
/// On a bucket: the [account](account_label) that was allowed to sign as itself.
pub(super) const SIGNER: &str = "signer";
/// The accounts that the two above named before, until what they were granted is revoked.
pub(super) const FORMER_GRANTED: &str = "former_granted";
pub(super) const FORMER_SIGNER: &str = "former_signer";
/// Beside [`GRANTED`], where the account already had some of the roles: those that wbstore added.
pub(super) const ROLES: &str = "granted_roles";

pub(super) const LABELS: Codec = Codec { seconds: true, most: 64, tags: UserTags::Among, ..Codec::DASHED };

/// What `--tag` may give (Cloud Storage docs, "Bucket labels"; Resource Manager docs, "Requirements for labels"). The mark
/// has at most twelve entries.
pub(super) static TAG_RULE: TagRule = TagRule {
    what: "label",
    key: TagText {
        begins: is_lowercase,
        form: "1 to 63 lowercase letters, digits, `_` and `-`, beginning with a letter",
        ..LABEL
    },
    value: TagText { form: "up to 63 lowercase letters, digits, `_` and `-`", ..LABEL },
    reserved: &["goog"],
    any_case: false,
    most: LABELS.most - 12,
};

const LABEL: TagText =
    TagText { longest: LONGEST, largest: 128, accepts: is_of_label, begins: is_of_label, form: "" };

/// Also a letter of a script without cases.
fn is_lowercase(letter: char) -> bool {
    letter.is_alphabetic() && !letter.is_uppercase()
}

fn is_of_label(letter: char) -> bool {
    is_lowercase(letter) || letter.is_numeric() || matches!(letter, '_' | '-')
}

/// The suffix after the project in the address of a user-created service account.
const USER_MANAGED: &str = ".iam.gserviceaccount.com";
/// The suffix of every service account.
const ACCOUNTS: &str = ".gserviceaccount.com";
/// The most characters of a value.
const LONGEST: usize = 63;

/// The address of a service account in the form of a label value: its name, `_`, and its project, such as
/// `wandb_acme-prod` for `wandb@acme-prod.iam.gserviceaccount.com`, with `_` for each dot of a project with a domain.
/// Of a default account the second part is `developer` or `appspot`.
pub(super) fn account_label(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let home = domain.strip_suffix(USER_MANAGED).or(domain.strip_suffix(ACCOUNTS)).unwrap_or(domain);
    format!("{}_{}", name.replace('.', "-"), home.replace('.', "_")).chars().take(LONGEST).collect()
}

/// The address in `label`; `None` for one that was too long for it, and for a service agent of Google's.
pub(super) fn account_of(label: &str) -> Option<String> {
    let (name, home) = label.split_once('_').filter(|(name, home)| !name.is_empty() && !home.is_empty())?;
    // `developer` and `appspot` are too common for project IDs to be free.
    let domain = match home {
        _ if label.len() >= LONGEST => return None,
        "gs-project-accounts" => return None,
        "developer" | "appspot" => format!("{home}{ACCOUNTS}"),
        project => format!("{}{USER_MANAGED}", project.replace('_', ".")),
    };
    Some(format!("{name}@{domain}"))
}

/// The entry `name` of a mark, which notes `account`, as a label.
pub(super) fn note(name: &str, account: Option<&str>) -> Option<(String, String)> {
    account.map(|email| (LABELS.key(name), account_label(email)))
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
        for (email, label) in [
            ("wandb@acme-prod.iam.gserviceaccount.com", "wandb_acme-prod"),
            ("wandb@prod.acme.com.iam.gserviceaccount.com", "wandb_prod_acme_com"),
            ("123456789012-compute@developer.gserviceaccount.com", "123456789012-compute_developer"),
            ("acme-prod@appspot.gserviceaccount.com", "acme-prod_appspot"),
        ] {
            assert_eq!(account_label(email), label);
            assert_eq!(account_of(label).as_deref(), Some(email));
        }
        let agent = account_label("service-1@gs-project-accounts.iam.gserviceaccount.com");
        assert_eq!((agent.as_str(), account_of(&agent)), ("service-1_gs-project-accounts", None));
        let long = account_label(&format!("{}@{}.iam.gserviceaccount.com", "a".repeat(30), "b".repeat(40)));
        assert_eq!((long.len(), account_of(&long)), (LONGEST, None));
    }
}
