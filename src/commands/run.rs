//! What the commands on one deployment and on those of the file have in common: one deployment is a run of one.

use std::sync::Arc;

use futures::stream::{self, StreamExt};

use crate::change::{Change, SIDE_BY_SIDE};
use crate::cli::{Offline, Selected};
use crate::commands::marked::{ByMarks, as_marked};
use crate::commands::{connect, offline};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::plan::{Digest, Goal, Plan, PlanSet, Unplanned};
use crate::provider::{CloudOptions, Provider, Wanted};
use crate::secret::Disclosure;
use crate::view::remark::Remark;

/// The options of a command that looks at deployments.
pub(super) trait Looking {
    /// Whether a deployment is described by its marks where the options leave that open.
    const BY_MARKS: bool = false;

    /// The deployment that they describe.
    ///
    /// # Errors
    /// [`Kind::Input`].
    fn wanted(&self) -> Result<Wanted>;

    fn goal(&self) -> Goal {
        Goal::Present { adopt: false }
    }

    /// Whether nothing is looked at.
    fn offline(&self) -> Option<&Offline> {
        None
    }
}

/// A deployment, described.
pub(super) struct Order<C> {
    /// Its name, where there are others.
    pub(super) title: Option<String>,
    pub(super) args: C,
    pub(super) options: Arc<dyn CloudOptions>,
    pub(super) wanted: Wanted,
}

/// A deployment that was looked at.
pub(super) struct Observed<C> {
    pub(super) title: Option<String>,
    pub(super) args: C,
    pub(super) wanted: Wanted,
    pub(super) disclosure: Disclosure,
    pub(super) provider: Box<dyn Provider>,
    pub(super) change: Change,
    /// Where the options contradict the marks.
    pub(super) contradiction: Option<Error>,
}

/// Deployments that were looked at, and why the others are not among them.
pub(super) struct Run<C> {
    pub(super) observed: Vec<Observed<C>>,
    pub(super) left_out: Vec<LeftOut>,
    /// Whether there could have been others: then a failure of one does not stop the rest.
    is_of_file: bool,
}

/// A deployment that failed or is refused.
pub(super) struct LeftOut {
    deployment: String,
    error: Error,
}

/// What `selected` comes to, checked before the first request.
///
/// # Errors
/// [`Kind::Input`], of the first of several with its name.
pub(super) fn ordered<C: Looking>(selected: Vec<Selected<C>>) -> Result<Vec<Order<C>>> {
    let ordered = |Selected { title, args, options }: Selected<C>| {
        let wanted = args.wanted().and_then(|wanted| {
            if title.is_some() && args.offline().is_none() {
                options.check_input(&wanted)?;
            }
            Ok(wanted)
        });
        match (wanted, title) {
            (Ok(wanted), title) => Ok(Order { title, args, options: options.into(), wanted }),
            (Err(error), Some(title)) => Err(error.context(title)),
            (Err(error), None) => Err(error),
        }
    };
    selected.into_iter().map(ordered).collect()
}

impl<C: Looking> Order<C> {
    /// Connects and looks, within a wait that is already shown.
    async fn look(self) -> Result<Observed<C>, LeftOut> {
        let title = self.title.clone().unwrap_or_default();
        let looked = async {
            let goal = self.args.goal();
            if let Some(args) = self.args.offline() {
                let provider = offline(self.options.as_ref(), self.wanted.clone(), args).await?;
                let change = Change::unobserved(provider.as_ref(), goal)?;
                return Ok((provider, change));
            }
            let provider = self.options.connect(self.wanted.clone()).await?;
            let change = Change::observe(provider.as_ref(), goal, None).await?;
            Ok((provider, change))
        };
        match looked.await {
            Ok((provider, change)) => Ok(self.observed(provider, change)),
            Err(error) => Err(LeftOut { deployment: title, error }),
        }
    }

    /// The same, and shows each of the two waits.
    async fn look_alone(self, console: &mut Console) -> Result<Observed<C>> {
        if self.args.offline().is_some() {
            return self.look().await.map_err(|left_out| left_out.error);
        }
        let provider = connect(self.options.as_ref(), self.wanted.clone(), console).await?;
        let change = Change::look(provider.as_ref(), self.args.goal(), console).await?;
        if C::BY_MARKS {
            return self.by_marks(provider, change, console).await;
        }
        Ok(self.observed(provider, change))
    }

    /// Looks again with what the marks say, where they describe the deployment otherwise than the options do.
    async fn by_marks(
        mut self,
        provider: Box<dyn Provider>,
        change: Change,
        console: &mut Console,
    ) -> Result<Observed<C>> {
        let found =
            as_marked(self.options.as_ref(), &self.wanted, provider.as_ref(), &change, console).await?;
        let (options, notes) = match found {
            ByMarks::AsDescribed => return Ok(self.observed(provider, change)),
            ByMarks::Contradicted(error) => {
                return Ok(Observed { contradiction: Some(error), ..self.observed(provider, change) });
            }
            ByMarks::Otherwise { options, notes } => (options, notes),
        };
        let of = self.title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
        self.options = options.into();
        let provider = connect(self.options.as_ref(), self.wanted.clone(), console).await?;
        let marked = Change::look(provider.as_ref(), self.args.goal(), console).await?;
        // The marks may say what is the default anyway.
        if marked.plan != change.plan {
            notes.iter().for_each(|note| console.note(&format!("{of}{note}")));
        }
        Ok(self.observed(provider, marked))
    }

    fn observed(self, provider: Box<dyn Provider>, change: Change) -> Observed<C> {
        let Self { title, args, options, wanted } = self;
        Observed {
            title,
            args,
            wanted,
            disclosure: options.disclosure(),
            provider,
            change,
            contradiction: None,
        }
    }
}

/// Looks at all of `orders`, several at once.
///
/// # Errors
/// That of the deployment, where there can be no others; [`Kind::Interrupted`].
pub(super) async fn look<C: Looking>(mut orders: Vec<Order<C>>, console: &mut Console) -> Result<Run<C>> {
    if let [Order { title: None, .. }] = &orders[..]
        && let Some(order) = orders.pop()
    {
        return Ok(Run::of_one(order.look_alone(console).await?));
    }
    let reading = match orders.len() {
        1 => "reading 1 deployment".to_owned(),
        many => format!("reading {many} deployments"),
    };
    let mut run = Run { observed: vec![], left_out: vec![], is_of_file: true };
    let described: Vec<_> =
        orders.iter().map(|order| (Arc::clone(&order.options), order.wanted.clone())).collect();
    let looks = stream::iter(orders.into_iter().map(Order::look)).buffered(SIDE_BY_SIDE).collect::<Vec<_>>();
    let looked = console.busy(&reading, async { Ok(looks.await) }).await?;
    for (look, (options, wanted)) in looked.into_iter().zip(described) {
        let observed = match look {
            Ok(Observed { title, args, provider, change, .. }) if C::BY_MARKS => {
                let order = Order { title: title.clone(), args, options, wanted };
                let found = order.by_marks(provider, change, console).await;
                found.map_err(|error| LeftOut { deployment: title.unwrap_or_default(), error })
            }
            look => look,
        };
        match observed {
            Ok(observed) => run.observed.push(observed),
            Err(LeftOut { error, .. }) if error.kind() == Kind::Interrupted => return Err(error),
            Err(left_out) => run.left_out.push(left_out),
        }
    }
    Ok(run)
}

impl<C> Run<C> {
    pub(super) fn of_one(observed: Observed<C>) -> Self {
        Self { observed: vec![observed], left_out: vec![], is_of_file: false }
    }

    /// The plan of the one deployment, where there can be no others.
    pub(super) fn only_plan(&self) -> Option<&Plan> {
        match &self.observed[..] {
            [one] if !self.is_of_file => Some(&one.change.plan),
            _ => None,
        }
    }

    pub(super) fn plans(&self) -> PlanSet<'_> {
        let plans = self.observed.iter().map(|one| &one.change.plan).collect();
        let unplanned = |LeftOut { deployment, error }: &LeftOut| Unplanned {
            deployment: deployment.clone(),
            error: error.chain(),
            hint: error.what_next().map(str::to_owned),
            exit_code: error.exit_code(),
        };
        PlanSet::new(plans, self.left_out.iter().map(unplanned).collect())
    }

    /// Refuses plans that are not the ones that were reviewed, where some were.
    pub(super) fn require_digest(&self, expected: Option<&Digest>) -> Result<()> {
        if let [one] = &self.observed[..]
            && self.left_out.is_empty()
        {
            return one.change.require_digest(expected);
        }
        let digest = self.plans().digest;
        match (expected, digest) {
            (None, _) => Ok(()),
            (Some(expected), Some(digest)) if *expected == digest => Ok(()),
            (Some(expected), Some(digest)) => {
                Err(Error::refused(format!("the digest of the plans is {digest}, not {expected}")).hint(
                    "a cloud, the file or the arguments have changed since the review; review the plans above and pass \
                     their digest",
                ))
            }
            (Some(_), None) => Err(Error::refused("the plans have no digest, since not all deployments could be planned")
                .hint("fix the cause, or limit the run with `--only`, and review again")),
        }
    }

    /// Keeps the deployments that pass `check`.
    ///
    /// # Errors
    /// That of the deployment, where there can be no others.
    pub(super) fn keep(
        &mut self,
        check: impl Fn(&Observed<C>) -> Result<()>,
        console: &mut Console,
    ) -> Result<()> {
        for one in std::mem::take(&mut self.observed) {
            match check(&one) {
                Ok(()) => self.observed.push(one),
                Err(error) if !self.is_of_file => return Err(error),
                Err(error) => {
                    let deployment = one.title.unwrap_or_default();
                    self.leave_out(LeftOut { deployment, error }, console);
                }
            }
        }
        Ok(())
    }

    /// Reports those that could not be looked at.
    pub(super) fn report(&self, console: &mut Console) {
        self.left_out.iter().for_each(|left_out| left_out.report(console));
    }

    fn leave_out(&mut self, left_out: LeftOut, console: &mut Console) {
        left_out.report(console);
        self.left_out.push(left_out);
    }

    /// The exit codes of those that were left out.
    pub(super) fn codes(&self) -> impl Iterator<Item = u8> {
        self.left_out.iter().map(|left_out| match left_out.error.exit_code() {
            // Requests were sent.
            exit::USAGE => exit::FAILED,
            code => code,
        })
    }
}

impl LeftOut {
    fn report(&self, console: &mut Console) {
        let error = self.error.clone().context(&self.deployment);
        console.remark(&Remark::error(&error, error.exit_code()));
    }
}
