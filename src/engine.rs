//! Observes all resources at once, then walks the graph of a plan: what waits for nothing runs side
//! by side, what fails blocks only what needs it, and what merely takes its time is waited for.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::BackoffBuilder;
use futures::future::{BoxFuture, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::event::{Event, Events, Reporter};
use crate::patience::{FAULT_WITHIN, pauses, unless_busy};
use crate::plan::{Action, Plan, Step};
use crate::resource::{Address, AnyResource, Found, Observation, Owner, Stack, Writing};

/// Looks at every resource of `stack` at once, and at what must hold besides.
///
/// What the cloud denies or refuses to show becomes part of the observation, and so of the plan.
///
/// # Errors
/// Everything else that a look can fail with: credentials, the network, the server.
pub async fn observe(stack: &Stack) -> Result<Vec<Observation>> {
    let guards = join_all(stack.guards.iter().map(|guard| guard()));
    let looks = join_all(stack.resources.iter().map(|resource| look(resource.as_ref())));
    let (guards, looks) = futures::join!(guards, looks);
    guards.into_iter().collect::<Result<()>>()?;
    looks.into_iter().collect()
}

async fn look(resource: &dyn AnyResource) -> Result<Observation> {
    match unless_busy(|| resource.observe()).await {
        Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused) => {
            Ok(Observation { found: Err(Arc::new(error)), ..resource.unobserved() })
        }
        result => result,
    }
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// The steps that succeeded.
    pub done: Vec<Address>,
    /// The steps that failed, and why.
    pub failed: Vec<(Address, Error)>,
    /// The steps that were not tried.
    pub blocked: Vec<Address>,
    /// Whether anything was changed, done or not.
    pub changed: bool,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// Carries out plans.
pub struct Engine {
    /// Where it reports.
    pub events: Events,
    /// Asks it to stop at the next good place.
    pub cancel: CancellationToken,
    /// The longest wait for the cloud to catch up, in place of each resource's own.
    pub patience: Option<Duration>,
}

/// A step has two ends: once it is written, what needs it may start; it is done when it has been
/// read back.
enum Outcome {
    Written(usize, Instant),
    Done(usize, Instant),
    /// It failed after a part of it was done.
    Halfway(usize, Error),
    Failed(usize, Error),
}

impl Engine {
    /// Carries out `plan`, which was made of `stack`. A plan that refuses anything is not begun.
    pub async fn apply(&self, plan: &Plan, stack: &Stack) -> Report {
        let mut report = Report::default();
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.acts()).collect();
        if plan.is_refused() {
            report.blocked = steps.iter().map(|step| step.address.clone()).collect();
            return report;
        }
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        let mut written: HashSet<&Address> = HashSet::new();
        let mut running: FuturesUnordered<BoxFuture<'_, Outcome>> = FuturesUnordered::new();
        loop {
            if !self.cancel.is_cancelled() {
                let (ready, rest): (Vec<usize>, Vec<usize>) = waiting
                    .into_iter()
                    .partition(|index| steps[*index].waits_for.iter().all(|wait| written.contains(wait)));
                waiting = rest;
                for index in ready {
                    running.push(self.begin(index, steps[index], plan, stack));
                }
            }
            let outcome = running.next().await;
            report.changed |= matches!(outcome, Some(Outcome::Written(..) | Outcome::Halfway(..)));
            match outcome {
                None => break,
                Some(Outcome::Written(index, begun)) => {
                    written.insert(&steps[index].address);
                    running.push(self.finish(index, steps[index], stack, begun));
                }
                Some(Outcome::Done(index, begun)) => {
                    let Step { address, action, .. } = steps[index].clone();
                    self.events.send(Event::Done { address: address.clone(), action, took: begun.elapsed() });
                    report.done.push(address);
                }
                Some(Outcome::Failed(index, error) | Outcome::Halfway(index, error)) => {
                    let address = steps[index].address.clone();
                    if error.kind() == Kind::Interrupted {
                        self.events.send(Event::Blocked { address: address.clone(), by: vec![] });
                        report.blocked.push(address);
                        continue;
                    }
                    self.events.send(Event::Failed {
                        address: address.clone(),
                        error: error.chain(),
                        hint: error.what_next().map(str::to_owned),
                    });
                    report.failed.push((address, error));
                }
            }
        }
        for index in waiting {
            let Step { address, waits_for, .. } = steps[index];
            let by = waits_for.iter().filter(|wait| !written.contains(wait)).cloned().collect();
            self.events.send(Event::Blocked { address: address.clone(), by });
            report.blocked.push(address.clone());
        }
        report.interrupted = self.cancel.is_cancelled();
        report
    }

    fn begin<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        plan: &'a Plan,
        stack: &'a Stack,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let begun = Instant::now();
            self.events.send(Event::Started { address: step.address.clone(), action: step.action });
            let Some(resource) = find(stack, &step.address) else {
                return Outcome::Failed(index, Error::new(Kind::Failed, "the plan is of another stack"));
            };
            let reporter = Reporter::new(step.address.clone(), self.events.clone(), self.cancel.clone());
            let parent = resource.unobserved().part_of;
            let in_new = parent
                .and_then(|parent| plan.step(&parent))
                .is_some_and(|step| step.action == Action::Create);
            let again = AtomicBool::new(false);
            let result = self
                .patiently(resource, || async {
                    let first = !again.swap(true, Ordering::Relaxed);
                    match step.action {
                        Action::Delete => resource.delete(&reporter).await,
                        Action::Release => resource.release().await,
                        Action::Adopt => resource.write(Writing::Adopting).await,
                        // A second try may come long after the first, and others may have come.
                        _ if in_new && first => resource.write(Writing::InNew).await,
                        _ => resource.write(Writing::Plain).await,
                    }
                })
                .await;
            match result {
                Ok(()) => Outcome::Written(index, begun),
                Err(error) if reporter.has_begun() => Outcome::Halfway(index, error),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }

    /// Reads back what was written, and writes once more where something else is found: a change
    /// that was lost between our read and our write, or a mark that the endpoint left out.
    fn finish<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        stack: &'a Stack,
        begun: Instant,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let written = matches!(step.action, Action::Create | Action::Update | Action::Adopt);
            let resource = find(stack, &step.address).filter(|resource| written && resource.reads_back());
            let Some(resource) = resource else { return Outcome::Done(index, begun) };
            // What was there before us must never come to look as if we had made it.
            let how = if step.action == Action::Adopt { Writing::Adopting } else { Writing::Plain };
            let missed = AtomicBool::new(false);
            let result = self
                .patiently(resource, || async {
                    let seen = resource.observe().await?;
                    let Some(difference) = difference(&seen) else { return Ok(()) };
                    if let Ok(Found { owner: Owner::Other(Some(other)), .. }) = &seen.found {
                        return Err(Error::refused(format!("the deployment `{other}` took it meanwhile"))
                            .hint("choose another name for one of the two"));
                    }
                    // The first look may be of before our write; the second is taken at its word. But
                    // what stands by itself and cannot be seen yet is not made twice.
                    let there = seen.part_of.is_some()
                        || seen.found.as_ref().is_ok_and(|found| found.state.is_some());
                    if missed.swap(true, Ordering::Relaxed) && there {
                        resource.write(how).await?;
                    }
                    Err(Error::new(Kind::NotYet, difference)
                        .hint("another tool may be writing the same document; run `wbstore plan` to see it"))
                })
                .await;
            match result {
                Ok(()) => Outcome::Done(index, begun),
                // It is written, and the run as a whole says that it was interrupted.
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Done(index, begun),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }

    /// Repeats `call` while its failure is one that passes, within the patience that fits.
    async fn patiently<F, T>(&self, resource: &dyn AnyResource, mut call: F) -> Result<()>
    where
        F: FnMut() -> T,
        T: Future<Output = Result<()>>,
    {
        let begun = Instant::now();
        let mut pauses = pauses().build();
        loop {
            let error = match call().await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind().passes() => error,
                Err(error) => return Err(error),
            };
            let budget = self.patience.or(error.budget()).unwrap_or_else(|| match error.kind() {
                Kind::NotYet => resource.patience(),
                _ => FAULT_WITHIN,
            });
            let left = budget.saturating_sub(begun.elapsed());
            let pause = pauses.next().unwrap_or(FAULT_WITHIN);
            let pause = error.server_wait().map_or(pause, |asked| asked.max(pause));
            if left < pause {
                return Err(error);
            }
            self.events.send(Event::Waiting {
                address: resource.address(),
                why: error.chain(),
                next: pause,
                left,
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel.cancelled() => return Err(Error::new(Kind::Interrupted, "interrupted")),
            }
        }
    }
}

fn find<'a>(stack: &'a Stack, address: &Address) -> Option<&'a dyn AnyResource> {
    stack.resources.iter().find(|resource| resource.address() == *address).map(AsRef::as_ref)
}

/// What was found instead of what was written, if anything.
fn difference(seen: &Observation) -> Option<String> {
    let found = match &seen.found {
        Ok(found) => found.state.as_ref(),
        Err(error) => return Some(error.chain()),
    };
    let Some(state) = found else { return Some("it cannot be seen yet".to_owned()) };
    let field = seen
        .desired
        .keys()
        .chain(state.keys())
        .find(|field| state.get(*field) != seen.desired.get(*field))?;
    Some(format!("it does not show {field} as it was written"))
}
