//! What an account is and what it allows, as far as it matters to us (Storage resource provider REST
//! API, "Storage Accounts - Create"; Z7 to Z9).

use serde::Serialize;
use serde_json::{Value, json};

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
        let flag = |name: &str, unset: bool| properties[name].as_bool().unwrap_or(unset);
        let sku = clean(account["sku"]["name"].as_str().unwrap_or_default());
        let tls = clean(properties["minimumTlsVersion"].as_str().unwrap_or("TLS1_0"));
        Self {
            kind: clean(account["kind"].as_str().unwrap_or_default()),
            sku: if sku.starts_with("Standard_") { wanted.sku } else { sku },
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
        if self.kind == "Storage" {
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

/// The settings of an account of others that are insecure or block Event Grid, one finding each.
pub(super) fn exposures(account: &Value) -> Vec<String> {
    let settings = Settings::observed(account);
    let properties = &account["properties"];
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
    let rules = &properties["networkAcls"];
    let lets_services_in = rules["bypass"]
        .as_str()
        .is_some_and(|bypass| bypass.split(',').any(|who| who.trim() == "AzureServices"));
    if rules["defaultAction"] == "Deny" && !lets_services_in {
        findings.push(
            "its firewall blocks Event Grid, so no event reaches the queue; allow trusted Azure services \
             with `az storage account update --bypass AzureServices`"
                .to_owned(),
        );
    }
    if properties["publicNetworkAccess"] == "Disabled" {
        findings.push(
            "it has no public endpoint: browsers outside its network cannot upload, and verify must run inside"
                .to_owned(),
        );
    }
    findings
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
    fn a_firewall_is_told_only_where_it_shuts_event_grid_out() {
        let closed = |bypass: &str| {
            let rules = json!({"minimumTlsVersion": "TLS1_2", "networkAcls": {"defaultAction": "Deny", "bypass": bypass}});
            exposures(&account("StorageV2", rules)).len()
        };
        assert_eq!((closed("None"), closed("Logging, AzureServices")), (1, 0));
    }
}
