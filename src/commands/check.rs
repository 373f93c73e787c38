//! `check`: whether what the settings name can serve the server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::check::{CheckOptions, Topic, check, prepare};
use crate::cli::{Format, Out};
use crate::commands::verify::{Proof, prove};
use crate::console::Console;
use crate::error::{Error, Result};
use crate::option::parsed;
use crate::settings::{ServerSettings, SettingsSource};
use crate::span::Span;
use crate::verify::Checking;
use crate::view::progress::Style;

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) out: Out,
    /// Settings of the server, `NAME=value` per line: a file, `-` for stdin, or `env:` for the environment
    /// [default: the environment]
    #[arg(long, value_name = "FILE", env = "WBSTORE_SETTINGS", value_parser = parsed::<SettingsSource>(), value_hint = clap::ValueHint::FilePath)]
    settings: Option<SettingsSource>,
    /// Check only these, separated by commas [default: all that is set]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Topic>,
    /// Check the form of the values and send no request
    #[arg(long, conflicts_with_all = ["write", "ca"])]
    offline: bool,
    /// Also write: a Redis key, a MySQL table, a request of 10 MB and objects in the bucket; all but the request
    /// are removed again
    #[arg(long)]
    write: bool,
    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Longest time for all checks together
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parsed::<Span>())]
    within: Span,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

pub(crate) async fn run(args: CheckArgs, console: &mut Console, cancel: CancellationToken) -> Result<u8> {
    let source = args.settings.unwrap_or(SettingsSource::Environment);
    console.require_other_file(source.path(), "--settings")?;
    let (settings, notes) = console.busy("reading the settings", async { source.read() }).await?;
    notes.iter().for_each(|note| console.warn(note));
    let options = CheckOptions {
        topics: topics(&args.only, &settings)?,
        offline: args.offline,
        write: args.write,
        ca: args.ca,
        within: args.within.as_duration(),
        cancel: cancel.clone(),
    };
    let prepared = console.busy("reading the certificates", async { prepare(&options) }).await?;
    let (sender, receiver) = unbounded_channel();
    let checks = sender.clone();
    if console.progress_style() == Style::Terminal {
        // Elsewhere only what lasts longer than a second is worth a line.
        let _ =
            sender.send(Checking::Begun { name: "the remaining checks".to_owned(), within: options.within });
    }
    let work = async {
        check(&settings, prepared, &options, checks).await;
        Ok(())
    };
    prove(vec![Proof::only((sender, receiver), work)], console, &cancel, "interrupted").await
}

/// What to check of `settings`.
fn topics(only: &[Topic], settings: &ServerSettings) -> Result<Vec<Topic>> {
    let all = Topic::value_variants().iter().copied();
    if let Some(unset) = only.iter().find(|topic| !topic.is_set(settings)) {
        let name = unset.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        return Err(Error::input(format!("--only {name}: none of {} is set", unset.names()))
            .hint("add it to the file of `--settings`, or set it in the environment"));
    }
    let topics: Vec<_> = match only.is_empty() {
        true => all.filter(|topic| topic.is_set(settings)).collect(),
        false => all.filter(|topic| only.contains(topic)).collect(),
    };
    if topics.is_empty() {
        return Err(Error::input("no variable that can be checked is set").hint(
            "name a file in dotenv form with `--settings FILE`, or set the variables in the environment",
        ));
    }
    Ok(topics)
}
