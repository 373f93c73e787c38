//! One colour, one meaning.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

use crate::plan::Action;

/// Something went or would go wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something went well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Something to check.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
/// What the reader can do.
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();
/// The heading of a part.
pub(super) const HEAD: Style = Style::new().bold();
/// Less important than the text around it.
pub(super) const FAINT: Style = Style::new().dimmed();

/// The style of a step's symbol and verb.
pub(super) fn of(action: Action) -> Style {
    match action {
        Action::Create => GOOD,
        Action::Update | Action::Adopt | Action::Release => WARN,
        Action::Delete => AnsiColor::Red.on_default(),
        Action::Keep | Action::NoOp => FAINT,
        Action::Refuse => BAD,
    }
}

/// `text` in `style`, reset after it.
pub(super) fn paint(style: Style, text: impl Display) -> impl Display {
    Painted { style, text }
}

struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { style, text } = self;
        write!(f, "{style}{text}{style:#}")
    }
}
