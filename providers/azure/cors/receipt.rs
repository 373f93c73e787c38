//! The receipts of CORS rules, in the marks of containers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;

use super::document::Rule;
use crate::error::Result;
use crate::mark::{Entries, FORMER_ORIGIN, Mark, ORIGIN, entries};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::{CONTAINER, CONTAINERS, Held};
use crate::providers::azure::mark::{METADATA, WAS_THERE};
use crate::providers::azure::session::Api;

/// How many containers are read at once.
const AT_ONCE: usize = 8;

/// Whether the rule that is wanted was there before wbstore, as the last read of the rules showed it: the
/// container records it in the call that creates or updates it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WasThere(Arc<Mutex<Known>>);

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// `None` where the rules could not be read.
    was_there: Option<bool>,
    /// Whether the container's mark says so.
    is_recorded: bool,
}

impl WasThere {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, was_there: bool) {
        self.lock().was_there = Some(was_there);
    }

    pub(super) fn set_recorded(&self, mark: &Mark) {
        self.lock().is_recorded = mark.get(WAS_THERE).is_some();
    }

    /// Whether the mark records it of a rule that wbstore is about to write.
    pub(super) fn is_outdated(&self) -> bool {
        let known = *self.lock();
        known.is_recorded && known.was_there != Some(true)
    }

    /// Records it in `metadata`, which are to replace those `before`.
    pub(crate) fn record(&self, before: &Entries, metadata: &mut Entries) {
        if METADATA.read(before).get(WAS_THERE).is_some() {
            // The former origin is that of a rule of wbstore, which this one had not.
            metadata.remove(&METADATA.key(FORMER_ORIGIN));
        }
        match self.lock().was_there {
            Some(true) => drop(metadata.insert(METADATA.key(WAS_THERE), "true".to_owned())),
            Some(false) => drop(metadata.remove(&METADATA.key(WAS_THERE))),
            None => {}
        }
    }
}

/// What a mark says of the rule for `origins`.
pub(crate) fn receipt(origins: &[String]) -> String {
    origins.join(" ")
}

/// The rules of which `mark` says that wbstore wrote them.
pub(super) fn rules(mark: &Mark) -> Vec<Rule> {
    let wrote = Some(ORIGIN).filter(|_| mark.get(WAS_THERE).is_none());
    let receipts = wrote.into_iter().chain([FORMER_ORIGIN]).filter_map(|name| mark.get(name));
    receipts
        .map(|origins| Rule::for_origins(origins.split_whitespace().map(str::to_owned).collect()))
        .collect()
}

/// The receipts of the account's other containers.
pub(super) struct Others(Vec<(String, Vec<Rule>)>);

impl Others {
    /// # Errors
    /// Those of the calls: who cannot be read may use a rule.
    pub(super) async fn find(api: &Api, container: &str) -> Result<Self> {
        let at = Held::at(CONTAINER, container);
        let call = Call { action: CONTAINERS.read, target: &at, version: version::STORAGE };
        let path = format!("{}/{}", api.account_id(), CONTAINERS.path);
        let mut receipts = vec![];
        let mut unshown = vec![];
        for other in api.arm.list(&path, call).await? {
            let Some(name) = other["name"].as_str().filter(|name| *name != container) else { continue };
            match entries(&other["properties"]["metadata"]) {
                // A list may leave the metadata out.
                none if none.is_empty() => unshown.push(name.to_owned()),
                shown => receipts.push((name.to_owned(), rules(&METADATA.read(&shown)))),
            }
        }
        let mut looks = futures::stream::iter(unshown)
            .map(|name| async move { (Held::mark_of(api, &name).await, name) })
            .buffer_unordered(AT_ONCE);
        while let Some((mark, name)) = looks.next().await {
            receipts.push((name, rules(&mark?)));
        }
        Ok(Self(receipts))
    }

    /// The container that uses `rule`, if there is one.
    pub(super) fn user_of(&self, rule: &Rule) -> Option<String> {
        self.0.iter().find(|(_, rules)| rules.contains(rule)).map(|(name, _)| name.clone())
    }
}
