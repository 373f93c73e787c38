//! Values for W&B's operator chart.
//!
//! The chart builds the server's `BUCKET` from the parts under `global.bucket`. It has no value for
//! the queue: `app.env` of its defaults sets `BUCKET_QUEUE` to `internal://`, so that is where a
//! real queue is named. Helm merges maps, so the other variables of `app.env` stay.

use serde::Serialize;
use serde_saphyr::DoubleQuoted;

use super::encoding::Encoding;
use super::yaml::{self, Entries};
use crate::error::{Error, Result};
use crate::resource::Output;

const HEADER: &str = "\
# Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
# --values, or put them under spec.values of your WeightsAndBiases resource.
";

const QUEUE: &str = "\
#
# The chart's own BUCKET_QUEUE is internal://, a queue in its Redis, and it points
# GORILLA_FILE_METADATA_SOURCE of the app and api components there too. The lines under app.env
# change the environment of the app alone. If messages pile up in the queue, your version of the
# chart does not read it, and `--queue internal` is the right choice.
";

#[derive(Serialize)]
struct Values<'a> {
    global: Global<'a>,
    #[serde(skip_serializing_if = "App::is_empty")]
    app: App<'a>,
}

#[derive(Serialize)]
struct Global<'a> {
    bucket: BucketValues<'a>,
}

/// Every field is written, the empty ones too: the chart's template prints a field that is not
/// there as `<no value>`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BucketValues<'a> {
    provider: &'static str,
    name: DoubleQuoted<&'a str>,
    path: DoubleQuoted<&'a str>,
    region: DoubleQuoted<&'a str>,
    kms_key: DoubleQuoted<&'a str>,
    // For Azure the chart takes the account's key from here and calls it AZURE_STORAGE_KEY.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<DoubleQuoted<&'a str>>,
}

#[derive(Serialize)]
struct App<'a> {
    env: Entries<'a>,
}

impl App<'_> {
    fn is_empty(&self) -> bool {
        self.env.is_empty()
    }
}

pub(super) fn encode(outputs: &[Output]) -> Result<String> {
    outputs.iter().try_for_each(check)?;
    let value = |name| outputs.iter().find(|output| output.name == name).map(|output| output.value.as_str());
    let (provider, name, path) = value("BUCKET").and_then(parts).ok_or_else(|| {
        Error::input("cannot write the outputs as `helm`: the chart supports no such BUCKET")
            .hint("choose another --output, such as `env`")
    })?;
    let in_chart = |output: &&Output| match output.name {
        "BUCKET" | "AWS_REGION" | "AWS_S3_KMS_ID" | "AZURE_STORAGE_KEY" => true,
        "BUCKET_QUEUE" => output.value == "internal://",
        _ => false,
    };
    let env = Entries::quoted(outputs.iter().filter(|output| !in_chart(output)));
    let header = if env.is_empty() { HEADER.to_owned() } else { format!("{HEADER}{QUEUE}") };
    let values = yaml::to_string(&Values {
        global: Global {
            bucket: BucketValues {
                provider,
                name: DoubleQuoted(name),
                path: DoubleQuoted(path),
                region: DoubleQuoted(value("AWS_REGION").unwrap_or_default()),
                kms_key: DoubleQuoted(value("AWS_S3_KMS_ID").unwrap_or_default()),
                access_key: value("AZURE_STORAGE_KEY").map(DoubleQuoted),
            },
        },
        app: App { env },
    })?;
    Ok(header + &values)
}

/// The chart passes values through its own templates and, unquoted, through YAML; Kubernetes then
/// expands `$(…)`. What any of the three would change is refused.
fn check(output: &Output) -> Result<()> {
    let refuse = |what| Err(Encoding::Helm.refuse(output, what));
    if output.value.chars().any(char::is_control) {
        return refuse("a line break or another control character");
    }
    if output.value.contains("{{") {
        return refuse("a `{{`");
    }
    if output.value.contains("$(") {
        return refuse("a `$(`");
    }
    Ok(())
}

/// The chart's provider, name and path of a bucket's URL. For Azure the name is the account's, and
/// the container is the path.
fn parts(bucket: &str) -> Option<(&'static str, &str, &str)> {
    let (scheme, rest) = bucket.split_once("://")?;
    let provider = match scheme {
        "s3" => "s3",
        "gs" => "gcs",
        "az" => "az",
        _ => return None,
    };
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    (!name.is_empty()).then_some((provider, name, path))
}
