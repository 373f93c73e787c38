//! What is asked for on Azure.

use crate::cli::{AzureDelivery, AzureDescription, AzureNames, AzurePlace, Describe};
use crate::provider::Wanted;
use crate::providers::{Request, azure};
use crate::secret::Disclosure;

impl Describe for AzurePlace {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Azure(Box::new(self.placed(wanted)))
    }
}

impl Describe for AzureNames {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Azure(Box::new(self.named(wanted)))
    }
}

impl Describe for AzureDescription {
    fn request(&self, wanted: Wanted) -> Request {
        let Self { names, location, message_ttl, register_provider } = self;
        Request::Azure(Box::new(azure::Request {
            location: location.clone(),
            message_ttl: message_ttl.clone().unwrap_or_default(),
            register_provider: *register_provider,
            ..names.named(wanted)
        }))
    }
}

impl Describe for AzureDelivery {
    fn request(&self, wanted: Wanted) -> Request {
        self.description.request(wanted)
    }

    fn disclosure(&self) -> Disclosure {
        match (&self.secret_file, self.reveal) {
            (Some(path), _) => Disclosure::File(path.clone()),
            (None, true) => Disclosure::Shown,
            (None, false) => Disclosure::Withheld,
        }
    }
}

impl AzurePlace {
    fn placed(&self, wanted: Wanted) -> azure::Request {
        let Self { subscription, resource_group, arm_endpoint } = self;
        let endpoints = azure::Endpoints { arm: arm_endpoint.clone(), ..azure::Endpoints::default() };
        azure::Request {
            subscription: subscription.clone(),
            resource_group: resource_group.clone(),
            endpoints,
            ..azure::Request::new(wanted)
        }
    }
}

impl AzureNames {
    fn named(&self, wanted: Wanted) -> azure::Request {
        let Self { place, account, container, queue, dead_letter, blob_endpoint, queue_endpoint } = self;
        let placed = place.placed(wanted);
        azure::Request {
            account: account.clone(),
            container: container.clone(),
            queue: queue.clone().unwrap_or_default(),
            dead_letter: *dead_letter,
            endpoints: azure::Endpoints {
                blob: blob_endpoint.clone(),
                queue: queue_endpoint.clone(),
                ..placed.endpoints
            },
            ..placed
        }
    }
}
