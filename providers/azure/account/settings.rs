//! What an account is and what it allows, as far as it matters to us (Storage resource provider REST
//! API, "Storage Accounts - Create"; Z7 to Z9).

use serde::Serialize;
use serde_json::{Value, json};

use crate::providers::azure::spelling::{flag, number, same};
use crate::text::clean;

/// The settings that decide whether the server can work with an account, and how safely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    /// `StorageV2` has blobs, queues and events.
    pub kind: String,
    /// How the data are kept; any standard one will do.
    pub sku: String,
    /// Whether plain http is refused.
    pub https_only: bool,
    /// The oldest TLS that it speaks.
    pub minimum_tls_version: String,
    /// Whether a container may be made public.
    pub public_blobs: bool,
    /// Whether keys such as `AZURE_STORAGE_KEY` open it.
    pub shared_key: bool,
    /// Whether it has directories, with which events mean something else.
    pub hierarchical_namespace: bool,
    /// Whether its data may be replicated into another tenant.
    pub cross_tenant_replication: bool,
}

impl Settings {
    /// The settings of a new account.
    pub(crate) fn wanted() -> Self {
        Self {
            kind: "StorageV2".to_owned(),
            sku: "Standard_LRS".to_owned(),
            https_only: true,
            minimum_tls_version: "TLS1_2".to_owned(),
            public_blobs: false,
            shared_key: true,
            hierarchical_namespace: false,
            cross_tenant_replication: false,
        }
    }

    /// As `account` has them, with what is left out as Azure means it, and what is as good as wanted in
    /// the wanted spelling.
    pub(crate) fn observed(account: &Value) -> Self {
        let wanted = Self::wanted();
        let properties = &account["properties"];
        let flag = |name: &str, unset: bool| flag(&properties[name]).unwrap_or(unset);
        let sku = clean(account["sku"]["name"].as_str().unwrap_or_default());
        let is_standard = sku.to_ascii_lowercase().starts_with("standard_");
        let tls = clean(properties["minimumTlsVersion"].as_str().unwrap_or("TLS1_0")).to_ascii_uppercase();
        Self {
            kind: same(clean(account["kind"].as_str().unwrap_or_default()), &wanted.kind),
            sku: if is_standard { wanted.sku } else { sku },
            https_only: flag("supportsHttpsTrafficOnly", true),
            minimum_tls_version: if tls == "TLS1_3" { wanted.minimum_tls_version } else { tls },
            public_blobs: flag("allowBlobPublicAccess", false),
            shared_key: flag("allowSharedKeyAccess", true),
            hierarchical_namespace: flag("isHnsEnabled", false),
            cross_tenant_replication: flag("allowCrossTenantReplication", false),
        }
    }

    /// The properties of a new account.
    pub(crate) fn properties(&self) -> Value {
        let mut all = self.changeable();
        all["isHnsEnabled"] = json!(self.hierarchical_namespace);
        all
    }

    /// Those that can be changed later.
    pub(crate) fn changeable(&self) -> Value {
        let Self {
            kind: _,
            sku: _,
            https_only,
            minimum_tls_version,
            public_blobs,
            shared_key,
            hierarchical_namespace: _,
            cross_tenant_replication,
        } = self;
        json!({
            "supportsHttpsTrafficOnly": https_only,
            "minimumTlsVersion": minimum_tls_version,
            "allowBlobPublicAccess": public_blobs,
            "allowSharedKeyAccess": shared_key,
            "allowCrossTenantReplication": cross_tenant_replication,
        })
    }

    /// Why a server cannot work with an account like this, and what to do about it.
    pub(crate) fn unfit(&self) -> Vec<(String, String)> {
        const OTHER: &str = "choose another account with --account";
        let mut faults = vec![];
        if self.kind.eq_ignore_ascii_case("Storage") {
            faults.push((
                "it is a general-purpose v1 account, which sends no events".to_owned(),
                format!("upgrade it with `az storage account update --set kind=StorageV2 --access-tier Hot`, or {OTHER}"),
            ));
        } else if self.sku.starts_with("Premium_") || self.kind != "StorageV2" {
            faults.push((
                format!("it is of the kind {} ({}), which has no queues", self.kind, self.sku),
                OTHER.to_owned(),
            ));
        }
        if self.hierarchical_namespace {
            faults.push((
                "it has a hierarchical namespace, where the event of an upload is sent before the data is \
                 complete"
                    .to_owned(),
                OTHER.to_owned(),
            ));
        }
        if !self.shared_key {
            faults.push((
                "shared keys are disabled, and the server requires AZURE_STORAGE_KEY".to_owned(),
                format!(
                    "allow them with `az storage account update --allow-shared-key-access true`, or {OTHER}"
                ),
            ));
        }
        faults
    }
}

/// The settings of an account of others that are insecure, one finding each.
pub(super) fn exposures(account: &Value) -> Vec<String> {
    let settings = Settings::observed(account);
    let mut findings = vec![];
    if settings.public_blobs {
        findings.push("it allows public containers; wbstore's is private".to_owned());
    }
    if !settings.https_only {
        findings.push("it also accepts plain http".to_owned());
    }
    if settings.minimum_tls_version != "TLS1_2" {
        findings.push(format!("it accepts {}", settings.minimum_tls_version));
    }
    findings
}

/// What keeps browsers, Event Grid or the server out of an account, or its blobs from being deleted, one
/// finding each: whoever the account belongs to, an administrator or a policy may have set it (Azure Storage
/// documentation, "Configure network access to Azure Storage"; B42, B43).
pub(super) fn hindrances(account: &Value) -> Vec<String> {
    let properties = &account["properties"];
    let is = |value: &Value, word: &str| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word));
    let mut findings = vec![];
    let rules = &properties["networkAcls"];
    let services_pass = rules["bypass"]
        .as_str()
        .is_some_and(|all| all.split(',').any(|who| who.trim().eq_ignore_ascii_case("AzureServices")));
    let access = &properties["publicNetworkAccess"];
    if is(access, "SecuredByPerimeter") {
        findings.push(
            "a network security perimeter protects it: browsers reach it only as the perimeter's inbound rules \
             allow, and verify must run where they do"
                .to_owned(),
        );
        findings.push(
            "Event Grid is outside of its network security perimeter, which may drop every event".to_owned(),
        );
    } else if is(access, "Disabled") {
        findings.push(
            "it has no public endpoint: browsers outside its network cannot upload, and verify must run inside"
                .to_owned(),
        );
        findings.push(event_grid("without a public endpoint", services_pass));
    } else if is(&rules["defaultAction"], "Deny") {
        let allowed =
            ["ipRules", "virtualNetworkRules"].map(|name| rules[name].as_array().map_or(0, Vec::len));
        let allowed: usize = allowed.iter().sum();
        findings.push(format!(
            "its firewall allows only the {allowed} addresses and networks that it lists: browsers elsewhere cannot \
             upload, and verify must run there"
        ));
        findings.push(event_grid("behind its firewall", services_pass));
    }
    if is(&properties["dnsEndpointType"], "AzureDnsZone") {
        let blob = clean(properties["primaryEndpoints"]["blob"].as_str().unwrap_or("unknown"));
        findings.push(format!(
            "its endpoints are in a DNS zone of their own ({blob}): a server that derives the host name from the \
             account's does not find it; create an account with standard endpoints for it"
        ));
    }
    let policy = &properties["immutableStorageWithVersioning"];
    if flag(&policy["enabled"]) == Some(true)
        && let Some(days) = number(&policy["immutabilityPolicy"]["immutabilityPeriodSinceCreationInDays"])
    {
        findings.push(format!(
            "its immutability policy keeps every version of a blob for {days} days after its creation: the server \
             cannot delete files before, and neither can a teardown"
        ));
    }
    if is(&properties["sasPolicy"]["expirationAction"], "Block") {
        let longest = clean(properties["sasPolicy"]["sasExpirationPeriod"].as_str().unwrap_or_default());
        findings.push(format!(
            "it rejects signed URLs that are valid for longer than {longest} (days.hours:minutes:seconds)"
        ));
    }
    findings
}

/// Microsoft's pages state both that trusted services include Event Grid and that it requires a managed identity.
fn event_grid(place: &str, services_pass: bool) -> String {
    if services_pass {
        return format!(
            "whether Event Grid delivers to a queue {place} is uncertain, although trusted Azure services are \
             allowed: `wbstore verify azure` shows it"
        );
    }
    format!(
        "Event Grid does not reach a queue {place}; allow trusted Azure services with `az storage account update \
         --bypass AzureServices`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(kind: &str, properties: Value) -> Value {
        json!({"kind": kind, "sku": {"name": "Standard_RAGRS"}, "properties": properties})
    }

    #[test]
    fn what_we_make_reads_back_as_wanted() {
        let made = account("StorageV2", Settings::wanted().properties());
        assert_eq!(Settings::observed(&made), Settings::wanted());
        assert!(Settings::wanted().unfit().is_empty() && exposures(&made).is_empty());
        assert!(hindrances(&made).is_empty());
    }

    #[test]
    fn what_is_left_out_means_what_azure_means() {
        let bare = Settings::observed(&account("StorageV2", json!({})));
        assert!(bare.https_only && bare.shared_key && !bare.public_blobs);
        assert_eq!(bare.minimum_tls_version, "TLS1_0");
    }

    #[test]
    fn an_account_that_cannot_work_is_refused_with_the_reason() {
        let unfit = |kind: &str, properties| Settings::observed(&account(kind, properties)).unfit();
        assert!(unfit("StorageV2", json!({})).is_empty());
        for (account, word) in [
            (unfit("Storage", json!({})), "v1"),
            (unfit("BlockBlobStorage", json!({})), "no queues"),
            (unfit("StorageV2", json!({"isHnsEnabled": true})), "hierarchical"),
            (unfit("StorageV2", json!({"allowSharedKeyAccess": false})), "AZURE_STORAGE_KEY"),
        ] {
            assert!(account.len() == 1 && account[0].0.contains(word), "{account:?}");
        }
    }

    #[test]
    fn one_value_may_be_spelled_in_several_ways() {
        let account = json!({"kind": "storagev2", "sku": {"name": "STANDARD_LRS"}, "properties": {
            "minimumTlsVersion": "tls1_2", "allowBlobPublicAccess": "false", "allowSharedKeyAccess": "True",
            "supportsHttpsTrafficOnly": true}});
        assert_eq!(Settings::observed(&account), Settings::wanted());
    }

    #[test]
    fn what_shuts_out_browsers_and_event_grid_is_named_for_each() {
        let found = |properties| hindrances(&account("StorageV2", properties));
        let firewall = |bypass: &str| {
            found(
                json!({"networkAcls": {"defaultAction": "deny", "bypass": bypass, "ipRules": [{"value": "1.2.3.4"}]}}),
            )
        };
        let [browsers, events] = &firewall("None")[..] else { panic!("two facts") };
        assert!(
            browsers.contains("the 1 addresses") && browsers.contains("browsers elsewhere"),
            "{browsers}"
        );
        assert!(events.contains("does not reach") && events.contains("--bypass AzureServices"), "{events}");
        assert!(firewall("Logging, azureservices")[1].contains("uncertain"));
        let closed =
            found(json!({"publicNetworkAccess": "disabled", "networkAcls": {"bypass": "AzureServices"}}));
        assert!(closed[0].contains("no public endpoint") && closed[1].contains("uncertain"), "{closed:?}");
        assert_eq!(found(json!({"publicNetworkAccess": "SecuredByPerimeter"})).len(), 2);
        let zone =
            json!({"dnsEndpointType": "AzureDnsZone", "primaryEndpoints": {"blob": "https://a.z1.blob.x/"}});
        assert!(found(zone)[0].contains("https://a.z1.blob.x/"));
        let policy =
            json!({"enabled": true, "immutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": 30}});
        assert!(found(json!({"immutableStorageWithVersioning": policy}))[0].contains("30 days"));
        assert!(
            found(json!({"sasPolicy": {"expirationAction": "Block", "sasExpirationPeriod": "0.01:00:00"}}))
                [0]
            .contains("0.01:00:00")
        );
        assert!(
            found(json!({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}))
                .is_empty()
        );
    }
}
