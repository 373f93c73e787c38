//! The server's pods, by namespace and service account, as the workload identity of a cloud identifies them.
//!
//! Version 1 of W&B's operator installs a chart of components (wandb/helm-charts, charts/operator-wandb, commit
//! 0040ffd), most of them an alias of `wandb-base`: each has a service account and the values
//! `serviceAccount.name`, `serviceAccount.annotations` and `podLabels`. Version 2 has one service account for all pods
//! (wandb/operator, api/v2/weightsandbiases_types.go, `ServiceAccountSpec`).

use clap::Args;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::option::parsed;
use crate::policy::PolicyForm;
use crate::settings::kubernetes_name::{KubernetesServiceAccount, Namespace};

/// The option for service accounts.
pub(crate) const ACCOUNTS: &str = "--kubernetes-service-account";

/// The components of the chart that use the bucket: each with its service account in a release called `wandb`, and
/// its key in the values (wandb/terraform-google-wandb, main.tf, commit 006a2d0, and wandb/terraform-azurerm-wandb,
/// modules/secure_storage_connector, commit 4599ca6).
const COMPONENTS: [(&str, &str); 13] = [
    ("wandb-app", "app"),
    ("wandb-api", "api"),
    ("wandb-console", "console"),
    ("wandb-executor", "executor"),
    ("wandb-parquet", "parquet"),
    ("wandb-filestream", "filestream"),
    ("wandb-filemeta", "filemeta"),
    ("wandb-flat-run-fields-updater", "flat-run-fields-updater"),
    ("wandb-glue", "glue"),
    ("wandb-weave", "weave"),
    ("wandb-weave-trace", "weave-trace"),
    ("wandb-settings-migration-job", "settingsMigrationJob"),
    ("bufstream-service-account", BUFSTREAM),
];

/// A chart within the chart, whose values have the key twice.
const BUFSTREAM: &str = "bufstream";

/// The options that name the pods.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub(crate) struct PodOptions {
    /// With --trust: Kubernetes namespace of the server
    #[arg(long, value_name = "NAME", value_parser = parsed::<Namespace>())]
    pub namespace: Option<Namespace>,
    /// With --trust: service account of the server in Kubernetes; repeatable [default: those of W&B's chart that use
    /// the bucket]
    #[arg(long = "kubernetes-service-account", value_name = "NAME", value_parser = parsed::<KubernetesServiceAccount>())]
    pub service_accounts: Vec<KubernetesServiceAccount>,
}

impl PodOptions {
    /// Each option, and whether it is given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 2] {
        [("--namespace", self.namespace.is_some()), (ACCOUNTS, !self.service_accounts.is_empty())]
    }

    /// The pods; without service accounts those of W&B's chart and `more`, which it has on one cloud.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) without a namespace: nobody else's may be trusted.
    pub(crate) fn pods(&self, more: &[&str]) -> Result<Pods> {
        let namespace = self.namespace.clone().ok_or_else(|| {
            Error::input("the namespace of the server's pods is missing")
                .hint("add `--namespace NAME`; `kubectl get pods --all-namespaces` prints it")
        })?;
        let mut accounts: Vec<String> = vec![];
        for account in &self.service_accounts {
            if !accounts.iter().any(|known| known == account.as_str()) {
                accounts.push(account.to_string());
            }
        }
        if accounts.is_empty() {
            let chart = COMPONENTS.iter().map(|(account, _)| *account);
            accounts = chart.chain(more.iter().copied()).map(str::to_owned).collect();
        }
        Ok(Pods { namespace, accounts })
    }
}

/// The pods of one server.
#[derive(Clone, Debug)]
pub(crate) struct Pods {
    pub namespace: Namespace,
    /// Their service accounts, at least one and none twice.
    pub accounts: Vec<String>,
}

impl Pods {
    /// The subjects of their tokens (Kubernetes documentation, "Authenticating", "Service account tokens").
    pub(crate) fn subjects(&self) -> Vec<String> {
        let subject = |account| format!("system:serviceaccount:{}:{account}", self.namespace);
        self.accounts.iter().map(subject).collect()
    }

    /// Checks that `form` has a place for each service account.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) otherwise.
    fn require(&self, form: PolicyForm) -> Result<()> {
        match (form, self.accounts.as_slice()) {
            (PolicyForm::OperatorV2, [_, _, ..]) => {
                Err(Error::input("version 2 of W&B's operator has one service account for all pods")
                    .hint(format!("add `{ACCOUNTS} wandb`, the name that it has by default")))
            }
            (PolicyForm::Helm, accounts) => {
                match accounts
                    .iter()
                    .find(|account| component(account).is_none() && *account != AZURE_ACCOUNT)
                {
                    None => Ok(()),
                    Some(other) => Err(Error::input(format!("W&B's chart has no service account `{other}`"))
                        .hint("use `--format commands`, which prints the annotation of the service account")),
                }
            }
            _ => Ok(()),
        }
    }
}

/// The service account that the chart creates and annotates itself where `global.azureStorageIdentity` is set.
pub(crate) const AZURE_ACCOUNT: &str = "wandb-bucket-access";

/// The component of `account`, in a release of any name.
fn component(account: &str) -> Option<&'static str> {
    let ends = |known: &str| match known.strip_prefix("wandb") {
        Some(end) => account.len() > end.len() && account.ends_with(end),
        None => account == known,
    };
    let found = COMPONENTS.iter().filter(|(known, _)| ends(known));
    // `wandb-weave-trace` ends like no shorter one, but a release may.
    found.max_by_key(|(known, _)| known.len()).map(|(_, key)| *key)
}

/// How `--trust` gives an identity to the server.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The value of `--trust`.
    pub how: &'static str,
    /// The pods whose service accounts have to be annotated.
    pub annotated: Option<Pods>,
}

impl Trust {
    /// Checks that there is something to write as `form`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) otherwise.
    pub(crate) fn require(&self, form: PolicyForm) -> Result<()> {
        match &self.annotated {
            Some(pods) => pods.require(form),
            None if form.is_of_pods() => {
                Err(Error::input(format!("--trust {} requires no annotation of a service account", self.how))
                    .hint("use `--format commands`"))
            }
            None => Ok(()),
        }
    }
}

/// What the pods require in Kubernetes to have their identity.
#[derive(Clone, Debug)]
pub(crate) struct PodIdentity {
    pub pods: Pods,
    /// On each service account.
    pub annotations: Map<String, Value>,
    /// On each pod.
    pub labels: Map<String, Value>,
    /// Values of the chart for all components, below `global`.
    pub global: Map<String, Value>,
}

impl PodIdentity {
    /// The document in the form of W&B's chart or resource.
    ///
    /// # Errors
    /// As [`Trust::require`].
    pub(crate) fn document(&self, form: PolicyForm) -> Result<Value> {
        self.pods.require(form)?;
        Ok(if form == PolicyForm::Helm { self.values() } else { self.resource() })
    }

    /// Values of W&B's chart.
    fn values(&self) -> Value {
        let mut values = Map::new();
        if !self.global.is_empty() {
            values.insert("global".to_owned(), self.global.clone().into());
        }
        for account in &self.pods.accounts {
            let Some(key) = component(account) else { continue };
            let service_account = json!({ "name": account, "annotations": self.annotations });
            let labels = (!self.labels.is_empty()).then(|| json!(self.labels));
            let mut component = match (key, labels) {
                (BUFSTREAM, Some(labels)) => json!({ "deployment": { "podLabels": labels } }),
                (_, Some(labels)) => json!({ "podLabels": labels }),
                (_, None) => json!({}),
            };
            if let Some(component) = component.as_object_mut().filter(|_| !self.annotations.is_empty()) {
                component.insert("serviceAccount".to_owned(), service_account);
            }
            let component = if key == BUFSTREAM { json!({ BUFSTREAM: component }) } else { component };
            values.insert(key.to_owned(), component);
        }
        values.into()
    }

    /// The part of a `WeightsAndBiases` resource of version 2.
    fn resource(&self) -> Value {
        let account =
            json!({ "serviceAccountName": self.pods.accounts.first(), "annotations": self.annotations });
        json!({ "spec": { "wandb": { "serviceAccount": account } } })
    }
}

/// Refuses an option that has no effect without `--trust`.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input), with its name.
pub(crate) fn refuse_without_trust(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::input(format!("{option} has no effect without --trust"))
            .hint(format!("add `--trust HOW`, or omit `{option}`"))),
        None => Ok(()),
    }
}

/// Refuses an option that has no effect beside `other`.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input), with its name.
pub(crate) fn refuse_beside(other: &str, options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            Err(Error::input(format!("{option} has no effect with {other}")).hint(format!("omit `{option}`")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(accounts: &[&str]) -> Pods {
        let service_accounts = accounts.iter().map(|name| name.parse().unwrap()).collect();
        PodOptions { namespace: Some("ml".parse().unwrap()), service_accounts }
            .pods(&[AZURE_ACCOUNT])
            .unwrap()
    }

    #[test]
    fn pods_are_named_exactly_and_once() {
        assert_eq!(
            pods(&["wandb-app", "b", "wandb-app"]).subjects(),
            ["system:serviceaccount:ml:wandb-app", "system:serviceaccount:ml:b"]
        );
        let all = pods(&[]).accounts;
        assert_eq!((all.len(), all.last().map(String::as_str)), (COMPONENTS.len() + 1, Some(AZURE_ACCOUNT)));
        assert!(PodOptions::default().pods(&[]).unwrap_err().what_next().unwrap().contains("--namespace"));
    }

    #[test]
    fn a_service_account_is_of_one_component_in_any_release() {
        for (account, key) in [
            ("wandb-app", Some("app")),
            ("acme-weave-trace", Some("weave-trace")),
            ("acme-weave", Some("weave")),
            ("acme-settings-migration-job", Some("settingsMigrationJob")),
            ("bufstream-service-account", Some(BUFSTREAM)),
            ("acme-bufstream-service-account", None),
            ("-app", None),
            ("app", None),
            ("wandb", None),
        ] {
            assert_eq!(component(account), key, "{account}");
        }
    }

    fn identity(accounts: &[&str]) -> PodIdentity {
        let one = |key: &str, value: &str| Map::from_iter([(key.to_owned(), json!(value))]);
        PodIdentity {
            pods: pods(accounts),
            annotations: one("role", "r"),
            labels: one("use", "true"),
            global: one("client", "c"),
        }
    }

    #[test]
    fn values_have_a_place_for_every_component() {
        let values = identity(&["acme-app", "bufstream-service-account"]).document(PolicyForm::Helm).unwrap();
        let account = |name: &str| json!({ "name": name, "annotations": { "role": "r" } });
        let bufstream = json!({
            "serviceAccount": account("bufstream-service-account"),
            "deployment": { "podLabels": { "use": "true" } },
        });
        assert_eq!(
            values,
            json!({
                "global": { "client": "c" },
                "app": { "serviceAccount": account("acme-app"), "podLabels": { "use": "true" } },
                "bufstream": { "bufstream": bufstream },
            })
        );
        let bare = PodIdentity { annotations: Map::new(), global: Map::new(), ..identity(&["acme-app"]) };
        assert_eq!(
            bare.document(PolicyForm::Helm).unwrap(),
            json!({ "app": { "podLabels": { "use": "true" } } })
        );
        assert!(identity(&[]).document(PolicyForm::Helm).is_ok());
        let other = identity(&["mine"]).document(PolicyForm::Helm).unwrap_err();
        assert!(other.to_string().contains("no service account `mine`"), "{other}");
    }

    #[test]
    fn version_2_has_one_service_account() {
        let resource = identity(&["wandb"]).document(PolicyForm::OperatorV2).unwrap();
        let account = json!({ "serviceAccountName": "wandb", "annotations": { "role": "r" } });
        assert_eq!(resource, json!({ "spec": { "wandb": { "serviceAccount": account } } }));
        let several = identity(&[]).document(PolicyForm::OperatorV2).unwrap_err();
        assert!(several.what_next().unwrap().contains("--kubernetes-service-account wandb"), "{several:?}");
    }
}
