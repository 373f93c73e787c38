//! `config`: the server configuration, of an existing deployment and of the settings.

use std::path::PathBuf;

use clap::Args;

use crate::change::is_absent;
use crate::cli::{Described, Format, Lifetime, Out, Selected, Selection, Target};
use crate::commands::run::{Looking, Observed, look, ordered};
use crate::console::Console;
use crate::delivery;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::origin::Origin;
use crate::output::{Configuration, Encoding, Entry};
use crate::provider::Wanted;
use crate::reader::FILE_STORES;
use crate::secret::Disclosure;
use crate::settings::kubernetes_name::{Namespace, ServerVersion};
use crate::settings::{ServerSettings, SettingsSource, Variable};
use crate::versioning::Versioning;
use crate::view::remark::Remark;

/// With a cloud or a file of deployments, their storage and the settings; otherwise the settings alone.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    versioning: Versioning,
    #[command(flatten)]
    form: ConfigForm,
}

/// What is printed, and how.
#[derive(Args, Debug)]
struct ConfigForm {
    #[command(flatten)]
    out: Out,
    /// Settings of the server, `NAME=value` per line: a file, `-` for stdin, or `env:` for the environment
    /// [default: the environment without a cloud, nothing with one]
    #[arg(long, value_name = "FILE", env = "WBSTORE_SETTINGS", value_parser = parsed::<SettingsSource>(), value_hint = clap::ValueHint::FilePath)]
    settings: Option<SettingsSource>,
    /// Format of the server configuration [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    output: Option<Encoding>,
    /// Kubernetes namespace of the server, for the manifests of k8s-secret, helm and operator-v2
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

impl ConfigArgs {
    pub(crate) fn format(&self) -> Format {
        self.form.format
    }

    pub(crate) fn out(&self) -> &Out {
        &self.form.out
    }
}

impl Looking for ConfigArgs {
    const BY_MARKS: bool = true;

    fn wanted(&self) -> Result<Wanted> {
        self.versioning.of(self.target.served(&Lifetime::default())?)
    }
}

impl ConfigForm {
    fn disclosure(&self) -> Disclosure {
        Disclosure::asked(self.reveal, self.secret_file.clone())
    }

    /// The format, which is that of `console` unless another is asked for.
    fn encoding(&self, console: &Console) -> Result<Encoding> {
        let encoding = self.output.unwrap_or(console.encoding());
        encoding.check_namespace(self.namespace.as_ref()).map(|()| encoding)
    }

    /// The settings of `source`, with the notes on them.
    async fn read(source: SettingsSource, console: &mut Console) -> Result<ServerSettings> {
        console.require_other_file(source.path(), "--settings")?;
        // A pipe may take its time.
        let reading = tokio::task::spawn_blocking(move || source.read());
        let reading = async {
            let lost = |error| Error::new(Kind::Failed, "failed to read the settings").because(error);
            reading.await.map_err(lost)?
        };
        let (settings, notes) = console.busy("reading the settings", reading).await?;
        for note in notes.iter().chain(&settings.remarks()) {
            console.warn(note);
        }
        Ok(settings)
    }

    /// What all configurations of this form have.
    fn configuration(&self, deployment: &str) -> Configuration {
        Configuration {
            deployment: deployment.to_string(),
            namespace: self.namespace.as_ref().map(ToString::to_string),
            server_version: self.server_version.as_ref().map(ToString::to_string),
            reveals: self.reveal,
            ..Configuration::default()
        }
    }
}

pub(crate) async fn run(selection: Selection<ConfigArgs, Described>, console: &mut Console) -> Result<u8> {
    if selection.is_empty() {
        return of_settings(selection.command(), console).await;
    }
    of_storage(selection.split(), console).await
}

/// The settings alone.
async fn of_settings(args: &ConfigArgs, console: &mut Console) -> Result<u8> {
    let ConfigArgs { target, form, .. } = args;
    let encoding = form.encoding(console)?;
    let disclosure = form.disclosure();
    console.require_other_file(disclosure.path(), "--secret-file")?;
    disclosure.check()?;
    let source = form.settings.clone().unwrap_or(SettingsSource::Environment);
    let settings = ConfigForm::read(source, console).await?;
    let host = settings.value(Variable::Host).and_then(|host| host.parse::<Origin>().ok());
    let fallback = || host.map_or_else(|| "wandb".parse(), |host| Ok(host.slug()));
    let name = target.name().cloned().map_or_else(fallback, Ok)?;
    let mut configuration = form.configuration(name.as_str());
    configuration.has_settings = true;
    configuration.entries = settings.into_iter().map(Entry::from).collect();
    if configuration.entries.is_empty() {
        return Err(Error::input("no variable of the server is set in the environment")
            .hint("name a file with `--settings FILE`, or a cloud, such as `wbstore config aws`"));
    }
    delivery::print(configuration, None, encoding, disclosure.open()?, console).await?;
    Ok(exit::DONE)
}

/// The storage of deployments, and the settings of each.
async fn of_storage(mut selected: Vec<Selected<ConfigArgs>>, console: &mut Console) -> Result<u8> {
    let reads_stdin = |one: &&Selected<ConfigArgs>| one.args.form.settings == Some(SettingsSource::Stdin);
    if selected.iter().filter(reads_stdin).count() > 1 {
        return Err(Error::input("`--settings -` cannot be read for several deployments")
            .hint("name a file with `--settings FILE`, or limit the run with `--only`"));
    }
    let mut all_settings = vec![];
    for one in &mut selected {
        let settings = match one.args.form.settings.clone() {
            Some(source) => Some(ConfigForm::read(source, console).await?),
            None => None,
        };
        if let Some(host) = settings.as_ref().and_then(|settings| settings.value(Variable::Host)) {
            one.args.target.host_or(host)?;
        }
        all_settings.push((one.title.clone(), settings));
    }
    let orders = ordered(selected)?;
    for order in &orders {
        let form = &order.args.form;
        form.encoding(console)?;
        let disclosure = form.disclosure();
        console.require_other_file(disclosure.path(), "--secret-file")?;
        disclosure.check()?;
    }
    let mut run = look(orders, console).await?;
    run.report(console);
    run.keep(require_as_described, console)?;
    let mut codes: Vec<u8> = run.codes().collect();
    for one in &run.observed {
        let found = all_settings.iter_mut().find(|(title, _)| *title == one.title);
        let settings = found.and_then(|(_, settings)| settings.take());
        match print(one, settings, console).await {
            Ok(()) => {}
            Err(error) if run.only_plan().is_some() || error.kind() == Kind::Interrupted => {
                return Err(error);
            }
            Err(error) => {
                let error = error.context(one.title.as_deref().unwrap_or_default());
                console.remark(&Remark::error(&error, exit::FAILED));
                codes.push(exit::FAILED);
            }
        }
    }
    Ok(exit::worst(codes))
}

/// Checks that the deployment exists as it is described.
fn require_as_described(one: &Observed<ConfigArgs>) -> Result<()> {
    let Observed { change, contradiction, .. } = one;
    if let Some(contradiction) = contradiction {
        return Err(contradiction.clone());
    }
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
    Ok(())
}

async fn print(
    one: &Observed<ConfigArgs>,
    settings: Option<ServerSettings>,
    console: &mut Console,
) -> Result<()> {
    let form = &one.args.form;
    let host = one.wanted.origins()?.first().clone();
    let mut configuration = form.configuration(&one.wanted.name.to_string());
    configuration.title.clone_from(&one.title);
    configuration.host = Some(host.to_string());
    configuration.entries = one.change.plan.outputs.iter().map(Entry::from).collect();
    if let Some(settings) = settings {
        add(&mut configuration, settings, &host, console);
    }
    let encoding = form.encoding(console)?;
    let destination = form.disclosure().open()?;
    delivery::print(configuration, Some(one.provider.as_ref()), encoding, destination, console).await
}

/// Adds `settings` to the storage of the deployment, which outranks them.
fn add(configuration: &mut Configuration, settings: ServerSettings, host: &Origin, console: &mut Console) {
    configuration.has_settings = true;
    if settings.value(Variable::Host).is_none() {
        configuration.entries.push(Entry::open("HOST", host.as_str()));
    }
    let is_joined = |name: &str| name == FILE_STORES && configuration.entry(name).is_some();
    for setting in settings.iter().filter(|setting| !is_joined(&setting.name)) {
        let ours = configuration.value(&setting.name);
        if ours.is_some_and(|ours| ours != setting.value.reveal()) {
            console.warn(&format!(
                "{}: {} is not used: the deployment has its own",
                setting.origin, setting.name
            ));
        }
    }
    for entry in settings.into_iter().map(Entry::from) {
        match configuration.entry(&entry.name) {
            None => configuration.entries.push(entry),
            Some(_) if entry.name == FILE_STORES => configuration.other_stores = Some(entry),
            Some(_) => {}
        }
    }
}
