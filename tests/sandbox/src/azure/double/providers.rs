//! Resource providers, and whether a subscription has registered them.
//!
//! <https://learn.microsoft.com/rest/api/resources/providers>

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Outcome, Refusal, ok};
use super::arm::Call;
use super::route;
use super::store::Registration;

/// The regions of the double.
pub(super) const REGIONS: &[(&str, &str)] = &[
    ("westeurope", "West Europe"),
    ("northeurope", "North Europe"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("westus2", "West US 2"),
];

/// Nothing is made with a provider that is not registered.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>
pub(super) fn registered(shared: &Shared, call: &Call) -> Result<(), Refusal> {
    let parts: Vec<_> = call.path.trim_start_matches('/').split('/').collect();
    let (_, rest) = route::split(&parts);
    let about = rest.get(1).is_some_and(|next| !next.eq_ignore_ascii_case("register"));
    if call.method == "GET" || call.method == "DELETE" || !about {
        return Ok(());
    }
    let Some(namespace) = rest.first() else { return Ok(()) };
    if state(shared, call, namespace) == Registration::Registered {
        return Ok(());
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found \
         for how to register subscriptions."
    );
    Err(Refusal::new(409, "MissingSubscriptionRegistration", message))
}

/// `GET /subscriptions/{id}/providers/{namespace}`; a registration under way gets on with each look.
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let namespace = call.part(3);
    let seen = state(shared, call, namespace);
    if let Registration::Registering(left) = seen {
        let next = left.checked_sub(1).map_or(Registration::Registered, Registration::Registering);
        set(shared, call, namespace, next);
    }
    ok(&document(call, namespace, seen))
}

/// `POST /subscriptions/{id}/providers/{namespace}/register`
pub(super) fn register(shared: &Shared, call: &Call) -> Outcome {
    let namespace = call.part(3);
    if state(shared, call, namespace) == Registration::NotRegistered {
        set(shared, call, namespace, Registration::Registering(shared.options.polls));
    }
    ok(&document(call, namespace, state(shared, call, namespace)))
}

fn state(shared: &Shared, call: &Call, namespace: &str) -> Registration {
    let world = shared.world();
    let subscription = world.subscriptions.get(&call.subscription().to_ascii_lowercase());
    let state = subscription.and_then(|one| one.providers.get(&namespace.to_ascii_lowercase()));
    state.copied().unwrap_or(Registration::NotRegistered)
}

fn set(shared: &Shared, call: &Call, namespace: &str, state: Registration) {
    let mut world = shared.world();
    if let Some(one) = world.subscriptions.get_mut(&call.subscription().to_ascii_lowercase()) {
        one.providers.insert(namespace.to_ascii_lowercase(), state);
    }
}

fn document(call: &Call, namespace: &str, state: Registration) -> Value {
    let state = match state {
        Registration::NotRegistered => "NotRegistered",
        Registration::Registering(_) => "Registering",
        Registration::Registered => "Registered",
    };
    let types: &[&str] = match namespace.to_ascii_lowercase().as_str() {
        "microsoft.storage" => &["storageAccounts"],
        "microsoft.eventgrid" => &["eventSubscriptions", "systemTopics"],
        _ => &[],
    };
    let regions: Vec<_> = REGIONS.iter().map(|(_, shown)| shown).collect();
    let kinds: Vec<_> = types
        .iter()
        .map(|kind| {
            json!({
                "resourceType": kind, "locations": regions,
                "apiVersions": ["2026-09-01", "2025-02-15", "2024-01-01"],
            })
        })
        .collect();
    json!({
        "id": format!("/subscriptions/{}/providers/{namespace}", call.subscription()), "namespace": namespace,
        "registrationPolicy": "RegistrationRequired", "registrationState": state, "resourceTypes": kinds,
    })
}
