use super::*;
use crate::name::tests::storage;

/// The names of a deployment, to lend out.
struct Names {
    storage: StorageName,
    subscription: SubscriptionId,
    resource_group: ResourceGroup,
    account: AccountName,
    container: ContainerName,
    queue: QueueName,
}

impl Names {
    fn new() -> Self {
        Self {
            storage: storage("acme", None),
            subscription: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            resource_group: "ml".parse().unwrap(),
            account: "acmewandb".parse().unwrap(),
            container: "wandb".parse().unwrap(),
            queue: "wbstore-acme".parse().unwrap(),
        }
    }

    fn subjects(&self) -> Subjects<'_> {
        Subjects {
            storage: &self.storage,
            client: None,
            account: &self.account,
            container: &self.container,
            queue: Some(&self.queue),
            creates_account: true,
            registers: false,
            federation: None,
        }
    }

    fn policy(&self, audience: Audience, subjects: Option<&Subjects<'_>>) -> Policy {
        policy(audience, &self.subscription, Some(&self.resource_group), subjects).unwrap()
    }

    fn node_policy(&self, subjects: &Subjects<'_>) -> Policy {
        self.policy(Audience::Node, Some(subjects))
    }

    fn operator_policy(&self, subjects: &Subjects<'_>) -> Policy {
        self.policy(Audience::Operator, Some(subjects))
    }

    /// The roles of all audiences, for `subjects`.
    fn all(&self, subjects: &Subjects<'_>) -> [Policy; 3] {
        let job = self.policy(Audience::ExpiryJob, None);
        [self.node_policy(subjects), self.operator_policy(subjects), job]
    }
}

const ACCOUNT_WRITE: &str = "Microsoft.Storage/storageAccounts/write";
const ACCOUNT_DELETE: &str = "Microsoft.Storage/storageAccounts/delete";

fn listed(policy: &Policy, field: &str) -> Vec<String> {
    let all = policy.document[field].as_array().expect("a list");
    all.iter().map(|action| action.as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_role_is_what_the_azure_cli_takes() {
    const FIELDS: [&str; 8] = [
        "Actions",
        "AssignableScopes",
        "DataActions",
        "Description",
        "IsCustom",
        "Name",
        "NotActions",
        "NotDataActions",
    ];
    for policy in Names::new().all(&Names::new().subjects()) {
        let mut keys: Vec<_> = policy.document.as_object().expect("an object").keys().cloned().collect();
        keys.sort_unstable();
        assert_eq!(keys, FIELDS);
        let scope = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml";
        assert_eq!(listed(&policy, "AssignableScopes"), [scope]);
    }
}

#[test]
fn no_action_is_a_wildcard_or_twice_there() {
    let names = Names::new();
    let used = Subjects { creates_account: false, registers: true, ..names.subjects() };
    for policy in names.all(&names.subjects()).into_iter().chain(names.all(&used)) {
        for field in ["Actions", "DataActions"] {
            let mut all = listed(&policy, field);
            assert!(all.iter().all(|action| !action.contains('*')), "{all:?}");
            let before = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), before, "{all:?}");
        }
    }
}

#[test]
fn nobody_gets_the_key() {
    let names = Names::new();
    for policy in names.all(&names.subjects()) {
        assert!(!policy.document.to_string().to_lowercase().contains("listkeys"));
    }
    let notes = names.operator_policy(&names.subjects()).notes;
    assert!(notes.iter().any(|note| note.contains("listkeys/action")), "{notes:?}");
}

#[test]
fn what_is_not_done_is_not_allowed() {
    let names = Names::new();
    let used = Subjects { creates_account: false, queue: None, ..names.subjects() };
    let actions = listed(&names.operator_policy(&used), "Actions");
    for action in [
        ACCOUNT_WRITE,
        ACCOUNT_DELETE,
        "Microsoft.EventGrid/eventSubscriptions/write",
        "Microsoft.Storage/storageAccounts/queueServices/queues/write",
        "Microsoft.EventGrid/register/action",
    ] {
        assert!(!actions.contains(&action.to_owned()), "{action}");
    }
    let registering = Subjects { registers: true, ..names.subjects() };
    let actions = listed(&names.operator_policy(&registering), "Actions");
    assert!(actions.contains(&"Microsoft.EventGrid/register/action".to_owned()));
}

#[test]
fn the_server_consumes_the_queue_it_has() {
    let names = Names::new();
    let data = listed(&names.node_policy(&names.subjects()), "DataActions");
    assert!(data.iter().any(|action| action.ends_with("messages/process/action")), "{data:?}");
    let policy = names.node_policy(&Subjects { queue: None, ..names.subjects() });
    assert!(!policy.document.to_string().contains("queueServices"), "{policy:?}");
    assert!(policy.notes.iter().any(|note| note.contains("--trust workload-identity")));
}

#[test]
fn the_commands_make_the_role_that_is_printed() {
    for policy in Names::new().all(&Names::new().subjects()) {
        let created = policy.commands.iter().find_map(|command| {
            command.strip_prefix("az role definition create --role-definition '")?.strip_suffix('\'')
        });
        let created: serde_json::Value = serde_json::from_str(created.expect("a command")).expect("JSON");
        assert_eq!(created, policy.document);
        let name = policy.document["Name"].as_str().expect("text");
        assert!(policy.commands.iter().any(|command| command.contains(&format!("--role '{name}'"))));
    }
}

#[test]
fn a_shell_reads_the_commands_for_any_resource_group() {
    let mut names = Names::new();
    names.resource_group = "Acme_(prod)".parse().unwrap();
    for policy in names.all(&names.subjects()) {
        for command in policy.commands.iter().filter(|command| !command.starts_with('#')) {
            let bare: String = command.split('\'').step_by(2).collect();
            assert!(!bare.contains('('), "{command}");
        }
    }
}
