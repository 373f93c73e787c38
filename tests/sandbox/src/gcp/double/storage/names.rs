//! What buckets, objects and locations may be called.

use std::net::Ipv4Addr;

use super::super::refusal::{Answer, Refusal};

const FORM: &str = "projects/_/buckets/";

/// The bucket's own name in a resource name.
pub(super) fn bucket(resource: &str) -> Answer<&str> {
    resource.strip_prefix(FORM).filter(|name| !name.is_empty()).ok_or_else(|| {
        Refusal::invalid(format!("Bucket resource name must be of form {FORM}<bucket>: {resource:?}"))
    })
}

/// The resource name of a bucket.
pub(super) fn resource(bucket: &str) -> String {
    format!("{FORM}{bucket}")
}

/// Refuses a name that no bucket may have: <https://cloud.google.com/storage/docs/buckets#naming>.
pub(super) fn check_bucket(name: &str) -> Answer<()> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let characters = name.chars().all(|c| alphanumeric(c) || matches!(c, '-' | '_' | '.'));
    let ends = name.starts_with(alphanumeric) && name.ends_with(alphanumeric);
    let longest = if name.contains('.') { 222 } else { 63 };
    let parts = name.split('.').all(|part| (1..=63).contains(&part.len()));
    let googles = name.starts_with("goog") || name.contains("google") || name.contains("g00gle");
    let address = name.parse::<Ipv4Addr>().is_ok();
    let length = (3..=longest).contains(&name.len());
    if !(characters && ends && parts && length) || googles || address {
        return Err(Refusal::invalid(format!("Invalid bucket name: '{name}'")));
    }
    if name.contains('.') {
        return Err(Refusal::denied(
            "The bucket you tried to create requires domain ownership verification. Please see \
             https://cloud.google.com/storage/docs/naming?hl=en#verification for more details.",
        ));
    }
    Ok(())
}

/// Refuses a name that no object may have: <https://cloud.google.com/storage/docs/objects#naming>.
pub(super) fn check_object(name: &str) -> Answer<()> {
    let length = (1..=1024).contains(&name.len());
    let breaks = name.contains(['\r', '\n']) || name.starts_with(".well-known/acme-challenge/");
    if !length || breaks || matches!(name, "." | "..") {
        return Err(Refusal::invalid(format!("Invalid object name: '{name}'")));
    }
    Ok(())
}

/// The form a location is kept in, and its type; `None` when there is no such location:
/// <https://cloud.google.com/storage/docs/locations>.
pub(super) fn location(name: &str) -> Option<(String, &'static str)> {
    let upper = name.to_ascii_uppercase();
    let kind = match upper.as_str() {
        "US" | "EU" | "ASIA" => "multi-region",
        "NAM4" | "EUR4" | "EUR5" | "EUR7" | "EUR8" | "ASIA1" => "dual-region",
        _ if REGIONS.contains(&upper.as_str()) => "region",
        _ => return None,
    };
    Some((upper, kind))
}

const REGIONS: &[&str] = &[
    "AFRICA-SOUTH1",
    "ASIA-EAST1",
    "ASIA-EAST2",
    "ASIA-NORTHEAST1",
    "ASIA-NORTHEAST2",
    "ASIA-NORTHEAST3",
    "ASIA-SOUTH1",
    "ASIA-SOUTH2",
    "ASIA-SOUTHEAST1",
    "ASIA-SOUTHEAST2",
    "AUSTRALIA-SOUTHEAST1",
    "AUSTRALIA-SOUTHEAST2",
    "EUROPE-CENTRAL2",
    "EUROPE-NORTH1",
    "EUROPE-NORTH2",
    "EUROPE-SOUTHWEST1",
    "EUROPE-WEST1",
    "EUROPE-WEST10",
    "EUROPE-WEST12",
    "EUROPE-WEST2",
    "EUROPE-WEST3",
    "EUROPE-WEST4",
    "EUROPE-WEST6",
    "EUROPE-WEST8",
    "EUROPE-WEST9",
    "ME-CENTRAL1",
    "ME-CENTRAL2",
    "ME-WEST1",
    "NORTHAMERICA-NORTHEAST1",
    "NORTHAMERICA-NORTHEAST2",
    "NORTHAMERICA-SOUTH1",
    "SOUTHAMERICA-EAST1",
    "SOUTHAMERICA-WEST1",
    "US-CENTRAL1",
    "US-EAST1",
    "US-EAST4",
    "US-EAST5",
    "US-SOUTH1",
    "US-WEST1",
    "US-WEST2",
    "US-WEST3",
    "US-WEST4",
];
