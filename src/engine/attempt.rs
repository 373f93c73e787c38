//! One step: read again, decided again, and applied if it is still the planned one.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::try_join_all;
use jiff::Timestamp;
use tracing::Instrument as _;

use super::{Engine, find, look, look_as_parent};
use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::Reads;
use crate::mutations::{self, Mutations};
use crate::plan::{Action, Again, Plan, Step, again};
use crate::resource::{Address, AnyResource, Deleted, Look, Observation, Owner, Removal, Seen, Stack};
use crate::timings::{self, Phase};

/// The outcome of a step that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing was left to do.
    Reached,
    /// Nothing was sent: the cloud turned out to do it by itself, or not to have it at all.
    Idle,
    /// It was created.
    Created(Calls),
    /// It was updated or deleted.
    Changed,
    /// The cloud completes it by itself, in this way and until then.
    Pending(&'static str, Timestamp),
}

/// How many calls a creation took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// One.
    One,
    /// One, and the cloud completed it later.
    Awaited,
    /// Several, or one whose answer was lost.
    Several,
}

/// How often a parent is emptied again because others fill it.
const REFILLS: usize = 9;

/// What a look right before a step has decided.
enum Decision<'e> {
    /// Nothing is left to do.
    Reached,
    /// It is still the planned step.
    Proceed(Box<dyn Look + 'e>),
    /// It is, and what this run has emptied holds something again, or still: there is no other look after an
    /// emptying than the one that decides on what was emptied.
    Refilled { contents: Box<dyn Look + 'e>, look: Box<dyn Look + 'e> },
}

/// What this run has created, and in how many calls.
pub(super) type Created<'a> = BTreeMap<&'a Address, Calls>;

/// Whether one call of this run has `created` what is at `parent`, so that others have had no time to write into it.
pub(super) fn is_new(created: &Created<'_>, parent: Option<&Address>) -> bool {
    parent.and_then(|parent| created.get(parent)).is_some_and(|calls| *calls != Calls::Several)
}

/// What is deleted with the resource at `address`: what it holds, and what that holds.
fn deleted_with<'s>(stack: &'s Stack, address: &Address) -> Vec<&'s dyn AnyResource> {
    let parts = stack.resources.iter().map(AsRef::as_ref).filter(|part| {
        let Observation { part_of, removal, .. } = part.unseen().observation();
        part_of.as_ref() == Some(address) && !matches!(removal, Removal::Own | Removal::Setting)
    });
    parts.flat_map(|part| std::iter::once(part).chain(deleted_with(stack, &part.address()))).collect()
}

/// A running step.
pub(super) struct Attempt<'e> {
    engine: &'e Engine,
    plan: &'e Plan,
    step: &'e Step,
    pub resource: &'e dyn AnyResource,
    parent: Option<&'e dyn AnyResource>,
    /// Whether this run created the parent.
    parent_is_ours: bool,
    /// Whether that was a moment ago.
    parent_is_new: bool,
    /// For a deletion: what is deleted with it or detached, and the resource whose lease applies.
    others: Vec<&'e dyn AnyResource>,
    /// The changing requests that this step has sent.
    sent: Arc<Mutations>,
    /// Whether the step's call has been sent.
    pub tried: bool,
    /// Whether that call may have created something.
    may_be_ours: bool,
    /// What the call was decided on, while the cloud works on it.
    under_way: Option<Box<dyn Look + 'e>>,
    /// How many calls it took so far.
    calls: Calls,
}

impl<'e> Attempt<'e> {
    /// The first attempt at `step`, after this run has `created` what it may be part of, in so many calls. `None` where
    /// `stack` is not the one that `plan` was computed from.
    pub(super) fn new(
        engine: &'e Engine,
        step: &'e Step,
        plan: &'e Plan,
        stack: &'e Stack,
        created: &Created<'_>,
    ) -> Option<Self> {
        let resource = find(stack, &step.address)?;
        let Observation { part_of: parent, detaches, .. } = resource.unseen().observation();
        let mut others = vec![];
        if matches!(step.action, Action::Delete | Action::Release) {
            let holder = resource.lease_holder().filter(|holder| parent.as_ref() != Some(holder));
            others.extend(holder.and_then(|holder| find(stack, &holder)));
        }
        if step.action == Action::Delete {
            others.extend(deleted_with(stack, &step.address));
            others.extend(detaches.iter().filter_map(|address| find(stack, address)));
        }
        Some(Self {
            engine,
            plan,
            step,
            resource,
            parent_is_ours: parent.as_ref().is_some_and(|parent| created.contains_key(parent)),
            parent_is_new: is_new(created, parent.as_ref()),
            parent: parent.and_then(|parent| find(stack, &parent)),
            others,
            sent: Arc::default(),
            tried: false,
            may_be_ours: false,
            under_way: None,
            calls: Calls::One,
        })
    }

    /// Applies the step if it is still the planned one.
    ///
    /// # Errors
    /// Those of [`look_again`](Self::look_again) and of the call; [`Kind::Interrupted`], before the call,
    /// when the user has stopped the run.
    pub(super) async fn take(&mut self, progress: &mut Progress) -> Result<Taken> {
        let is_under_way = self.under_way.is_some();
        let look = match self.under_way.take() {
            Some(look) => Some(look),
            None => self.decide_again(progress).await?,
        };
        let creates = self.step.action == Action::Create;
        let Some(look) = look else {
            // The response to the own call was lost.
            let ours = creates && self.may_be_ours;
            return Ok(if ours { Taken::Created(Calls::Several) } else { Taken::Reached });
        };
        progress.set_parent_is_new(self.parent_is_new);
        if std::mem::replace(&mut self.tried, true) {
            let awaited = is_under_way && self.calls != Calls::Several;
            self.calls = if awaited { Calls::Awaited } else { Calls::Several };
        }
        // Another try may come much later, and others may have written by then.
        self.parent_is_new = false;
        let action = self.step.action;
        let taken = mutations::of_step(&self.sent, async {
            match action {
                Action::Delete => look.delete(progress).await,
                Action::Release => look.release(progress).await.map(|()| Deleted::Gone),
                _ => look.write(progress).await.map(|()| Deleted::Gone),
            }
        });
        let taken = taken.instrument(self.timed(Phase::Apply)).await;
        // A call that was rejected because the resource exists has created nothing.
        let conflict = matches!(&taken, Err(error) if error.kind() == Kind::Conflict);
        self.may_be_ours = self.sent.has_sent() && (!conflict || self.sent.applied() > 0);
        if matches!(&taken, Err(error) if error.is_under_way()) {
            self.under_way = Some(look);
        }
        if let Deleted::Pending { how, until } = taken? {
            return Ok(Taken::Pending(how, until));
        }
        let writes = matches!(action, Action::Create | Action::Update | Action::Adopt);
        if writes && !self.sent.has_sent() {
            return Ok(Taken::Idle);
        }
        Ok(if creates { Taken::Created(self.calls) } else { Taken::Changed })
    }

    fn timed(&self, phase: Phase) -> tracing::Span {
        timings::work(&self.step.address, phase, &self.step.waits_for)
    }

    /// Decides again, and empties again what others have filled. `None` where nothing is left to do.
    ///
    /// # Errors
    /// Those of [`look_again`](Self::look_again) and of the emptying; [`Kind::Conflict`] where others keep filling it;
    /// [`Kind::Interrupted`] when the user has stopped the run.
    async fn decide_again(&self, progress: &Progress) -> Result<Option<Box<dyn Look + 'e>>> {
        for _ in 0..=REFILLS {
            let decision = tokio::select! {
                biased;
                () = self.engine.cancel.cancelled() => {
                    return Err(Error::new(Kind::Interrupted, "before the retry"));
                }
                decision = self.look_again().instrument(self.timed(Phase::DecideAgain)) => decision?,
            };
            match decision {
                Decision::Reached => return Ok(None),
                Decision::Proceed(look) => return Ok(Some(look)),
                Decision::Refilled { contents, look } => {
                    let emptied = mutations::of_step(&self.sent, contents.delete(progress));
                    match emptied.instrument(self.timed(Phase::Apply)).await? {
                        Deleted::WithParent => return Ok(Some(look)),
                        Deleted::Gone => {}
                        // It is filled faster than the cloud empties it.
                        Deleted::Pending { .. } => break,
                    }
                }
            }
        }
        Err(Error::new(
            Kind::Conflict,
            format!("empty {}: new objects keep arriving", self.step.address.name()),
        )
        .hint("stop what writes to it (the W&B server), then run again"))
    }

    /// Reads the resource and what the step depends on again, and decides again.
    ///
    /// # Errors
    /// [`Kind::Outdated`] or [`Kind::Refused`] when it is no longer the planned step; those of the reads.
    async fn look_again(&self) -> Result<Decision<'e>> {
        let Self { engine, plan, step, resource, .. } = self;
        let exclusive = self.parent.is_none() && resource.creation_is_exclusive() && !engine.aged;
        if step.action == Action::Create && !self.tried && (self.parent_is_ours || exclusive) {
            return Ok(Decision::Proceed(resource.unseen()));
        }
        if !Safeguard::SecondDecision.holds() {
            let (_, look) = look(*resource).await?;
            return Ok(look.map_or(Decision::Reached, Decision::Proceed));
        }
        let looks = std::iter::once(*resource).chain(self.others.iter().copied()).map(look);
        let looks = try_join_all(looks);
        let parent = try_join_all(self.parent.map(look_as_parent));
        let looks = async { futures::try_join!(looks, parent) };
        let (looks, mut parent) = Reads::default().within(looks).await?;
        for (parent, _) in &mut parent {
            let released = plan.step(&parent.address).is_some_and(|step| step.action == Action::Release);
            if let (true, Ok(seen)) = (released, &mut parent.seen)
                && seen.owner() == Some(&Owner::Ours)
            {
                // What keeps it is in it, and not read for the sake of its parts.
                seen.set_owner(Owner::Adopted);
            }
        }
        let (observations, looks): (Vec<_>, Vec<_>) = looks.into_iter().chain(parent).unzip();
        match again(plan, &step.address, &observations, self.may_be_ours) {
            Again::Reached => Ok(Decision::Reached),
            Again::Proceed => {
                let mut looks = looks.into_iter();
                let own = looks.next().flatten();
                let mut around = observations.iter().skip(1).zip(looks);
                let refilled = around.find_map(|(seen, look)| look.filter(|_| self.is_refilled(seen)));
                Ok(match (own, refilled) {
                    (Some(look), Some(contents)) => Decision::Refilled { contents, look },
                    (Some(look), None) => Decision::Proceed(look),
                    (None, _) => Decision::Reached,
                })
            }
            Again::Changed { reason, hint, may_settle } => {
                let kind = if may_settle { Kind::Outdated } else { Kind::Refused };
                let error =
                    Error::new(kind, format!("{} has changed since the plan: {reason}", step.address));
                Err(error.hint(
                    hint.unwrap_or_else(|| "run the command again to plan from what exists now".to_owned()),
                ))
            }
        }
    }

    /// Whether `seen` is what the step's resource holds, and a step before this one has deleted that.
    fn is_refilled(&self, seen: &Observation) -> bool {
        seen.removal == Removal::Contents
            && seen.part_of.as_ref() == Some(&self.step.address)
            && matches!(seen.seen, Ok(Seen::There { .. }))
            && self.plan.step(&seen.address).is_some_and(|step| step.action == Action::Delete)
    }
}
