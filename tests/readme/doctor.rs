//! The transcript of the page on `doctor`, run again on the double of Google Cloud, which needs no emulator.

use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::gcp::double::Options;
use wbstore_sandbox::ran::finish;

use crate::{markdown, root};

const UPDATE: &str = "UPDATE_README";

/// The lines that differ from machine to machine.
const OF_THIS_MACHINE: [&str; 3] =
    ["✓ passed       version: ", "✓ passed       proxy: ", "✓ passed       certificates: "];

#[tokio::test]
async fn the_page_on_doctor_shows_what_happens() {
    let path = root().join("docs/doctor.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    let blocks = markdown::blocks(&page);
    let block = blocks.iter().find(|block| block.language == "console").expect("the page has a transcript");
    let first = block.lines.start;
    let command = lines[first].strip_prefix("$ wbstore ").expect("it begins with a command").to_owned();
    let options = Options { project: Some("acme-prod".to_owned()), ..Options::default() };
    let gcp = Gcp::with(options).await.expect("a double");
    let mut process = gcp.wbstore();
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        process.env_remove(name);
    }
    for name in ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        process.env_remove(name);
    }
    process.args(command.split(' '));
    let ran = finish(process).await.ends(0);
    let happened = ran
        .stdout
        .replace(&gcp.double().folder().display().to_string(), "/etc/wandb")
        .replace(&gcp.proxy().url(), "http://127.0.0.1:8080")
        .replace(&gcp.double().number(), "123456789012");
    let happened: Vec<_> = happened.trim_end().lines().map(str::to_owned).collect();
    let shown = first + 1..block.lines.end;
    if std::env::var_os(UPDATE).is_some() {
        lines.splice(shown, happened);
        std::fs::write(path, lines.join("\n") + "\n").expect("it can be written");
        return;
    }
    let accept = "to accept it: UPDATE_README=1 cargo test --test readme";
    assert_eq!(lasting(&lines[shown]), lasting(&happened), "`{command}`; {accept}");
}

/// The lines without what differs from machine to machine.
fn lasting(lines: &[String]) -> Vec<String> {
    let start = |line: &String| OF_THIS_MACHINE.into_iter().find(|start| line.starts_with(start));
    lines.iter().map(|line| start(line).map_or_else(|| line.clone(), str::to_owned)).collect()
}
