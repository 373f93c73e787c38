//! What somebody else does in the subscription meanwhile.

use jiff::Timestamp;
use serde_json::json;

use super::Azure;
use super::others::CONTAINER;
use crate::cloud::NAME;
use crate::person::{Document, ENTRY, OTHER, Person, Trace};

/// [`ENTRY`] as a key of metadata, which are identifiers.
const ENTRY_KEY: &str = "passer_by";

const ACCOUNT: &str = "account/ACCOUNT/settings";
const CONTAINER_SETTINGS: &str = "container/ACCOUNT/wbstore-wandb-acme-com/settings";
const QUEUE: &str = "queue/ACCOUNT/wbstore-wandb-acme-com/settings";
const EVENT_SUBSCRIPTION: &str = "event-subscription/ACCOUNT/wbstore-wandb-acme-com/settings";

const CORS: Document = Document {
    path: "account/ACCOUNT/cors",
    read_by: &["arm.blobServices.GET"],
    written_by: &["arm.blobServices.PUT", "arm.storageAccounts.DELETE"],
};
/// The other sections of the document that has the CORS rules.
const BLOB_SERVICE: Document = Document { path: "account/ACCOUNT/blob-service", ..CORS };

/// What others have in an account of ours: a container, a queue, an event subscription.
const OTHER_CONTAINER: Document = Document {
    path: "container/ACCOUNT/passer-by/settings",
    read_by: &["arm.containers.LIST"],
    written_by: &["arm.storageAccounts.DELETE"],
};
const OTHER_QUEUE: Document = Document {
    path: "queue/ACCOUNT/passer-by/settings",
    read_by: &["arm.queues.LIST"],
    written_by: &["arm.storageAccounts.DELETE"],
};
const OTHER_SUBSCRIPTION: Document = Document {
    path: "event-subscription/ACCOUNT/passer-by/settings",
    read_by: &["arm.eventSubscriptions.LIST"],
    written_by: &["arm.storageAccounts.DELETE"],
};

/// What is written on the container: our mark, and the words of others.
const ON_CONTAINER: Document = Document {
    path: CONTAINER_SETTINGS,
    read_by: &["arm.containers.GET"],
    written_by: &["arm.containers.*", "arm.storageAccounts.DELETE"],
};
/// The same of the queue.
const ON_QUEUE: Document = Document {
    path: QUEUE,
    read_by: &["arm.queues.GET"],
    written_by: &["arm.queues.*", "arm.storageAccounts.DELETE"],
};

impl Person for Azure {
    const OBJECTS: Document = Document {
        path: "container/ACCOUNT/wbstore-wandb-acme-com/passer-by/objects",
        read_by: &["blob.ListBlobs"],
        written_by: &["arm.storageAccounts.DELETE", "arm.containers.DELETE"],
    };

    const MARKS: &'static [Document] = &[
        ON_CONTAINER,
        Document {
            path: ACCOUNT,
            read_by: &["arm.storageAccounts.GET"],
            written_by: &["arm.storageAccounts.*", "arm.blobServices.*"],
        },
        ON_QUEUE,
        Document {
            path: EVENT_SUBSCRIPTION,
            read_by: &["arm.eventSubscriptions.GET"],
            written_by: &["arm.eventSubscriptions.*"],
        },
    ];

    const ENTRIES: &'static [Document] = &[CORS, BLOB_SERVICE, ON_CONTAINER, ON_QUEUE];

    const ENDING: &'static [Document] = &[CORS, OTHER_CONTAINER, OTHER_QUEUE, OTHER_SUBSCRIPTION];

    const GUARDED: &'static [&'static str] = &[];

    /// `minimumTlsVersion` of the account.
    const SETTING: [&'static str; 3] = ["TLS1_2", "TLS1_0", "TLS1_1"];

    async fn upload(&self) -> Option<Trace> {
        let there = self.double().has_container(self.account(), CONTAINER).await;
        if !there.unwrap_or_else(|error| panic!("{error}")) {
            return None;
        }
        self.upload_blob(ENTRY).await;
        Some(Trace { document: Self::OBJECTS, text: String::new() })
    }

    async fn set_lease_end(&self, deployment: &str, end: Timestamp) -> Option<Trace> {
        let end = end.to_string();
        let set = self.double().set_lease_end(self.account(), deployment, &end).await;
        let found = set.unwrap_or_else(|error| panic!("{error}"));
        found.then(|| Trace { document: Self::MARKS[0], text: end })
    }

    async fn remark(&self, document: &Document) -> Option<Trace> {
        let label = format!("wbstore:{OTHER}");
        let word = Word {
            tag: ("wbstore-deployment", OTHER),
            metadata: ("wbstore_deployment", OTHER),
            label: ("wbstore:", &label),
        };
        self.write(document, &word).await?;
        Some(Trace { document: *document, text: OTHER.to_owned() })
    }

    async fn add_entry(&self, document: &Document) -> Option<Trace> {
        let (double, account) = (self.double(), self.account());
        if double.account_id(account).is_empty() {
            return None;
        }
        let mut text = ENTRY;
        match document.path {
            path if path == CORS.path => {
                let rule = json!({
                    "allowedOrigins": [format!("https://{ENTRY}.example")], "allowedMethods": ["GET"],
                    "allowedHeaders": [], "exposedHeaders": [], "maxAgeInSeconds": 7,
                });
                double.add_cors(account, rule).await.expect("the double takes it");
            }
            path if path == BLOB_SERVICE.path => {
                let kept = json!({ "enabled": true, "days": 77, "allowPermanentDelete": false });
                double.set_blob_service(account, "deleteRetentionPolicy", kept);
                text = "\"days\":77";
            }
            path if path == OTHER_CONTAINER.path => {
                double
                    .plant_container(account, ENTRY, &json!({ ENTRY_KEY: ENTRY }))
                    .await
                    .expect("it is new");
            }
            path if path == OTHER_QUEUE.path => {
                double.plant_queue(account, ENTRY, &json!({ ENTRY_KEY: ENTRY })).await.expect("it is new");
            }
            path if path == OTHER_SUBSCRIPTION.path => {
                let destination = json!({
                    "endpointType": "StorageQueue",
                    "properties": { "resourceId": double.account_id(account), "queueName": "audit" },
                });
                let told = json!({ "destination": destination, "labels": [ENTRY] });
                double.plant_event_subscription(account, ENTRY, &told, false);
            }
            _ => {
                let word = Word { tag: (ENTRY, ENTRY), metadata: (ENTRY_KEY, ENTRY), label: (ENTRY, ENTRY) };
                self.write(document, &word).await?;
            }
        }
        Some(Trace { document: *document, text: text.to_owned() })
    }

    async fn set(&self, value: &str) -> Option<Trace> {
        self.double().set_property(self.account(), "minimumTlsVersion", value.into());
        let document = Document {
            path: ACCOUNT,
            read_by: &["arm.storageAccounts.GET"],
            written_by: &["arm.storageAccounts.PATCH", "arm.storageAccounts.PUT"],
        };
        Some(Trace { document, text: format!("\"minimumTlsVersion\":\"{value}\"") })
    }
}

/// A word on a part: a tag, a pair of metadata, or a label in place of those that begin alike.
struct Word<'a> {
    tag: (&'a str, &'a str),
    metadata: (&'a str, &'a str),
    label: (&'a str, &'a str),
}

impl Azure {
    async fn write(&self, document: &Document, word: &Word<'_>) -> Option<()> {
        let (double, account, name) = (self.double(), self.account(), format!("wbstore-{NAME}"));
        let Word { tag, metadata, label } = word;
        let there = match document.path {
            ACCOUNT => Ok(double.set_tag(account, tag.0, tag.1)),
            EVENT_SUBSCRIPTION => Ok(double.set_label(account, &name, label.0, label.1)),
            QUEUE => double.set_queue_metadata(account, &name, metadata.0, metadata.1).await,
            CONTAINER_SETTINGS => {
                double.set_container_metadata(account, CONTAINER, metadata.0, metadata.1).await
            }
            path => panic!("nobody writes words to {path}"),
        };
        there.unwrap_or_else(|error| panic!("{error}")).then_some(())
    }
}
