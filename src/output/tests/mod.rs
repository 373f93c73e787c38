//! Each encoding is given to its reader, which must get back what went in.

mod properties;
mod readers;
mod shapes;

use super::Encoding;
use crate::error::Result;
use crate::resource::Output;

fn output(name: &'static str, value: &str) -> Output {
    Output { name, value: value.to_owned() }
}

fn aws() -> Vec<Output> {
    vec![
        output("BUCKET", "s3://acme-wandb"),
        output("BUCKET_QUEUE", "sqs://acme-wandb-events"),
        output("AWS_REGION", "us-east-1"),
    ]
}

fn encode(encoding: Encoding, outputs: &[Output]) -> Result<String> {
    super::encode(encoding, "acme", outputs, &[])
}
