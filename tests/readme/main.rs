//! Keeps what newcomers read true: the README's transcript against a real run, and every link,
//! option, command and exit code in the documents against the program.

mod doctor;
mod documents;
mod ground;
mod markdown;
mod settings;
mod transcript;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document that people read, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = vec![];
    for folder in ["", "docs", "providers"] {
        for entry in root().join(folder).read_dir().expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(&path).expect("a page is text");
                pages.push((path, text));
            }
        }
    }
    pages.sort();
    pages
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("there is a README")
}
