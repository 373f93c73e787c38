//! `config`: the server configuration, of an existing deployment and of the settings.

use std::path::PathBuf;

use clap::Args;

use crate::change::{Change, is_absent};
use crate::cli::{Cloud, Described, Format, Lifetime, Target};
use crate::commands::connect;
use crate::console::Console;
use crate::delivery;
use crate::error::{Error, Kind, Result, exit};
use crate::name::DeploymentName;
use crate::option::parsed;
use crate::origin::Origin;
use crate::output::{Configuration, Encoding, Entry};
use crate::plan::Goal;
use crate::provider::CloudOptions;
use crate::secret::Disclosure;
use crate::settings::kubernetes_name::{Namespace, ServerVersion};
use crate::settings::{ServerSettings, SettingsSource, Variable};

/// With a cloud, its storage and the settings; without one, the settings alone.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    cloud: Option<Cloud<ConfigArgs, Described>>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The options without a cloud.
#[derive(Args, Debug)]
struct SettingsArgs {
    /// Name of the deployment, which names the Kubernetes Secret [default: derived from HOST, or `wandb`]
    #[arg(long, value_parser = parsed::<DeploymentName>())]
    name: Option<DeploymentName>,
    #[command(flatten)]
    form: ConfigForm,
}

/// The options with a cloud.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    form: ConfigForm,
}

/// What is printed, and how.
#[derive(Args, Debug)]
struct ConfigForm {
    /// Settings of the server, `NAME=value` per line: a file, `-` for stdin, or `env:` for the environment
    /// [default: the environment without a cloud, nothing with one]
    #[arg(long, value_name = "FILE", env = "WBSTORE_SETTINGS", value_parser = parsed::<SettingsSource>())]
    settings: Option<SettingsSource>,
    /// Format of the server configuration [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    output: Option<Encoding>,
    /// Kubernetes namespace of the server
    #[arg(long, value_name = "NAME", value_parser = parsed::<Namespace>())]
    namespace: Option<Namespace>,
    /// Version of the server, which `--output operator-v2` requires
    #[arg(long, value_name = "VERSION", value_parser = parsed::<ServerVersion>())]
    server_version: Option<ServerVersion>,
    /// Show secrets too [default: their names]
    #[arg(long, conflicts_with = "secret_file")]
    reveal: bool,
    /// Write only the secrets, to this new file that only you can read
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Format of notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl ConfigCommand {
    pub(crate) fn format(&self) -> Format {
        self.cloud.as_ref().map_or(&self.settings.form, |cloud| &cloud.command().form).format
    }
}

impl ConfigForm {
    fn disclosure(&self) -> Disclosure {
        let unasked = if self.reveal { Disclosure::Shown } else { Disclosure::Withheld };
        self.secret_file.clone().map_or(unasked, Disclosure::File)
    }

    /// The settings of `source`, with the notes on them.
    async fn read(source: SettingsSource, console: &mut Console) -> Result<ServerSettings> {
        // A pipe may take its time.
        let reading = tokio::task::spawn_blocking(move || source.read());
        let reading = async {
            let lost = |error| Error::new(Kind::Failed, "failed to read the settings").because(error);
            reading.await.map_err(lost)?
        };
        let (settings, notes) = console.busy("reading the settings", reading).await?;
        for note in notes.iter().chain(&settings.remarks()) {
            console.note(note);
        }
        Ok(settings)
    }

    /// What all configurations of this form have.
    fn configuration(&self, deployment: &DeploymentName) -> Configuration {
        Configuration {
            deployment: deployment.to_string(),
            namespace: self.namespace.as_ref().map(ToString::to_string),
            server_version: self.server_version.as_ref().map(ToString::to_string),
            reveals: self.reveal,
            ..Configuration::default()
        }
    }
}

pub(crate) async fn run(command: ConfigCommand, console: &mut Console) -> Result<u8> {
    match command.cloud {
        Some(cloud) => {
            let (args, options) = cloud.split();
            of_cloud(args, options.as_ref(), console).await
        }
        None => of_settings(&command.settings, console).await,
    }
}

/// The settings alone.
async fn of_settings(args: &SettingsArgs, console: &mut Console) -> Result<u8> {
    let SettingsArgs { name, form } = args;
    let disclosure = form.disclosure();
    disclosure.check()?;
    let source = form.settings.clone().unwrap_or(SettingsSource::Environment);
    let settings = ConfigForm::read(source, console).await?;
    let host = settings.value(Variable::Host).and_then(|host| host.parse::<Origin>().ok());
    let fallback = || host.map_or_else(|| "wandb".parse(), |host| Ok(host.slug()));
    let name = name.clone().map_or_else(fallback, Ok)?;
    let mut configuration = form.configuration(&name);
    configuration.has_settings = true;
    configuration.entries = settings.into_iter().map(Entry::from).collect();
    if configuration.entries.is_empty() {
        return Err(Error::input("no variable of the server is set in the environment")
            .hint("name a file with `--settings FILE`, or a cloud, such as `wbstore config aws`"));
    }
    let encoding = form.output.unwrap_or(console.encoding());
    delivery::print(configuration, None, encoding, disclosure.open()?, console).await?;
    Ok(exit::DONE)
}

/// The storage of a deployment, and the settings.
async fn of_cloud(mut args: ConfigArgs, options: &dyn CloudOptions, console: &mut Console) -> Result<u8> {
    let form = &args.form;
    let disclosure = form.disclosure();
    let settings = match form.settings.clone() {
        Some(source) => Some(ConfigForm::read(source, console).await?),
        None => None,
    };
    if let Some(host) = settings.as_ref().and_then(|settings| settings.value(Variable::Host)) {
        args.target.host_or(host)?;
    }
    let wanted = args.target.served(&Lifetime::default())?;
    let host = wanted.origin()?;
    disclosure.check()?;
    let provider = connect(options, wanted.clone(), console).await?;
    let change = Change::look(provider.as_ref(), Goal::Present { adopt: false }, console).await?;
    change.require_allowed()?;
    if is_absent(&change.plan) {
        return Err(Error::new(Kind::Failed, format!("{} does not exist", change.plan.deployment))
            .hint("`wbstore provision` creates it; `wbstore list` shows the existing deployments"));
    }
    if !change.plan.is_empty() {
        return Err(Error::new(Kind::Failed, "the deployment differs from these arguments").hint(
            "`wbstore plan` with the same arguments shows the differences; `wbstore provision` applies them",
        ));
    }
    let mut configuration = args.form.configuration(&wanted.name);
    configuration.host = Some(host.to_string());
    configuration.entries = change.plan.outputs.iter().map(Entry::from).collect();
    if let Some(settings) = settings {
        add(&mut configuration, settings, &host, console);
    }
    let encoding = args.form.output.unwrap_or(console.encoding());
    let withheld = provider.withheld();
    delivery::print(configuration, withheld, encoding, disclosure.open()?, console).await?;
    Ok(exit::DONE)
}

/// Adds `settings` to the storage of the deployment, which outranks them.
fn add(configuration: &mut Configuration, settings: ServerSettings, host: &Origin, console: &mut Console) {
    configuration.has_settings = true;
    if settings.value(Variable::Host).is_none() {
        configuration.entries.push(Entry::open("HOST", host.as_str()));
    }
    for setting in settings.iter() {
        let ours = configuration.value(&setting.name);
        if ours.is_some_and(|ours| ours != setting.value.reveal()) {
            console.note(&format!(
                "{}: {} is not used: the deployment has its own",
                setting.origin, setting.name
            ));
        }
    }
    let others = settings.into_iter().map(Entry::from);
    let others: Vec<_> = others.filter(|entry| configuration.entry(&entry.name).is_none()).collect();
    configuration.entries.extend(others);
}
