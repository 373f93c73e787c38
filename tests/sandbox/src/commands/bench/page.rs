//! What was measured, put between the marks of `docs/performance.md`.

use std::fs;
use std::path::PathBuf;

use wbstore_sandbox::{Error, paths};

/// Where the marks and the charts are.
pub struct Page {
    folder: PathBuf,
    text: String,
}

impl Page {
    /// The page in the workspace that cargo runs this from.
    pub fn open() -> Result<Self, Error> {
        let folder = paths::project()?.join("docs");
        let file = folder.join("performance.md");
        let text =
            fs::read_to_string(&file).map_err(|error| Error::new(format!("{}: {error}", file.display())))?;
        let charts = folder.join("performance");
        fs::create_dir_all(&charts).map_err(|error| Error::new(format!("{}: {error}", charts.display())))?;
        Ok(Self { folder, text })
    }

    /// The file of the chart `name`.
    pub fn chart(&self, name: &str) -> PathBuf {
        self.folder.join("performance").join(format!("{name}.svg"))
    }

    /// The chart `name` as part of the page.
    pub fn figure(name: &str, alternative: &str) -> String {
        format!("\n![{alternative}](performance/{name}.svg)\n")
    }

    /// Puts `text` between the marks `name`, and saves the page, so that a run that ends early leaves what it has.
    pub fn put(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
        let missing = || Error::new(format!("docs/performance.md has no marks for {name}"));
        let (before, rest) = self.text.split_once(&begin).ok_or_else(missing)?;
        let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
        self.text = format!("{before}{begin}{text}{end}{after}");
        let file = self.folder.join("performance.md");
        fs::write(&file, &self.text).map_err(|error| Error::new(format!("{}: {error}", file.display())))
    }
}

/// A table in Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<_> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(&mut head.iter().copied());
    // Numbers are to the right.
    let rule: Vec<_> = (0..head.len()).map(|column| if column == 0 { "---" } else { "---:" }).collect();
    text += &format!("|{}|\n", rule.join("|"));
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}
