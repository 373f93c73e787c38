//! A double and the official clients, set up as wbstore sets them up.

use google_cloud_auth::credentials::{Credentials, service_account};
use google_cloud_pubsub::client::{SchemaService, SubscriptionAdmin, TopicAdmin};
use google_cloud_storage::client::{Storage, StorageControl};
use google_cloud_storage::model::bucket::iam_config::UniformBucketLevelAccess;
use google_cloud_storage::model::bucket::{Cors, IamConfig};
use google_cloud_storage::model::{Bucket, CreateBucketRequest};
use serde_json::{Value, json};
use wbstore_sandbox::gcp::double::{GcpDouble, Options};
use wbstore_sandbox::gcp::pubsub_emulator;

pub struct Bench {
    pub double: GcpDouble,
    pub credentials: Credentials,
    pub control: StorageControl,
    pub storage: Storage,
    pub topics: TopicAdmin,
    pub subscriptions: SubscriptionAdmin,
    pub policies: SchemaService,
}

impl Bench {
    /// With Pub/Sub on Google's emulator where `cargo sandbox test` has started one.
    pub async fn new() -> Self {
        let emulator = std::env::var(pubsub_emulator::URL).ok();
        let double = GcpDouble::start(Options { emulator, ..Options::default() }).await.expect("it starts");
        let operator = double.operator();
        Self::acting_as(double, &operator).await
    }

    /// The same double with another account's clients.
    pub async fn acting_as(double: GcpDouble, email: &str) -> Self {
        let url = double.url();
        let key = double.key_file(email, &url).expect("it can be written");
        let key: Value =
            serde_json::from_slice(&std::fs::read(key).expect("it is there")).expect("it is JSON");
        let credentials = service_account::Builder::new(key).build().expect("the key is good");
        macro_rules! client {
            ($client:ident) => {
                $client::builder()
                    .with_endpoint(&url)
                    .with_credentials(credentials.clone())
                    .build()
                    .await
                    .expect("a client can be made")
            };
        }
        Self {
            control: client!(StorageControl),
            storage: client!(Storage),
            topics: client!(TopicAdmin),
            subscriptions: client!(SubscriptionAdmin),
            policies: client!(SchemaService),
            credentials,
            double,
        }
    }

    /// A bucket with everything that wbstore sets.
    pub async fn bucket(&self, name: &str) -> google_cloud_storage::Result<Bucket> {
        let project = format!("projects/{}", self.double.project());
        let access = UniformBucketLevelAccess::new().set_enabled(true);
        let config =
            IamConfig::new().set_public_access_prevention("enforced").set_uniform_bucket_level_access(access);
        let cors = Cors::new()
            .set_origin(["https://wandb.acme.com"])
            .set_method(["GET", "PUT", "HEAD"])
            .set_response_header(["ETag", "Content-Type"])
            .set_max_age_seconds(3000);
        let bucket = Bucket::new()
            .set_project(project)
            .set_location("us")
            .set_labels([("wbstore-deployment", "acme")])
            .set_iam_config(config)
            .set_cors([cors]);
        let request =
            CreateBucketRequest::new().set_parent("projects/_").set_bucket_id(name).set_bucket(bucket);
        self.control.create_bucket().with_request(request).send().await
    }

    pub fn topic(&self, id: &str) -> String {
        format!("projects/{}/topics/{id}", self.double.project())
    }

    pub fn subscription(&self, id: &str) -> String {
        format!("projects/{}/subscriptions/{id}", self.double.project())
    }

    /// A topic the service agent may publish to, a subscription, and a notification from the bucket.
    pub async fn wired(&self, bucket: &str) {
        self.bucket(bucket).await.expect("a bucket");
        let topic = self.topic("events");
        self.topics.create_topic().set_name(&topic).send().await.expect("a topic");
        self.subscriptions
            .create_subscription()
            .set_name(self.subscription("events"))
            .set_topic(&topic)
            .set_ack_deadline_seconds(60)
            .send()
            .await
            .expect("a subscription");
        let agent = format!("serviceAccount:{}", self.double.agent());
        let control = self.double.control();
        let policy = json!({"bindings": [{"role": "roles/pubsub.publisher", "members": [agent]}]});
        control.ask("POST", &format!("/v1/{topic}:setIamPolicy"), json!({"policy": policy})).await;
        control.ask("POST", &format!("/storage/v1/b/{bucket}/notificationConfigs"), config(&topic)).await;
    }
}

/// A notification as wbstore makes them.
pub fn config(topic: &str) -> Value {
    json!({
        "topic": format!("//pubsub.googleapis.com/{topic}"),
        "payload_format": "JSON_API_V1",
        "event_types": ["OBJECT_FINALIZE"],
        "custom_attributes": {"wbstore": "acme"},
    })
}
