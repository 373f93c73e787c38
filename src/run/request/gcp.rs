//! What is asked for on Google Cloud.

use crate::cli::{Describe, GcpDescription, GcpNames, GcpPlace};
use crate::provider::Wanted;
use crate::providers::{Request, gcp};

impl Describe for GcpPlace {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Gcp(gcp::Request { project: self.project.clone(), ..gcp::Request::new(wanted) })
    }
}

impl Describe for GcpNames {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Gcp(self.named(wanted))
    }
}

impl Describe for GcpDescription {
    fn request(&self, wanted: Wanted) -> Request {
        let Self { names, all_events, kms_key, soft_delete } = self;
        Request::Gcp(gcp::Request {
            all_events: *all_events,
            kms_key: kms_key.clone(),
            soft_delete: soft_delete.clone(),
            ..names.named(wanted)
        })
    }
}

impl GcpNames {
    fn named(&self, wanted: Wanted) -> gcp::Request {
        let Self { place, location, bucket, queue, topic, subscription, service_account } = self;
        gcp::Request {
            project: place.project.clone(),
            location: location.clone(),
            bucket: bucket.clone(),
            queue: queue.unwrap_or_default(),
            topic: topic.clone(),
            subscription: subscription.clone(),
            service_account: service_account.clone(),
            ..gcp::Request::new(wanted)
        }
    }
}
