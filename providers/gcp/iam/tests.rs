use super::*;
use crate::name::tests::storage;
use crate::policy::PolicyForm;

struct Given {
    storage: StorageName,
    project: ProjectId,
    bucket: BucketName,
    subscription: SubscriptionName,
    account: ServiceAccount,
    key: KmsKeyName,
}

impl Given {
    fn new() -> Self {
        Self {
            storage: storage("acme-prod", None),
            project: "acme-storage".parse().unwrap(),
            bucket: "acme-wandb".parse().unwrap(),
            subscription: "wbstore-acme-prod".parse().unwrap(),
            account: "wandb@acme-storage.iam.gserviceaccount.com".parse().unwrap(),
            key: "projects/acme-storage/locations/us/keyRings/r/cryptoKeys/k".parse().unwrap(),
        }
    }

    fn least(&self) -> Subjects<'_> {
        Subjects {
            storage: &self.storage,
            project: &self.project,
            bucket: &self.bucket,
            subscription: None,
            service_account: None,
            kms_key: None,
            storage_agent: "service-42@gs-project-accounts.iam.gserviceaccount.com",
            impersonation: None,
        }
    }

    fn most(&self) -> Subjects<'_> {
        Subjects {
            subscription: Some(&self.subscription),
            service_account: Some(&self.account),
            kms_key: Some(&self.key),
            ..self.least()
        }
    }
}

fn node_policy(subjects: &Subjects<'_>) -> Policy {
    policy(Audience::Node, subjects).unwrap()
}

fn operator_policy(subjects: &Subjects<'_>) -> Policy {
    policy(Audience::Operator, subjects).unwrap()
}

fn job_policy(subjects: &Subjects<'_>) -> Policy {
    policy(Audience::ExpiryJob, subjects).unwrap()
}

fn included(policy: &Policy) -> Vec<&str> {
    let list = policy.document["includedPermissions"].as_array().unwrap();
    list.iter().map(|permission| permission.as_str().unwrap()).collect()
}

/// The commands without the comments.
fn commands(policy: &Policy) -> String {
    let lines = policy.commands.iter().map(String::as_str).filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_role_of_the_node() {
    let given = Given::new();
    let policy = node_policy(&given.most());
    assert_eq!(policy.form, PolicyForm::Yaml);
    insta::assert_snapshot!(serde_json::to_string_pretty(&policy.document).unwrap(), @r#"
    {
      "description": "What a W&B server does with its storage",
      "includedPermissions": [
        "pubsub.subscriptions.consume",
        "pubsub.subscriptions.get",
        "storage.buckets.get",
        "storage.multipartUploads.abort",
        "storage.multipartUploads.create",
        "storage.multipartUploads.list",
        "storage.multipartUploads.listParts",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
        "storage.objects.list",
        "storage.objects.update"
      ],
      "stage": "GA",
      "title": "W&B server (acme-prod)"
    }
    "#);
    insta::assert_snapshot!(commands(&policy), @"
    gcloud iam roles create wbstore_acme_prod_node --project=acme-storage --title='W&B server (acme-prod)' --description='What a W&B server does with its storage' --stage=GA --permissions=pubsub.subscriptions.consume,pubsub.subscriptions.get,storage.buckets.get,storage.multipartUploads.abort,storage.multipartUploads.create,storage.multipartUploads.list,storage.multipartUploads.listParts,storage.objects.create,storage.objects.delete,storage.objects.get,storage.objects.list,storage.objects.update
    gcloud storage buckets add-iam-policy-binding gs://acme-wandb --member=serviceAccount:wandb@acme-storage.iam.gserviceaccount.com --role=projects/acme-storage/roles/wbstore_acme_prod_node
    gcloud pubsub subscriptions add-iam-policy-binding wbstore-acme-prod --project=acme-storage --member=serviceAccount:wandb@acme-storage.iam.gserviceaccount.com --role=projects/acme-storage/roles/wbstore_acme_prod_node
    gcloud iam service-accounts add-iam-policy-binding wandb@acme-storage.iam.gserviceaccount.com --member=serviceAccount:wandb@acme-storage.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator
    ");
}

#[test]
fn the_role_of_the_operator() {
    let given = Given::new();
    let policy = operator_policy(&given.most());
    insta::assert_snapshot!(included(&policy).join("\n"), @"
    iam.serviceAccounts.getIamPolicy
    iam.serviceAccounts.setIamPolicy
    pubsub.subscriptions.consume
    pubsub.subscriptions.create
    pubsub.subscriptions.delete
    pubsub.subscriptions.get
    pubsub.subscriptions.getIamPolicy
    pubsub.subscriptions.list
    pubsub.subscriptions.setIamPolicy
    pubsub.subscriptions.update
    pubsub.topics.attachSubscription
    pubsub.topics.create
    pubsub.topics.delete
    pubsub.topics.get
    pubsub.topics.getIamPolicy
    pubsub.topics.list
    pubsub.topics.setIamPolicy
    pubsub.topics.update
    resourcemanager.projects.get
    serviceusage.services.use
    storage.buckets.create
    storage.buckets.delete
    storage.buckets.get
    storage.buckets.getIamPolicy
    storage.buckets.getIpFilter
    storage.buckets.list
    storage.buckets.setIamPolicy
    storage.buckets.update
    storage.folders.delete
    storage.folders.list
    storage.managedFolders.delete
    storage.managedFolders.list
    storage.objects.create
    storage.objects.delete
    storage.objects.list
    ");
    insta::assert_snapshot!(commands(&policy), @"
    gcloud iam roles create wbstore_acme_prod_operator --project=acme-storage --title='wbstore operator (acme-prod)' --description='What wbstore calls' --stage=GA --permissions=iam.serviceAccounts.getIamPolicy,iam.serviceAccounts.setIamPolicy,pubsub.subscriptions.consume,pubsub.subscriptions.create,pubsub.subscriptions.delete,pubsub.subscriptions.get,pubsub.subscriptions.getIamPolicy,pubsub.subscriptions.list,pubsub.subscriptions.setIamPolicy,pubsub.subscriptions.update,pubsub.topics.attachSubscription,pubsub.topics.create,pubsub.topics.delete,pubsub.topics.get,pubsub.topics.getIamPolicy,pubsub.topics.list,pubsub.topics.setIamPolicy,pubsub.topics.update,resourcemanager.projects.get,serviceusage.services.use,storage.buckets.create,storage.buckets.delete,storage.buckets.get,storage.buckets.getIamPolicy,storage.buckets.getIpFilter,storage.buckets.list,storage.buckets.setIamPolicy,storage.buckets.update,storage.folders.delete,storage.folders.list,storage.managedFolders.delete,storage.managedFolders.list,storage.objects.create,storage.objects.delete,storage.objects.list
    gcloud projects add-iam-policy-binding acme-storage --member=user:OPERATOR --role=projects/acme-storage/roles/wbstore_acme_prod_operator --condition=None
    gcloud kms keys add-iam-policy-binding projects/acme-storage/locations/us/keyRings/r/cryptoKeys/k --member=serviceAccount:service-42@gs-project-accounts.iam.gserviceaccount.com --role=roles/cloudkms.cryptoKeyEncrypterDecrypter
    ");
}

#[test]
fn the_role_of_the_job_that_removes_what_has_expired() {
    let policy = job_policy(&Given::new().least());
    insta::assert_snapshot!(included(&policy).join("\n"), @"
    pubsub.subscriptions.delete
    pubsub.subscriptions.get
    pubsub.subscriptions.list
    pubsub.subscriptions.update
    pubsub.topics.delete
    pubsub.topics.get
    pubsub.topics.getIamPolicy
    pubsub.topics.list
    pubsub.topics.setIamPolicy
    pubsub.topics.update
    resourcemanager.projects.get
    serviceusage.services.use
    storage.buckets.delete
    storage.buckets.get
    storage.buckets.getIamPolicy
    storage.buckets.list
    storage.buckets.update
    storage.folders.delete
    storage.folders.list
    storage.managedFolders.delete
    storage.managedFolders.list
    storage.objects.delete
    storage.objects.list
    ");
    insta::assert_snapshot!(commands(&policy), @"
    gcloud iam roles create wbstore_expired --project=acme-storage --title='wbstore teardown --expired' --description='What wbstore teardown gcp --expired calls' --stage=GA --permissions=pubsub.subscriptions.delete,pubsub.subscriptions.get,pubsub.subscriptions.list,pubsub.subscriptions.update,pubsub.topics.delete,pubsub.topics.get,pubsub.topics.getIamPolicy,pubsub.topics.list,pubsub.topics.setIamPolicy,pubsub.topics.update,resourcemanager.projects.get,serviceusage.services.use,storage.buckets.delete,storage.buckets.get,storage.buckets.getIamPolicy,storage.buckets.list,storage.buckets.update,storage.folders.delete,storage.folders.list,storage.managedFolders.delete,storage.managedFolders.list,storage.objects.delete,storage.objects.list
    gcloud projects add-iam-policy-binding acme-storage --member=serviceAccount:JOB --role=projects/acme-storage/roles/wbstore_expired --condition=None
    ");
}

#[test]
fn nothing_is_allowed_that_nobody_asked_for() {
    let given = Given::new();
    let node = node_policy(&given.least());
    assert!(!included(&node).iter().any(|permission| permission.starts_with("pubsub.")));
    assert!(!commands(&node).contains("pubsub"));
    let operator = operator_policy(&given.least());
    let writes = |permission: &&&str| {
        // It is what public access prevention of an existing bucket takes (B22).
        (permission.ends_with(".setIamPolicy") && **permission != "storage.buckets.setIamPolicy")
            || (permission.starts_with("pubsub.") && !permission.ends_with(".list"))
            || permission.starts_with("iam.")
    };
    assert_eq!(included(&operator).iter().find(writes), None);
    assert!(!commands(&operator).contains("kms"));
}

#[test]
fn what_the_reader_has_to_fill_in_is_told() {
    let given = Given::new();
    let told = |policy: &Policy| policy.notes.iter().any(|note| note.starts_with("in the commands"));
    assert!(told(&node_policy(&given.least())));
    assert!(!told(&node_policy(&given.most())));
    assert!(told(&operator_policy(&given.most())));
    assert!(told(&job_policy(&given.least())));
}

#[test]
fn every_permission_has_a_reason_and_stands_once() {
    let given = Given::new();
    for policy in [node_policy(&given.most()), operator_policy(&given.most()), job_policy(&given.most())] {
        let mut permissions = included(&policy);
        assert!(permissions.is_sorted());
        permissions.dedup();
        let reasons = policy.commands.iter().filter(|line| line.starts_with("# ")).count();
        assert_eq!(reasons, permissions.len());
        assert_eq!(permissions.len(), included(&policy).len());
    }
}
