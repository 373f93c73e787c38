//! What a proxy remembers between requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::fault::Armed;
use crate::journal::Exchange;
use crate::reply::Reply;

/// Answers longer than this are not kept for [`Fault::Stale`](crate::fault::Fault::Stale).
const KEPT: usize = 64 * 1024;

/// Names one request in the journal, or in one that was cleared meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    epoch: usize,
    index: usize,
}

#[derive(Debug, Default)]
pub(super) struct State(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How often the journal was cleared.
    epoch: usize,
    journal: Vec<Exchange>,
    armed: Vec<Armed>,
    delay: Duration,
    answers: HashMap<String, Reply>,
    /// Accounts of the access keys that do not tell by themselves.
    accounts: HashMap<String, String>,
}

impl State {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No lock is held across anything that can panic half-way; the data stays sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a request down and picks its fault, in one step, so that concurrent requests have
    /// one order for both.
    pub(super) fn begin(&self, call: &Call) -> (Ticket, Option<Armed>) {
        let mut inner = self.inner();
        let index = inner.journal.len();
        inner.journal.push(Exchange::begin(index, call));
        let armed = inner.armed.iter().find(|armed| armed.strikes(index, call)).cloned();
        (Ticket { epoch: inner.epoch, index }, armed)
    }

    fn amend(&self, ticket: Ticket, change: impl FnOnce(&mut Exchange)) {
        let mut inner = self.inner();
        if inner.epoch == ticket.epoch
            && let Some(exchange) = inner.journal.get_mut(ticket.index)
        {
            change(exchange);
        }
    }

    pub(super) fn meddled(&self, ticket: Ticket, how: &str) {
        self.amend(ticket, |exchange| exchange.meddled = Some(how.to_owned()));
    }

    pub(super) fn finish(&self, ticket: Ticket, status: Option<u16>, refused: bool) {
        self.amend(ticket, |exchange| {
            exchange.status = status;
            exchange.refused = refused;
            exchange.finished = Some(Instant::now());
        });
    }

    pub(super) fn journal(&self) -> Vec<Exchange> {
        self.inner().journal.clone()
    }

    pub(super) fn clear_journal(&self) {
        let mut inner = self.inner();
        inner.epoch += 1;
        inner.journal.clear();
    }

    pub(super) fn arm(&self, armed: Armed) {
        self.inner().armed.push(armed);
    }

    pub(super) fn disarm(&self) {
        for armed in self.inner().armed.drain(..) {
            armed.abandon();
        }
    }

    pub(super) fn delay(&self) -> Duration {
        self.inner().delay
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        self.inner().delay = delay;
    }

    pub(super) fn introduce(&self, access_key: &str, account: &str) {
        let mut inner = self.inner();
        inner.accounts.insert(access_key.to_owned(), account.to_owned());
    }

    /// Fills in the account of a key that was introduced.
    pub(super) fn recognise(&self, call: &mut Call) {
        let known = call.access_key.as_ref().and_then(|key| self.inner().accounts.get(key).cloned());
        if known.is_some() {
            call.account = known;
        }
    }

    /// Keeps the answer to a read, for when it is asked to be stale.
    pub(super) fn remember(&self, call: &Call, reply: &Reply) {
        if !call.mutates() && reply.body().len() <= KEPT {
            self.inner().answers.insert(identity(call), reply.clone());
        }
    }

    pub(super) fn remembered(&self, call: &Call) -> Option<Reply> {
        self.inner().answers.get(&identity(call)).cloned()
    }
}

/// Two calls are the same read when all of this is.
fn identity(call: &Call) -> String {
    format!("{:?} {} {} {} {:?}", call.account, call.door, call.operation, call.uri, call.body)
}
