//! The mark: labels that say which deployment a bucket, topic or subscription belongs to.
//!
//! They are set in the creating call, so that nothing of ours is ever without them. Values keep to what
//! both Cloud Storage and Pub/Sub allow: at most 63 of lower-case letters, digits, `_` and `-` (Cloud
//! Storage docs, "Bucket labels"; Pub/Sub docs, "Label topics and subscriptions").

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lease::Lease;
use crate::mark::Spelling;
use crate::name::DeploymentName;
use crate::provider::Wanted;
use crate::resource::Owner;

/// Label keys and values.
pub(crate) use crate::mark::Entries as Labels;

/// What all our label keys begin with.
pub(crate) const PREFIX: &str = "wbstore-";
/// The deployment's name: the mark itself.
pub(crate) const DEPLOYMENT: &str = "wbstore-deployment";
/// Present on what was there before wbstore came.
pub(crate) const ADOPTED: &str = "wbstore-adopted";
/// When the lease ends, in seconds since the epoch.
pub(crate) const EXPIRES: &str = "wbstore-expires";
/// On a bucket: `pubsub` or `internal`.
pub(crate) const QUEUE: &str = "wbstore-queue";
/// On a bucket: the fingerprint of our CORS entry, which has no name of its own.
pub(crate) const CORS: &str = "wbstore-cors";
/// On what was adopted: the [account](account_label) that we gave a role there, so that only that is
/// taken back.
pub(crate) const GRANTED: &str = "wbstore-granted";
/// On a bucket: the [account](account_label) that we let sign as itself.
pub(crate) const SIGNER: &str = "wbstore-signer";

/// How labels spell a lease: a time span such as `7d` as it was asked for, a date in seconds since the epoch.
pub(crate) const SPELLING: Spelling = Spelling {
    lease: "wbstore-lease",
    end: EXPIRES,
    write: |time| time.as_second().to_string(),
    read: |text| Timestamp::from_second(text.parse().ok()?).ok(),
};

/// The desired labels of something that belongs to the deployment `wanted`.
pub(crate) fn desired(wanted: &Wanted) -> Labels {
    let mut labels = Labels::from([(DEPLOYMENT.to_owned(), wanted.name.to_string())]);
    SPELLING.add(wanted, &mut labels);
    labels
}

/// The labels of something new: the desired ones, with the end of the lease counted from `now`.
pub(crate) fn created(desired: &Labels, now: Timestamp) -> Labels {
    SPELLING.with_end(desired, &Labels::new(), now)
}

/// `observed` with what has to change: the rest, other people's included, stays.
pub(crate) fn merged(observed: &Labels, desired: &Labels, adopted: bool, now: Timestamp) -> Labels {
    let mut labels = observed.clone();
    if SPELLING.is_endless(desired) {
        labels.remove(EXPIRES);
    }
    labels.extend(SPELLING.with_end(desired, observed, now));
    if adopted {
        labels.insert(ADOPTED.to_owned(), "true".to_owned());
    }
    labels
}

/// `observed` without anything of ours.
pub(crate) fn released(observed: &Labels) -> Labels {
    observed
        .iter()
        .filter(|(key, _)| !is_ours(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The lease in `labels`, where they are those of `deployment`.
pub(crate) fn lease(labels: &Labels, deployment: &DeploymentName) -> Option<Lease> {
    matches!(owner(labels, deployment), Owner::Ours | Owner::Adopted).then(|| SPELLING.lease(labels))?
}

/// Whose `observed` says it is.
pub(crate) fn owner(observed: &Labels, deployment: &DeploymentName) -> Owner {
    match observed.get(DEPLOYMENT) {
        None => Owner::Other(None),
        Some(other) if *other != deployment.to_string() => Owner::Other(Some(other.clone())),
        Some(_) if observed.contains_key(ADOPTED) => Owner::Adopted,
        Some(_) => Owner::Ours,
    }
}

/// What follows the project in the address of a service account that somebody made.
const ACCOUNTS: &str = "iam.gserviceaccount.com";

/// The address of a service account as a label can hold it: its name, `_`, and what says whose it is,
/// such as `wandb_acme-prod` for `wandb@acme-prod.iam.gserviceaccount.com`.
pub(crate) fn account_label(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let home = domain.split('.').next().unwrap_or_default();
    format!("{name}_{home}").replace('.', "-").chars().take(63).collect()
}

/// The address that `label` stands for, where it is that of an account that somebody made.
pub(crate) fn account_of(label: &str) -> Option<String> {
    match label.split_once('_')? {
        (_, "" | "developer" | "appspot" | "gs-project-accounts") => None,
        (name, project) => Some(format!("{name}@{project}.{ACCOUNTS}")),
    }
}

/// Whether `key` is one of ours.
pub(crate) fn is_ours(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The labels of `described`, as any of the JSON APIs shows it.
pub(crate) fn labels(described: &Value) -> Labels {
    Labels::deserialize(&described["labels"]).unwrap_or_default()
}

/// What makes `after` of the labels `before` in a JSON merge patch (RFC 7396), where null takes a label away.
pub(crate) fn patch(before: &Labels, after: &Labels) -> Value {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let set = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    gone.chain(set.map(|(key, value)| (key.clone(), json!(value)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DeploymentName {
        text.parse().expect("a good name")
    }

    fn asked_for(lease: &str) -> Labels {
        desired(&Wanted { lease: Some(lease.parse().expect("a lease")), ..Wanted::named(name("acme")) })
    }

    #[test]
    fn the_mark_decides_whose_it_is() {
        let ours = desired(&Wanted::named(name("acme")));
        assert_eq!(owner(&ours, &name("acme")), Owner::Ours);
        assert_eq!(owner(&ours, &name("beta")), Owner::Other(Some("acme".into())));
        assert_eq!(owner(&Labels::new(), &name("acme")), Owner::Other(None));
        let adopted = merged(&Labels::new(), &ours, true, Timestamp::UNIX_EPOCH);
        assert_eq!(owner(&adopted, &name("acme")), Owner::Adopted);
    }

    #[test]
    fn a_date_fits_into_a_label() {
        let written = created(&asked_for("2027-03-01"), Timestamp::UNIX_EPOCH);
        assert_eq!(written[SPELLING.lease], "1803859200");
        assert_eq!(written[EXPIRES], "1803859200");
    }

    #[test]
    fn an_account_fits_into_a_label() {
        let email = "wandb@acme-prod.iam.gserviceaccount.com";
        assert_eq!(account_label(email), "wandb_acme-prod");
        assert_eq!(account_of("wandb_acme-prod").as_deref(), Some(email));
        let agent = account_label("service-1@gs-project-accounts.iam.gserviceaccount.com");
        assert_eq!(agent, "service-1_gs-project-accounts");
        assert_eq!(account_of(&agent), None);
    }

    #[test]
    fn a_lease_without_end_takes_the_end_away_and_nothing_else() {
        let observed = Labels::from([
            ("team".to_owned(), "ml".to_owned()),
            (EXPIRES.to_owned(), "1".to_owned()),
            (GRANTED.to_owned(), "publisher".to_owned()),
        ]);
        let merged = merged(&observed, &asked_for("never"), false, Timestamp::UNIX_EPOCH);
        assert_eq!((merged.get("team"), merged.get(EXPIRES)), (Some(&"ml".to_owned()), None));
        assert_eq!(merged[GRANTED], "publisher");
        assert_eq!(released(&merged), Labels::from([("team".to_owned(), "ml".to_owned())]));
    }
}
