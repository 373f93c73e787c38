//! Signatures as the server makes them: with the account's key, or with a key that Azure gives its identity for a
//! while (Storage REST API, "Create an account SAS", "Create a service SAS" and "Create a user delegation SAS").

use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::time::{Duration, OffsetDateTime};
use azure_storage_blob::models::KeyInfo;
use jiff::Timestamp;
use url::form_urlencoded;

use crate::error::{Error, Kind, Result};
use crate::providers::azure::failure::failure;
use crate::providers::azure::session::Api;

/// The version whose string to sign is used.
const VERSION: &str = "2022-11-02";
/// How long a signature is valid, in minutes.
const GOOD_FOR: i64 = 30;

/// For all that the server does with blobs and messages.
pub(super) fn of_account(api: &Api, key: &Secret) -> Result<String> {
    let (services, kinds, permissions, protocol) = ("bq", "sco", "rwdlacup", protocol(api));
    let end = end();
    let account = &api.account;
    let signed =
        format!("{account}\n{permissions}\n{services}\n{kinds}\n\n{end}\n\n{protocol}\n{VERSION}\n\n");
    query(
        &[
            ("sv", VERSION),
            ("ss", services),
            ("srt", kinds),
            ("sp", permissions),
            ("se", &end),
            ("spr", protocol),
        ],
        &signed,
        key,
    )
}

/// For the blobs of `container`.
pub(super) fn of_container(api: &Api, container: &str, permissions: &str, key: &Secret) -> Result<String> {
    let (end, protocol) = (end(), protocol(api));
    let resource = format!("/blob/{}/{container}", api.account);
    let signed = format!("{permissions}\n\n{end}\n{resource}\n\n\n{protocol}\n{VERSION}\nc\n\n\n\n\n\n\n");
    query(&[("sv", VERSION), ("sr", "c"), ("sp", permissions), ("se", &end), ("spr", protocol)], &signed, key)
}

/// A key that Azure gives an identity for a while.
pub(super) struct Delegation {
    object: String,
    tenant: String,
    start: String,
    end: String,
    service: String,
    version: String,
    key: Secret,
}

impl Delegation {
    /// # Errors
    /// Those of the call.
    pub(super) async fn request(api: &Api) -> Result<Self> {
        const ACTION: &str =
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action";
        let failed = |error| failure(error, ACTION, format!("account {}", api.account));
        let now = OffsetDateTime::now_utc();
        let wanted = KeyInfo {
            start: Some(now - Duration::minutes(5)),
            expiry: Some(now + Duration::minutes(GOOD_FOR + 5)),
            ..KeyInfo::default()
        };
        let blobs = api.blobs(None).await?;
        let answer =
            blobs.get_user_delegation_key(wanted.try_into().map_err(failed)?, None).await.map_err(failed)?;
        let given = answer.into_model().map_err(failed)?;
        let missing = || Error::new(Kind::Failed, format!("{ACTION}: the response contains no key"));
        let time = |time: Option<OffsetDateTime>| {
            let time = time.and_then(|time| Timestamp::from_second(time.unix_timestamp()).ok());
            time.map(|time| format!("{time:.0}")).ok_or_else(missing)
        };
        Ok(Self {
            object: given.signed_oid.ok_or_else(missing)?,
            tenant: given.signed_tid.ok_or_else(missing)?,
            start: time(given.signed_start)?,
            end: time(given.signed_expiry)?,
            service: given.signed_service.ok_or_else(missing)?,
            version: given.signed_version.ok_or_else(missing)?,
            key: Secret::new(azure_core::base64::encode(given.value.ok_or_else(missing)?)),
        })
    }

    /// For the blobs of `container`.
    pub(super) fn sign(&self, api: &Api, container: &str, permissions: &str) -> Result<String> {
        let Self { object, tenant, start, end: key_end, service, version, key } = self;
        let (end, protocol) = (end(), protocol(api));
        let resource = format!("/blob/{}/{container}", api.account);
        let signed = format!(
            "{permissions}\n\n{end}\n{resource}\n{object}\n{tenant}\n{start}\n{key_end}\n{service}\n{version}\n\n\n\n\n\
             {protocol}\n{VERSION}\nc\n\n\n\n\n\n\n"
        );
        query(
            &[
                ("sv", VERSION),
                ("sr", "c"),
                ("sp", permissions),
                ("se", &end),
                ("spr", protocol),
                ("skoid", object),
                ("sktid", tenant),
                ("skt", start),
                ("ske", key_end),
                ("sks", service),
                ("skv", version),
            ],
            &signed,
            key,
        )
    }
}

fn protocol(api: &Api) -> &'static str {
    if api.signs_for_http() { "https,http" } else { "https" }
}

fn end() -> String {
    let now = Timestamp::now();
    let end = now.checked_add(jiff::SignedDuration::from_mins(GOOD_FOR)).unwrap_or(now);
    format!("{end:.0}")
}

fn query(parameters: &[(&str, &str)], signed: &str, key: &Secret) -> Result<String> {
    let signature = hmac_sha256(signed, key)
        .map_err(|_| Error::new(Kind::Failed, "the key cannot sign: it is not base64"))?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    Ok(query.extend_pairs(parameters).append_pair("sig", &signature).finish())
}
