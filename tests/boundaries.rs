//! What may know of what, read off the source: a provider knows neither views nor the command line,
//! the planner knows no cloud, and only the console prints.

use std::fs;
use std::path::{Path, PathBuf};

/// What a provider may use of the crate, besides its own modules.
const FOR_PROVIDERS: &[&str] = &[
    "ablation",
    "ambient",
    "cors",
    "doctor",
    "empty",
    "endpoint",
    "error",
    "event",
    "expiry",
    "explain",
    "http",
    "inventory",
    "lease",
    "lifecycle",
    "listed",
    "mark",
    "mutations",
    "name",
    "names",
    "option",
    "origin",
    "origins",
    "outside",
    "pages",
    "retry",
    "plan::Goal",
    "pods",
    "policy",
    "provider",
    "queue_choice",
    "reader",
    "resource",
    "secret",
    "settings::bucket_address",
    "settings::file_stores",
    "settings::url_parts",
    "span",
    "tag",
    "text",
    "timings",
    "value",
    "verify",
    "versioning",
];

/// The clouds that have S3's protocol in common, and its module.
const PROTOCOL: (&[&str], &str) = (&["aws", "s3"], "providers::s3_protocol");

/// What the settings may use of the crate: they know neither clouds nor the forms in which they are written.
const FOR_SETTINGS: &[&str] =
    &["error", "names", "origin", "outside", "secret", "settings", "value", "verify"];

/// What the checks of the settings may use; only that of the storage has a cloud.
const FOR_CHECKS: &[&str] = &[
    "deadline",
    "error",
    "http",
    "origin",
    "provider",
    "providers::aws::options",
    "providers::azure::options",
    "providers::gcp::options",
    "providers::s3::options",
    "secret",
    "settings",
    "text",
    "verify",
];

/// What `doctor` may use: it knows no cloud, and no view.
const FOR_DOCTOR: &[&str] =
    &["deadline", "engine", "error", "http", "plan::Goal", "provider", "text", "verify"];

/// What decides without looking: the planner and the contract below it.
const PURE: &[&str] = &["src/plan", "src/plan.rs"];

/// What the planner must not reach: the world, in any form.
const IMPURE: &[&str] =
    &["providers", "tokio", "std::time", "std::io", "std::fs", "std::env", "std::net", "SystemTime"];

/// Who may print.
const VOICES: &[&str] = &["src/console.rs", "src/main.rs"];

const MACROS: &[&str] = &["print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// A source file without its comments and, as far as an attribute says so, its tests.
struct Source {
    path: String,
    code: String,
}

/// Every Rust file below `folder` of the package.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the package's folders can be read") {
            let path: PathBuf = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                let path = path.strip_prefix(root).expect("it is below the root").display().to_string();
                found.push(Source { path, code: code(&text) });
            }
        }
    }
    assert!(!found.is_empty(), "there is nothing in {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The text without comments and without a test module at its end.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that `code` takes from its own crate, with lists and nested lists spelt out.
fn crate_paths(code: &str) -> Vec<String> {
    code.match_indices("crate::").flat_map(|(at, prefix)| paths(&code[at + prefix.len()..])).collect()
}

/// The paths at the beginning of `text`: one, or those of a list in braces.
fn paths(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let Some(list) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(text.len());
        let path = &text[..end];
        return match path.strip_suffix("::") {
            Some(parent) => paths(&text[end..]).iter().map(|rest| format!("{parent}::{rest}")).collect(),
            None => vec![path.to_owned()],
        };
    };
    let (mut found, mut depth, mut start) = (vec![], 0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                if !list[start..at].trim().is_empty() {
                    found.extend(paths(&list[start..at]));
                }
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether `path` is `allowed` or below it.
fn is_below(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn require(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_provider_knows_the_contract_and_its_own_cloud_only() {
    let mut broken = vec![];
    for source in sources("providers") {
        let cloud = source.path.split(['/', '\\']).nth(1).unwrap_or_default();
        let own = format!("providers::{cloud}");
        let protocol = if PROTOCOL.0.contains(&cloud) { PROTOCOL.1 } else { &own };
        for path in crate_paths(&source.code) {
            let allowed = FOR_PROVIDERS.iter().any(|allowed| is_below(&path, allowed))
                || is_below(&path, &own)
                || is_below(&path, protocol);
            if !allowed {
                broken.push(format!("{} uses crate::{path}", source.path));
            }
        }
    }
    require(&broken);
}

/// What the module `name` of `src/` uses of the crate besides itself and what is `allowed`.
fn other_uses(name: &str, allowed: &[&str]) -> Vec<String> {
    let (folder, file) = (format!("src/{name}"), format!("src/{name}.rs"));
    let is_of_module = |source: &Source| {
        let path = Path::new(&source.path);
        path.starts_with(&folder) || path == Path::new(&file)
    };
    let module: Vec<_> = sources("src").into_iter().filter(is_of_module).collect();
    assert!(module.len() > 5, "{name} has moved");
    let mut broken = vec![];
    for source in &module {
        for path in crate_paths(&source.code) {
            if !is_below(&path, name) && !allowed.iter().any(|allowed| is_below(&path, allowed)) {
                broken.push(format!("{} uses crate::{path}", source.path));
            }
        }
    }
    broken
}

#[test]
fn the_settings_know_no_cloud_and_no_form() {
    require(&other_uses("settings", FOR_SETTINGS));
}

#[test]
fn the_checks_know_no_view_and_of_clouds_only_their_options() {
    require(&other_uses("check", FOR_CHECKS));
}

#[test]
fn the_doctor_knows_no_cloud_and_no_view() {
    require(&other_uses("doctor", FOR_DOCTOR));
}

#[test]
fn the_planner_knows_no_cloud_no_clock_and_no_world() {
    let pure = |path: &str| PURE.iter().any(|pure| Path::new(path).starts_with(pure));
    let planner: Vec<_> = sources("src").into_iter().filter(|source| pure(&source.path)).collect();
    assert!(!planner.is_empty(), "the planner has moved; {PURE:?} should name it");
    let mut broken = vec![];
    for source in &planner {
        let impure = IMPURE.iter().chain(MACROS).filter(|impure| source.code.contains(**impure));
        broken.extend(impure.map(|impure| format!("{} has {impure} in it", source.path)));
    }
    require(&broken);
}

#[test]
fn only_the_console_prints() {
    let mut broken = vec![];
    for source in [sources("src"), sources("providers")].into_iter().flatten() {
        if VOICES.contains(&source.path.as_str()) {
            continue;
        }
        let words = source.code.split(|c: char| !c.is_alphanumeric() && !"_!".contains(c));
        broken.extend(
            words.filter(|word| MACROS.contains(word)).map(|word| format!("{}: {word}", source.path)),
        );
    }
    require(&broken);
}

#[test]
fn these_tests_read_imports_as_the_compiler_does() {
    let code = code("use crate::{a, b::{self, c}}; // crate::no\nlet x = crate::d::E::new();");
    assert_eq!(crate_paths(&code), ["a", "b::self", "b::c", "d::E::new"]);
    assert!(is_below("plan::Goal", "plan::Goal"));
    assert!(!is_below("plan::Plan", "plan::Goal"));
    assert!(!is_below("names", "name"));
}
