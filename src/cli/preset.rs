//! The value of an option that the command line leaves open, from a variable or the file.

use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use crate::error::{Error, Result};

/// What a variable or a key of the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PresetValue {
    Flag(bool),
    Texts(Vec<OsString>),
}

impl PresetValue {
    /// The first text of the value.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Texts(texts) => texts.first()?.to_str(),
            Self::Flag(_) => None,
        }
    }
}

/// Which comes first, where several say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A variable of wbstore.
    Variable,
    /// A deployment or team of the file.
    Storage,
    /// The `[defaults]` of the file.
    Defaults,
    /// A variable that other tools have too, and that often is set for these.
    Ecosystem,
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Provenance {
    Variable(String),
    Key { file: String, line: usize, key: String },
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Key { file, line, key } => write!(f, "{file}:{line}: {key}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Preset {
    pub(super) value: PresetValue,
    pub(super) rank: Rank,
    pub(super) from: Provenance,
}

impl Preset {
    /// Whether it is as good as none.
    pub(super) fn is_unset(&self) -> bool {
        matches!(&self.value, PresetValue::Texts(texts) if texts.iter().all(|text| text.is_empty()))
    }
}

/// How an option gets a value that is not on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fitted {
    Values(Vec<OsString>),
    /// By its name alone, as the value may be omitted.
    Bare,
    /// Not at all: it would be omitted.
    Omitted,
}

/// Reads `value` as `arg` would on the command line.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input). The message does not repeat the value, which may be a secret, unless the
/// type of the option does so itself.
pub(super) fn fit(arg: &Arg, value: &PresetValue) -> Result<Fitted> {
    let text = |what: &str| Error::input(format!("expected {what}"));
    let is_optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
    match (value, arg.get_action()) {
        (PresetValue::Flag(is), ArgAction::SetTrue) => Ok(Fitted::Values(vec![is.to_string().into()])),
        (PresetValue::Texts(texts), ArgAction::SetTrue) => match texts.first().and_then(|text| flag(text)) {
            Some(is) => Ok(Fitted::Values(vec![is.to_string().into()])),
            None => Err(text("true or false").hint("use `true` or `false`")),
        },
        (PresetValue::Flag(true), _) if is_optional => Ok(Fitted::Bare),
        (PresetValue::Flag(false), _) if is_optional => Ok(Fitted::Omitted),
        (PresetValue::Texts(texts), _) if is_optional && texts.iter().any(|text| text == "true") => {
            Ok(Fitted::Bare)
        }
        (PresetValue::Texts(texts), _) if is_optional && texts.iter().any(|text| text == "false") => {
            Ok(Fitted::Omitted)
        }
        (PresetValue::Flag(_), _) => Err(text("a text, not true or false").hint("write the value in quotes")),
        (PresetValue::Texts(texts), action) => {
            if texts.len() > 1 && !is_repeatable(arg) {
                return Err(text("one value, not a list").hint("write one value in quotes"));
            }
            read(arg, texts, action)?;
            Ok(Fitted::Values(texts.clone()))
        }
    }
}

/// Whether several values can be given.
pub(super) fn is_repeatable(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) || arg.get_value_delimiter().is_some()
}

/// Whether a variable says yes or no.
fn flag(text: &OsStr) -> Option<bool> {
    match text.to_str()?.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Some(true),
        "0" | "false" | "no" | "off" | "n" | "f" => Some(false),
        _ => None,
    }
}

/// Has clap read `texts` with the parser of `arg`.
fn read(arg: &Arg, texts: &[OsString], action: &ArgAction) -> Result<()> {
    const OPTION: &str = "value";
    let mut probe =
        Arg::new(OPTION).long(OPTION).action(action.clone()).value_parser(arg.get_value_parser().clone());
    if let Some(delimiter) = arg.get_value_delimiter() {
        probe = probe.value_delimiter(delimiter);
    }
    let words = texts.iter().map(|text| {
        let mut word = OsString::from("--value=");
        word.push(text);
        word
    });
    let probe = Command::new("wbstore").no_binary_name(true).arg(probe);
    let Err(error) = probe.try_get_matches_from(words) else { return Ok(()) };
    let text = error.to_string();
    // Our own types report their errors by themselves; clap's messages repeat the value.
    if error.kind() == ErrorKind::ValueValidation
        && let Some(words) = text.trim_end().strip_prefix("error: --value: ")
    {
        let (message, hint) = words.split_once("\nhint: ").unwrap_or((words, ""));
        let error = Error::input(message);
        return Err(if hint.is_empty() { error } else { error.hint(hint) });
    }
    let possible: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    Err(match possible.is_empty() {
        true => Error::input("invalid value").hint("`--help` describes the option"),
        false => Error::input("not one of the possible values").hint(format!("use {}", possible.join(", "))),
    })
}

#[cfg(test)]
mod tests {
    use clap::builder::PossibleValuesParser;

    use super::*;
    use crate::name::DeploymentName;
    use crate::option::parsed;

    fn texts(texts: &[&str]) -> PresetValue {
        PresetValue::Texts(texts.iter().map(Into::into).collect())
    }

    #[test]
    fn a_value_fits_its_option() {
        let flag = Arg::new("flag").long("flag").action(ArgAction::SetTrue);
        let one = Arg::new("one").long("one").value_parser(parsed::<DeploymentName>());
        let optional = one.clone().num_args(0..=1);
        let many = Arg::new("many").long("many").action(ArgAction::Append);
        let values = |values: &[&str]| Fitted::Values(values.iter().map(Into::into).collect());
        for (arg, value, fitted) in [
            (&flag, PresetValue::Flag(true), values(&["true"])),
            (&flag, texts(&["0"]), values(&["false"])),
            (&flag, texts(&["Yes"]), values(&["true"])),
            (&one, texts(&["acme"]), values(&["acme"])),
            (&optional, PresetValue::Flag(true), Fitted::Bare),
            (&optional, texts(&["true"]), Fitted::Bare),
            (&optional, PresetValue::Flag(false), Fitted::Omitted),
            (&optional, texts(&["acme"]), values(&["acme"])),
            (&many, texts(&["a", "b"]), values(&["a", "b"])),
        ] {
            assert_eq!(fit(arg, &value).unwrap(), fitted, "{value:?}");
        }
        for (arg, value) in
            [(&flag, texts(&["2"])), (&one, PresetValue::Flag(true)), (&one, texts(&["a", "b"]))]
        {
            assert!(fit(arg, &value).unwrap_err().what_next().is_some(), "{value:?}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_explained_by_its_type_and_not_repeated_otherwise() {
        let name = Arg::new("name").long("name").value_parser(parsed::<DeploymentName>());
        let error = fit(&name, &texts(&["Acme"])).unwrap_err();
        assert_eq!(error.to_string(), "deployment name `Acme` has uppercase letters");
        assert_eq!(error.what_next(), Some("use `acme`"));
        let choice =
            Arg::new("choice").long("choice").value_parser(PossibleValuesParser::new(["path", "auto"]));
        let error = fit(&choice, &texts(&["hunter2"])).unwrap_err();
        assert!(!error.chain().contains("hunter2"), "{error}");
        assert_eq!(error.what_next(), Some("use `path`, `auto`"));
    }
}
