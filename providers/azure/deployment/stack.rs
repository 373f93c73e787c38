//! The resources of a deployment, and the notes for a reviewer.

use crate::empty::Objects;
use crate::error::Result;
use crate::expiry::{Expiry, Voucher};
use crate::mark::{INTERNAL, Marking, ORIGIN, QUEUE, ROLE};
use crate::origins::Origins;
use crate::plan::Goal;
use crate::provider::{Provider as _, queue_note};
use crate::providers::azure::account::{Account, Contents};
use crate::providers::azure::blob_soft_delete::{self, BlobSoftDelete};
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::cors::{self, Cors, WasThere};
use crate::providers::azure::deployment::Azure;
use crate::providers::azure::event_subscription::{EventSubscription, Shape};
use crate::providers::azure::held::{self, Held};
use crate::providers::azure::location::LOCATIONS;
use crate::providers::azure::mark::{DEAD_LETTERS, LABELS, METADATA, TAGS};
use crate::providers::azure::objects::BlobStore;
use crate::providers::azure::queue_name::QueueName;
use crate::providers::azure::resource_provider::{self, ResourceProvider};
use crate::resource::{AnyResource, Bound};

impl Azure {
    pub(super) fn resources(&self, goal: Goal) -> Result<Vec<Box<dyn AnyResource>>> {
        let (api, wanted) = (&self.api, &self.wanted);
        let (name, removing) = (&wanted.name.deployment, goal == Goal::Absent);
        let (container, dead_letters) = (self.container(), self.parts().dead_letters(name));
        let queue = self.events_queue();
        let dead_letter = || dead_letters.as_ref().map(ToString::to_string);
        let account = self.account()?;
        let origins = wanted.origins.as_ref().map(Origins::sorted).unwrap_or_default();
        let receipt = Some(cors::receipt(&origins)).filter(|receipt| !receipt.is_empty());

        // The name of an event subscription is always the derived one, and its labels take the permission to
        // write it.
        let tells = EventSubscription::at(&self.subscription_name());
        let derived = self.derived_account()?;
        let in_ours = (account == derived).then(|| Voucher::any(Account::at(account.as_str())));
        let expiry = |derived, told: Voucher| {
            wanted.only_expired.then(|| Expiry {
                derived,
                own_lease: true,
                holder: Some(Held::at(held::CONTAINER, container.as_str())),
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
        let due = expiry(account == derived, Voucher::any(tells.clone()));
        let mark = Marking::of(wanted, &TAGS).expiring(due);
        let made = Account {
            location_is_wanted: self.options.location.is_some(),
            name_is_derived: self.options.names.account.is_none(),
            contents,
            ..Account::new(account.as_str(), &self.location(), mark)
        };
        resources.push(Bound::boxed(made, api));

        let told =
            Voucher::showing(tells.clone(), "subject_begins_with", Shape::subjects(container.as_str()));
        let due = expiry(container == ContainerName::default_for(&wanted.name), told);
        let due = due.map(|due| Expiry { holder: None, ..due });
        let metadata = || Marking::of(wanted, &METADATA);
        // The mark of the container of the server's files names all that belongs to it.
        let mut files = metadata()
            .with(ROLE, "files")
            .with(QUEUE, queue.as_ref().map_or(INTERNAL, QueueName::as_str))
            .expiring(due);
        for (key, value) in [(DEAD_LETTERS, dead_letter()), (ORIGIN, receipt)] {
            if let Some(value) = value {
                files = files.with(key, value);
            }
        }
        let was_there = WasThere::default();
        let made = Held::container(held::CONTAINER, container.as_str(), account.as_str(), files);
        resources.push(Bound::boxed(made.of_files(was_there.clone(), removing), api));
        if removing {
            let at = Held::at(held::CONTAINER, container.as_str());
            let objects = Objects::<BlobStore>::new(at, wanted);
            resources.push(Bound::boxed(objects, api));
        }
        if let Some(dead) = &dead_letters {
            let told = Voucher::showing(tells.clone(), "dead_letter", dead.as_str());
            let due = expiry(*dead == ContainerName::dead_letters_for(name), told);
            let mark = metadata().with(ROLE, held::DEAD_LETTER).expiring(due);
            resources.push(Bound::boxed(
                Held::container(held::DEAD_LETTER, dead.as_str(), account.as_str(), mark),
                api,
            ));
            if removing {
                let at = Held::at(held::DEAD_LETTER, dead.as_str());
                let objects = Objects::<BlobStore>::new(at, wanted);
                resources.push(Bound::boxed(objects, api));
            }
        }
        let rule = Cors::at(account.as_str());
        let cors =
            Cors::new(account.as_str(), container.as_str(), &wanted.name, origins, removing, was_there);
        resources.push(Bound::boxed(cors, api));
        if wanted.versioning.is_wanted() && !removing {
            let mark = Marking::of(wanted, &TAGS);
            resources.push(Bound::boxed(BlobSoftDelete::of(account.as_str(), rule, mark), api));
        }
        if let Some(queue) = &queue {
            let told = Voucher::showing(tells.clone(), "queue", queue.as_str());
            let due = expiry(*queue == QueueName::default_for(name), told);
            let made = Held::queue(queue.as_str(), account.as_str(), metadata().expiring(due));
            resources.push(Bound::boxed(made, api));
            let mark = Marking::of(wanted, &LABELS).expiring(expiry(true, Voucher::any(tells)));
            let made = EventSubscription::new(
                &self.subscription_name(),
                account.as_str(),
                container.as_str(),
                self.shape(queue),
                mark,
            );
            resources.push(Bound::boxed(made, api));
        }
        Ok(resources)
    }

    /// What the event subscription does that sends to `queue`.
    pub(super) fn shape(&self, queue: &QueueName) -> Shape {
        let dead_letter =
            self.parts().dead_letters(&self.wanted.name.deployment).map(|name| name.to_string());
        let ttl = self.options.message_ttl().as_seconds();
        let (account, container) = (self.api.account_id(), self.container());
        let shape = Shape::new(&account, container.as_str(), queue.as_str(), ttl, dead_letter);
        Shape { longer_is_kept: self.options.message_ttl.is_none(), ..shape }
    }

    pub(super) fn notes(&self, goal: Goal) -> Vec<String> {
        let mut notes = self.wanted.remarks.clone();
        if goal == Goal::Absent {
            return notes;
        }
        let location = self.options.location.as_ref();
        notes.extend(location.and_then(|location| LOCATIONS.warning(location.as_str())));
        notes.extend(self.wanted.versioning.notes(&format!(
            "blobs that are replaced or deleted are kept for {} days, in all containers of the account",
            blob_soft_delete::DAYS
        )));
        if self.wanted.name.team.is_some() {
            notes.extend(self.next_steps());
            return notes;
        }
        notes.push("beyond W&B's guide: browsers may also use HEAD".to_owned());
        let has_queue = self.events_queue().is_some();
        if has_queue && !self.parts().dead_letter {
            notes.push(
                "an event that cannot be delivered for a day is dropped; `--dead-letter` keeps it in a \
                 container"
                    .to_owned(),
            );
        }
        notes.push(queue_note(has_queue.then_some("a queue on Azure")));
        notes
    }
}
