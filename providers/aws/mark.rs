//! The mark: tags that say which deployment a bucket or queue belongs to.
//!
//! They are set in the creating call, so that nothing of ours is ever without them. Keys and values
//! use only the letters that S3 and SQS both allow in tags (letters, digits, spaces, `+ - = . _ : / @`).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::{Kind, Result};
use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::resource::Owner;

/// Tag keys and values.
pub type Tags = BTreeMap<String, String>;

/// What all our tag keys begin with.
pub const PREFIX: &str = "wbstore:";
/// The deployment's name: the mark itself.
pub const DEPLOYMENT: &str = "wbstore:deployment";
/// Present on what was there before wbstore came.
pub const ADOPTED: &str = "wbstore:adopted";
/// `--expires` as it was given, such as `7d`.
pub const LEASE: &str = "wbstore:lease";
/// When the lease ends, in RFC 3339.
pub const EXPIRES: &str = "wbstore:expires";
/// On a queue: what it is for, `events` or `notifications`.
pub const ROLE: &str = "wbstore:role";
/// On a bucket: the name of its event queue, or `internal`.
pub const QUEUE: &str = "wbstore:queue";
/// On a bucket: the name of the queue for run events, where there is one.
pub const NOTIFICATIONS_QUEUE: &str = "wbstore:notifications-queue";

/// The desired tags of something that belongs to `deployment`.
pub fn desired(deployment: &DeploymentName, lease: Option<&Lease>) -> Tags {
    let mut tags = Tags::from([(DEPLOYMENT.to_owned(), deployment.to_string())]);
    if let Some(lease) = lease {
        tags.insert(LEASE.to_owned(), lease.as_str().to_owned());
    }
    tags
}

/// The tags to write: the desired ones, with the end of the lease counted from `now`.
pub fn to_write(desired: &Tags, adopted: bool, now: Timestamp) -> Tags {
    let mut tags = desired.clone();
    let ends =
        desired.get(LEASE).and_then(|text| text.parse::<Lease>().ok()).and_then(|lease| lease.ends_at(now));
    if let Some(ends) = ends {
        // Whole seconds: fractions say nothing here.
        let ends = Timestamp::from_second(ends.as_second()).unwrap_or(ends);
        tags.insert(EXPIRES.to_owned(), ends.to_string());
    }
    if adopted {
        tags.insert(ADOPTED.to_owned(), "true".to_owned());
    }
    tags
}

/// The part of `observed` that `desired` speaks of. A lease that lost its end counts as missing, so
/// that it is set again.
pub fn managed(observed: &Tags, desired: &Tags) -> Tags {
    observed
        .iter()
        .filter(|(key, _)| desired.contains_key(*key))
        .filter(|(key, _)| *key != LEASE || is_endless(observed) || observed.contains_key(EXPIRES))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Whether `desired` asks for a lease that does not end, so that an end written earlier has to go.
pub fn is_endless(desired: &Tags) -> bool {
    desired.get(LEASE).is_some_and(|text| *text == Lease::never().to_string())
}

/// When the lease of `observed` ends, where that can be read.
pub fn lease_end(observed: &Tags) -> Option<Timestamp> {
    observed.get(EXPIRES)?.parse().ok()
}

/// Whose `observed` says it is.
pub fn owner(observed: &Tags, deployment: &DeploymentName) -> Owner {
    match observed.get(DEPLOYMENT) {
        None => Owner::Other(None),
        Some(other) if *other != deployment.to_string() => Owner::Other(Some(other.clone())),
        Some(_) if observed.contains_key(ADOPTED) => Owner::Adopted,
        Some(_) => Owner::Ours,
    }
}

/// The tags that were `read`, and whose they say it is. Tags that may not be read leave that unknown.
///
/// # Errors
/// Those of the read, but for being denied.
pub fn look(read: Result<Tags>, deployment: &DeploymentName) -> Result<(Tags, Owner)> {
    match read {
        Ok(tags) => {
            let owner = owner(&tags, deployment);
            Ok((tags, owner))
        }
        Err(error) if error.kind() == Kind::Denied => Ok((Tags::new(), Owner::Unknown(error.chain()))),
        Err(error) => Err(error),
    }
}

/// Whether `key` is one of ours.
pub fn is_ours(key: &str) -> bool {
    key.starts_with(PREFIX)
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
        assert_eq!(owner(&Tags::new(), &name("acme")), Owner::Other(None));
        assert_eq!(owner(&to_write(&ours, true, Timestamp::UNIX_EPOCH), &name("acme")), Owner::Adopted);
    }

    #[test]
    fn a_lease_ends_after_its_length_and_is_no_drift_later() {
        let wanted = desired(&name("acme"), Some(&"7d".parse().expect("a lease")));
        let written = to_write(&wanted, false, Timestamp::UNIX_EPOCH);
        assert_eq!(written[EXPIRES], "1970-01-08T00:00:00Z");
        assert_eq!(managed(&written, &wanted), wanted);
    }

    #[test]
    fn a_lease_without_its_end_is_set_again() {
        let wanted = desired(&name("acme"), Some(&"7d".parse().expect("a lease")));
        assert!(!managed(&wanted, &wanted).contains_key(LEASE));
    }
}
