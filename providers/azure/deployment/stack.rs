//! The resources of a deployment, and what a reviewer should know of them.

use serde_json::Value;

use crate::empty::Objects;
use crate::error::Result;
use crate::expiry::{Expiry, Voucher};
use crate::plan::Goal;
use crate::provider::queue_note;
use crate::providers::azure::account::{Account, Contents};
use crate::providers::azure::container::Container;
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::cors::Cors;
use crate::providers::azure::deployment::Azure;
use crate::providers::azure::event_subscription::{EventSubscription, Shape};
use crate::providers::azure::location::LOCATIONS;
use crate::providers::azure::mark::{self, Mark};
use crate::providers::azure::objects::BlobStore;
use crate::providers::azure::queue::Queue;
use crate::providers::azure::queue_name::QueueName;
use crate::providers::azure::resource_provider::{self, ResourceProvider};
use crate::resource::{AnyResource, Bound};

impl Azure {
    pub(super) fn resources(&self, goal: Goal) -> Result<Vec<Box<dyn AnyResource>>> {
        let (api, wanted) = (&self.api, &self.wanted);
        let (name, removing) = (&wanted.name, goal == Goal::Absent);
        let (container, dead_letters) = (self.container(), self.parts().dead_letters(name));
        let queue = self.events_queue();
        let dead_letter = || dead_letters.as_ref().map(ToString::to_string);
        let account = self.account()?;
        let mark = mark::desired(wanted);
        let origin = wanted.origin.as_ref().map(ToString::to_string);

        // The name of an event subscription is always the derived one, and its labels take the permission to
        // write it.
        let tells = EventSubscription::at(&self.subscription_name());
        let derived = self.derived_account()?;
        let in_ours = (account == derived).then(|| Voucher::any(Account::at(account.as_str())));
        let expiry = |derived, told: Voucher| {
            wanted.only_expired.then(|| Expiry {
                derived,
                own_lease: true,
                holder: Some(Container::at(container.as_str())),
                vouchers: [Some(told), in_ours.clone()].into_iter().flatten().collect(),
            })
        };

        let mut resources: Vec<Box<dyn AnyResource>> = vec![];
        if !removing {
            let may_register = self.options.register_provider;
            let used = [resource_provider::STORAGE]
                .into_iter()
                .chain(queue.as_ref().map(|_| resource_provider::EVENT_GRID));
            resources
                .extend(used.map(|one| Bound::boxed(ResourceProvider::registered(one, may_register), api)));
        }
        let contents = removing.then(|| Contents {
            containers: [Some(container.to_string()), dead_letter()].into_iter().flatten().collect(),
            queues: queue.iter().map(ToString::to_string).collect(),
            event_subscription: self.subscription_name(),
        });
        let made = Account {
            expiry: expiry(account == derived, Voucher::any(tells.clone())),
            location_is_wanted: self.options.location.is_some(),
            contents,
            ..Account::new(account.as_str(), name, &self.location(), mark.clone())
        };
        resources.push(Bound::boxed(made, api));

        let container_for = |called: &str, kind: &'static str, mark: Mark, expiry| Container {
            name: called.to_owned(),
            kind,
            account: account.to_string(),
            deployment: name.clone(),
            expiry,
            metadata: Value::Null,
            public_access: "None".to_owned(),
            mark,
        };
        let files = self.files_mark(mark.clone(), queue.as_ref(), dead_letter(), origin.clone());
        let told =
            Voucher::showing(tells.clone(), "subject_begins_with", Shape::subjects(container.as_str()));
        let due = expiry(container == ContainerName::default_for(name), told);
        let due = due.map(|due| Expiry { holder: None, ..due });
        resources.push(Bound::boxed(container_for(container.as_str(), Container::FILES, files, due), api));
        if removing {
            let (at, delete) = (Container::at(container.as_str()), wanted.delete_objects);
            let held = Objects::<BlobStore>::new(at, name, delete, wanted.empty_by);
            resources.push(Bound::boxed(held, api));
        }
        if let Some(dead) = &dead_letters {
            let mut mark = mark.clone();
            mark.insert(mark::ROLE.to_owned(), Container::DEAD_LETTERS.to_owned());
            let told = Voucher::showing(tells.clone(), "dead_letter", dead.as_str());
            let due = expiry(*dead == ContainerName::dead_letters_for(name), told);
            resources
                .push(Bound::boxed(container_for(dead.as_str(), Container::DEAD_LETTERS, mark, due), api));
            if removing {
                let (at, delete) = (Container::dead_letters_at(dead.as_str()), wanted.delete_objects);
                let held = Objects::<BlobStore>::new(at, name, delete, wanted.empty_by);
                resources.push(Bound::boxed(held, api));
            }
        }
        let cors = Cors::new(account.as_str(), container.as_str(), name, origin);
        resources.push(Bound::boxed(cors, api));
        if let Some(queue) = &queue {
            let made = Queue {
                name: queue.to_string(),
                account: account.to_string(),
                deployment: name.clone(),
                expiry: expiry(
                    *queue == QueueName::default_for(name),
                    Voucher::showing(tells.clone(), "queue", queue.as_str()),
                ),
                metadata: Value::Null,
                mark: mark.clone(),
            };
            resources.push(Bound::boxed(made, api));
            let ttl = self.options.message_ttl().as_seconds();
            let shape = Shape::new(container.as_str(), queue.as_str(), ttl, dead_letter());
            let made = EventSubscription {
                expiry: expiry(true, Voucher::any(tells)),
                ..EventSubscription::new(
                    &self.subscription_name(),
                    account.as_str(),
                    container.as_str(),
                    name,
                    shape,
                    mark,
                )
            };
            resources.push(Bound::boxed(made, api));
        }
        Ok(resources)
    }

    /// The mark of the container of the server's files, which names all that belongs to it.
    fn files_mark(
        &self,
        mut mark: Mark,
        queue: Option<&QueueName>,
        dead_letter: Option<String>,
        origin: Option<String>,
    ) -> Mark {
        mark.insert(mark::ROLE.to_owned(), "files".to_owned());
        mark.insert(mark::QUEUE.to_owned(), queue.map_or("internal", QueueName::as_str).to_owned());
        mark.extend(dead_letter.map(|name| (mark::DEAD_LETTER.to_owned(), name)));
        mark.extend(origin.map(|origin| (mark::ORIGIN.to_owned(), origin)));
        mark
    }

    pub(super) fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = self.wanted.remarks.clone();
        if goal == Goal::Absent {
            return notes;
        }
        let location = self.options.location.as_ref();
        notes.extend(location.and_then(|location| LOCATIONS.warning(location.as_str())));
        notes.push("beyond W&B's guide: browsers may also use HEAD".to_owned());
        let has_queue = self.events_queue().is_some();
        if has_queue && !self.parts().dead_letter {
            notes.push(
                "an event that cannot be delivered for a day is dropped; --dead-letter keeps it in a container"
                    .to_owned(),
            );
        }
        notes.push(queue_note(has_queue.then_some("a queue on Azure")));
        notes
    }
}
