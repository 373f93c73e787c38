//! What `teardown --expired` requires of a resource before it deletes it.
//!
//! A mark alone is no proof: whoever may write tags could mark a resource of others. So a second trace,
//! which requires another permission to write, must agree with it: the name that is derived from
//! deployment and account, or an entry of ours beside it.

use jiff::Timestamp;
use serde_json::Value;

use crate::resource::{Address, Forbids, Seen};

/// The rules for one resource whose lease is to be over.
#[derive(Clone, Debug)]
pub(crate) struct Expiry {
    /// Whether its name is the derived one, which no mark can give to something else.
    pub derived: bool,
    /// Whether its own lease counts.
    pub own_lease: bool,
    /// What holds the data, whose lease it is deleted under; nothing for that itself.
    pub holder: Option<Address>,
    /// The entries that can agree with its mark.
    pub vouchers: Vec<Voucher>,
}

/// An entry of the same stack whose existence agrees with a mark.
#[derive(Clone, Debug)]
pub(crate) struct Voucher {
    /// Where it is.
    pub entry: Address,
    /// What it has to show, where it could also be about something else: a field and its value.
    pub shows: Option<(&'static str, Value)>,
}

impl Voucher {
    /// Any entry of ours at `entry`.
    pub(crate) fn any(entry: Address) -> Self {
        Self { entry, shows: None }
    }

    /// The entry of ours at `entry`, if its `field` is `value`.
    pub(crate) fn showing(entry: Address, field: &'static str, value: impl Into<Value>) -> Self {
        Self { entry, shows: Some((field, value.into())) }
    }
}

impl Expiry {
    /// Forbids the deletion of what was `seen` while its lease, which ends at `end`, is not over at `now`. A
    /// lease that ended before the resource was `created` was not given by wbstore; `created` is `None`
    /// where the cloud's date cannot be trusted. Another's lease is that one's to check.
    pub(crate) fn check<R>(
        &self,
        seen: &mut Seen<R>,
        end: Option<Timestamp>,
        created: Option<Timestamp>,
        now: Timestamp,
    ) {
        if !self.own_lease {
            return;
        }
        let Some(end) = end.filter(|end| *end <= now) else {
            seen.obstacle(Forbids::Delete, "its lease has not ended", "run the same command again later");
            return;
        };
        if let Some(created) = created.filter(|created| end < *created) {
            seen.obstacle(
                Forbids::Delete,
                format!("its lease ended at {end}, before it was created at {created}"),
                "another tool has changed its mark; check it before you delete it by name",
            );
        }
    }

    /// The entries of which one has to agree with the mark; `None` where the name does.
    pub(crate) fn vouchers(&self) -> Option<Vec<Voucher>> {
        (!self.derived).then(|| self.vouchers.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Owner;

    fn obstacles(end: Option<i64>, created: Option<i64>) -> Vec<String> {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut seen = Seen::there((), Owner::Ours);
        let expiry = Expiry { derived: true, own_lease: true, holder: None, vouchers: vec![] };
        expiry.check(&mut seen, end.map(at), created.map(at), at(100));
        seen.remarks().obstacles.iter().map(|obstacle| obstacle.message.clone()).collect()
    }

    #[test]
    fn a_lease_must_be_over_and_younger_than_what_it_is_on() {
        assert!(obstacles(Some(100), Some(50)).is_empty());
        assert!(obstacles(Some(100), None).is_empty());
        assert_eq!(obstacles(Some(101), None), ["its lease has not ended"]);
        assert_eq!(obstacles(None, None), ["its lease has not ended"]);
        assert_eq!(
            obstacles(Some(10), Some(50)),
            ["its lease ended at 1970-01-01T00:00:10Z, before it was created at 1970-01-01T00:00:50Z"]
        );
    }
}
