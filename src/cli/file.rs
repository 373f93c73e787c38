//! `wbstore.toml`: deployments and their teams. Its keys are the options; which there are, and what their values
//! may be, is up to [`OptionNames`].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::options::{KeyPlace, OptionNames};
use super::preset::{Preset, PresetValue, Provenance, Rank};
use crate::error::{Error, Result};
use crate::name::{DeploymentName, StorageName, TeamName};
use crate::names::nearest;
use crate::settings::Variable;
use crate::text::clean;
use crate::value::{printable, quoted};

/// The file in the working directory that is read without `--file`.
pub(crate) const DEFAULT_FILE: &str = "wbstore.toml";

/// More than any list of deployments needs, in bytes.
const LARGEST: u64 = 1 << 20;

const DEFAULTS: &str = "defaults";
const DEPLOYMENT: &str = "deployment";
const TEAM: &str = "team";
const CLOUD: &str = "cloud";

/// Besides what `list` accepts, what a team has in common with its deployment: neither names of its parts, nor what
/// only a deployment has.
const INHERITED: [&str; 5] = ["expires", "host", "location", "public-endpoint", "server-credentials"];
/// What it has in common with its deployment on another cloud.
const INHERITED_ELSEWHERE: [&str; 2] = ["expires", "host"];

/// A table of the file: its keys, by name.
type FileKeys = BTreeMap<String, FileKey>;

#[derive(Clone, Debug)]
struct FileKey {
    line: usize,
    /// Its value as options are given, or the TOML type that no option has.
    value: Result<PresetValue, &'static str>,
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct DeploymentFile {
    /// As messages name it.
    name: String,
    defaults: FileKeys,
    deployments: BTreeMap<DeploymentName, FileDeployment>,
}

#[derive(Debug)]
struct FileDeployment {
    own: FileKeys,
    teams: BTreeMap<TeamName, FileKeys>,
}

/// A deployment or a team of the file.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(super) storage: StorageName,
    pub(super) cloud: String,
    /// The values of its options, by their names.
    pub(super) presets: BTreeMap<String, Preset>,
}

impl FileEntry {
    /// The value of an option that has one.
    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.presets.get(option)?.value.text()
    }
}

impl DeploymentFile {
    /// The file at `path`, or the [default](DEFAULT_FILE) where there is one.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when it cannot be read, and for whatever is wrong in it.
    pub(super) fn find(path: Option<&Path>, options: OptionNames<'_>) -> Result<Option<Self>> {
        let at = path.unwrap_or(Path::new(DEFAULT_FILE));
        let name = printable(&at.display().to_string());
        match read(at) {
            Ok(text) => Self::parse(name, &text, options).map(Some),
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::input(format!("cannot read deployments from `{name}`"))
                .because(error)
                .hint("name a file of deployments in TOML with `--file`; docs/file.md describes it")),
        }
    }

    fn parse(name: String, text: &str, options: OptionNames<'_>) -> Result<Self> {
        let tables = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            Error::input(format!("{name}:{line}: {}", clean(error.message())))
                .hint("docs/file.md describes the file; a text stands in quotes: `region = \"eu-west-1\"`")
        })?;
        let document = Document { name: &name, text };
        let (mut defaults, mut deployments) = (FileKeys::new(), BTreeMap::new());
        for (key, value) in tables.get_ref() {
            match key.get_ref().as_ref() {
                DEFAULTS => defaults = document.keys(document.table(DEFAULTS, value)?),
                DEPLOYMENT => {
                    for (name, value) in document.table(DEPLOYMENT, value)? {
                        let path = format!("{DEPLOYMENT}.{}", printable(name.get_ref()));
                        let described = document.deployment(&path, value)?;
                        deployments.insert(document.name(&path, name)?, described);
                    }
                }
                other => {
                    let known = nearest(other, [DEFAULTS, DEPLOYMENT]);
                    return Err(document
                        .error(key, format_args!("unknown table or key {}", quoted(other)))
                        .hint(match known {
                            Some(known) => format!("did you mean `[{known}]`?"),
                            None => "options of all deployments are in `[defaults]`, those of one in \
                                     `[deployment.NAME]`"
                                .to_owned(),
                        }));
                }
            }
        }
        let file = Self { name, defaults, deployments };
        file.check(options)?;
        Ok(file)
    }

    /// Checks every key and value, whichever command they are for.
    fn check(&self, options: OptionNames<'_>) -> Result<()> {
        let clouds: Vec<&str> = options.clouds().collect();
        for (name, key) in &self.defaults {
            if name != CLOUD {
                options
                    .require_key(name, KeyPlace::Defaults)
                    .and_then(|()| options.require_value(name, None, Self::value(key)?))
                    .map_err(|error| self.located(error, DEFAULTS, name, key))?;
            }
        }
        for (name, described) in &self.deployments {
            let teams = described.teams.iter().map(|(team, keys)| (Some(team), keys));
            for (team, keys) in std::iter::once((None, &described.own)).chain(teams) {
                let path = path(name, team);
                let cloud = self.cloud(described, keys, &path, &clouds)?;
                for (name, key) in keys.iter().filter(|(name, _)| *name != CLOUD) {
                    options
                        .require_key(name, KeyPlace::Storage(&cloud))
                        .and_then(|()| options.require_value(name, Some(&cloud), Self::value(key)?))
                        .map_err(|error| self.located(error, &path, name, key))?;
                }
            }
        }
        Ok(())
    }

    /// What `key` says, as far as an option may have a value of its type.
    fn value(key: &FileKey) -> Result<&PresetValue> {
        key.value.as_ref().map_err(|kind| {
            Error::input(format!("no option has a value of the type {kind}"))
                .hint("use a text in quotes, a number, true or false, or a list of texts")
        })
    }

    fn located(&self, error: Error, path: &str, name: &str, key: &FileKey) -> Error {
        error.context(self.provenance(path, name, key))
    }

    fn provenance(&self, path: &str, name: &str, key: &FileKey) -> Provenance {
        let key_path = format!("{path}.{}", printable(name));
        Provenance::Key { file: self.name.clone(), line: key.line, key: key_path }
    }

    /// The cloud of a table.
    fn cloud(
        &self,
        described: &FileDeployment,
        keys: &FileKeys,
        path: &str,
        clouds: &[&str],
    ) -> Result<String> {
        let named = [keys, &described.own, &self.defaults].into_iter().find_map(|keys| keys.get(CLOUD));
        let all = || clouds.iter().map(|cloud| format!("\"{cloud}\"")).collect::<Vec<_>>().join(", ");
        let Some(key) = named else {
            return Err(Error::input(format!("{}: {path} names no cloud", self.name))
                .hint(format!("add `cloud = …` to it: one of {}", all())));
        };
        let text = key.value.as_ref().ok().and_then(PresetValue::text).unwrap_or_default();
        match clouds.iter().find(|cloud| **cloud == text) {
            Some(cloud) => Ok((*cloud).to_owned()),
            None => Err(Error::input(format!("{}:{}: unknown cloud {}", self.name, key.line, quoted(text)))
                .hint(match nearest(text, clouds.iter().copied()) {
                    Some(cloud) => format!("did you mean \"{cloud}\"?"),
                    None => format!("use one of {}", all()),
                })),
        }
    }

    /// As messages name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The values that `[defaults]` gives to options.
    pub(super) fn defaults(&self) -> BTreeMap<String, Preset> {
        self.presets(DEFAULTS, &self.defaults, Rank::Defaults)
    }

    fn presets(&self, path: &str, keys: &FileKeys, rank: Rank) -> BTreeMap<String, Preset> {
        let preset = |(name, key): (&String, &FileKey)| {
            let value = key.value.clone().ok().filter(|_| name != CLOUD)?;
            Some((name.clone(), Preset { value, rank, from: self.provenance(path, name, key) }))
        };
        keys.iter().filter_map(preset).collect()
    }

    /// The names of all deployments.
    pub(super) fn deployments(&self) -> impl Iterator<Item = &DeploymentName> {
        self.deployments.keys()
    }

    /// All deployments, each before its teams, in the order of the names.
    pub(super) fn entries(&self, options: OptionNames<'_>) -> Vec<FileEntry> {
        let names = self.deployments.iter().flat_map(|(name, described)| {
            let teams = described.teams.keys().map(Some);
            std::iter::once(None).chain(teams).map(move |team| (name, team))
        });
        names.filter_map(|(name, team)| self.entry(name, team, options)).collect()
    }

    /// The deployment `name`, or its team, which need not be in the file.
    pub(super) fn entry(
        &self,
        name: &DeploymentName,
        team: Option<&TeamName>,
        options: OptionNames<'_>,
    ) -> Option<FileEntry> {
        let described = self.deployments.get(name)?;
        let cloud_of = |keys: &FileKeys| keys.get(CLOUD)?.value.as_ref().ok()?.text().map(str::to_owned);
        let deployments_own = cloud_of(&described.own).or_else(|| cloud_of(&self.defaults));
        let storage = StorageName { deployment: name.clone(), team: team.cloned() };
        let own = self.presets(&path(name, None), &described.own, Rank::Storage);
        let Some(team) = team else {
            return Some(FileEntry { storage, cloud: deployments_own?, presets: self.with_defaults(own) });
        };
        let keys = described.teams.get(team);
        let cloud = keys.and_then(cloud_of).or_else(|| deployments_own.clone())?;
        let is_inherited = |option: &str| match Some(&cloud) == deployments_own.as_ref() {
            true => INHERITED.contains(&option) || options.is_of_place(option, &cloud),
            false => INHERITED_ELSEWHERE.contains(&option),
        };
        let mut presets: BTreeMap<_, _> = own.into_iter().filter(|(name, _)| is_inherited(name)).collect();
        if let Some(keys) = keys {
            presets.extend(self.presets(&path(name, Some(team)), keys, Rank::Storage));
        }
        Some(FileEntry { storage, cloud, presets: self.with_defaults(presets) })
    }

    fn with_defaults(&self, own: BTreeMap<String, Preset>) -> BTreeMap<String, Preset> {
        let mut presets = self.defaults();
        presets.extend(own);
        presets
    }
}

/// The deployments of the file at `path`, or the [default](DEFAULT_FILE), and their teams; whatever is wrong with it.
pub(super) fn stored_names(path: Option<&Path>) -> Vec<StorageName> {
    let text = read(path.unwrap_or(Path::new(DEFAULT_FILE))).unwrap_or_default();
    let Ok(tables) = DeTable::parse(&text) else { return vec![] };
    let mut names = vec![];
    for (name, described) in below(tables.get_ref(), DEPLOYMENT) {
        let Ok(deployment) = name.parse::<DeploymentName>() else { continue };
        names.push(StorageName { deployment: deployment.clone(), team: None });
        let teams = below(described, TEAM).into_iter().filter_map(|(name, _)| name.parse().ok());
        names.extend(teams.map(|team| StorageName { deployment: deployment.clone(), team: Some(team) }));
    }
    names
}

/// The tables in the table `name` of `table`.
fn below<'v, 't>(table: &'v DeTable<'t>, name: &str) -> Vec<(&'v str, &'v DeTable<'t>)> {
    let Some(tables) = table.get(name).and_then(|value| value.get_ref().as_table()) else { return vec![] };
    tables
        .iter()
        .filter_map(|(name, value)| Some((name.get_ref().as_ref(), value.get_ref().as_table()?)))
        .collect()
}

/// The path of a table.
fn path(name: &DeploymentName, team: Option<&TeamName>) -> String {
    match team {
        None => format!("{DEPLOYMENT}.{name}"),
        Some(team) => format!("{DEPLOYMENT}.{name}.{TEAM}.{team}"),
    }
}

/// The number of the line at the byte `at`.
fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(text)
}

/// Turns TOML into tables of keys.
struct Document<'t> {
    name: &'t str,
    text: &'t str,
}

impl<'t> Document<'t> {
    fn error<T>(&self, at: &Spanned<T>, what: impl Display) -> Error {
        Error::input(format!("{}:{}: {what}", self.name, line_at(self.text, at.span().start)))
    }

    fn table<'v>(&self, path: &str, value: &'v Spanned<DeValue<'t>>) -> Result<&'v DeTable<'t>> {
        value.get_ref().as_table().ok_or_else(|| {
            let kind = value.get_ref().type_str();
            self.error(value, format_args!("{path} is of the type {kind}, and has to be a table"))
                .hint("write it as `[deployment.NAME]`, with one option per line below it")
        })
    }

    fn name<N>(&self, path: &str, name: &Spanned<impl AsRef<str>>) -> Result<N>
    where
        N: std::str::FromStr<Err = Error>,
    {
        name.get_ref().as_ref().parse().map_err(|error: Error| {
            let line = line_at(self.text, name.span().start);
            error.context(format_args!("{}:{line}: {path}", self.name))
        })
    }

    fn keys(&self, table: &DeTable<'t>) -> FileKeys {
        let key = |(name, value): (&Spanned<_>, &Spanned<DeValue<'t>>)| {
            let line = line_at(self.text, name.span().start);
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            (name.to_string(), FileKey { line, value: value_of(value.get_ref()) })
        };
        table.iter().map(key).collect()
    }

    fn deployment(&self, path: &str, value: &Spanned<DeValue<'t>>) -> Result<FileDeployment> {
        let mut own = self.keys(self.table(path, value)?);
        let mut teams = BTreeMap::new();
        // An option of this name names the team of a command, and is no key.
        if let Some(value) = self.table(path, value)?.get(TEAM) {
            own.remove(TEAM);
            for (team, value) in self.table(&format!("{path}.{TEAM}"), value)? {
                let path = format!("{path}.{TEAM}.{}", printable(team.get_ref()));
                teams.insert(self.name(&path, team)?, self.keys(self.table(&path, value)?));
            }
        }
        Ok(FileDeployment { own, teams })
    }
}

fn value_of(value: &DeValue<'_>) -> Result<PresetValue, &'static str> {
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Ok(text.to_string().into()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "").into()),
        // Such as the end of a lease.
        DeValue::Datetime(time) => Ok(time.to_string().into()),
        other => Err(other.type_str()),
    };
    match value {
        DeValue::Boolean(is) => Ok(PresetValue::Flag(*is)),
        DeValue::Array(all) => {
            all.iter().map(|one| text(one.get_ref())).collect::<Result<_, _>>().map(PresetValue::Texts)
        }
        one => text(one).map(|text| PresetValue::Texts(vec![text])),
    }
}

/// Whether `name` is one of the server's variables, which have a file of their own.
pub(super) fn is_setting(name: &str) -> bool {
    Variable::named(&name.to_ascii_uppercase().replace('-', "_")).is_some()
}
