//! The mark: labels that say which deployment a bucket, topic or subscription belongs to.
//!
//! They are set in the creating call, so that nothing of ours is ever without them. Values keep to what
//! both Cloud Storage and Pub/Sub allow: at most 63 of lower-case letters, digits, `_` and `-` (Cloud
//! Storage docs, "Bucket labels"; Pub/Sub docs, "Label topics and subscriptions").

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::resource::Owner;

/// Label keys and values.
pub type Labels = BTreeMap<String, String>;

/// What all our label keys begin with.
pub const PREFIX: &str = "wbstore-";
/// The deployment's name: the mark itself.
pub const DEPLOYMENT: &str = "wbstore-deployment";
/// Present on what was there before wbstore came.
pub const ADOPTED: &str = "wbstore-adopted";
/// `--expires`: a duration such as `7d` as it was given, a date as seconds since the epoch.
pub const LEASE: &str = "wbstore-lease";
/// When the lease ends, in seconds since the epoch.
pub const EXPIRES: &str = "wbstore-expires";
/// On a bucket: `pubsub` or `internal`.
pub const QUEUE: &str = "wbstore-queue";
/// On a bucket: the fingerprint of our CORS entry, which has no name of its own.
pub const CORS: &str = "wbstore-cors";
/// On what was adopted: the [account](account_label) that we gave a role there, so that only that is
/// taken back.
pub const GRANTED: &str = "wbstore-granted";
/// On a bucket: the [account](account_label) that we let sign as itself.
pub const SIGNER: &str = "wbstore-signer";

/// The desired labels of something that belongs to `deployment`.
pub fn desired(deployment: &DeploymentName, lease: Option<&Lease>) -> Labels {
    let mut labels = Labels::from([(DEPLOYMENT.to_owned(), deployment.to_string())]);
    if let Some(lease) = lease {
        let date = lease.as_str().parse::<Timestamp>().ok();
        let value = date.map_or_else(|| lease.to_string(), |end| end.as_second().to_string());
        labels.insert(LEASE.to_owned(), value);
    }
    labels
}

/// The labels to write: the desired ones, with the end of the lease counted from `now`.
pub fn to_write(desired: &Labels, adopted: bool, now: Timestamp) -> Labels {
    let mut labels = desired.clone();
    let ends = desired.get(LEASE).and_then(|text| match text.parse::<i64>() {
        Ok(end) => Some(end),
        Err(_) => Some(text.parse::<Lease>().ok()?.ends_at(now)?.as_second()),
    });
    if let Some(ends) = ends {
        labels.insert(EXPIRES.to_owned(), ends.to_string());
    }
    if adopted {
        labels.insert(ADOPTED.to_owned(), "true".to_owned());
    }
    labels
}

/// `observed` with what has to change: the rest, other people's included, stays.
pub fn merged(observed: &Labels, desired: &Labels, adopted: bool, now: Timestamp) -> Labels {
    let mut labels = observed.clone();
    if is_endless(desired) {
        labels.remove(EXPIRES);
    }
    labels.extend(to_write(desired, adopted, now));
    labels
}

/// `observed` without anything of ours.
pub fn released(observed: &Labels) -> Labels {
    observed
        .iter()
        .filter(|(key, _)| !is_ours(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The part of `observed` that `desired` speaks of. A lease that lost its end counts as missing, so
/// that it is set again.
pub fn managed(observed: &Labels, desired: &Labels) -> Labels {
    observed
        .iter()
        .filter(|(key, _)| desired.contains_key(*key))
        .filter(|(key, _)| *key != LEASE || is_endless(observed) || observed.contains_key(EXPIRES))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Whether `desired` asks for a lease that does not end, so that an end written earlier has to go.
pub fn is_endless(desired: &Labels) -> bool {
    desired.get(LEASE).is_some_and(|text| *text == Lease::never().to_string())
}

/// When the lease that `observed` tells of ends, in seconds since the epoch.
pub fn expires(observed: &Labels) -> Option<i64> {
    observed.get(EXPIRES)?.parse().ok()
}

/// The same as a time.
pub fn lease_end(observed: &Labels) -> Option<Timestamp> {
    Timestamp::from_second(expires(observed)?).ok()
}

/// Whose `observed` says it is.
pub fn owner(observed: &Labels, deployment: &DeploymentName) -> Owner {
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
pub fn account_label(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let home = domain.split('.').next().unwrap_or_default();
    format!("{name}_{home}").replace('.', "-").chars().take(63).collect()
}

/// The address that `label` stands for, where it is that of an account that somebody made.
pub fn account_of(label: &str) -> Option<String> {
    match label.split_once('_')? {
        (_, "" | "developer" | "appspot" | "gs-project-accounts") => None,
        (name, project) => Some(format!("{name}@{project}.{ACCOUNTS}")),
    }
}

/// Whether `key` is one of ours.
pub fn is_ours(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The labels of Google's clients, in order.
pub fn labels(map: HashMap<String, String>) -> Labels {
    map.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DeploymentName {
        text.parse().expect("a good name")
    }

    #[test]
    fn the_mark_decides_whose_it_is() {
        let ours = desired(&name("acme"), None);
        assert_eq!(owner(&ours, &name("acme")), Owner::Ours);
        assert_eq!(owner(&ours, &name("beta")), Owner::Other(Some("acme".into())));
        assert_eq!(owner(&Labels::new(), &name("acme")), Owner::Other(None));
        assert_eq!(owner(&to_write(&ours, true, Timestamp::UNIX_EPOCH), &name("acme")), Owner::Adopted);
    }

    #[test]
    fn a_lease_ends_after_its_length_and_is_no_drift_later() {
        let wanted = desired(&name("acme"), Some(&"7d".parse().expect("a lease")));
        let written = to_write(&wanted, false, Timestamp::UNIX_EPOCH);
        assert_eq!(written[EXPIRES], "604800");
        assert_eq!(managed(&written, &wanted), wanted);
        assert_eq!(lease_end(&written).map(Timestamp::as_second), Some(604_800));
        assert!(!managed(&wanted, &wanted).contains_key(LEASE));
    }

    #[test]
    fn a_date_fits_into_a_label() {
        let wanted = desired(&name("acme"), Some(&"2027-03-01".parse().expect("a lease")));
        let written = to_write(&wanted, false, Timestamp::UNIX_EPOCH);
        assert_eq!(written[LEASE], "1803859200");
        assert_eq!(written[EXPIRES], written[LEASE]);
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
        let wanted = desired(&name("acme"), Some(&Lease::never()));
        let merged = merged(&observed, &wanted, false, Timestamp::UNIX_EPOCH);
        assert_eq!((merged.get("team"), merged.get(EXPIRES)), (Some(&"ml".to_owned()), None));
        assert_eq!(merged[GRANTED], "publisher");
        assert_eq!(released(&merged), Labels::from([("team".to_owned(), "ml".to_owned())]));
    }
}
