//! `wbstore config` without a cloud.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use crate::support::{Folder, Ran, run, wbstore};

/// All of the guide's variables, and each secret with `canary` in it.
const WANDB: &str = "\
LICENSE=eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDAsImEiOiJjYW5hcnkifQ.canarycanary
MYSQL=mysql://wandb_local:p%40canary@db.acme.com:3306/wandb_local?tls=preferred
BUCKET=s3://AKIACME:s%2Fcanary@minio.acme.com:9000/wandb?region=eu-1&tls=true
BUCKET_QUEUE=internal://
NOTIFICATIONS_QUEUE=sqs://acme-run-events
AWS_REGION=eu-west-1
HOST=https://wandb.acme.com
OIDC_ISSUER=https://acme.okta.com
OIDC_CLIENT_ID=0oa1b2c3
OIDC_AUTH_METHOD=pkce
GORILLA_OIDC_SECRET='canary $ecret'
SLACK_CLIENT_ID=123.456
SLACK_SECRET=ca4a49ca4a49ca4a49ca4a49ca4a4900
LOCAL_RESTORE=false
REDIS=redis://:r%23canary@cache.acme.com:6380?tls=true&ttlInSeconds=604800
LOGGING_ENABLED=true
AZURE_STORAGE_KEY=Y2FuYXJ5canary==
";

const FORMS: [&str; 8] = ["env", "dotenv", "docker", "k8s-secret", "helm", "operator-v2", "login", "json"];

/// Three of `WANDB`, without line breaks of their own.
const FEW: &str = "HOST=https://wandb.acme.com\nOIDC_CLIENT_ID=a b\nREDIS=redis://:canary%24@h?tls=true\n";

/// What a POSIX shell has in each variable after it evaluated `text`.
fn evaluated(text: &str, names: &[&str]) -> Vec<String> {
    let print: String = names.iter().map(|name| format!("printf '%s\\0' \"${name}\"\n")).collect();
    let ran = run(Command::new("sh").args(["-eu", "-c", &format!("eval \"$(cat)\"\n{print}")]), text).done();
    ran.stdout.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn all_settings_come_back_from_a_shell() {
    let ran = Folder::with(WANDB).config(&["--reveal"]).done();
    assert_eq!(ran.stderr, "");
    let pairs: Vec<_> = WANDB.lines().map(|line| line.split_once('=').expect("a pair")).collect();
    let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = pairs.iter().map(|(_, value)| value.trim_matches('\'').to_owned()).collect();
    assert_eq!(evaluated(&ran.stdout, &names), values);
}

#[test]
fn no_form_tells_a_secret_unasked() {
    let folder = Folder::with(WANDB);
    for form in FORMS {
        for format in ["human", "json"] {
            let arguments = ["-v", "--output", form, "--format", format, "--server-version", "0.78.0"];
            let ran = folder.config(&arguments);
            ran.is_silent();
            // Version 2 has no field for the time to live.
            assert_eq!(ran.code, Some(if form == "operator-v2" { 2 } else { 0 }), "{form}: {}", ran.stderr);
        }
    }
    let withheld = folder.config(&[]).done().stdout;
    for comment in [
        "\n# LICENSE=***\n",
        "\n# MYSQL=mysql://wandb_local:***@db.acme.com:3306/wandb_local?tls=preferred\n",
        "\n# BUCKET=s3://AKIACME:***@minio.acme.com:9000/wandb?region=eu-1&tls=true\n",
        "\n# REDIS=redis://:***@cache.acme.com:6380?tls=true&ttlInSeconds=604800\n",
    ] {
        assert!(withheld.contains(comment), "{withheld}");
    }
    assert_eq!(evaluated(&withheld, &["HOST"]), ["https://wandb.acme.com"]);
}

#[test]
fn a_file_of_secrets_is_new_and_nobody_elses() {
    let folder = Folder::with(FEW);
    let ran = folder.config(&["--output", "dotenv", "--secret-file", "secrets.env"]).done();
    ran.is_silent();
    assert_eq!(
        ran.stdout,
        "HOST=https://wandb.acme.com\nOIDC_CLIENT_ID='a b'\n# REDIS was written to secrets.env\n"
    );
    let path = folder.path("secrets.env");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "REDIS='redis://:canary%24@h?tls=true'\n");
    assert_eq!(path.metadata().expect("it is there").mode() & 0o777, 0o600);
    folder.config(&["--secret-file", "secrets.env"]).refused().tells(&["secrets.env", "it exists"]);
    folder.config(&["--secret-file", "new.env", "--reveal"]);
    assert!(!folder.path("new.env").exists());
    let open = Folder::with("HOST=https://wandb.acme.com\n");
    let ran = open.config(&["--secret-file", "secrets.env"]).done();
    assert!(
        ran.stdout.contains("# no file was written: the configuration has no secret\n"),
        "{}",
        ran.stdout
    );
    assert!(!open.path("secrets.env").exists());
}

#[test]
fn the_manifest_of_the_secret_goes_to_the_file_or_below() {
    let folder = Folder::with(FEW);
    let ran =
        folder.config(&["--output", "helm", "--namespace", "wandb", "--secret-file", "secret.yaml"]).done();
    ran.is_silent();
    assert!(
        ran.stdout.contains("# the Secret that this refers to was written to secret.yaml: apply it first\n")
    );
    let manifest = fs::read_to_string(folder.path("secret.yaml")).expect("it is there");
    assert!(manifest.contains("namespace: \"wandb\"") && manifest.contains("REDIS_PASSWORD: \"canary%24\""));
    let below = folder.config(&["--output", "helm", "--namespace", "wandb", "--reveal"]).done().stdout;
    assert_eq!(below.split_once("---\n").expect("two documents").1, manifest);
}

#[test]
fn settings_come_from_a_file_stdin_or_the_environment() {
    let folder = Folder::with(FEW);
    let expected = folder.config(&["--output", "json", "--reveal"]).done().stdout;
    let here = folder.path("");
    let stdin =
        |text| run(wbstore(&here).args(["config", "--settings", "-", "--output", "json", "--reveal"]), text);
    assert_eq!(stdin(FEW).done().stdout, expected);
    for arguments in [&["config"][..], &["config", "--settings", "env:"]] {
        let mut process = wbstore(&here);
        process
            .args(arguments)
            .args(["--output", "json", "--reveal"])
            .env("PATH", "/bin")
            .env("EDITOR", "vi");
        process.env("REDIS", "redis://:canary%24@h?tls=true").env("HOST", "https://wandb.acme.com");
        let ran = run(process.env("OIDC_CLIENT_ID", "a b").env("SLACK_SECRET", ""), "").done();
        assert_eq!(ran.stderr, "");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&ran.stdout), read(&expected));
    }
    let named = run(
        wbstore(&here).args(["config", "--output", "json", "--reveal"]).env("WBSTORE_SETTINGS", "wandb.env"),
        "",
    );
    assert_eq!(named.done().stdout, expected);
    run(wbstore(&here).arg("config"), "")
        .refused()
        .tells(&["no variable of the server is set", "`--settings FILE`"]);
}

#[test]
fn a_file_of_any_editor_is_the_same() {
    let expected = Folder::with(FEW).config(&["--reveal"]).done().stdout;
    for text in [
        format!("\u{feff}{}", FEW.replace('\n', "\r\n")),
        FEW.replace("HOST=", "# the server\n\nexport HOST = ").replace("=a b", "=\"a b\" # it"),
        FEW.replace("REDIS=", "  REDIS='").replace("tls=true", "tls=true'"),
    ] {
        let ran = Folder::with(&text).config(&["--reveal"]).done();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected.as_str(), ""), "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_without_its_text() {
    let long = format!("LICENSE=canary{}\n", "x".repeat(1 << 20));
    let cases: [(&[u8], &str); 8] = [
        (b"", "wandb.env sets no variable"),
        (b"# HOST=canary\n", "wandb.env sets no variable"),
        (b"HOST=https://a.example\ncanary\n", "wandb.env:2: a line without `=`"),
        (b"HOST=a\nLICENSE=canary\nLICENSE=canary2\n", "wandb.env:3: LICENSE is already set on line 2"),
        (b"LICENSE='canary\n", "wandb.env:1: LICENSE: a quote that is not closed"),
        (b"\x7fELF\0\0canary=\0", "wandb.env is not a text file"),
        (b"LICENSE=\xff\xfecanary\n", "wandb.env is not a text file"),
        (long.as_bytes(), "wandb.env is larger than 1 MiB"),
    ];
    for (text, why) in cases {
        let folder = Folder::with(text);
        for form in ["env", "helm", "json"] {
            folder.config(&["--output", form, "--reveal"]).refused().tells(&[why]).is_silent();
        }
    }
    let folder = Folder::with(FEW);
    for (path, why) in
        [("none.env", "cannot read the settings"), (".", "cannot read the settings"), ("", "is empty")]
    {
        folder.run(&["config", "--settings", path]).refused().tells(&[why]);
    }
}

#[test]
fn a_stream_without_an_end_ends() {
    let file = fs::File::open("/dev/zero").expect("it is there");
    let output = Command::new(env!("CARGO_BIN_EXE_wbstore"))
        .args(["config", "--settings", "-"])
        .env_clear()
        .stdin(file)
        .output()
        .expect("it ends");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn what_looks_wrong_is_a_warning_with_the_line() {
    let text = "REDIS_URL=canary\nREDIS=rediss://:can/ary@h\nSLACK_SECRET=\nOIDC_CLIENT_ID=${X}\nBUCKET=gcs://acme\n";
    let ran = Folder::with(text).config(&[]).done().tells(&[
        "warning: wandb.env:1: W&B documents no variable `REDIS_URL`; did you mean REDIS?\n",
        "warning: wandb.env:2: REDIS form: column 1: the scheme `rediss://`, which W&B does not accept: use `redis://` \
         with `tls=true`: `redis://:***@h?tls=true`\n",
        "warning: wandb.env:3: SLACK_SECRET is empty and counts as not set\n",
        "warning: wandb.env:4: the `${…}` in OIDC_CLIENT_ID is taken literally\n",
        "warning: wandb.env:5: BUCKET form: column 1: the scheme `gcs://`, which W&B does not accept: use `gs://`: \
         `gs://acme`\n",
    ]);
    assert!(!ran.stdout.contains("ary@") && ran.stdout.contains("\n# REDIS=***\n"), "{}", ran.stdout);
    let json = Folder::with(text).config(&["--format", "json"]).done();
    for line in json.stderr.lines() {
        let note: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let is_fine = note["note"].as_str().is_some_and(|text| text.contains("are secrets: add --reveal"));
        assert!(is_fine || note["event"] == "warning", "{line}");
    }
}

#[test]
fn text_of_a_file_neither_drives_a_terminal_nor_begins_a_line() {
    let text = "HOST=https://wandb.acme.com\nLICENSE=x\u{1b}[31m\nZ\u{1b}[2J=1\n";
    let ran = Folder::with(text).config(&[]).refused();
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    let ran = Folder::with("HOST=https://wandb.acme.com\nOIDC_CLIENT_ID='x\u{1b}[31m'\n")
        .config(&["--output", "docker"]);
    ran.refused().tells(&["cannot write OIDC_CLIENT_ID as `docker`"]);
}

#[test]
fn what_a_form_cannot_hold_is_refused() {
    let cases = [
        ("docker", "GORILLA_OIDC_SECRET=\"can\\nary\"\n", "a line break"),
        ("dotenv", "GORILLA_OIDC_SECRET='can\\ary'\n", "a backslash"),
        ("helm", "OIDC_CLIENT_ID='{{ canary }}'\n", "a `{{`"),
        ("helm", "OIDC_ISSUER=https://canary.example\n", "without OIDC_CLIENT_ID"),
        ("helm", "MYSQL=mysql://u:canary@h/d?tls=true\n", "`tls=preferred`"),
        ("helm", "REDIS=redis://:can@ary@h\n", "column 13"),
        (
            "operator-v2",
            "REDIS=redis://:canary@h?cluster=true\nHOST=https://h.example\n",
            "no field for `cluster`",
        ),
        ("operator-v2", "REDIS=redis://:canary@h\n", "HOST is not set"),
        ("login", "OIDC_CLIENT_ID=canary\n", "HOST is not set"),
        ("login", "HOST=https://wandb.ai\n", "the client refuses https://wandb.ai"),
    ];
    for (form, text, why) in cases {
        let folder = Folder::with(text);
        for disclosed in ["--reveal", "--secret-file=secrets"] {
            let ran = folder.config(&["--output", form, "--server-version", "0.78.0", disclosed]);
            ran.refused().tells(&[why]).is_silent();
            assert!(!folder.path("secrets").exists(), "{form}");
        }
    }
    let ran = Folder::with(FEW).config(&["--output", "operator-v2"]).refused();
    ran.tells(&["requires the version of the server", "`--server-version 0.78.0`"]);
}

#[test]
fn options_that_have_no_meaning_are_refused() {
    let folder = Folder::with(FEW);
    for (arguments, why) in [
        (&["--namespace", "Wandb"][..], "use `wandb`"),
        (&["--namespace", "wandb"], "--namespace has no effect with --output env"),
        (&["--namespace", "wandb", "--output", "docker"], "--namespace has no effect with --output docker"),
        (&["--namespace", "wandb", "--format", "json"], "--namespace has no effect with --output json"),
        (&["--namespace", "wandb", "--output", "login"], "`--output k8s-secret`"),
        (&["--server-version", "latest"], "which the operator does not accept"),
        (&["--output", "toml"], "not one of the possible values"),
        (&["--reveal", "--secret-file", "x"], "cannot be used with"),
        (&["--name", "-"], "begins with `-`"),
    ] {
        let ran = folder.config(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        ran.tells(&[why]);
    }
    // The file alone is not beside a cloud.
    let ran = folder.run(&["config", "--settings", "wandb.env", "aws"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}

#[test]
fn login_says_how_a_user_finds_the_server() {
    let ran = Folder::with(WANDB).config(&["--output", "login"]).done();
    assert_eq!(
        ran.stdout,
        "\
# In a shell
wandb login --host=https://wandb.acme.com

# In Python
wandb.login(host=\"https://wandb.acme.com\")

# In the environment of a job; https://wandb.acme.com/authorize shows the key
export WANDB_BASE_URL=https://wandb.acme.com
export WANDB_API_KEY=<API-KEY>
"
    );
    ran.is_silent();
}

#[test]
fn login_has_no_secret() {
    let folder = Folder::with(WANDB);
    let ran = folder.config(&["--output", "login", "--secret-file", "secrets"]).done();
    ran.is_silent();
    assert!(!folder.path("secrets").exists());
}

#[test]
fn an_address_has_no_slash_at_its_end() {
    let folder = Folder::with("HOST=https://wandb.acme.com/\n");
    let ran =
        folder.config(&[]).done().tells(&["HOST form: it ends in a slash", "use `https://wandb.acme.com`"]);
    assert_eq!(ran.stdout, "HOST=https://wandb.acme.com\n");
    let helm = folder.config(&["--output", "helm"]).done().stdout;
    assert!(helm.contains("  host: \"https://wandb.acme.com\"\n"), "{helm}");
}

#[test]
fn a_pipe_that_takes_its_time_is_waited_for_in_sight() {
    let folder = Folder::with(FEW);
    let mut process = wbstore(&folder.path(""))
        .args(["config", "--settings", "-", "--output", "json", "--reveal"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = String::new();
    let mut stderr = BufReader::new(process.stderr.take().expect("it is piped"));
    while !said.contains("reading the settings") {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "it ended without a word: {said}");
    }
    process.stdin.take().expect("it is piped").write_all(FEW.as_bytes()).expect("it is read");
    let printed = process.wait_with_output().expect("it ends").stdout;
    let expected = folder.config(&["--output", "json", "--reveal"]).done().stdout;
    assert_eq!(String::from_utf8(printed).expect("text"), expected);
}

#[test]
fn the_secret_is_named_after_the_deployment() {
    let name = |text: &str, arguments: &[&str]| {
        let Ran { stdout, .. } =
            Folder::with(text).config(&[&["--output", "k8s-secret"], arguments].concat()).done();
        stdout.lines().find_map(|line| line.trim().strip_prefix("name: ").map(str::to_owned)).expect("a name")
    };
    assert_eq!(name(FEW, &[]), "\"wandb-acme-com-wandb-settings\"");
    assert_eq!(name(FEW, &["--name", "acme"]), "\"acme-wandb-settings\"");
    assert_eq!(name("OIDC_CLIENT_ID=x\n", &[]), "\"wandb-wandb-settings\"");
}
