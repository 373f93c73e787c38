//! What a storage account may be.

use serde_json::{Map, Value};

use crate::azure::double::answer::Refusal;
use crate::azure::double::providers::REGIONS;

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftstorage>
pub(super) fn name(name: &str) -> Result<(), Refusal> {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if letters && (3..=24).contains(&name.len()) {
        return Ok(());
    }
    let message = format!(
        "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters \
         in length and use numbers and lower-case letters only."
    );
    Err(Refusal::new(400, "AccountNameInvalid", message))
}

pub(super) fn location(body: &Value) -> Result<String, Refusal> {
    let Some(given) = body["location"].as_str() else {
        let message = "The location property is required for this definition.";
        return Err(Refusal::new(400, "LocationRequired", message));
    };
    let plain = given.replace(' ', "").to_ascii_lowercase();
    if REGIONS.iter().any(|(name, _)| *name == plain) {
        return Ok(plain);
    }
    let all: Vec<_> = REGIONS.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "The provided location '{given}' is not available for resource type \
         'Microsoft.Storage/storageAccounts'. List of available regions for the resource type is '{}'.",
        all.join(",")
    );
    Err(Refusal::new(400, "LocationNotAvailableForResourceType", message))
}

pub(super) fn kind(body: &Value) -> Result<String, Refusal> {
    let known = ["StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"];
    let given = body["kind"].as_str().unwrap_or_default();
    let found = known.into_iter().find(|kind| kind.eq_ignore_ascii_case(given));
    found.map(str::to_owned).ok_or_else(|| Refusal::invalid("kind"))
}

pub(super) fn sku(body: &Value) -> Result<String, Refusal> {
    let given = body["sku"]["name"].as_str().unwrap_or_default();
    let fits =
        ["Standard_", "Premium_", "StandardV2_", "PremiumV2_"].iter().any(|tier| given.starts_with(tier));
    if fits { Ok(given.to_owned()) } else { Err(Refusal::invalid("sku")) }
}

/// "Each tag must have a key with a length no greater than 128 characters and a value with a length no greater than
/// 256 characters." The page's maximum of 15 was the one of all resources, which is 50 by now.
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create#request-body>
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>
pub(super) fn tags(given: &Value) -> Result<Map<String, Value>, Refusal> {
    let Some(tags) = given.as_object() else { return Ok(Map::new()) };
    let long = |(name, value): (&String, &Value)| {
        name.len() > 128 || value.as_str().is_none_or(|value| value.len() > 256)
    };
    if tags.len() > 50 {
        return Err(Refusal::new(400, "TooManyTags", "A maximum of 50 tags can be provided for a resource."));
    }
    let mut names: Vec<_> = tags.keys().map(|name| name.to_lowercase()).collect();
    if names.iter().any(|name| ["microsoft", "azure", "windows"].iter().any(|kept| name.starts_with(kept))) {
        let message = "The tag names begin with a reserved prefix: 'microsoft', 'azure', 'windows'.";
        return Err(Refusal::new(400, "ReservedTagName", message));
    }
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refusal::new(
            400,
            "InvalidTagName",
            "Tag names are case-insensitive, and one is given twice.",
        ));
    }
    if tags.iter().any(long) {
        return Err(Refusal::new(400, "InvalidTags", "A tag name or value is too long, or no text."));
    }
    if tags.keys().any(|name| name.contains(['<', '>', '%', '&', '\\', '?', '/'])) {
        let message = "The tag names have reserved characters '<,>,%,&,\\,?,/' or control characters.";
        return Err(Refusal::new(400, "InvalidTagNameCharacters", message));
    }
    Ok(tags.clone())
}

/// The properties that can be set; those that only the service sets are left out.
pub(super) fn properties(given: &Value) -> Result<Map<String, Value>, Refusal> {
    let Some(properties) = given.as_object() else { return Ok(Map::new()) };
    // TLS1_3 is among the values that are read, and not among those that can be asked for.
    if let Some(version) = properties.get("minimumTlsVersion")
        && !["TLS1_0", "TLS1_1", "TLS1_2"].contains(&version.as_str().unwrap_or_default())
    {
        return Err(Refusal::invalid("minimumTlsVersion"));
    }
    let read_only =
        ["provisioningState", "creationTime", "primaryEndpoints", "primaryLocation", "statusOfPrimary"];
    let settable =
        |(name, value): &(&String, &Value)| !read_only.contains(&name.as_str()) && !value.is_null();
    Ok(properties.iter().filter(settable).map(|(name, value)| (name.clone(), value.clone())).collect())
}
