//! The permissions a deployment takes, as custom roles: one for the account that runs the W&B server,
//! one for whoever runs wbstore, and one for the job that removes what has expired.
//!
//! Which method takes which permission is told by the Cloud Storage documentation, "IAM permissions for
//! JSON methods" and "… for gRPC calls", and by the Pub/Sub documentation, "Access control with IAM".
//! A custom role holds permissions of several services, and grants only those that mean something to
//! the resource it is bound to.

use serde_json::{Value, json};

use super::bucket_name::BucketName;
use super::kms_key::KmsKeyName;
use super::project::ProjectId;
use super::pubsub_name::SubscriptionName;
use super::service_account::ServiceAccount;
use crate::name::DeploymentName;
use crate::provider::{Policy, PolicyForm};

/// What lets an account sign for itself (Cloud Storage documentation, "V4 signing process").
const TOKEN_CREATOR: &str = "roles/iam.serviceAccountTokenCreator";
/// What lets the service agent encrypt for the bucket (Cloud Storage documentation,
/// "Use customer-managed encryption keys").
const USE_KEY: &str = "roles/cloudkms.cryptoKeyEncrypterDecrypter";

/// What a role is about.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// The deployment.
    pub deployment: &'a DeploymentName,
    /// Where everything is.
    pub project: &'a ProjectId,
    /// The bucket.
    pub bucket: &'a BucketName,
    /// The subscription with the bucket's events; `None` where the server uses its internal queue.
    pub subscription: Option<&'a SubscriptionName>,
    /// The account the server runs as, where it is known.
    pub service_account: Option<&'a ServiceAccount>,
    /// The key that encrypts the bucket; `None` for the default encryption.
    pub kms_key: Option<&'a KmsKeyName>,
    /// The address of the project's Cloud Storage service agent.
    pub storage_agent: &'a str,
}

impl Subjects<'_> {
    /// The id of the role of `who`. It may hold letters, digits, `_` and `.` (IAM documentation,
    /// "Naming a role").
    fn role_id(&self, who: &str) -> String {
        format!("wbstore_{}_{who}", self.deployment.as_str().replace('-', "_"))
    }

    /// The name by which a binding grants the role of `who`.
    fn role(&self, who: &str) -> String {
        format!("projects/{}/roles/{}", self.project, self.role_id(who))
    }
}

/// A permission, and the call that takes it.
type Permission = (&'static str, &'static str);

/// What the server does with its bucket. W&B does not publish it; this is what a client does that
/// reads, writes and deletes files, and uploads in parts.
const NODE_BUCKET: [Permission; 10] = [
    ("storage.buckets.get", "looking at the bucket"),
    ("storage.multipartUploads.abort", "giving up an upload in parts"),
    ("storage.multipartUploads.create", "uploading in parts"),
    ("storage.multipartUploads.list", "uploading in parts"),
    ("storage.multipartUploads.listParts", "uploading in parts"),
    ("storage.objects.create", "writing files"),
    ("storage.objects.delete", "deleting and replacing files"),
    ("storage.objects.get", "reading files"),
    ("storage.objects.list", "listing files"),
    ("storage.objects.update", "changing the metadata of files"),
];

/// What the server does with its subscription.
const NODE_SUBSCRIPTION: [Permission; 2] = [
    ("pubsub.subscriptions.consume", "receiving and acknowledging events"),
    ("pubsub.subscriptions.get", "looking at the subscription"),
];

/// What a teardown does with buckets and objects, and to find its way.
const TEARDOWN: [Permission; 12] = [
    ("resourcemanager.projects.get", "projects.serviceAccount.get: the service agent's address"),
    ("serviceusage.services.use", "counting the calls of user credentials on their quota project"),
    ("storage.buckets.delete", "DeleteBucket, at teardown"),
    ("storage.buckets.get", "GetBucket, notifications.list"),
    ("storage.buckets.getIamPolicy", "GetIamPolicy: is the bucket public?"),
    ("storage.buckets.update", "UpdateBucket, and the bucket's notifications"),
    ("storage.folders.delete", "DeleteFolder, at teardown where there are some"),
    ("storage.folders.list", "ListFolders, at teardown where there may be some"),
    ("storage.managedFolders.delete", "DeleteManagedFolder, at teardown where there are some"),
    ("storage.managedFolders.list", "ListManagedFolders, at teardown"),
    ("storage.objects.delete", "DeleteObject: verify's probe, and all objects with --delete-objects"),
    ("storage.objects.list", "ListObjects: what the bucket holds"),
];

/// What only the other commands do with buckets and objects.
const PROVISION: [Permission; 2] =
    [("storage.buckets.create", "CreateBucket"), ("storage.objects.create", "the upload of verify's probe")];

/// What wbstore does to look through the project, whatever the deployment has.
const LIST: [Permission; 3] = [
    ("pubsub.subscriptions.list", "ListSubscriptions, for `wbstore list` and --expired"),
    ("pubsub.topics.list", "ListTopics, for `wbstore list` and --expired"),
    ("storage.buckets.list", "ListBuckets, for `wbstore list` and --expired"),
];

/// What a teardown does with the topic and the subscription.
const TEARDOWN_EVENTS: [Permission; 8] = [
    ("pubsub.subscriptions.delete", "DeleteSubscription, at teardown and after verify"),
    ("pubsub.subscriptions.get", "GetSubscription"),
    ("pubsub.subscriptions.update", "UpdateSubscription: its settings and labels"),
    ("pubsub.topics.delete", "DeleteTopic, at teardown"),
    ("pubsub.topics.get", "GetTopic"),
    ("pubsub.topics.getIamPolicy", "GetIamPolicy: may Cloud Storage publish?"),
    ("pubsub.topics.setIamPolicy", "SetIamPolicy: whether Cloud Storage may publish"),
    ("pubsub.topics.update", "UpdateTopic: its labels"),
];

/// What only the other commands do with the topic and the subscription.
const PROVISION_EVENTS: [Permission; 4] = [
    ("pubsub.subscriptions.consume", "Pull and Acknowledge, of verify's own subscription only"),
    ("pubsub.subscriptions.create", "CreateSubscription"),
    ("pubsub.topics.attachSubscription", "CreateSubscription, of its topic"),
    ("pubsub.topics.create", "CreateTopic"),
];

/// What wbstore does to give and take the server's account access to the bucket, and to sign for itself.
const GRANTS: [Permission; 3] = [
    ("iam.serviceAccounts.getIamPolicy", "who may sign for the server's account (--service-account)"),
    ("iam.serviceAccounts.setIamPolicy", "whether the server's account may sign (--service-account)"),
    ("storage.buckets.setIamPolicy", "whether the server's account may use the bucket (--service-account)"),
];

/// What wbstore does to give and take the server's account access to the subscription.
const EVENT_GRANTS: [Permission; 2] = [
    ("pubsub.subscriptions.getIamPolicy", "who may receive (--service-account)"),
    ("pubsub.subscriptions.setIamPolicy", "whether the server's account may receive (--service-account)"),
];

/// What the W&B server does with its storage.
pub fn node_policy(subjects: &Subjects<'_>) -> Policy {
    let mut permissions = NODE_BUCKET.to_vec();
    if subjects.subscription.is_some() {
        permissions.extend(NODE_SUBSCRIPTION);
    }
    let Subjects { project, bucket, .. } = subjects;
    let role = subjects.role("node");
    let account = subjects.service_account.map_or_else(|| "SERVICE_ACCOUNT".to_owned(), ToString::to_string);
    let member = format!("serviceAccount:{account}");
    let title = format!("W&B server ({})", subjects.deployment);
    let description = "What a W&B server does with its storage";
    let mut policy = policy(&subjects.role_id("node"), &title, description, project, permissions);
    policy.commands.push(format!(
        "gcloud storage buckets add-iam-policy-binding gs://{bucket} --member={member} --role={role}"
    ));
    if let Some(subscription) = subjects.subscription {
        policy.commands.push(format!(
            "gcloud pubsub subscriptions add-iam-policy-binding {subscription} --project={project} \
             --member={member} --role={role}"
        ));
    }
    policy.commands.push(format!(
        "gcloud iam service-accounts add-iam-policy-binding {account} --member={member} --role={TOKEN_CREATOR}"
    ));
    policy.notes = vec![
        "W&B's guide repeats its AWS policy (s3:* and sqs:*) for Google Cloud, where it means nothing; here is a \
         role for this bucket and this subscription"
            .to_owned(),
        "bind the role to the bucket and the subscription and not to the project, or the server may read every \
         bucket of it; `--format commands` does"
            .to_owned(),
        format!(
            "the server signs URLs with its own account, which takes {TOKEN_CREATOR} on itself and the API \
             iamcredentials.googleapis.com"
        ),
        "W&B does not publish what its server calls: should its log show a permission that is denied, add it"
            .to_owned(),
        "`wbstore provision gcp --service-account EMAIL` grants Google's own roles in place of this one"
            .to_owned(),
    ];
    if subjects.subscription.is_some() {
        policy.notes.push(
            "W&B's Terraform module makes the server an admin of topic and subscription; here it may only receive"
                .to_owned(),
        );
    }
    policy.notes.extend(fill_in(&policy.commands));
    policy
}

/// What wbstore itself does: provision, verify, list and tear down.
pub fn operator_policy(subjects: &Subjects<'_>) -> Policy {
    let mut permissions = [TEARDOWN.as_slice(), &PROVISION, &LIST].concat();
    if subjects.subscription.is_some() {
        permissions.extend(TEARDOWN_EVENTS.into_iter().chain(PROVISION_EVENTS));
    }
    if subjects.service_account.is_some() {
        permissions.extend(GRANTS);
        if subjects.subscription.is_some() {
            permissions.extend(EVENT_GRANTS);
        }
    }
    let Subjects { project, storage_agent, .. } = subjects;
    let title = format!("wbstore operator ({})", subjects.deployment);
    let role = subjects.role_id("operator");
    let mut policy = policy(&role, &title, "What wbstore calls", project, permissions);
    policy.commands.push(bind("user:OPERATOR", &role, project));
    policy.notes = vec![
        "W&B's guide says nothing of who sets the storage up; this is every permission wbstore's calls take, and \
         `--format commands` tells which call takes which"
            .to_owned(),
        "leave storage.buckets.delete, pubsub.topics.delete and the permissions on folders out where nothing may be \
         torn down"
            .to_owned(),
        "verify signs its upload as the server does where the credentials can; without a key file that takes \
         iam.serviceAccounts.signBlob on their own account, and otherwise it uploads with its token and says so"
            .to_owned(),
    ];
    if subjects.service_account.is_none() {
        policy.notes.push(
            "with --service-account the role also holds what it takes to grant the server access".to_owned(),
        );
    }
    if let Some(key) = subjects.kms_key {
        policy.commands.push(format!(
            "gcloud kms keys add-iam-policy-binding {key} --member=serviceAccount:{storage_agent} --role={USE_KEY}"
        ));
        policy.notes.push(format!(
            "Cloud Storage itself uses the key: its service agent {storage_agent} takes {USE_KEY} on it, and the \
             operator nothing"
        ));
    }
    policy.notes.extend(fill_in(&policy.commands));
    policy
}

/// What `teardown --expired` does in `project`. With `grants` it also revokes the access of the
/// servers' accounts.
pub fn expiry_job_policy(project: &ProjectId, grants: bool) -> Policy {
    let mut permissions = [TEARDOWN.as_slice(), &LIST, &TEARDOWN_EVENTS].concat();
    if grants {
        permissions.extend(GRANTS.into_iter().chain(EVENT_GRANTS));
    }
    let (role, title) = ("wbstore_expired", "wbstore teardown --expired");
    let mut policy = policy(role, title, "What wbstore teardown gcp --expired calls", project, permissions);
    policy.commands.push(bind("serviceAccount:JOB", role, project));
    policy.notes = vec![
        "this is every permission that `wbstore teardown gcp --expired` requires; it creates nothing, and `--format \
         commands` shows which call requires which"
            .to_owned(),
        "a role names no buckets or topics, so that this one allows the job to delete any in the project; keep what \
         must stay in another project"
            .to_owned(),
        "storage.objects.delete and the permissions to delete folders are for --delete-objects".to_owned(),
        "the permissions that end with .update are also for --empty-by lifecycle and for what was adopted, and \
         pubsub.topics.setIamPolicy only for that"
            .to_owned(),
    ];
    if !grants {
        policy.notes.push(
            "with --service-account the role also holds what revoking the access of the servers' accounts requires"
                .to_owned(),
        );
    }
    policy.notes.extend(fill_in(&policy.commands));
    policy
}

/// The command that binds `role` of `project` to `member`, in the whole of it.
fn bind(member: &str, role: &str, project: &ProjectId) -> String {
    format!(
        "gcloud projects add-iam-policy-binding {project} --member={member} --role=projects/{project}/roles/{role} \
         --condition=None"
    )
}

/// The role `id` with the command that makes it; the bindings and notes are the caller's.
fn policy(
    id: &str,
    title: &str,
    description: &str,
    project: &ProjectId,
    mut permissions: Vec<Permission>,
) -> Policy {
    permissions.sort_unstable();
    let included: Vec<_> = permissions.iter().map(|(permission, _)| *permission).collect();
    let mut commands: Vec<_> =
        permissions.iter().map(|(permission, call)| format!("# {permission}: {call}")).collect();
    commands.push(format!(
        "gcloud iam roles create {id} --project={project} --title='{title}' --description='{description}' --stage=GA \
         --permissions={}",
        included.join(",")
    ));
    Policy {
        document: document(title, description, &included),
        form: PolicyForm::Yaml,
        commands,
        notes: vec![],
    }
}

/// A role as `gcloud iam roles create --file` reads it (IAM API, `projects.roles`, "Role").
fn document(title: &str, description: &str, permissions: &[&str]) -> Value {
    json!({
        "title": title,
        "description": description,
        "stage": "GA",
        "includedPermissions": permissions,
    })
}

/// What the commands leave to the reader.
fn fill_in(commands: &[String]) -> Option<String> {
    let word = ["SERVICE_ACCOUNT", "OPERATOR", "JOB"]
        .into_iter()
        .find(|word| commands.iter().any(|command| command.contains(&format!(":{word} "))))?;
    let whose = match word {
        "OPERATOR" => "whoever runs wbstore",
        "JOB" => "the account that the job runs as",
        _ => "the account the server runs as, or name it with --service-account",
    };
    Some(format!("in the commands, put in place of {word} the address of {whose}"))
}

#[cfg(test)]
mod tests;
