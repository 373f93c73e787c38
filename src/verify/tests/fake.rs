//! A bucket and its queue in memory, of each kind of [`Queue`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::http::{Answer, Method, Request};
use crate::resource::Address;
use crate::verify::probe::CONTENT;
use crate::verify::{
    CheckSender, Checking, Depth, Message, NodeCall, NodeSite, Object, OperatorSite, OtherApi, Probe,
    Profile, Queue, Says, Settings, Settling, Signed, Site, Verdict, VerifyOptions, failed, passed, verify,
    verify_as_node,
};

pub(super) const SHARED: u8 = 0;
pub(super) const PEEKED: u8 = 1;
pub(super) const OWN: u8 = 2;
pub(super) const ORIGIN: &str = "https://wandb.acme.com";
pub(super) const WINDOW: usize = 4;
const BATCH: usize = 3;
const HEADERS: &[&str] = &["content-type", "range"];
/// What a bucket answers that is as it should be.
pub(super) const ALLOWED: [(&str, &str); 4] = [
    ("access-control-allow-origin", ORIGIN),
    ("access-control-allow-methods", "GET, PUT, HEAD"),
    ("access-control-allow-headers", "Content-Type,range"),
    ("access-control-expose-headers", "x-request-id, etag"),
];

/// What the cloud does, and what was done to it.
pub(super) struct Cloud {
    /// What a preflight of the server's origin is answered from `allowed_from` on, and 403 before.
    pub(super) cors: Vec<(&'static str, &'static str)>,
    pub(super) allowed_from: Instant,
    pub(super) stranger: Vec<(&'static str, &'static str)>,
    /// The answers to uploads; the last one again and again.
    pub(super) uploads: VecDeque<(u16, &'static str)>,
    pub(super) anonymous: u16,
    /// From which upload on events are delivered, and how long that takes.
    pub(super) delivers_from: Option<usize>,
    pub(super) delivery: Duration,
    pub(super) unproven: Option<&'static str>,
    pub(super) queue: VecDeque<(Instant, Message)>,
    pub(super) hidden: Vec<Message>,
    pub(super) failures: VecDeque<Error>,
    pub(super) depths: VecDeque<Depth>,
    pub(super) settling: Option<Settling>,
    pub(super) kept_by: Option<String>,
    pub(super) route: Option<Vec<Address>>,
    pub(super) unwatchable: Option<Error>,
    pub(super) unremovable: bool,
    pub(super) unclosable: bool,
    pub(super) keeps: Option<&'static str>,
    pub(super) other_api: bool,
    pub(super) unsigned: Option<&'static str>,
    pub(super) uploaded: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) deleted: Vec<String>,
    pub(super) given_back: Vec<String>,
    pub(super) looks: usize,
    pub(super) closed: bool,
    pub(super) lost: usize,
    /// A call that the node's credentials may not send.
    pub(super) denied: Option<NodeCall>,
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            cors: ALLOWED.to_vec(),
            allowed_from: Instant::now(),
            stranger: vec![],
            uploads: [(200, "")].into(),
            anonymous: 403,
            delivers_from: Some(0),
            delivery: Duration::from_secs(2),
            unproven: None,
            queue: VecDeque::new(),
            hidden: vec![],
            failures: VecDeque::new(),
            depths: VecDeque::new(),
            settling: None,
            kept_by: None,
            route: Some(vec![Address::new("fake", "queue", "q")]),
            unwatchable: None,
            unremovable: false,
            unclosable: false,
            keeps: None,
            other_api: false,
            unsigned: None,
            uploaded: vec![],
            removed: vec![],
            deleted: vec![],
            given_back: vec![],
            looks: 0,
            closed: false,
            lost: 0,
            denied: None,
        }
    }
}

impl Cloud {
    /// Puts a message of somebody else into the queue.
    pub(super) fn plant(&mut self, id: &str, says: Says) {
        self.queue.push_back((Instant::now(), message(id, 0, says)));
    }

    fn stored(&mut self, key: String) {
        let index = self.uploaded.len();
        self.uploaded.push(key.clone());
        let object = Object { bucket: "acme".to_owned(), key };
        let says = match self.unproven {
            Some(why) => Says::Unproven(object, why.to_owned()),
            None => Says::Created(vec![object]),
        };
        if self.delivers_from.is_some_and(|from| index >= from) {
            let arrives = Instant::now() + self.delivery;
            self.queue.push_back((arrives, message(&format!("event {index}"), 0, says)));
        }
    }
}

pub(super) fn message(id: &str, times: u64, says: Says) -> Message {
    Message { id: id.to_owned(), handle: id.to_owned(), times, ends: None, says }
}

/// The site with a queue of that kind.
pub(super) struct Fake<const QUEUE: u8>(Arc<Mutex<Cloud>>);

impl<const QUEUE: u8> Fake<QUEUE> {
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.0.lock().unwrap()
    }
}

impl<const QUEUE: u8> Site for Fake<QUEUE> {
    const PROFILE: Profile = Profile {
        cloud: "fake",
        cors_of: "the bucket",
        every_origin: failed,
        cors_settles: Duration::from_secs(6),
        headers: HEADERS,
        refusals: &[401, 403],
        exposed: "look for a grant",
        queue: match QUEUE {
            SHARED => Queue::Shared,
            PEEKED => Queue::Peeked { window: WINDOW },
            _ => Queue::Own,
        },
    };

    fn bucket(&self) -> &str {
        "acme"
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        let mut cloud = self.cloud();
        if request.method() == Method::OPTIONS {
            let ours = request.header_value("Origin") == Some(ORIGIN);
            let asked = request.header_value("Access-Control-Request-Headers");
            assert_eq!(asked, Some("content-type,range"));
            return Ok(match ours {
                true if Instant::now() < cloud.allowed_from => Answer::new(403, [], ""),
                true => Answer::new(200, cloud.cors.clone(), ""),
                false => Answer::new(200, cloud.stranger.clone(), ""),
            });
        }
        if request.method() == Method::GET && request.url().query() == Some("read=s") {
            let denied = cloud.denied == Some(NodeCall::PresignedGet);
            return Ok(if denied { Answer::new(403, [], "") } else { Answer::new(200, [], CONTENT) });
        }
        if request.method() == Method::GET {
            assert!(request.url().query().is_none(), "it is anonymous");
            return Ok(Answer::new(cloud.anonymous, [], ""));
        }
        let path = request.url().path().trim_start_matches('/').to_owned();
        let (status, body) = cloud.uploads[0];
        if cloud.uploads.len() > 1 {
            cloud.uploads.pop_front();
        }
        if status == 200 {
            cloud.stored(path.replace("%20", " ").replace("%C3%BC", "ü"));
        }
        Ok(Answer::new(status, cloud.cors.clone(), body))
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        let url = format!("https://acme.example/{key}?signature=s");
        Ok(Signed { url, headers: vec![], unsigned: self.cloud().unsigned.map(str::to_owned) })
    }

    fn refusal(&self, code: &str, _: &str) -> &'static str {
        if code == "Kms" { "check the key" } else { "check the grant" }
    }

    fn route(&self) -> Option<Vec<Address>> {
        self.cloud().route.clone()
    }

    async fn receive(&mut self, wait: Duration) -> Result<Vec<Message>> {
        let until = Instant::now() + wait;
        self.cloud().looks += 1;
        loop {
            if let Some(error) = self.cloud().failures.pop_front() {
                return Err(error);
            }
            let now = Instant::now();
            let found = {
                let mut cloud = self.cloud();
                let visible: Vec<_> = cloud.queue.iter().filter(|(at, _)| *at <= now).cloned().collect();
                let most = if QUEUE == PEEKED { WINDOW } else { BATCH };
                let found: Vec<_> = visible.into_iter().map(|(_, message)| message).take(most).collect();
                if QUEUE == PEEKED {
                    return Ok(found);
                }
                cloud.queue.retain(|(_, message)| !found.iter().any(|one| one.id == message.id));
                let found: Vec<_> = found
                    .into_iter()
                    .map(|message| Message { times: message.times + 1, ..message })
                    .collect();
                cloud.hidden.extend(found.clone());
                found
            };
            if !found.is_empty() || now >= until {
                return Ok(found);
            }
            sleep(Duration::from_millis(100).min(until - now)).await;
        }
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        let mut cloud = self.cloud();
        cloud.hidden.retain(|message| !handles.contains(&message.handle));
        cloud.deleted.extend(handles);
        Ok(())
    }

    async fn give_back(&mut self, handles: Vec<String>) -> Result<()> {
        let mut cloud = self.cloud();
        let hidden = std::mem::take(&mut cloud.hidden);
        for message in hidden.into_iter().rev() {
            assert!(handles.contains(&message.handle), "it is not held any more");
            cloud.queue.push_front((Instant::now(), message));
        }
        cloud.given_back.extend(handles);
        Ok(())
    }

    async fn depth(&mut self, _: bool) -> Result<Option<Depth>> {
        Ok(self.cloud().depths.pop_front())
    }

    fn silence(&self, tested: bool) -> (&'static str, &'static str) {
        if tested { (", though the test is there", "wait") } else { ("", "look at the plan") }
    }
}

impl<const QUEUE: u8> OperatorSite for Fake<QUEUE> {
    async fn settings(&mut self) -> Result<Settings> {
        let Cloud { settling, kept_by, .. } = &*self.cloud();
        let subscription = (QUEUE == OWN).then(|| passed("attached"));
        let kept_by = kept_by.clone();
        Ok(Settings { public: passed("closed"), subscription, reader: vec![], settling: *settling, kept_by })
    }

    async fn address(&self, key: &str) -> Result<String> {
        Ok(format!("https://acme.example/{key}"))
    }

    fn other_api(&self, key: &str) -> Option<OtherApi> {
        self.cloud().other_api.then(|| OtherApi {
            check: "preflight other API",
            read: format!("https://other.example/{key}"),
            write: format!("https://other.example/upload/{key}"),
            detail: "it answers everybody",
            hint: "check any proxy",
        })
    }

    async fn remove(&mut self, probe: &Probe) -> Result<Option<String>> {
        let mut cloud = self.cloud();
        if cloud.unremovable {
            return Err(Error::new(crate::error::Kind::Denied, "no").hint("grant it"));
        }
        cloud.removed.push(probe.key.clone());
        cloud.lost += usize::from(probe.answer.is_none());
        Ok(cloud.keeps.map(str::to_owned))
    }

    async fn watch(&mut self, _: &str) -> Result<()> {
        self.cloud().unwatchable.take().map_or(Ok(()), Err)
    }

    async fn close(&mut self) -> Result<()> {
        let mut cloud = self.cloud();
        cloud.closed = true;
        if cloud.unclosable { Err(Error::new(crate::error::Kind::Denied, "a watch is left")) } else { Ok(()) }
    }
}

impl<const QUEUE: u8> Fake<QUEUE> {
    fn node_call(&self, call: NodeCall) -> Result<()> {
        match self.cloud().denied {
            Some(denied) if denied == call => {
                Err(Error::new(crate::error::Kind::Denied, format!("{call:?} was denied")).hint("grant it"))
            }
            _ => Ok(()),
        }
    }
}

impl<const QUEUE: u8> NodeSite for Fake<QUEUE> {
    async fn identity(&mut self) -> Result<String> {
        Ok("the node of acme".to_owned())
    }

    async fn sign_read(&mut self, key: &str) -> Result<Signed> {
        Ok(Signed { url: format!("https://acme.example/{key}?read=s"), headers: vec![], unsigned: None })
    }

    async fn head(&mut self, _: &str) -> Result<()> {
        self.node_call(NodeCall::Head)
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<String>> {
        self.node_call(NodeCall::List)?;
        let uploaded = &self.cloud().uploaded;
        Ok(uploaded.iter().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    async fn upload_in_parts(&mut self, key: &str, _: &str) -> Result<()> {
        self.node_call(NodeCall::Multipart)?;
        self.cloud().stored(key.to_owned());
        Ok(())
    }

    async fn delete_object(&mut self, key: &str) -> Result<()> {
        self.node_call(NodeCall::Delete)?;
        self.cloud().removed.push(key.to_owned());
        Ok(())
    }

    fn lacking(&self, call: NodeCall) -> String {
        format!("allow {call:?}")
    }
}

/// What came of one run.
pub(super) struct Ran {
    pub(super) outcome: Result<()>,
    pub(super) checks: Vec<(String, Verdict)>,
    pub(super) begun: Vec<String>,
    pub(super) cloud: Arc<Mutex<Cloud>>,
    pub(super) took: Duration,
}

impl Ran {
    #[track_caller]
    pub(super) fn verdict(&self, name: &str) -> &Verdict {
        let found = self.checks.iter().find(|(check, _)| check == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.checks)).1
    }

    #[track_caller]
    pub(super) fn passes(&self, name: &str, says: &str) {
        let Verdict::Passed { detail } = self.verdict(name) else { panic!("{:?}", self.verdict(name)) };
        assert!(detail.contains(says), "{detail}");
    }

    #[track_caller]
    pub(super) fn fails(&self, name: &str, says: &str, next: &str) {
        let Verdict::Failed { reason, hint } = self.verdict(name) else { panic!("{:?}", self.verdict(name)) };
        assert!(reason.contains(says), "{reason}");
        assert!(hint.as_ref().is_some_and(|hint| hint.contains(next)), "{hint:?}");
    }

    #[track_caller]
    pub(super) fn is_open(&self, name: &str, says: &str) {
        let Verdict::Inconclusive { reason } = self.verdict(name) else { panic!("{:?}", self.verdict(name)) };
        assert!(reason.contains(says), "{reason}");
    }

    pub(super) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap()
    }
}

pub(super) fn options() -> VerifyOptions {
    VerifyOptions {
        is_team: false,
        origins: ORIGIN.parse::<crate::origin::Origin>().unwrap().into(),
        event_within: Duration::from_secs(60),
        absent: vec![],
        cancel: CancellationToken::new(),
    }
}

/// Verifies a site with a queue of that kind, on a cloud that `change` was made to.
pub(super) async fn run<const QUEUE: u8>(change: impl FnOnce(&mut Cloud)) -> Ran {
    run_with::<QUEUE>(&options(), change).await
}

pub(super) async fn run_with<const QUEUE: u8>(
    options: &VerifyOptions,
    change: impl FnOnce(&mut Cloud),
) -> Ran {
    proved::<QUEUE, _>(change, async |fake, sender| verify(fake, options, sender).await).await
}

/// The same with the calls of the server.
pub(super) async fn run_as_node<const QUEUE: u8>(change: impl FnOnce(&mut Cloud)) -> Ran {
    let options = options();
    proved::<QUEUE, _>(change, async |fake, sender| verify_as_node(fake, &options, sender).await).await
}

async fn proved<const QUEUE: u8, P>(change: impl FnOnce(&mut Cloud), prove: P) -> Ran
where
    P: AsyncFnOnce(Fake<QUEUE>, CheckSender) -> Result<()>,
{
    let mut cloud = Cloud::default();
    change(&mut cloud);
    let cloud = Arc::new(Mutex::new(cloud));
    let (sender, mut receiver) = unbounded_channel();
    let begun_at = Instant::now();
    let outcome = prove(Fake::<QUEUE>(Arc::clone(&cloud)), sender).await;
    let took = begun_at.elapsed();
    let (mut checks, mut begun) = (vec![], vec![]);
    while let Ok(checking) = receiver.try_recv() {
        match checking {
            Checking::Advice(_) => {}
            Checking::Begun { name, .. } => begun.push(name),
            Checking::Known(check) => checks.push((check.name, check.verdict)),
        }
    }
    Ran { outcome, checks, begun, cloud, took }
}
