//! The mark: tags, metadata and labels that say which deployment something belongs to.
//!
//! Azure has three places for it: tags on an account, metadata on a container or queue, whose keys must
//! be identifiers and whose case is not kept, and labels on an event subscription, which are plain words
//! (Z22). One mark is written in each of these forms, always in the creating call, so that nothing of
//! ours is ever without it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::lease::Lease;
use crate::mark::Spelling;
use crate::name::DeploymentName;
use crate::provider::Wanted;
use crate::resource::Owner;

/// What a mark says, by the keys below.
pub use crate::mark::Entries as Mark;

/// The deployment's name: the mark itself.
pub const DEPLOYMENT: &str = "deployment";
/// Present on what was there before wbstore came.
pub const ADOPTED: &str = "adopted";
/// When the lease ends, in RFC 3339.
pub const EXPIRES: &str = "expires";
/// On a container: the name of its event queue, or `internal`.
pub const QUEUE: &str = "queue";
/// On a container: the name of the container for events that cannot be delivered, where there is one.
pub const DEAD_LETTER: &str = "dead_letter";
/// On a container: what it is for, `files` or `dead-letter`.
pub const ROLE: &str = "role";
/// On a container: the origin of our CORS rule, which has no id of its own.
pub const ORIGIN: &str = "origin";
/// On a container: the origin before that, so that a rule which was not replaced yet stays ours.
pub const FORMER_ORIGIN: &str = "former_origin";

/// Where a mark is written as keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As tags: `wbstore-deployment`.
    Tags,
    /// As metadata: `wbstore_deployment`.
    Metadata,
}

impl Form {
    fn prefix(self) -> &'static str {
        match self {
            Self::Tags => "wbstore-",
            Self::Metadata => "wbstore_",
        }
    }

    /// The mark in `entries`, the tags or the metadata of something.
    pub fn read(self, entries: &Value) -> Mark {
        let entries = entries.as_object().into_iter().flatten();
        entries
            .filter_map(|(key, value)| Some((self.own(key)?.replace('-', "_"), value.as_str()?.to_owned())))
            .collect()
    }

    /// `entries` with `mark` in place of the one that is there; what is not ours stays.
    pub fn write(self, entries: &Value, mark: &Mark) -> Value {
        let entries = entries.as_object().into_iter().flatten();
        let others = entries.filter(|(key, _)| self.own(key).is_none());
        let mut all: Map<String, Value> = others.map(|(key, value)| (key.clone(), value.clone())).collect();
        for (key, value) in mark {
            let key = if self == Self::Tags { key.replace('_', "-") } else { key.clone() };
            all.insert(format!("{}{key}", self.prefix()), Value::from(value.as_str()));
        }
        Value::Object(all)
    }

    /// What is behind our prefix in `key`. Metadata come back in any case.
    fn own(self, key: &str) -> Option<String> {
        key.to_lowercase().strip_prefix(self.prefix()).map(str::to_owned)
    }
}

/// The mark in `labels`, those of an event subscription: `wbstore:acme`, `wbstore-lease:7d`.
pub fn from_labels(labels: &Value) -> Mark {
    let labels = labels.as_array().into_iter().flatten().filter_map(Value::as_str);
    labels
        .filter_map(|label| {
            let (key, value) = label.strip_prefix("wbstore")?.split_once(':')?;
            match key.strip_prefix('-') {
                Some(key) => Some((key.replace('-', "_"), value.to_owned())),
                None => key.is_empty().then(|| (DEPLOYMENT.to_owned(), value.to_owned())),
            }
        })
        .collect()
}

/// `labels` with `mark` in place of the one that is there; what is not ours stays.
pub fn to_labels(labels: &Value, mark: &Mark) -> Vec<String> {
    let labels = labels.as_array().into_iter().flatten().filter_map(Value::as_str);
    let others = labels.filter(|label| from_labels(&Value::from(vec![*label])).is_empty());
    let ours = mark.iter().map(|(key, value)| match key.as_str() {
        DEPLOYMENT => format!("wbstore:{value}"),
        key => format!("wbstore-{}:{value}", key.replace('_', "-")),
    });
    others.map(str::to_owned).chain(ours).collect()
}

/// How a mark spells a lease.
pub const SPELLING: Spelling =
    Spelling { lease: "lease", end: EXPIRES, write: |time| time.to_string(), read: |text| text.parse().ok() };

/// The desired mark of something that belongs to the deployment `wanted`.
pub fn desired(wanted: &Wanted) -> Mark {
    let mut mark = Mark::from([(DEPLOYMENT.to_owned(), wanted.name.to_string())]);
    SPELLING.add(wanted, &mut mark);
    mark
}

/// The mark to write: what is `observed` and not managed, and the desired one with the end of the lease.
pub fn to_write(desired: &Mark, observed: &Mark, adopting: bool, now: Timestamp) -> Mark {
    let mut mark = observed.clone();
    if SPELLING.is_endless(desired) {
        mark.remove(EXPIRES);
    }
    mark.extend(SPELLING.with_end(desired, observed, now));
    if adopting {
        mark.insert(ADOPTED.to_owned(), "true".to_owned());
    }
    mark
}

/// Remembers in `mark` the origin that `observed` has, where another one takes its place.
pub fn keep_former_origin(mark: &mut Mark, observed: &Mark) {
    if let Some(former) = observed.get(ORIGIN)
        && mark.get(ORIGIN) != Some(former)
    {
        mark.insert(FORMER_ORIGIN.to_owned(), former.clone());
    }
}

/// The lease in `mark`, where it is that of `deployment`.
pub fn lease(mark: &Mark, deployment: &DeploymentName) -> Option<Lease> {
    matches!(owner(mark, deployment), Owner::Ours | Owner::Adopted).then(|| SPELLING.lease(mark))?
}

/// Whose `observed` says it is.
pub fn owner(observed: &Mark, deployment: &DeploymentName) -> Owner {
    match observed.get(DEPLOYMENT) {
        None => Owner::Other(None),
        Some(other) if *other != deployment.to_string() => Owner::Other(Some(other.clone())),
        Some(_) if observed.contains_key(ADOPTED) => Owner::Adopted,
        Some(_) => Owner::Ours,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> DeploymentName {
        text.parse().expect("a good name")
    }

    fn leased() -> Mark {
        desired(&Wanted { lease: Some("7d".parse().expect("a lease")), ..Wanted::named(name("acme")) })
    }

    #[test]
    fn the_mark_decides_whose_it_is() {
        let ours = desired(&Wanted::named(name("acme")));
        assert_eq!(owner(&ours, &name("acme")), Owner::Ours);
        assert_eq!(owner(&ours, &name("beta")), Owner::Other(Some("acme".into())));
        assert_eq!(owner(&Mark::new(), &name("acme")), Owner::Other(None));
        let adopted = to_write(&ours, &Mark::new(), true, Timestamp::UNIX_EPOCH);
        assert_eq!(owner(&adopted, &name("acme")), Owner::Adopted);
        let again = to_write(&ours, &adopted, false, Timestamp::UNIX_EPOCH);
        assert_eq!(owner(&again, &name("acme")), Owner::Adopted);
    }

    #[test]
    fn every_form_is_read_as_it_was_written_and_keeps_what_is_not_ours() {
        let mut mark = to_write(&leased(), &Mark::new(), false, Timestamp::UNIX_EPOCH);
        mark.insert(DEAD_LETTER.to_owned(), "dead".to_owned());
        assert_eq!(mark[EXPIRES], "1970-01-08T00:00:00Z");
        let others = json!({"team": "ml", "wbstore-deployment": "old", "wbstore_deployment": "old"});
        for form in [Form::Tags, Form::Metadata] {
            let written = form.write(&others, &mark);
            assert_eq!(form.read(&written), mark);
            assert_eq!(written["team"], "ml");
        }
        let labels = to_labels(&json!(["team:ml", "wbstore:old", "wbstores:x"]), &mark);
        assert_eq!(from_labels(&json!(labels)), mark);
        assert!(labels.contains(&"team:ml".to_owned()) && labels.contains(&"wbstores:x".to_owned()));
    }

    #[test]
    fn metadata_are_ours_in_any_case() {
        let mark = Form::Metadata.read(&json!({"Wbstore_Deployment": "acme"}));
        assert_eq!(mark[DEPLOYMENT], "acme");
    }
}
