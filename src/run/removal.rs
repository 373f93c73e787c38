//! `teardown`: of one deployment, or of all whose time is up.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::change::Change;
use super::{connect, request};
use crate::cli::{self, Cloud, Describe, Named};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::plan::Goal;
use crate::provider::{Deployment, Wanted};
use crate::providers::Request;
use crate::span::Span;
use crate::view::remark::Remark;

/// The word that confirms `--expired`, where there is no one name to type.
const ALL_EXPIRED: &str = "expired";

/// Removes what wbstore made.
pub async fn teardown(
    cloud: Cloud<cli::Teardown, Named>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, described) = cloud.split();
    if args.expired {
        return expired(&args, described.as_ref(), console, cancel).await;
    }
    request::require_one_name(&args.target)?;
    let wanted = deletion(request::named(&args.target)?, &args);
    let name = wanted.name.to_string();
    let asked = described.request(wanted);
    let list = format!("`wbstore list {}` shows what is there, under which names", asked.cloud());
    let change = look(asked, console).await?;
    console.plan(&change.plan)?;
    change.require_allowed()?;
    if change.plan.is_empty() {
        console.note(&list);
        return Ok(exit::DONE);
    }
    if args.dry_run {
        return Ok(exit::DONE);
    }
    change.require_digest(args.expect.as_ref())?;
    confirm(args.confirm.as_deref(), &name, console)?;
    change.apply(true, args.wait.map(Span::as_duration), console, cancel).await
}

/// `wanted`, with what the user allows to be deleted.
fn deletion(wanted: Wanted, args: &cli::Teardown) -> Wanted {
    Wanted { delete_objects: args.delete_objects, empty_by: args.empty_by, ..wanted }
}

async fn look(request: Request, console: &mut Console) -> Result<Change> {
    let provider = connect(request, console).await?;
    Change::look(provider.as_ref(), Goal::Absent, console).await
}

fn confirm(given: Option<&str>, name: &str, console: &mut Console) -> Result<()> {
    let unconfirmed = || Error::input(format!("nothing was deleted: the name typed is not `{name}`"));
    match given {
        Some(given) if given == name => Ok(()),
        Some(_) => Err(unconfirmed().hint(format!("add --confirm {name}"))),
        None if !console.is_interactive() => {
            Err(Error::input(format!("nothing was deleted: {}", console.why_nobody_is_asked()))
                .hint(format!("add --confirm {name}")))
        }
        None if console.typed(&format!("Type `{name}` to delete it"), name)? => Ok(()),
        None => Err(unconfirmed()),
    }
}

/// One deployment after the other; one that is refused does not keep the others.
async fn expired(
    args: &cli::Teardown,
    described: &dyn Describe,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let asked = described.request(request::anybody()?);
    let looking = format!("looking through {}", asked.holdings());
    let provider = connect(asked, console).await?;
    let inventory = console.busy(&looking, provider.list()).await?;
    let due: Vec<_> = inventory.expired(Timestamp::now().as_second()).collect();
    for text in &inventory.unread {
        console.note(text);
    }
    if due.is_empty() {
        console.note(&format!("no deployment has expired ({})", inventory.scope));
        return Ok(exit::DONE);
    }
    let mut changes = vec![];
    let mut code = exit::DONE;
    for deployment in due {
        match overdue(deployment, args, described, console).await {
            Ok(change) => changes.push(change),
            Err(error) if matches!(error.kind(), Kind::Credentials | Kind::Interrupted) => return Err(error),
            Err(refusal) => {
                console.remark(&Remark::error(&refusal, refusal.exit_code()));
                code = exit::REFUSED;
            }
        }
    }
    if args.dry_run || changes.is_empty() {
        return Ok(code);
    }
    confirm(args.confirm.as_deref(), ALL_EXPIRED, console)?;
    for change in changes {
        if cancel.is_cancelled() {
            return Err(Error::new(Kind::Interrupted, "interrupted").hint("run the same `teardown` again"));
        }
        match change.apply(true, args.wait.map(Span::as_duration), console, cancel.clone()).await? {
            exit::DONE if code == exit::REFUSED => code = exit::PARTIAL,
            exit::DONE => {}
            exit::INTERRUPTED => return Ok(exit::INTERRUPTED),
            _ => code = exit::PARTIAL,
        }
    }
    Ok(code)
}

/// Plans the end of one deployment whose lease has ended, and shows it.
async fn overdue(
    deployment: &Deployment,
    args: &cli::Teardown,
    described: &dyn Describe,
    console: &mut Console,
) -> Result<Change> {
    let wanted = Wanted { only_expired: true, ..Wanted::named(deployment.name.parse()?) };
    let request = described.request(deletion(wanted, args)).with_parts(deployment)?;
    let change = look(request, console).await?;
    console.plan(&change.plan)?;
    change.require_allowed()?;
    Ok(change)
}
