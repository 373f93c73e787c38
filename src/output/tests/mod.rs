//! Each encoding is given to its reader, which must get back what went in.

mod properties;
mod readers;
mod shapes;

use super::{Configuration, Encoding, Entry};
use crate::error::Result;
use crate::secret::Secret;

fn output(name: &str, value: &str) -> Entry {
    Entry::open(name, value)
}

/// One with a secret in it.
fn secret(name: &str, value: &str) -> Entry {
    Entry { name: name.to_owned(), value: Secret::new(value.to_owned()), masked: Some("***".to_owned()) }
}

fn aws() -> Vec<Entry> {
    vec![
        output("BUCKET", "s3://acme-wandb"),
        output("BUCKET_QUEUE", "sqs://acme-wandb-events"),
        output("AWS_REGION", "us-east-1"),
    ]
}

/// A configuration of `entries`, for the formats that require more than these.
fn configuration(entries: Vec<Entry>) -> Configuration {
    Configuration { deployment: "acme".to_owned(), entries, ..Configuration::default() }
}

fn encode(encoding: Encoding, entries: Vec<Entry>) -> Result<String> {
    let configuration = configuration(entries);
    let entries: Vec<&Entry> = configuration.entries.iter().collect();
    super::encode(encoding, &configuration, &entries).map(|encoded| encoded.text)
}
