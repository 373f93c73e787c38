//! The three streams: data to stdout, messages to stderr, answers from a person.
//!
//! All output to stderr goes through here, as text or as JSON, as the user chose.

mod file;
mod log;
mod out;
mod records;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anstream::{AutoStream, StripStream};
use dialoguer::Input;
use dialoguer::console::Term;
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::cli::Format;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Waits;
use crate::output::Encoding;
use crate::plan::{Plan, PlanSet};
use crate::timings::{self, Timings};
use crate::view::bars;
use crate::view::clean::clean;
use crate::view::human::{self, Extent};
use crate::view::json;
use crate::view::progress::Style;
use crate::view::remark::Remark;
use crate::view::still::{self, Silence};

use file::OutFile;
pub use file::OutPath;

/// The delay before a spinner is shown.
const UNNOTICED: Duration = Duration::from_secs(1);
/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// How much goes to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Volume {
    /// Errors, refusals and warnings.
    Quiet,
    /// Plans, progress and notes too.
    #[default]
    Normal,
    /// Every request too, and all of a plan.
    Verbose,
}

/// Where a command writes, and whether it can ask.
pub struct Console {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    out_is_terminal: bool,
    err_is_terminal: bool,
    interactive: bool,
    format: Format,
    volume: Volume,
    /// What is written instead of `out`.
    file: Option<OutFile>,
    cancel: CancellationToken,
    waits: Waits,
    #[cfg(test)]
    answers: std::collections::VecDeque<&'static str>,
}

impl Console {
    /// The streams of the process; `cancel` is what Ctrl-C sets, and `waits` knows when that is not
    /// enough. Text for people is coloured where stderr is a terminal, unless `NO_COLOR`, `CLICOLOR`
    /// or `TERM` say otherwise; data is never touched. With [`Format::Json`] there are no prompts.
    pub fn standard(format: Format, cancel: CancellationToken, waits: Waits) -> Self {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let err_is_terminal = stderr.is_terminal();
        Self {
            out_is_terminal: stdout.is_terminal(),
            err_is_terminal,
            interactive: stdin.is_terminal() && err_is_terminal && format == Format::Human,
            out: out::stream(),
            err: Box::new(AutoStream::auto(stderr)),
            format,
            volume: Volume::default(),
            file: None,
            cancel,
            waits,
            #[cfg(test)]
            answers: Default::default(),
        }
    }

    /// The same with so much on stderr.
    #[must_use]
    pub fn with_volume(self, volume: Volume) -> Self {
        Self { volume, ..self }
    }

    /// Writes results to `path` from now on.
    ///
    /// # Errors
    /// [`Kind::Input`] when it could not be written.
    pub fn write_to(&mut self, path: &OutPath) -> Result<()> {
        self.file = match path {
            OutPath::Stdout => None,
            OutPath::File(path) => Some(OutFile::open(path)?),
        };
        self.out_is_terminal &= self.file.is_none();
        Ok(())
    }

    /// Refuses `path`, if `option` names one, where results would replace it.
    ///
    /// # Errors
    /// [`Kind::Input`].
    pub fn require_other_file(&self, path: Option<&Path>, option: &str) -> Result<()> {
        match &self.file {
            Some(file) if path.is_some_and(|path| file.is(path)) => {
                let named = file.named().display();
                Err(Error::input(format!("`--out` and `{option}` name the same file, `{named}`"))
                    .hint("name two files"))
            }
            _ => Ok(()),
        }
    }

    /// Other writers, without a terminal or prompts; for tests and for programs that embed
    /// wbstore. Text goes to `err` as it is, styles included.
    pub fn piped(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            out_is_terminal: false,
            err_is_terminal: false,
            interactive: false,
            format: Format::Human,
            volume: Volume::default(),
            file: None,
            cancel: CancellationToken::new(),
            waits: Waits::default(),
            #[cfg(test)]
            answers: Default::default(),
        }
    }

    /// The same with a person who gives these answers.
    #[cfg(test)]
    pub fn answering(self, answers: &[&'static str]) -> Self {
        Self { interactive: true, answers: answers.iter().copied().collect(), ..self }
    }

    /// Whether there is a person to ask: stdin and stderr are terminals.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Why nobody can be asked, where that is so.
    pub fn why_nobody_is_asked(&self) -> &'static str {
        match self.format {
            Format::Human => "confirmation requires a terminal",
            Format::Json => "`--format json` does not ask for confirmation",
        }
    }

    /// Whether data goes to a person's screen.
    pub fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    /// How things under way are shown.
    pub fn progress_style(&self) -> Style {
        match self.format {
            format if self.volume == Volume::Quiet => Style::Quiet(format),
            Format::Json => Style::Json,
            Format::Human if self.err_is_terminal => Style::Terminal,
            Format::Human => Style::Lines,
        }
    }

    /// The default encoding of the server configuration.
    pub fn encoding(&self) -> Encoding {
        self.format.encoding()
    }

    /// Makes sure that data can be written to stdout, as far as that shows before any is.
    ///
    /// # Errors
    /// [`Kind::Failed`] when it cannot.
    pub fn check_data(&self) -> Result<()> {
        match &self.file {
            // It was tried out.
            Some(_) => Ok(()),
            None => out::check().map_err(unwritable),
        }
    }

    /// Writes data to stdout, or to the file that takes its place. A reader that has closed the pipe, such as `head`,
    /// is not an error.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn data(&mut self, text: &str) -> Result<()> {
        self.result(text, false)
    }

    /// The same with a secret in it.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn secret_data(&mut self, text: &str) -> Result<()> {
        self.result(text, true)
    }

    fn result(&mut self, text: &str, is_secret: bool) -> Result<()> {
        if let Some(file) = &mut self.file {
            let _wait = self.waits.begin("writing the file of --out");
            return file.write(text, is_secret);
        }
        let _wait = self.waits.begin("writing to stdout");
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(error)),
            _ => Ok(()),
        }
    }

    /// Writes text for people to stdout, where it is what they asked for; plain unless stdout is a
    /// terminal.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn page(&mut self, text: &str) -> Result<()> {
        if self.out_is_styled() {
            return self.data(text);
        }
        self.data(&anstream::adapter::strip_str(text).to_string())
    }

    /// Waits for `work`, which changes nothing, and shows after a second what it waits for. Ctrl-C ends it at
    /// once.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] after Ctrl-C, and those of `work`.
    pub async fn busy<T>(&mut self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _wait = self.waits.begin(what);
        let cancel = self.cancel.clone();
        let work = work.instrument(timings::activity(what));
        let work = async {
            tokio::select! {
                done = work => done,
                () = cancel.cancelled() => {
                    Err(Error::new(Kind::Interrupted, "interrupted; nothing was changed"))
                }
            }
        };
        tokio::pin!(work);
        if self.volume == Volume::Quiet {
            return work.await;
        }
        if self.progress_style() != Style::Terminal {
            let mut silence = Silence::begin();
            loop {
                if let Ok(done) = tokio::time::timeout(silence.left(), &mut work).await {
                    return done;
                }
                if let Some(lasted) = silence.is_over() {
                    self.say(&still::line(None, None, what, lasted, self.format));
                }
            }
        }
        if let Ok(done) = tokio::time::timeout(UNNOTICED, &mut work).await {
            return done;
        }
        let spinner = ProgressBar::new_spinner().with_message(format!("{} …", clean(what)));
        let spinner = bars::screen().add(spinner);
        spinner.enable_steady_tick(TICK);
        let done = work.await;
        spinner.finish_and_clear();
        done
    }

    /// Shows from now on, as far as the volume has them, waits and requests on stderr; `timings` keeps both.
    pub fn watch(&self, timings: Option<Timings>) {
        records::show(self.volume, self.format, timings);
    }

    /// Writes `remark` to stderr.
    pub fn remark(&mut self, remark: &Remark) {
        self.say(&remark.text(self.format));
    }

    /// Writes a note to stderr, unless only what goes wrong is to be there.
    pub fn note(&mut self, note: &str) {
        if self.volume != Volume::Quiet {
            self.remark(&Remark::note(note));
        }
    }

    /// Writes a warning to stderr.
    pub fn warn(&mut self, warning: &str) {
        self.remark(&Remark::warning(warning));
    }

    /// Shows `plan` on stderr, before it is applied: `extent` of it, or all with `--verbose`. With `--quiet` that is
    /// what went wrong, unless somebody is about to be asked.
    ///
    /// # Errors
    /// When it has no JSON form, which is a bug.
    pub fn plan(&mut self, plan: &Plan, extent: Extent) -> Result<()> {
        let is_quiet = self.is_quiet(extent);
        let text = match self.format {
            Format::Json if is_quiet && !plan.is_refused() => String::new(),
            Format::Json => json::line(plan)?,
            Format::Human if is_quiet => human::plan(plan, Extent::Troubles, self.width(&Term::stderr())),
            Format::Human => human::plan(plan, self.extent(extent), self.width(&Term::stderr())),
        };
        self.say(&text);
        Ok(())
    }

    /// The plans of several deployments, as [`plan`](Self::plan) of each.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plans(&mut self, set: &PlanSet<'_>, extent: Extent) -> Result<()> {
        let is_quiet = self.is_quiet(extent);
        let is_fine = set.failed.is_empty() && !set.plans.iter().any(|plan| plan.is_refused());
        let text = match self.format {
            Format::Json if is_quiet && is_fine => String::new(),
            Format::Json => json::line(set)?,
            Format::Human if is_quiet => human::plans(set, Extent::Troubles, self.width(&Term::stderr())),
            Format::Human => human::plans(set, self.extent(extent), self.width(&Term::stderr())),
        };
        self.say(&text);
        Ok(())
    }

    fn is_quiet(&self, extent: Extent) -> bool {
        self.volume == Volume::Quiet && !(self.interactive && extent == Extent::Whole)
    }

    /// `plan` as what was asked for, on stdout.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn plan_page(&mut self, plan: &Plan) -> Result<()> {
        self.page(&human::plan(plan, self.extent(Extent::Whole), self.page_width()))
    }

    /// The same for the plans of several deployments.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn plans_page(&mut self, set: &PlanSet<'_>) -> Result<()> {
        self.page(&human::plans(set, self.extent(Extent::Whole), self.page_width()))
    }

    fn page_width(&self) -> Option<usize> {
        match &self.file {
            Some(_) => columns(),
            None => self.width(&Term::stdout()),
        }
    }

    fn extent(&self, extent: Extent) -> Extent {
        if self.volume == Volume::Verbose { Extent::Verbose } else { extent }
    }

    /// How many columns a line on `stream` may have, where that is limited: off a terminal a line may be read by a
    /// program, and is whole unless `COLUMNS` says otherwise.
    fn width(&self, stream: &Term) -> Option<usize> {
        columns().or_else(|| Some(usize::from(stream.size_checked()?.1)))
    }

    /// Writes text to stderr. A failure to write is ignored: it could not be reported.
    pub fn say(&mut self, text: &str) {
        let _wait = self.waits.begin("writing to stderr");
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// The writer of [`say`](Self::say), for the views that write by themselves.
    pub fn words(&mut self) -> &mut (dyn Write + Send) {
        &mut *self.err
    }

    /// The writers of [`page`](Self::page) and [`say`](Self::say), for the views that write by themselves. What is
    /// written to the first while there is a file instead of stdout goes to `kept`, for [`page`](Self::page).
    pub fn streams<'a>(
        &'a mut self,
        kept: &'a mut Vec<u8>,
    ) -> (Box<dyn Write + Send + 'a>, &'a mut (dyn Write + Send)) {
        let styled = self.out_is_styled();
        let out: Box<dyn Write + Send> = match (&self.file, styled) {
            (Some(_), _) => Box::new(kept),
            (None, true) => Box::new(&mut *self.out),
            (None, false) => Box::new(StripStream::new(&mut *self.out)),
        };
        (out, &mut *self.err)
    }

    fn out_is_styled(&self) -> bool {
        self.out_is_terminal && AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// Asks a question that is answered with yes or no; Enter alone is a no.
    ///
    /// # Errors
    /// When there is nobody to ask, or the user pressed Ctrl-C.
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        let valid = |answer: &String| yes_or_no(answer).map(|_| ()).ok_or("answer `yes` or `no`");
        // A prompt that hides the cursor, as `dialoguer::Confirm` does, takes it along on Ctrl-C.
        let input = Input::new().with_prompt(format!("{} [y/N]", clean(question)));
        Ok(yes_or_no(&self.ask(input.validate_with(valid))?).unwrap_or(false))
    }

    /// Asks for `name` to be typed, and returns whether it was.
    ///
    /// # Errors
    /// When there is nobody to ask, or the user pressed Ctrl-C.
    pub fn typed(&mut self, question: &str, name: &str) -> Result<bool> {
        let input = Input::new().with_prompt(clean(question));
        Ok(self.ask(input)?.trim() == name)
    }

    fn ask(&mut self, input: Input<'_, String>) -> Result<String> {
        if !self.interactive {
            return Err(Error::input("cannot ask for confirmation: stdin or stderr is not a terminal"));
        }
        #[cfg(test)]
        if let Some(answer) = self.answers.pop_front() {
            return Ok(answer.to_owned());
        }
        input.allow_empty(true).interact_text_on(&Term::stderr()).map_err(unanswered)
    }
}

/// The width that `COLUMNS` gives, as shells and their users set it.
fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

fn unwritable(error: io::Error) -> Error {
    Error::new(Kind::Failed, "failed to write to stdout")
        .because(error)
        .hint("write to a file on a disk with free space, to a pipe or to a terminal")
}

fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

fn unanswered(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    match error.kind() {
        io::ErrorKind::Interrupted => {
            Error::new(Kind::Interrupted, "interrupted before anything was changed")
        }
        _ => Error::new(Kind::Failed, "failed to read the answer").because(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::{Console, yes_or_no};
    use crate::error::Kind;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_fine_and_a_full_disk_is_not() {
        let data = |kind| Console::piped(Broken(kind), Broken(kind)).data("BUCKET=s3://b\n");
        assert!(data(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(data(io::ErrorKind::StorageFull).unwrap_err().kind(), Kind::Failed);
    }

    /// A writer that a test can read.
    #[derive(Clone, Default)]
    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_read_shows_a_sign_of_life_off_a_terminal_too() {
        let err = Shared::default();
        let mut console = Console::piped(io::sink(), err.clone());
        for seconds in [0.9, 18.5] {
            let work = tokio::time::sleep(std::time::Duration::from_secs_f64(seconds));
            let work = async {
                work.await;
                Ok(())
            };
            console.busy("reading the account", work).await.unwrap();
        }
        let said = String::from_utf8(err.0.lock().unwrap().clone()).unwrap();
        let expected = "note: still reading the account (1s)\nnote: still reading the account (16s)\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn nobody_is_asked_where_nobody_is() {
        let mut console = Console::piped(io::sink(), io::sink());
        assert_eq!(console.confirm("Apply?").unwrap_err().kind(), Kind::Input);
        assert_eq!(console.typed("Type the name", "acme").unwrap_err().kind(), Kind::Input);
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        assert_eq!(
            ["y", " YES ", "", "No", "ye", "acme"].map(yes_or_no),
            [Some(true), Some(true), Some(false), Some(false), None, None]
        );
    }
}
