//! The readers: the real ones where a test can have them, else the rules of their documentation.

use std::io::Write;
use std::process::{Command, Stdio};

use yaml_rust2::{Yaml, YamlLoader};

/// What `sh` has in `$name` after `eval` of `text`.
pub(super) fn sh(text: &str, name: &str) -> String {
    let script = format!(r#"eval "$(cat)"; printf '%s.' "${name}""#);
    let mut shell = Command::new("sh")
        .args(["-eu", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let read = shell.wait_with_output().unwrap();
    assert!(read.status.success(), "sh refuses {text:?}");
    // The full stop keeps a final line break from being taken for the end of the output.
    String::from_utf8(read.stdout).unwrap().strip_suffix('.').unwrap().to_owned()
}

/// Docker's rules: lines, comments, and all after the first `=`.
/// <https://docs.docker.com/reference/cli/docker/container/run/#env>
pub(super) fn docker(text: &str, name: &str) -> String {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .find_map(|line| line.split_once('=').filter(|(key, _)| *key == name))
        .unwrap()
        .1
        .to_owned()
}

/// The strictest reader of `.env` files: what any of them would expand or unescape is an error.
/// <https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax>
pub(super) fn dotenv(text: &str, name: &str) -> String {
    let (_, value) =
        text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| *key == name)).unwrap();
    assert!(!value.contains('\\') && !value.contains("${"), "readers disagree on {value:?}");
    let within = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    if let Some(literal) = within('\'') {
        assert!(!literal.contains('\''), "the quote ends early in {value:?}");
        return literal.to_owned();
    }
    if let Some(text) = within('"') {
        assert!(!text.contains(['"', '$', '`']), "readers disagree on {value:?}");
        return text.to_owned();
    }
    assert!(!value.contains(['\'', '"', '#', '$', '`', ' ']), "readers disagree on {value:?}");
    value.to_owned()
}

/// The one document of `text`, as a YAML parser other than the writer's reads it.
pub(super) fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}
