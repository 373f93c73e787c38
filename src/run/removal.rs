//! `teardown`: of one deployment, or of all whose time is up.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::change::Change;
use super::{connect, request};
use crate::cli;
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::plan::Goal;
use crate::provider::Deployment;
use crate::providers::{Request, aws};
use crate::view::error::{error, note};

/// The word that confirms `--expired`, where there is no one name to type.
const ALL_EXPIRED: &str = "expired";

/// Removes what wbstore made.
pub async fn teardown(args: cli::Teardown, console: &mut Console, cancel: CancellationToken) -> Result<u8> {
    if args.expired {
        return expired(args, console, cancel).await;
    }
    let request = request::named(&args.target, &args.names)?;
    let request = aws::Request { delete_objects: args.delete_objects, empty_by: args.empty_by, ..request };
    let name = request.name.to_string();
    let change = look(request, console).await?;
    change.tell(args.format, console)?;
    change.require_allowed()?;
    if change.plan.is_empty() {
        console.say(&note("`wbstore list aws` shows what is there, under which names"));
        return Ok(exit::DONE);
    }
    if args.dry_run {
        return Ok(exit::DONE);
    }
    confirm(args.confirm.as_deref(), &name, console)?;
    change.apply(args.format, args.wait, console, cancel).await
}

async fn look(request: aws::Request, console: &mut Console) -> Result<Change> {
    let provider = connect(Request::Aws(request), console).await?;
    Change::look(provider.as_ref(), Goal::Absent, console).await
}

fn confirm(given: Option<&str>, name: &str, console: &mut Console) -> Result<()> {
    let unconfirmed = || Error::input(format!("nothing was deleted: the name typed is not `{name}`"));
    match given {
        Some(given) if given == name => Ok(()),
        Some(_) => Err(unconfirmed().hint(format!("add --confirm {name}"))),
        None if !console.is_interactive() => {
            Err(Error::input("nothing was deleted: there is no terminal to ask on")
                .hint(format!("add --confirm {name}")))
        }
        None if console.typed(&format!("Type `{name}` to delete it"), name)? => Ok(()),
        None => Err(unconfirmed()),
    }
}

/// One deployment after the other; one that is refused does not keep the others.
async fn expired(args: cli::Teardown, console: &mut Console, cancel: CancellationToken) -> Result<u8> {
    let anybody = request::anonymous("wbstore".parse()?, args.names.region.clone());
    let provider = connect(Request::Aws(anybody), console).await?;
    let inventory = console.busy("looking through buckets and queues", provider.list()).await?;
    let now = Timestamp::now().as_second();
    let due: Vec<_> = inventory
        .deployments
        .iter()
        .filter(|deployment| deployment.expires.is_some_and(|expires| expires <= now))
        .collect();
    for text in &inventory.unread {
        console.say(&note(text));
    }
    if due.is_empty() {
        console.say(&note(&format!("no deployment in {} has expired", inventory.scope)));
        return Ok(exit::DONE);
    }
    let mut changes = vec![];
    let mut code = exit::DONE;
    for deployment in due {
        let request = of_inventory(deployment, &args)?;
        let change = look(request, console).await?;
        change.tell(args.format, console)?;
        match change.require_allowed() {
            Ok(()) => changes.push(change),
            Err(refusal) => {
                console.say(&error(&refusal));
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
        match change.apply(args.format, args.wait, console, cancel.clone()).await? {
            exit::DONE if code == exit::REFUSED => code = exit::PARTIAL,
            exit::DONE => {}
            exit::INTERRUPTED => return Ok(exit::INTERRUPTED),
            _ => code = exit::PARTIAL,
        }
    }
    Ok(code)
}

/// The names that the marks give, so that nothing of the deployment is left behind.
fn of_inventory(deployment: &Deployment, args: &cli::Teardown) -> Result<aws::Request> {
    let request = request::anonymous(deployment.name.parse()?, Some(deployment.region.parse()?));
    aws::Request { delete_objects: args.delete_objects, empty_by: args.empty_by, ..request }
        .with_parts(deployment)
}
