//! What the role assignments of the caller give.
//!
//! <https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group>

use serde_json::{Value, json};

use super::Shared;
use super::answer::Outcome;
use super::arm::Call;
use super::claims::Caller;
use super::listing;

/// `GET {scope}/providers/Microsoft.Authorization/permissions`: an entry for each assignment. Who has no custom role
/// may do everything, but for what was taken away.
pub(super) fn list(shared: &Shared, call: &Call, caller: &Caller) -> Outcome {
    let world = shared.world();
    let role = world.roles.iter().find(|(client, _)| *client == caller.client).map(|(_, role)| role);
    let field = |name: &str, usual: Value| {
        role.map_or(usual, |role| if role[name].is_array() { role[name].clone() } else { json!([]) })
    };
    let mut excluded = field("NotActions", json!([])).as_array().cloned().unwrap_or_default();
    let taken = world.denied.iter().filter(|(client, _)| *client == caller.client);
    excluded.extend(taken.map(|(_, action)| Value::from(action.as_str())));
    let entry = json!({
        "actions": field("Actions", json!(["*"])), "notActions": excluded,
        "dataActions": field("DataActions", json!([])), "notDataActions": field("NotDataActions", json!([])),
    });
    drop(world);
    listing::page(shared, call, vec![entry])
}
