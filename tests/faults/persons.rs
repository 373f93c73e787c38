//! A run that is held while a person acts: all its requests from a certain one on wait, so that everything
//! before has been done and nothing after has been seen.

use jiff::{SignedDuration, Timestamp};
use wbstore_sandbox::cloud::{Cloud, NAME, PROVISION};
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::person::{Document, ENTRY, Person, Trace, dishonesty, meanwhile};
use wbstore_sandbox::ran::Ran;

use crate::scenario::Scenario;

/// The run that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// An empty deployment is to go.
    Teardown,
    /// The same because its time is up.
    Expired,
    /// Bucket and queue of others are to be taken over.
    Adopt,
    /// What was taken over is to be given back.
    GiveBack,
}

/// What a person does meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Uploads an object.
    Upload,
    /// Renews the lease.
    Renewal,
    /// Puts another deployment's mark there.
    Mark(Document),
    /// Adds an entry.
    Entry(Document),
}

/// What became of what the person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is there, and the run did what it is for.
    Kept,
    /// It is there, and the run says that it did not do it all.
    Refused,
    /// It is gone with what it was in, as the plan said.
    Shown,
    /// There was nothing any more to do it to, or the run was over.
    TooLate,
    /// It came between the last look and a write that cannot carry a precondition, and is gone.
    Gap,
}

impl Fate {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Refused => "refused",
            Self::Shown => "shown in the plan",
            Self::TooLate => "too late",
            Self::Gap => "in the gap",
        }
    }
}

impl Held {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Teardown, Self::Expired, Self::Adopt, Self::GiveBack];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Teardown => "teardown",
            Self::Expired => "--expired",
            Self::Adopt => "adopt",
            Self::GiveBack => "give back",
        }
    }

    /// What is tried while it is held.
    pub fn acts<C: Person>(self) -> Vec<Act> {
        let marks = C::MARKS.iter().copied().map(Act::Mark);
        let entries = |documents: &'static [Document]| documents.iter().copied().map(Act::Entry);
        match self {
            Self::Teardown => [Act::Upload].into_iter().chain(marks).chain(entries(C::ENDING)).collect(),
            Self::Expired => [Act::Renewal, Act::Upload].into_iter().chain(marks.take(1)).collect(),
            Self::Adopt | Self::GiveBack => marks.take(1).chain(entries(C::ENTRIES)).collect(),
        }
    }

    async fn prepare<C: Person>(self, cloud: &C) {
        match self {
            Self::Adopt => Scenario::Adopt.prepare(cloud).await,
            Self::GiveBack => Scenario::GiveBack.prepare(cloud).await,
            Self::Teardown | Self::Expired => {
                let ran = cloud.run("provision", &[PROVISION, &["--expires", "7d"]].concat()).await;
                assert_eq!(ran.code, Some(0), "the ground for {} is not laid: {ran}", self.name());
            }
        }
        if self == Self::Expired {
            cloud.end_lease(NAME).await;
        }
    }

    async fn run<C: Cloud>(self, cloud: &C, dry: bool) -> Ran {
        let consent: &[&str] = match (self, dry) {
            (_, true) => &["--dry-run"],
            (Self::Teardown | Self::GiveBack, false) => &["--confirm", NAME],
            (Self::Expired, false) => &["--confirm", "expired"],
            (Self::Adopt, false) => PROVISION,
        };
        let arguments = [consent, &["--wait", "10s"]].concat();
        match self {
            Self::Teardown | Self::GiveBack => cloud.run("teardown", &arguments).await,
            Self::Expired => cloud.run_on("teardown", &[&["--expired"], &arguments[..]].concat()).await,
            Self::Adopt => cloud.run("provision", &[&["--adopt"], &arguments[..]].concat()).await,
        }
    }
}

impl Act {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "an upload",
            Self::Renewal => "a renewed lease",
            Self::Mark(_) => "another mark",
            Self::Entry(_) => "an entry of others",
        }
    }

    async fn on<C: Person>(self, cloud: &C) -> Option<Trace> {
        match self {
            Self::Upload => cloud.upload().await,
            Self::Renewal => {
                let later = Timestamp::now().checked_add(SignedDuration::from_hours(48)).unwrap_or_default();
                cloud.set_lease_end(NAME, later).await
            }
            Self::Mark(document) => cloud.remark(&document).await,
            Self::Entry(document) => cloud.add_entry(&document).await,
        }
    }
}

/// How many requests a run sends.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Those of the plan, which come first.
    pub looks: usize,
    /// All.
    pub requests: usize,
}

impl Length {
    /// That of a run with nobody else about.
    pub async fn of<C: Person>(held: Held) -> Self {
        let cloud = C::fresh().await;
        held.prepare(&cloud).await;
        let mut counts = [0, 0];
        for (count, dry) in counts.iter_mut().zip([true, false]) {
            cloud.proxy().clear_journal();
            let ran = held.run(&cloud, dry).await;
            assert_eq!(ran.code, Some(0), "{} fails with nobody about: {ran}", held.name());
            *count = cloud.proxy().counts().requests;
        }
        let [looks, requests] = counts;
        Self { looks, requests }
    }
}

/// Holds a run at a place while the person acts; what became of that, or what does not hold.
pub async fn case<C: Person>(held: Held, act: Act, place: usize, looks: usize) -> Result<Fate, String> {
    let cloud = C::fresh().await;
    held.prepare(&cloud).await;
    let acting = async {
        let trace = act.on(&cloud).await?;
        Some((trace, cloud.snapshot().await))
    };
    let (ran, done) = meanwhile(&cloud, place, held.run(&cloud, false), acting).await;
    let journal = cloud.proxy().journal();
    let complaint = |what: &str| {
        let document = match act {
            Act::Mark(document) | Act::Entry(document) => document.path,
            Act::Upload | Act::Renewal => "",
        };
        format!("- {} held at {place} of {looks}+, {} {document}: {what}: {ran}", held.name(), act.name())
    };
    if let Some(dishonesty) = dishonesty(&ran, &journal) {
        return Err(complaint(&dishonesty));
    }
    let Some((trace, before)) = done.flatten() else { return Ok(Fate::TooLate) };
    let after = cloud.snapshot().await;
    // What is another deployment's by the time of the plan is left as the plan says; after it, nothing at all
    // is written to it.
    let is_of_it = |path: &str| path.starts_with(trace.document.part());
    let is_kept = match act {
        Act::Mark(_) if place >= looks => before.only(is_of_it).differences(&after.only(is_of_it)).is_empty(),
        _ => trace.is_in(&after),
    };
    if is_kept {
        if ran.code != Some(0) {
            return Ok(Fate::Refused);
        }
        return match contradiction(held, act, &cloud).await {
            None => Ok(Fate::Kept),
            Some(again) => Err(complaint(&format!("it says that it is done, and then {again}"))),
        };
    }
    let plan = ran.stderr.split("\nPlan: ").next().unwrap_or_default();
    let is_shown = plan.contains(&trace.text) || plan.contains(ENTRY);
    if place < looks && matches!(act, Act::Entry(_)) && is_shown {
        return Ok(Fate::Shown);
    }
    match loss(&trace.document, &journal, looks, place) {
        Some(Loss { look, write }) if (looks..place).contains(&look) && !is_guarded::<C>(&journal[write]) => {
            Ok(Fate::Gap)
        }
        loss => Err(complaint(&format!("it is lost, by {loss:?}"))),
    }
}

/// What a run that says that it is done leaves undone.
async fn contradiction<C: Cloud>(held: Held, act: Act, cloud: &C) -> Option<String> {
    match act {
        // The bucket is still there.
        Act::Upload if held == Held::Teardown || held == Held::Expired => {
            Some("the upload is there".to_owned())
        }
        Act::Upload | Act::Renewal | Act::Mark(_) => None,
        Act::Entry(_) => {
            cloud.proxy().clear_journal();
            let again = held.run(cloud, false).await;
            let writes = cloud.proxy().counts().mutating;
            ((again.code, writes) != (Some(0), 0)).then(|| format!("sends {writes} writes: {again}"))
        }
    }
}

/// Where in a journal something got lost: the first write to its document after it came, and the look that this was
/// decided on.
#[derive(Clone, Copy, Debug)]
struct Loss {
    look: usize,
    write: usize,
}

fn loss(document: &Document, journal: &[Exchange], looks: usize, place: usize) -> Option<Loss> {
    let write = (place..journal.len()).find(|index| document.is_written_by(&journal[*index]))?;
    // Steps that run at the same time look at the same bucket, each together with what it writes there.
    let is_its_look = |index: &usize| {
        let (look, write) = (&journal[*index], &journal[write]);
        look.method == "GET" && look.target == write.target
    };
    let its = (looks..write).find(is_its_look);
    let last = || journal[..write].iter().rposition(|exchange| document.is_read_by(exchange));
    Some(Loss { look: its.or_else(last)?, write })
}

fn is_guarded<C: Person>(write: &Exchange) -> bool {
    C::GUARDED.contains(&write.operation.as_str())
}
