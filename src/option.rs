//! Values of options, read by their own types.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, Command};
use clap_complete::{ArgValueCandidates, CompletionCandidate};

use crate::error::Error;

/// Reads a `T`, and reports its own error. clap's message would repeat the input, which
/// may hold a password.
pub(crate) fn parsed<T>() -> Parsed<T> {
    Parsed(PhantomData)
}

/// Values, between spaces, that a shell offers for an option. There may be others.
pub(crate) fn offers(values: &'static str) -> ArgValueCandidates {
    ArgValueCandidates::new(move || values.split_whitespace().map(CompletionCandidate::new).collect())
}

/// The value parser that `parsed` returns.
#[derive(Debug)]
pub(crate) struct Parsed<T>(PhantomData<fn() -> T>);

impl<T> Clone for Parsed<T> {
    fn clone(&self) -> Self {
        parsed()
    }
}

impl<T> TypedValueParser for Parsed<T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let text =
            value.to_str().ok_or_else(|| clap::Error::new(ErrorKind::InvalidUtf8).with_cmd(command))?;
        text.parse().map_err(|error: Error| match arg.and_then(Arg::get_long) {
            Some(name) => usage(error.context(format_args!("--{name}"))),
            None => usage(error),
        })
    }
}

/// `error` as clap reports those of its own.
pub(crate) fn usage(error: Error) -> clap::Error {
    let hint = error.what_next().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    clap::Error::raw(ErrorKind::ValueValidation, format!("{}{hint}\n", error.chain()))
}

/// A value, and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    /// Whether a variable or the file gave it, and not the command line.
    pub(crate) by_environment: bool,
}

/// Reads a `T` like [`parsed`], and remembers where it was given.
pub(crate) fn given<T>() -> ParsedGiven<T> {
    ParsedGiven(parsed())
}

/// The value parser that `given` returns.
#[derive(Debug)]
pub(crate) struct ParsedGiven<T>(Parsed<T>);

impl<T> Clone for ParsedGiven<T> {
    fn clone(&self) -> Self {
        given()
    }
}

impl<T> TypedValueParser for ParsedGiven<T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    type Value = Given<T>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Given<T>, clap::Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Given<T>, clap::Error> {
        let by_environment = source != ValueSource::CommandLine;
        Ok(Given { value: self.0.parse_ref(command, arg, value)?, by_environment })
    }
}
