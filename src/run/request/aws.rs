//! What is asked for on AWS.

use crate::cli::{AwsDescription, AwsNames, AwsPlace, Describe};
use crate::provider::Wanted;
use crate::providers::{Request, aws};

impl Describe for AwsPlace {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(aws::Request { region: self.region.clone(), ..aws::Request::new(wanted) })
    }
}

impl Describe for AwsNames {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(self.named(wanted))
    }
}

impl Describe for AwsDescription {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(aws::Request { kms_key: self.kms_key.clone(), ..self.names.named(wanted) })
    }
}

impl AwsNames {
    fn named(&self, wanted: Wanted) -> aws::Request {
        let Self { region, bucket, queue, notifications_queue } = self;
        aws::Request {
            region: region.clone(),
            bucket: bucket.clone(),
            queue: queue.clone().unwrap_or_default(),
            notifications_queue: notifications_queue.clone(),
            ..aws::Request::new(wanted)
        }
    }
}
