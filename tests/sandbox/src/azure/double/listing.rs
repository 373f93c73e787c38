//! Lists in pages, and what all answers share.

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Outcome, Reply, ok};
use super::arm::Call;

/// One page of `values`; `nextLink` goes on behind the last one.
/// <https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#collections>
pub(super) fn page(shared: &Shared, call: &Call, values: Vec<Value>) -> Outcome {
    let skip = call.query.get("$skiptoken").and_then(|token| token.parse().ok()).unwrap_or(0_usize);
    let asked = call.query.get("$maxpagesize").or(call.query.get("$top"));
    let size = asked.and_then(|size| size.parse().ok()).unwrap_or(usize::MAX).clamp(1, shared.options.page);
    let more = values.len() > skip + size;
    let page: Vec<_> = values.into_iter().skip(skip).take(size).collect();
    let mut document = json!({ "value": page });
    if more {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in call.query.iter().filter(|(name, _)| *name != "$skiptoken") {
            query.append_pair(name, value);
        }
        query.append_pair("$skiptoken", &(skip + size).to_string());
        document["nextLink"] = format!("{}{}?{}", call.host(), call.path, query.finish()).into();
    }
    ok(&document)
}

/// "x-ms-client-request-id … returned in the response"
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/control-plane-and-data-plane>
pub(super) fn same_client_id(call: &Call, mut reply: Reply) -> Reply {
    if let Some(id) = call.headers.get("x-ms-client-request-id") {
        reply.headers_mut().insert("x-ms-client-request-id", id.clone());
    }
    reply
}
