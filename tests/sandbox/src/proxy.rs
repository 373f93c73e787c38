//! A reverse proxy on loopback that remembers, adds rules and breaks things.
//!
//! Several can stand before one emulator, one for each test. One can have several doors, each before
//! an emulator of its own, and writes all that comes through them into one journal.

mod connection;
mod meddle;
mod outcome;
mod reword;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::fault::{Armed, Fault, When};
use crate::journal::{Counts, Exchange};
use crate::reply::{self, Reply};
use crate::stores::Quirk;
use crate::stores::quirk::Quirks;
use crate::strict::identity::Ledger;
use crate::strict::{Feature, Strict, Verdict};
use crate::upstream::Upstream;

use state::State;

/// The only door, where there is one.
const FRONT: &str = "front";

/// A running proxy; stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    doors: Vec<(&'static str, SocketAddr)>,
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstreams: Vec<(&'static str, Upstream)>,
    strict: Strict,
    quirks: Quirks,
    state: State,
    /// How many requests the cloud is working on.
    working: watch::Sender<usize>,
}

impl Shared {
    /// What is behind a door; behind the first one, if there is none of that name.
    fn upstream(&self, door: &str) -> &Upstream {
        let named = self.upstreams.iter().find(|(name, _)| *name == door);
        &named.unwrap_or(&self.upstreams[0]).1
    }
}

impl Proxy {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start(upstream: &str, dialect: impl Into<Dialect>, strict: Strict) -> std::io::Result<Self> {
        Self::with_doors(&[(FRONT, upstream)], dialect, strict).await
    }

    /// Starts one with a port of 127.0.0.1 for each of these, of which there is at least one: the name
    /// of a door and what is behind it.
    pub async fn with_doors(
        upstreams: &[(&'static str, &str)],
        dialect: impl Into<Dialect>,
        strict: Strict,
    ) -> std::io::Result<Self> {
        let dialect = dialect.into();
        let shared = Arc::new(Shared {
            upstreams: upstreams.iter().map(|(door, url)| (*door, Upstream::new(url, dialect))).collect(),
            strict,
            quirks: Quirks::default(),
            state: State::default(),
            working: watch::Sender::new(0),
        });
        let mut proxy = Self { doors: vec![], shared: Arc::clone(&shared), servers: vec![] };
        for (door, _) in upstreams {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            proxy.doors.push((door, listener.local_addr()?));
            proxy.servers.push(tokio::spawn(connection::accept(listener, door, Arc::clone(&shared))));
        }
        Ok(proxy)
    }

    /// Where its first door is: what `AWS_ENDPOINT_URL` gets.
    pub fn url(&self) -> String {
        format!("http://{}", self.doors[0].1)
    }

    /// Where a door is; where the first one is, if there is none of that name.
    pub fn url_of(&self, door: &str) -> String {
        let named = self.doors.iter().find(|(name, _)| *name == door);
        format!("http://{}", named.unwrap_or(&self.doors[0]).1)
    }

    /// Every request since the last [`clear_journal`](Self::clear_journal), in order of arrival.
    pub fn journal(&self) -> Vec<Exchange> {
        self.shared.state.journal()
    }

    /// Forgets the requests so far, and counts from 0 again.
    pub fn clear_journal(&self) {
        self.shared.state.clear_journal();
    }

    /// What the requests in the journal cost.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.journal())
    }

    /// Lays a fault in wait. When several strike the same request, the first one armed does it.
    pub fn arm(&self, when: When, fault: Fault) -> Armed {
        let armed = Armed::new(when, fault);
        self.shared.state.arm(armed.clone());
        armed
    }

    /// Takes all faults away; requests that hang end there, without going on.
    pub fn disarm(&self) {
        self.shared.state.disarm();
    }

    /// Lets an access key do what an IAM policy says and nothing else.
    pub fn restrict(&self, access_key: &str, policy: &str) {
        self.shared.strict.restrict(access_key, policy);
    }

    /// What the calls of a restricted access key came to.
    pub fn ledger(&self, access_key: &str) -> Ledger {
        self.shared.strict.ledger(access_key)
    }

    /// Leaves out something that not every region of AWS has.
    pub fn leave_out(&self, feature: Feature) {
        self.shared.strict.leave_out(feature);
    }

    /// Gives the store behind it a peculiarity of others.
    pub fn add_quirk(&self, quirk: Quirk) {
        self.shared.quirks.add(quirk);
    }

    /// Tells which account an access key belongs to, when the key itself does not.
    pub fn introduce(&self, access_key: &str, account: &str) {
        self.shared.state.introduce(access_key, account);
    }

    /// What is behind the first door.
    pub(crate) fn upstream(&self) -> &Upstream {
        self.upstream_of(FRONT)
    }

    /// What is behind a door.
    pub(crate) fn upstream_of(&self, door: &str) -> &Upstream {
        self.shared.upstream(door)
    }

    /// Waits until the cloud has done all that it was asked, by clients that are gone too.
    pub async fn settled(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.shared.working.subscribe().wait_for(|working| *working == 0).await;
    }

    /// Makes every request take this much longer.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.state.set_delay(delay);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

/// Marks an answer as made by a strict rule, for the journal.
#[derive(Clone, Copy, Debug)]
struct Refused(&'static str);

/// The cloud's answer, as far as emulator and strict rules together can tell.
///
/// Runs as a task of its own: what a cloud has received it does, whether or not the client is
/// still there to hear of it.
async fn faithful(shared: &Arc<Shared>, call: &Arc<Call>) -> Reply {
    in_its_place(shared, call, Arc::clone(call)).await
}

/// The same for a request of which the emulator gets another version; the rules judge the one that
/// the client sent.
async fn in_its_place(shared: &Arc<Shared>, call: &Arc<Call>, sent: Arc<Call>) -> Reply {
    let (shared, call) = (Arc::clone(shared), Arc::clone(call));
    shared.working.send_modify(|working| *working += 1);
    let held = Arc::clone(&shared);
    let work = async move {
        match shared.strict.judge(&call, shared.upstream(call.door)).await {
            Verdict::Pass => {}
            Verdict::Answer(reply) => return reply,
            Verdict::Refuse { rule, error } => {
                let mut reply = error.reply(&call);
                reply.extensions_mut().insert(Refused(rule));
                return reply;
            }
        }
        if let Some(reply) = shared.quirks.answer(&call) {
            return reply;
        }
        let changed = shared.quirks.change(&sent);
        match shared.upstream(call.door).forward(changed.as_ref().unwrap_or(&sent)).await {
            Ok(reply) => {
                let reply = shared.quirks.amend(&call, reply);
                shared.strict.learn(&call, &reply);
                shared.state.remember(&call, &reply);
                reply
            }
            Err(error) => bad_gateway(&error.to_string()),
        }
    };
    let task = tokio::spawn(async move {
        let reply = work.await;
        held.working.send_modify(|working| *working -= 1);
        reply
    });
    task.await.unwrap_or_else(|error| bad_gateway(&error.to_string()))
}

fn bad_gateway(reason: &str) -> Reply {
    reply::reply(502, "text/plain", format!("the sandbox cannot reach its emulator: {reason}\n"))
}
