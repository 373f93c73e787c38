//! Manual pages: what clap_mangen makes of a command, and the sections that it has none of (man-pages(7)).

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::ambient::Ambient;
use crate::error::exit::MEANINGS;

/// The file of the page.
pub(crate) fn file_name(command: &Command) -> String {
    Man::new(command.clone()).get_filename()
}

/// The page of `command`, which is built, and reads what `sources` name.
///
/// # Errors
/// None that memory does not have.
pub(crate) fn page(command: &Command, sources: &[&Ambient]) -> io::Result<String> {
    let named = command.clone();
    let named = match command.get_long_about() {
        Some(about) => named.about(about.clone()),
        None => named,
    };
    let man = Man::new(named);
    let mut page = vec![];
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    environment(&mut roff, command, sources);
    files(&mut roff, sources);
    exit_status(&mut roff);
    examples(&mut roff, command);
    see_also(&mut roff, command);
    roff.to_writer(&mut page)?;
    Ok(titled(command, &String::from_utf8_lossy(&page)))
}

/// The sections, of which each begins with what defines the apostrophe, below one such definition and the title. That of
/// clap_mangen has no place for an empty date, and the same program has the same pages.
fn titled(command: &Command, sections: &str) -> String {
    let mut lines = sections.lines();
    let preamble: Vec<&str> = lines.by_ref().take(2).collect();
    let rest = lines.filter(|line| !preamble.contains(line));
    let (name, version) = (name(command), env!("CARGO_PKG_VERSION"));
    let title = format!(".TH {name} 1 \"\" \"wbstore {version}\" \"wbstore\"");
    let all = preamble.iter().copied().chain([title.as_str()]).chain(rest);
    all.map(|line| format!("{line}\n")).collect()
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn entry(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(text)]);
}

fn environment(roff: &mut Roff, command: &Command, sources: &[&Ambient]) {
    let own: Vec<_> = command.get_arguments().filter_map(|arg| arg.get_env().zip(arg.get_long())).collect();
    if own.is_empty() && sources.is_empty() {
        return;
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "Every option but consent has a variable: --queue has WBSTORE_QUEUE. The command line takes precedence, then \
         the variable, then wbstore.toml. An empty variable counts as not set.",
    )]);
    for (name, long) in own {
        entry(roff, &name.to_string_lossy(), &format!("--{long}"));
    }
    for (name, text) in sources.iter().flat_map(|ambient| ambient.variables) {
        entry(roff, name, text);
    }
}

fn files(roff: &mut Roff, sources: &[&Ambient]) {
    if sources.is_empty() {
        return;
    }
    roff.control("SH", ["FILES"]);
    entry(
        roff,
        "wbstore.toml",
        "Deployments, their teams, and defaults of options, in the working directory or where --file names it",
    );
    for (path, text) in sources.iter().flat_map(|ambient| ambient.files) {
        entry(roff, path, text);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in MEANINGS {
        entry(roff, &code.to_string(), meaning);
    }
}

fn examples(roff: &mut Roff, command: &Command) {
    let Some(text) = command.get_after_long_help().or_else(|| command.get_after_help()) else { return };
    let text = text.to_string();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in text.lines().take_while(|line| !line.starts_with("Exit codes")) {
        if line != "Examples:" {
            roff.text([roman(line)]);
        }
    }
    roff.control("fi", []);
}

fn see_also(roff: &mut Roff, command: &Command) {
    let name = name(command);
    let above = name.rsplit_once('-').map(|(above, _)| format!("{above}(1)"));
    let below = command.get_subcommands().map(|below| format!("{name}-{}(1)", below.get_name()));
    let pages: Vec<String> = above.into_iter().chain(below).collect();
    if !pages.is_empty() {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([roman(pages.join(", "))]);
    }
}
