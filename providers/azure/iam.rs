//! The custom roles a deployment takes: one for the identity that the W&B server runs as, one for
//! whoever runs wbstore, and one for the job that removes what has expired.
//!
//! The documents are what `az role definition create --role-definition` takes. Actions are those of the
//! Azure RBAC reference, "Azure permissions for Storage", "… for Integration" and "… for Management and
//! governance"; which data call takes which is told by the Blob and the Queue service REST API,
//! "Authorize with Microsoft Entra ID". A custom role can be assigned in resource groups, subscriptions
//! and larger scopes that it names, and in everything within them.

use serde_json::json;

use super::account_name::AccountName;
use super::container_name::ContainerName;
use super::queue_name::QueueName;
use super::resource_group::ResourceGroup;
use super::subscription_id::SubscriptionId;
use crate::name::DeploymentName;
use crate::provider::{Policy, PolicyForm};

/// What a role is about.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// The deployment.
    pub deployment: &'a DeploymentName,
    /// The subscription.
    pub subscription: &'a SubscriptionId,
    /// The resource group of the account.
    pub resource_group: &'a ResourceGroup,
    /// The storage account.
    pub account: &'a AccountName,
    /// The container.
    pub container: &'a ContainerName,
    /// The queue of blob events; `None` where the server uses its internal one.
    pub queue: Option<&'a QueueName>,
    /// Whether the account may be one that wbstore makes: no other is named.
    pub makes_account: bool,
    /// Whether resource providers are registered too (`--register-provider`).
    pub registers: bool,
}

impl Subjects<'_> {
    fn group_scope(&self) -> String {
        format!("/subscriptions/{}/resourceGroups/{}", self.subscription, self.resource_group)
    }

    fn account_scope(&self) -> String {
        format!("{}/providers/Microsoft.Storage/storageAccounts/{}", self.group_scope(), self.account)
    }
}

/// An action, and the call that takes it.
type Action = (&'static str, &'static str);

/// What a server without a key does besides reading and writing.
const NODE: [Action; 2] = [
    ("Microsoft.Storage/storageAccounts/blobServices/containers/read", "looking at the container"),
    (
        "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        "signing URLs for browsers, which without a key takes one that Azure delegates",
    ),
];

/// What it does with blobs.
const NODE_BLOBS: [Action; 4] = [
    ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action", "writing files"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete", "deleting files"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", "reading and listing files"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", "writing and replacing files"),
];

/// What it does with the queue.
const NODE_QUEUE: Action =
    ("Microsoft.Storage/storageAccounts/queueServices/queues/read", "looking at the queue");

/// What it does with messages.
const NODE_MESSAGES: [Action; 2] = [
    (
        "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action",
        "receiving and deleting messages",
    ),
    ("Microsoft.Storage/storageAccounts/queueServices/queues/messages/read", "receiving messages"),
];

/// What a teardown does in any case.
const TEARDOWN: [Action; 11] = [
    ("Microsoft.Authorization/locks/read", "looking for locks"),
    (
        "Microsoft.EventGrid/eventSubscriptions/read",
        "looking at the event subscription, and through others for `wbstore list`",
    ),
    ("Microsoft.Resources/subscriptions/resourceGroups/read", "looking at the resource group"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/delete", "deleting containers, at teardown"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/read", "looking at containers"),
    (
        "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        "creating, marking and releasing containers",
    ),
    ("Microsoft.Storage/storageAccounts/blobServices/read", "reading the CORS rules"),
    ("Microsoft.Storage/storageAccounts/blobServices/write", "writing the CORS rules"),
    (
        "Microsoft.Storage/storageAccounts/listServiceSas/action",
        "signing the upload of verify's probe, and the listing of a container before teardown",
    ),
    ("Microsoft.Storage/storageAccounts/queueServices/queues/read", "looking at queues"),
    (
        "Microsoft.Storage/storageAccounts/read",
        "looking at the account, and through others for `wbstore list`",
    ),
];

/// What only the other commands do, in any case.
const PROVISION: Action =
    ("Microsoft.Resources/subscriptions/providers/read", "whether Event Grid is registered");

/// What a teardown does with the queue and the event subscription. Event Grid wants write access to what it
/// delivers to (Event Grid documentation, "Authorizing access to Event Grid resources"), and the
/// resource of a queue destination is its account.
const TEARDOWN_EVENTS: [Action; 5] = [
    ("Microsoft.EventGrid/eventSubscriptions/delete", "deleting the event subscription, at teardown"),
    (
        "Microsoft.EventGrid/eventSubscriptions/write",
        "creating, marking and releasing the event subscription",
    ),
    ("Microsoft.Storage/storageAccounts/queueServices/queues/delete", "deleting the queue, at teardown"),
    (
        "Microsoft.Storage/storageAccounts/queueServices/queues/write",
        "creating, marking and releasing the queue",
    ),
    (ACCOUNT_WRITE, "Event Grid asks for it before it delivers to a queue of the account"),
];

/// What only the other commands do with the queue.
const PROVISION_EVENTS: Action =
    ("Microsoft.Storage/storageAccounts/listAccountSas/action", "signing verify's look at the queue");

const ACCOUNT_WRITE: &str = "Microsoft.Storage/storageAccounts/write";
const ACCOUNT_DELETE: &str = "Microsoft.Storage/storageAccounts/delete";

/// What a teardown does with an account of its own.
const TEARDOWN_ACCOUNT: [Action; 4] = [
    (ACCOUNT_DELETE, "deleting the account, at teardown"),
    (
        "Microsoft.Storage/storageAccounts/fileServices/shares/read",
        "whether the account holds what is not ours, at teardown",
    ),
    (
        "Microsoft.Storage/storageAccounts/tableServices/tables/read",
        "whether the account holds what is not ours, at teardown",
    ),
    (ACCOUNT_WRITE, "creating, marking and releasing the account"),
];

/// What only the other commands do with an account of its own.
const PROVISION_ACCOUNT: Action =
    ("Microsoft.Storage/checknameavailability/read", "whether the account's name is taken");

/// What it does with `--register-provider`.
const OPERATOR_REGISTERS: [Action; 2] = [
    ("Microsoft.EventGrid/register/action", "registering Event Grid (--register-provider)"),
    ("Microsoft.Storage/register/action", "registering Storage (--register-provider)"),
];

/// What the W&B server does with its storage when it has no key and signs in as itself: Kubernetes'
/// service account, federated with a managed identity. W&B does not publish the calls that the server
/// makes; this is what a client does that reads, writes and deletes files, signs URLs for browsers and
/// consumes a queue.
pub fn node_policy(subjects: &Subjects<'_>) -> Policy {
    let (mut actions, mut data_actions) = (NODE.to_vec(), NODE_BLOBS.to_vec());
    if subjects.queue.is_some() {
        actions.push(NODE_QUEUE);
        data_actions.extend(NODE_MESSAGES);
    }
    let name = format!("wbstore node {}", subjects.deployment);
    let scope = subjects.group_scope();
    let mut policy = policy(&name, "What a W&B server does with its storage", &scope, actions, data_actions);
    policy.commands.push(format!(
        "az identity federated-credential create --name {} --identity-name IDENTITY --resource-group '{}' --issuer \
         OIDC_ISSUER --subject system:serviceaccount:NAMESPACE:SERVICE_ACCOUNT --audiences api://AzureADTokenExchange",
        subjects.deployment, subjects.resource_group
    ));
    policy.commands.push(format!(
        "az role assignment create --assignee-object-id PRINCIPAL --assignee-principal-type ServicePrincipal --role \
         '{name}' --scope '{}'",
        subjects.account_scope()
    ));
    policy.notes = vec![
        "a server that is given AZURE_STORAGE_KEY, as in W&B's guide, takes no role: the key opens the whole account"
            .to_owned(),
        "this role is for workload identity, which does without a key: a managed identity, federated with the server's \
         service account by the subject system:serviceaccount:<namespace>:<name> and the audience \
         api://AzureADTokenExchange, once for each service account that uses the storage; `--format commands` does it"
            .to_owned(),
        format!(
            "assign it to the account {} and not to the group; the key that signs URLs is the account's, so that the \
             container alone does not do",
            subjects.account
        ),
    ];
    if !subjects.makes_account {
        policy.notes.push(format!(
            "on an account that holds more than {}, add a condition on the container's name to the assignment, or the \
             server may read everything there",
            subjects.container
        ));
    }
    policy.notes.push(
        "W&B's Terraform module assigns Storage Account Contributor and Storage Blob Data Owner, which may also read \
         the account's keys and delete it; here only what a client does"
            .to_owned(),
    );
    policy.notes.push(
        "W&B does not publish what its server calls: should its log show AuthorizationPermissionMismatch, add the \
         action that the call takes"
            .to_owned(),
    );
    policy.notes.push(
        "in the commands, put your own in place of the words in capitals; PRINCIPAL is the identity's principalId"
            .to_owned(),
    );
    policy
}

/// What wbstore itself does: provision, verify, list and tear down.
pub fn operator_policy(subjects: &Subjects<'_>) -> Policy {
    let mut actions = TEARDOWN.to_vec();
    actions.push(PROVISION);
    if subjects.queue.is_some() {
        actions.extend(TEARDOWN_EVENTS);
        actions.push(PROVISION_EVENTS);
    }
    if subjects.makes_account {
        with_account(&mut actions);
        actions.push(PROVISION_ACCOUNT);
    }
    if subjects.registers {
        actions.extend(OPERATOR_REGISTERS);
    }
    let name = format!("wbstore operator {}", subjects.deployment);
    let scope = subjects.group_scope();
    let mut policy = policy(&name, "What wbstore calls", &scope, actions, vec![]);
    policy.commands.push(assign("OPERATOR", &name, &scope));
    policy.notes = vec![
        "W&B's guide says nothing of who sets the storage up; this is every action wbstore's calls take, and \
         `--format commands` tells which call takes which"
            .to_owned(),
        "leave the actions out that end with /delete where nothing may be torn down".to_owned(),
        "the account's key is not among what wbstore may read; --reveal and --secret-file take \
         Microsoft.Storage/storageAccounts/listkeys/action, which opens all data of the account"
            .to_owned(),
        "`wbstore list` shows what is in this resource group; for others of the subscription it takes the actions \
         that end with /read there"
            .to_owned(),
    ];
    if !subjects.makes_account {
        policy.notes.push(format!(
            "--account names {}; should wbstore make it, add {ACCOUNT_WRITE}, {ACCOUNT_DELETE} and \
             Microsoft.Storage/checknameavailability/read",
            subjects.account
        ));
    }
    policy.notes.push(match subjects.registers {
        true => "providers are registered for the whole subscription: assign it there, for as long as that takes",
        false => "with --register-provider the role also holds what it takes to register Event Grid",
    }
    .to_owned());
    policy.notes.push("in the commands, put in place of OPERATOR whoever runs wbstore".to_owned());
    policy
}

/// What `teardown --expired` does in `resource_group`, or in the whole `subscription`.
pub fn expiry_job_policy(subscription: &SubscriptionId, resource_group: Option<&ResourceGroup>) -> Policy {
    let mut actions = [TEARDOWN.as_slice(), &TEARDOWN_EVENTS].concat();
    with_account(&mut actions);
    let mut scope = format!("/subscriptions/{subscription}");
    if let Some(group) = resource_group {
        scope.push_str(&format!("/resourceGroups/{group}"));
    }
    let place = resource_group.map_or(subscription.as_str(), ResourceGroup::as_str);
    let name = format!("wbstore expired {place}");
    let mut policy = policy(&name, "What wbstore teardown azure --expired calls", &scope, actions, vec![]);
    policy.commands.push(assign("JOB", &name, &scope));
    policy.notes = vec![
        "this is every action that `wbstore teardown azure --expired` requires; it creates nothing, and `--format \
         commands` shows which call requires which"
            .to_owned(),
        format!("a role names no accounts, so that this one allows the job to delete any in {scope}"),
        "Azure has one action to create and to change: those that end with /write are here to release what was \
         adopted, and to remove our CORS rule and mark from accounts that stay"
            .to_owned(),
    ];
    if resource_group.is_none() {
        policy.notes.push(
            "--resource-group limits the role to one group; the job requires the same option then".to_owned(),
        );
    }
    policy.notes.push("in the commands, put in place of JOB the identity that the job runs as".to_owned());
    policy
}

/// Adds what a teardown does with an account of its own; Event Grid asks for one action of these too.
fn with_account(actions: &mut Vec<Action>) {
    actions.retain(|(action, _)| *action != ACCOUNT_WRITE);
    actions.extend(TEARDOWN_ACCOUNT);
}

/// The command that assigns the role `name` to `assignee`.
fn assign(assignee: &str, name: &str, scope: &str) -> String {
    format!("az role assignment create --assignee {assignee} --role '{name}' --scope '{scope}'")
}

/// The role `name` with the command that makes it; the assignment and the notes are the caller's.
fn policy(
    name: &str,
    description: &str,
    scope: &str,
    mut actions: Vec<Action>,
    data_actions: Vec<Action>,
) -> Policy {
    actions.sort_unstable();
    let all = actions.iter().chain(&data_actions);
    let mut commands: Vec<_> = all.map(|(action, call)| format!("# {action}: {call}")).collect();
    let names = |actions: &[Action]| actions.iter().map(|(action, _)| *action).collect::<Vec<_>>();
    let document = json!({
        "Name": name,
        "IsCustom": true,
        "Description": description,
        "Actions": names(&actions),
        "NotActions": [],
        "DataActions": names(&data_actions),
        "NotDataActions": [],
        "AssignableScopes": [scope],
    });
    // No name in it can hold a single quote.
    commands.push(format!("az role definition create --role-definition '{document}'"));
    Policy { document, form: PolicyForm::Json, commands, notes: vec![] }
}

#[cfg(test)]
mod tests;
