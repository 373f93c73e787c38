//! What all of these tests ask.

use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::settings::SettingsFile;

/// Of every service in these tests. It has to be encoded in a URL.
pub const PASSWORD: &str = "s3cret/@word";
/// The same as a URL has it.
pub const ENCODED: &str = "s3cret%2F%40word";

/// Runs `wbstore check --format json` of one variable, trusting `authority`.
pub async fn check(variables: &[(&str, &str)], authority: &Authority, more: &[&str]) -> Ran {
    let file = authority.file().display().to_string();
    let arguments = [&["--format", "json", "--ca", file.as_str()], more].concat();
    SettingsFile::of(variables).check(&arguments).await
}

/// What can be asked of the checks.
pub trait Checked {
    /// Checks that `name` has this verdict, and that its reason, detail and hint together have all of `words`.
    fn is(&self, name: &str, verdict: &str, words: &[&str]) -> &Self;

    /// Whether there is a check called `name`.
    fn has(&self, name: &str) -> bool;
}

impl Checked for Ran {
    #[track_caller]
    fn is(&self, name: &str, verdict: &str, words: &[&str]) -> &Self {
        let check = self.check(name);
        assert_eq!(check["verdict"], verdict, "{name}\n{self}");
        let text =
            ["detail", "reason", "hint"].map(|field| check[field].as_str().unwrap_or_default()).join("\n");
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {name}\n{self}");
        }
        if verdict == "failed" || verdict == "warned" {
            assert!(
                check["hint"].as_str().is_some_and(|hint| !hint.is_empty()),
                "{name} has no hint\n{self}"
            );
        }
        self
    }

    fn has(&self, name: &str) -> bool {
        self.stdout.lines().any(|line| line.contains(&format!("\"name\":\"{name}\"")))
    }
}
