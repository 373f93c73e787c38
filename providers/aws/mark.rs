//! The mark: tags that say which deployment a bucket or queue belongs to.
//!
//! They are set in the creating call, so that nothing of ours is ever without them. Keys and values
//! use only the letters that S3 and SQS both allow in tags (letters, digits, spaces, `+ - = . _ : / @`).

use jiff::Timestamp;

use crate::error::{Kind, Result};
use crate::lease::Lease;
use crate::mark::Spelling;
use crate::name::DeploymentName;
use crate::provider::Wanted;
use crate::resource::Owner;

/// Tag keys and values.
pub use crate::mark::Entries as Tags;

/// What all our tag keys begin with.
pub const PREFIX: &str = "wbstore:";
/// The deployment's name: the mark itself.
pub const DEPLOYMENT: &str = "wbstore:deployment";
/// Present on what was there before wbstore came.
pub const ADOPTED: &str = "wbstore:adopted";
/// When the lease ends, in RFC 3339.
pub const EXPIRES: &str = "wbstore:expires";
/// On a queue: what it is for, `events` or `notifications`.
pub const ROLE: &str = "wbstore:role";
/// On a bucket: the name of its event queue, or `internal`.
pub const QUEUE: &str = "wbstore:queue";
/// On a bucket: the name of the queue for run events, where there is one.
pub const NOTIFICATIONS_QUEUE: &str = "wbstore:notifications-queue";

/// How tags spell a lease.
pub const SPELLING: Spelling = Spelling {
    lease: "wbstore:lease",
    end: EXPIRES,
    write: |time| time.to_string(),
    read: |text| text.parse().ok(),
};

/// The desired tags of something that belongs to the deployment `wanted`.
pub fn desired(wanted: &Wanted) -> Tags {
    let mut tags = Tags::from([(DEPLOYMENT.to_owned(), wanted.name.to_string())]);
    SPELLING.add(wanted, &mut tags);
    tags
}

/// The tags to write over `observed`: the desired ones, with the end of the lease.
pub fn to_write(desired: &Tags, observed: &Tags, adopted: bool, now: Timestamp) -> Tags {
    let mut tags = SPELLING.with_end(desired, observed, now);
    if adopted {
        tags.insert(ADOPTED.to_owned(), "true".to_owned());
    }
    tags
}

/// The lease in `tags`, where they are those of `deployment`.
pub fn lease(tags: &Tags, deployment: &DeploymentName) -> Option<Lease> {
    matches!(owner(tags, deployment), Owner::Ours | Owner::Adopted).then(|| SPELLING.lease(tags))?
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
        let ours = desired(&Wanted::named(name("acme")));
        assert_eq!(owner(&ours, &name("acme")), Owner::Ours);
        assert_eq!(owner(&ours, &name("beta")), Owner::Other(Some("acme".into())));
        assert_eq!(owner(&Tags::new(), &name("acme")), Owner::Other(None));
        let adopted = to_write(&ours, &Tags::new(), true, Timestamp::UNIX_EPOCH);
        assert_eq!(owner(&adopted, &name("acme")), Owner::Adopted);
    }

    #[test]
    fn the_end_of_a_lease_is_a_date() {
        let lease = Some("7d".parse().expect("a lease"));
        let wanted = desired(&Wanted { lease, ..Wanted::named(name("acme")) });
        let written = to_write(&wanted, &Tags::new(), false, Timestamp::UNIX_EPOCH);
        assert_eq!(written[EXPIRES], "1970-01-08T00:00:00Z");
    }
}
