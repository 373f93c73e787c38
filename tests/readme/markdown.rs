//! As much of Markdown as our own pages use.

use std::ops::Range;

/// A fenced block.
pub struct Block {
    /// The word after the fence.
    pub language: String,
    /// The lines between the fences, counted from 0.
    pub lines: Range<usize>,
}

/// The fenced blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut open: Option<(String, usize)> = None;
    for (number, line) in page.lines().enumerate() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        match open.take() {
            None => open = Some((language.trim().to_owned(), number + 1)),
            Some((language, begin)) => blocks.push(Block { language, lines: begin..number }),
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// A part of a page that a reader follows.
pub enum Part {
    /// A file to write.
    File { name: String, text: String },
    /// A command, and the lines in which the page shows what it says.
    Exchange { command: String, told: Range<usize> },
    /// Commands that succeed.
    Script(String),
    /// Commands for another machine.
    Elsewhere(String),
}

/// What a reader of the page does, in order.
pub fn parts(page: &str) -> Vec<Part> {
    let lines: Vec<_> = page.lines().collect();
    let mut parts = vec![];
    for block in blocks(page) {
        let text = || lines[block.lines.clone()].join("\n") + "\n";
        let file = lines[block.lines.start].strip_prefix("# ").filter(|name| is_file(name));
        match (block.language.as_str(), file) {
            ("console", _) => parts.extend(exchanges(&lines, block.lines)),
            ("sh", _) => parts.push(Part::Script(text())),
            ("sh elsewhere", _) => parts.push(Part::Elsewhere(text())),
            (_, Some(name)) => parts.push(Part::File { name: name.to_owned(), text: text() }),
            _ => {}
        }
    }
    parts
}

/// Whether it is the name of a file, and not a sentence.
fn is_file(text: &str) -> bool {
    text.contains('.') && !text.contains(' ') && !text.ends_with('.')
}

fn exchanges(lines: &[&str], block: Range<usize>) -> Vec<Part> {
    let mut exchanges: Vec<Part> = vec![];
    for number in block {
        match (lines[number].strip_prefix("$ "), exchanges.last_mut()) {
            (Some(command), _) => {
                let told = number + 1..number + 1;
                exchanges.push(Part::Exchange { command: command.to_owned(), told });
            }
            // Blank lines at the end part it from the next command.
            (None, _) if lines[number].is_empty() => {}
            (None, Some(Part::Exchange { told, .. })) => told.end = number + 1,
            (None, _) => panic!("a block begins with a command: {}", lines[number]),
        }
    }
    exchanges
}

/// The page without its fenced blocks.
pub fn prose(page: &str) -> String {
    let blocks = blocks(page);
    let fenced = |number: &usize| {
        blocks.iter().any(|block| (block.lines.start - 1..=block.lines.end).contains(number))
    };
    let lines = page.lines().enumerate().filter(|(number, _)| !fenced(number));
    lines.map(|(_, line)| format!("{line}\n")).collect()
}

/// What stands between single backticks.
pub fn spans(page: &str) -> Vec<String> {
    prose(page).split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect()
}

/// What a reader may type: the lines of shell blocks, continued ones joined, prompts taken off.
pub fn typed(page: &str) -> Vec<String> {
    let lines: Vec<_> = page.lines().collect();
    let mut typed = vec![];
    for block in blocks(page) {
        let text = lines[block.lines].join("\n").replace("\\\n", " ");
        match block.language.as_str() {
            "sh" => typed.extend(text.lines().map(str::to_owned)),
            "console" => {
                typed.extend(text.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned))
            }
            _ => {}
        }
    }
    typed
}

/// The cells of the rows below the heading `title`, without the table's head.
pub fn table(page: &str, title: &str) -> Vec<Vec<String>> {
    let rows = page
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != title)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2).map(cells).collect()
}

/// The targets of `[text](target)`.
pub fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The names under which a page's headings can be linked to.
pub fn anchors(page: &str) -> Vec<String> {
    let titles = prose(page);
    let titles = titles.lines().filter(|line| line.starts_with('#'));
    let anchor = |title: &str| -> String {
        let title = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
    };
    titles.map(anchor).collect()
}
