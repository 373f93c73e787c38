//! Azure, as the laws see it.

use std::process::Command;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};

use super::Azure;
use super::azurite::Azurite;
use super::double::Options;
use super::others::CONTAINER;
use crate::Error;
use crate::cloud::{Cloud, NAME};
use crate::fault::{Armed, Failure, Fault, When};
use crate::proxy::Proxy;
use crate::reply::ApiError;
use crate::snapshot::Snapshot;

/// The double delivers at once; this is for a machine that is busy.
const EVENT_WITHIN: Duration = Duration::from_secs(30);

/// Uploads at the same time.
const ABREAST: usize = 16;

impl Cloud for Azure {
    const CLOUD: &'static str = "azure";
    const READER: &'static [&'static str] = &["--account-key"];
    const PARTS: &'static [&'static str] = &[
        "account/ACCOUNT",
        "container/ACCOUNT/wbstore-wandb-acme-com",
        "queue/ACCOUNT/wbstore-wandb-acme-com",
        "event-subscription/ACCOUNT/wbstore-wandb-acme-com",
    ];
    const SHARED: &'static [&'static str] = &["cors"];
    const TAGGED: &'static [(&'static str, &'static str)] =
        &[("account/ACCOUNT/settings", "arm.storageAccounts.PUT")];
    /// A taken name is refused in any case, a provider that is not registered by the first call that needs
    /// it, and what others are told is for people to know.
    const ADVICE: &'static [(&'static str, &'static str)] = &[
        ("provision", "arm.checkNameAvailability.POST"),
        ("provision", "arm.eventSubscriptions.LIST"),
        ("provision", "arm.managementPolicies.GET"),
        ("provision", "arm.providers.GET"),
        // Without a signature the objects are counted by our own token.
        ("teardown", "arm.storageAccounts.ListServiceSas"),
    ];

    const SPARSE: usize = 2;

    const LOOKS: &'static [(&'static str, &'static [&'static str], &'static str)] = &[
        ("list", &[], "arm.storageAccounts.LIST"),
        ("plan", &[], "arm.containers.GET"),
        ("config", &[], "arm.storageAccounts.GET"),
        ("verify", &["--within", "5s"], "queue.PeekMessages"),
        ("teardown", &["--confirm", NAME], "blob.ListBlobs"),
    ];

    type Ground = Azurite;

    async fn ground() -> Result<Azurite, Error> {
        Azurite::start().await
    }

    async fn at(ground: &Azurite, number: u64) -> Result<Self, Error> {
        Self::with(ground.url(), Options::default(), &format!("acme{number}")).await
    }

    async fn fresh() -> Self {
        Self::from_env().await
    }

    fn account_id(&self) -> String {
        self.double().subscription()
    }

    fn pleas(seconds: u64) -> Vec<Failure> {
        let busy = || ApiError::new(503, "ServerBusy", "The server is busy.");
        vec![
            Failure::TooManyRequests(seconds),
            Failure::Other(busy().header("retry-after", seconds.to_string())),
            Failure::Other(busy().header("x-ms-retry-after-ms", (seconds * 1000).to_string())),
        ]
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env()
    }

    fn proxy(&self) -> &Proxy {
        self.proxy()
    }

    fn wbstore(&self) -> Command {
        self.wbstore()
    }

    /// The client's secret, the account's key, and how every token begins.
    fn secrets(&self) -> Vec<String> {
        let key = self.double().key(self.account());
        let all = [self.double().principal().secret, key, "eyJhbGciOi".to_owned(), "eyJ0eXAiOi".to_owned()];
        all.into_iter().filter(|secret| !secret.is_empty()).collect()
    }

    fn place(&self, verb: &str) -> Vec<String> {
        let endpoints = if verb == "list" { vec![] } else { self.endpoints() };
        [self.place(), endpoints].concat()
    }

    fn names(&self) -> Vec<String> {
        vec![]
    }

    async fn snapshot(&self) -> Snapshot {
        let all = self.double().snapshot().await.unwrap_or_else(|error| panic!("{error}"));
        let mut snapshot = Snapshot::default();
        for path in all.paths() {
            let document = all.get(path).unwrap_or_default();
            snapshot.insert(self.neutral(&placed(path)), self.neutral(document));
        }
        snapshot
    }

    async fn neighbours(&self) {
        self.make_neighbours().await;
    }

    async fn predecessor(&self) {
        self.make_predecessor().await;
    }

    async fn fill(&self, objects: usize, versions: usize) {
        let uploads = (0..objects * versions).map(|number| {
            let object = number % objects;
            let blob = format!("media/{}/run%20{object}.bin", object % 7);
            async move {
                let planted = self.double().plant_blob(self.account(), CONTAINER, &blob, "x").await;
                planted.unwrap_or_else(|error| panic!("{blob}: {error}"));
            }
        });
        stream::iter(uploads).buffer_unordered(ABREAST).collect::<()>().await;
    }

    /// An account is deleted as a whole, whatever is in it, so that there are no single deletions to fail.
    fn resist(&self) -> Vec<Armed> {
        let proxy = self.proxy();
        vec![
            proxy.arm(When::operation("arm.storageAccounts.DELETE", 0), Fault::fail(Failure::Internal)),
            proxy.arm(When::one_in(20, "arm.*"), Fault::fail(Failure::Throttled)),
        ]
    }

    /// As many as without any objects, but for the pages in which they are counted; how often a deletion is polled
    /// depends on the machine.
    fn emptying_takes(versions: usize) -> usize {
        300 + versions / 1000
    }

    async fn announce(&self) -> usize {
        self.upload_blob("told%20of").await;
        let started = Instant::now();
        let mut told = 0;
        while told == 0 && started.elapsed() < EVENT_WITHIN {
            tokio::time::sleep(Duration::from_millis(100)).await;
            told = self.told().await;
        }
        // One more look after the first success: a second message would be a duplicate. Messages are
        // peeked at, and so counted again.
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.told().await
    }

    fn notifications(snapshot: &Snapshot) -> usize {
        let path = format!("event-subscription/ACCOUNT/wbstore-{NAME}/settings");
        usize::from(snapshot.get(&path).is_some())
    }
}

impl Azure {
    /// Peeks and counts the messages about the object of [`Cloud::announce`].
    async fn told(&self) -> usize {
        let messages = self.double().messages(self.account(), &format!("wbstore-{NAME}")).await;
        let messages = messages.unwrap_or_else(|error| panic!("{error}"));
        messages.iter().filter(|message| message.contains("told")).count()
    }

    /// What is the same in all accounts.
    fn neutral(&self, text: &str) -> String {
        text.replace(self.account(), "ACCOUNT").replace(&self.double().subscription(), "SUBSCRIPTION")
    }
}

/// The documents of a part under the part's own path: `account/a` with `settings`, `cors` and
/// `blob-service`; `container/a/c` with `settings` and `objects/…`.
fn placed(path: &str) -> String {
    let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
    match kind {
        "cors" | "blob-service" => format!("account/{rest}/{kind}"),
        // Azure makes it for the event subscription, and removes it with the last one.
        "system-topic" if rest.ends_with("/(implicit)") => {
            let account = rest.trim_end_matches("/(implicit)");
            format!("event-subscription/{account}/wbstore-{NAME}/system-topic")
        }
        "blob" => {
            let mut parts = rest.splitn(3, '/');
            let mut next = || parts.next().unwrap_or_default();
            let (account, container, blob) = (next(), next(), next());
            format!("container/{account}/{container}/{blob}/objects")
        }
        _ => format!("{path}/settings"),
    }
}
