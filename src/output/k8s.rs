//! A Kubernetes Secret, to be read with `envFrom`.

use serde::Serialize;
use serde_saphyr::DoubleQuoted;

use super::encoding::Encoding;
use super::yaml::{self, Entries};
use crate::error::Result;
use crate::resource::Output;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Secret<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    r#type: &'static str,
    string_data: Entries<'a>,
}

#[derive(Serialize)]
struct Metadata {
    name: DoubleQuoted<String>,
    labels: Labels,
}

#[derive(Serialize)]
struct Labels {
    #[serde(rename = "app.kubernetes.io/managed-by")]
    managed_by: &'static str,
}

pub(super) fn encode(deployment: &str, outputs: &[Output]) -> Result<String> {
    // A Secret can hold a NUL; the environment that is built from it cannot.
    if let Some(output) = outputs.iter().find(|output| output.value.contains('\0')) {
        return Err(Encoding::K8sSecret.refuse(output, "a NUL"));
    }
    yaml::to_string(&Secret {
        api_version: "v1",
        kind: "Secret",
        metadata: Metadata {
            name: DoubleQuoted(format!("{deployment}-wandb-storage")),
            labels: Labels { managed_by: "wbstore" },
        },
        r#type: "Opaque",
        string_data: Entries::quoted(outputs),
    })
}
