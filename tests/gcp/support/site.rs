//! One test's own project, and the deployment that it is about.

use std::process::Command;

use serde_json::{Value, json};
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::snapshot::Snapshot;

use super::finish;

/// The server that is provisioned for, unless a test says otherwise.
pub const HOST: &str = "https://wandb.acme.com";
/// The name that follows from it.
pub const NAME: &str = "wandb-acme-com";
/// The name of topic and subscription that follows from that.
pub const EVENTS: &str = "wbstore-wandb-acme-com";

/// A project of its own, with the names that a deployment for [`HOST`] gets there.
pub struct Site {
    pub gcp: Gcp,
    /// The bucket's default name.
    pub bucket: String,
}

impl Site {
    /// A fresh project.
    pub async fn open() -> Self {
        let mut site = Self { gcp: Gcp::from_env().await, bucket: String::new() };
        let number = site.gcp.double().number();
        let offline = ["--offline", "--account-id", &number, "--format", "json"];
        let planned = site.run("plan", &offline).await.ends(0).json();
        let bucket = planned["outputs"][0]["value"].as_str().expect("the plan names the bucket");
        site.bucket = bucket.trim_start_matches("gs://").to_owned();
        site
    }

    /// A project with the whole deployment in it.
    pub async fn provisioned() -> Self {
        let site = Self::open().await;
        site.provision(&[]).await.ends(0);
        site.gcp.proxy().clear_journal();
        site
    }

    /// Publishes so many messages of others about the object `run`.
    pub async fn publish(&self, messages: usize) {
        let message =
            json!({ "data": "eA==", "attributes": { "eventType": "OBJECT_FINALIZE", "objectId": "run" } });
        for some in vec![message; messages].chunks(100) {
            self.ask("POST", &format!("{}:publish", self.topic()), json!({ "messages": some })).await;
        }
    }

    /// Pulls all that the server's subscription has: how many messages are about the object `run`, and how many
    /// others there are.
    pub async fn pull_all(&self) -> (usize, usize) {
        let (mut run, mut others) = (0, 0);
        let asked = json!({ "maxMessages": 1000, "returnImmediately": true });
        loop {
            let pulled = self.ask("POST", &format!("{}:pull", self.subscription()), asked.clone()).await;
            let Some(messages) = pulled["receivedMessages"].as_array().filter(|all| !all.is_empty()) else {
                return (run, others);
            };
            let about_run =
                messages.iter().filter(|one| one["message"]["attributes"]["objectId"] == "run").count();
            (run, others) = (run + about_run, others + messages.len() - about_run);
        }
    }

    /// `wbstore <command> gcp --host …` with `arguments`, not started yet.
    pub fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut process = self.gcp.wbstore();
        process.args([command, "gcp"]);
        if command != "list" && !arguments.contains(&"--host") && !arguments.contains(&"--expired") {
            process.args(["--host", HOST]);
        }
        process.args(arguments);
        process
    }

    /// Runs it to its end.
    pub async fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        finish(self.command(command, arguments)).await
    }

    /// The same with these variables too; an empty one is taken away.
    pub async fn run_with(&self, env: &[(&str, &str)], command: &str, arguments: &[&str]) -> Ran {
        let mut process = self.command(command, arguments);
        for (name, value) in env {
            match *value {
                "" => process.env_remove(name),
                value => process.env(name, value),
            };
        }
        finish(process).await
    }

    /// The plan as JSON, whether it is refused or not.
    pub async fn plan(&self, arguments: &[&str]) -> Value {
        self.run("plan", &[&["--format", "json"], arguments].concat()).await.json()
    }

    /// `wbstore provision`, without asking.
    pub async fn provision(&self, arguments: &[&str]) -> Ran {
        self.run("provision", &[&["--yes"], arguments].concat()).await
    }

    /// `wbstore teardown`, with the name given.
    pub async fn teardown(&self, arguments: &[&str]) -> Ran {
        self.run("teardown", &[&["--confirm", NAME], arguments].concat()).await
    }

    /// One request around the proxy, with all rights.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.gcp.control().ask(method, path, body).await
    }

    /// Looks with all rights.
    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, Value::Null).await
    }

    /// Changes settings of the bucket.
    pub async fn patch_bucket(&self, settings: Value) {
        self.ask("PATCH", &format!("/storage/v1/b/{}", self.bucket), settings).await;
    }

    /// Puts an object there, and tells nobody.
    pub fn put(&self, name: &str, content: &[u8]) {
        self.gcp.control().put(&self.bucket, name, content, false);
    }

    /// The names of all objects, of every generation.
    pub async fn objects(&self) -> Vec<String> {
        let listed = self.get(&format!("/storage/v1/b/{}/o?versions=true", self.bucket)).await;
        names(&listed["items"])
    }

    /// The short names of all subscriptions of the project.
    pub async fn subscriptions(&self) -> Vec<String> {
        let path = format!("/v1/projects/{}/subscriptions", self.gcp.project());
        names(&self.get(&path).await["subscriptions"])
    }

    /// What is left: all buckets, topics and subscriptions.
    pub async fn left(&self) -> Value {
        let project = self.gcp.project();
        let buckets = self.get(&format!("/storage/v1/b?project={project}")).await;
        let topics = self.get(&format!("/v1/projects/{project}/topics")).await;
        json!([names(&buckets["items"]), names(&topics["topics"]), self.subscriptions().await])
    }

    /// The bucket, as the JSON API shows it.
    pub async fn bucket(&self) -> Value {
        self.get(&format!("/storage/v1/b/{}", self.bucket)).await
    }

    /// The path of the bucket's notifications.
    pub fn notifications(&self) -> String {
        format!("/storage/v1/b/{}/notificationConfigs", self.bucket)
    }

    /// The path of the topic.
    pub fn topic(&self) -> String {
        format!("/v1/projects/{}/topics/{EVENTS}", self.gcp.project())
    }

    /// Changes settings of the subscription; `mask` names them.
    pub async fn patch_subscription(&self, mask: &str, settings: Value) {
        let body = json!({ "subscription": settings, "updateMask": mask });
        self.ask("PATCH", &self.subscription(), body).await;
    }

    /// Everything in the project.
    pub async fn snapshot(&self) -> Snapshot {
        self.gcp.double().snapshot().await
    }

    /// What was sent to change anything.
    pub fn mutations(&self) -> Vec<String> {
        let sent = self.gcp.proxy().journal().into_iter().filter(|exchange| exchange.mutating);
        sent.map(|Exchange { operation, .. }| operation).collect()
    }

    /// The path of the server's subscription.
    pub fn subscription(&self) -> String {
        format!("/v1/projects/{}/subscriptions/{EVENTS}", self.gcp.project())
    }

    /// Checks that nothing was sent that changes anything.
    #[track_caller]
    pub fn is_untouched(&self) {
        let sent = self.mutations();
        assert!(sent.is_empty(), "{sent:?}");
    }
}

/// The last parts of the names of things.
fn names(things: &Value) -> Vec<String> {
    let things = things.as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |thing: &Value| thing["name"].as_str().unwrap_or_default().to_owned();
    let short = |name: String| match name.strip_prefix("projects/") {
        Some(rest) => rest.rsplit('/').next().unwrap_or_default().to_owned(),
        None => name,
    };
    things.iter().map(name).map(short).collect()
}
