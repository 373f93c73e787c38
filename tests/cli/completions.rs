//! Completions, in the shells that ask for them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{command, run};

/// A folder with a file of deployments, and the program by its name.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[deployment.prod]\ncloud = \"aws\"\nhost = \"https://wandb.acme.com\"\n\
                [deployment.prod.team.vision]\nnode-role = \"arn:aws:iam::123456789012:role/wandb\"\n\
                [deployment.lab]\ncloud = \"gcp\"\n[deployment.\"$(reboot)\"]\ncloud = \"aws\"\n";
    fs::write(folder.path().join("wbstore.toml"), file).expect("a file");
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    let program = env!("CARGO_BIN_EXE_wbstore");
    #[cfg(unix)]
    std::os::unix::fs::symlink(program, folder.path().join("bin/wbstore")).expect("a link");
    folder
}

/// What each line may go on with, and what it may not.
const LINES: [(&str, &[&str], &str); 16] = [
    ("wbstore te", &["teardown"], "plan"),
    ("wbstore plan ", &["aws", "azure", "gcp", "s3"], "teardown"),
    ("wbstore plan aws --queue ", &["internal"], "pubsub"),
    ("wbstore plan gcp --queue ", &["internal", "pubsub"], "aws"),
    ("wbstore plan aws --region eu-w", &["eu-west-1", "eu-west-3"], "us-east-1"),
    ("wbstore plan gcp --location NAM", &["NAM4"], "US-EAST1"),
    ("wbstore plan azure --location west", &["westeurope"], "eastus"),
    ("wbstore config aws --output ", &["helm", "k8s-secret"], "human"),
    ("wbstore plan aws --format m", &["markdown"], "json"),
    ("wbstore plan --only ", &["lab", "prod", "prod/vision"], "reboot"),
    ("wbstore teardown aws --name ", &["lab", "prod"], "vision"),
    ("wbstore plan aws --team ", &["vision"], "prod"),
    ("wbstore plan aws --notif", &["--notifications-queue"], "--resource-group"),
    ("wbstore plan gcp --serv", &["--service-account"], "--subscription"),
    ("wbstore provision azure --secr", &["--secret-file"], "--region"),
    ("wbstore plan aws --reso", &[], "--resource-group"),
];

/// Checks what `shell` offers for each of the lines.
fn offers(shell: impl Fn(&Path, &str) -> String) {
    let folder = place();
    for (line, offered, other) in LINES {
        let shown = shell(folder.path(), line);
        let words: Vec<&str> = shown.split_whitespace().collect();
        for word in offered {
            assert!(words.contains(word), "{line}: no {word} in {shown:?}");
        }
        assert!(!words.iter().any(|word| word.contains(other)), "{line}: {other} in {shown:?}");
    }
}

/// What `program` prints that runs in `folder`, with wbstore in its `PATH` and an endpoint that must not be called.
fn printed(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut process = Command::new(program);
    process.args(arguments).current_dir(folder).env_clear();
    process.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    process.env("HOME", folder).env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
    let output = process.output().unwrap_or_else(|error| panic!("{program} is not installed: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(unix)]
#[test]
fn bash_offers_what_fits() {
    offers(|folder, line| {
        let script = "source <(wbstore completions bash)
            COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
            read -ra COMP_WORDS <<< \"$1\"
            [[ $1 == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            spec=($(complete -p wbstore)); for i in \"${!spec[@]}\"; do [[ ${spec[i]} == -F ]] && name=${spec[i + 1]}; done
            $name wbstore \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
            printf '%s\\n' \"${COMPREPLY[@]}\"";
        printed("bash", folder, &["--norc", "--noprofile", "-c", script, "bash", line])
    });
}

#[test]
#[ignore = "needs fish: cargo sandbox test"]
fn fish_offers_what_fits() {
    offers(|folder, line| {
        let script = "wbstore completions fish | source; complete -C $argv[1] | string replace -r '\\t.*' ''";
        printed("fish", folder, &["--no-config", "-c", script, line])
    });
}

#[test]
#[ignore = "needs zsh: cargo sandbox test"]
fn zsh_offers_what_fits() {
    for set_up in [
        "autoload -Uz compinit; compinit -u -D; source <(wbstore completions zsh)",
        "mkdir -p f; wbstore completions zsh > f/_wbstore; fpath=($PWD/f $fpath); autoload -Uz compinit; compinit -u -D",
    ] {
        offers(|folder, line| {
            // What is offered is printed by the function that offers it, and the end by the last one that is called.
            let script = r#"zmodload zsh/zpty
                zpty shell zsh -f -i
                zpty -w shell "PS1=; $1"
                zpty -w shell 'compadd() {
                    [[ ${@[1,(i)(-|--)]} == *-[OAD]\ * ]] && { builtin compadd "$@"; return }
                    local -a offered; builtin compadd -A offered "$@"; print -rl -- "" $offered
                    builtin compadd "$@" }'
                zpty -w shell 'ended() { print EN""DED }; comppostfuncs=(ended); echo RE""ADY'
                zpty -r shell said '*READY*'
                zpty -w -n shell "$2"$'\t'
                zpty -r shell said '*ENDED*'
                print -r -- "$said""#;
            printed("zsh", folder, &["-f", "-c", script, "zsh", set_up, line])
        });
    }
}

#[test]
fn elvish_and_powershell_have_a_script() {
    for shell in ["elvish", "powershell"] {
        let ran = run(|process| {
            process.args(["completions", shell]);
        });
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.contains("WBSTORE_COMPLETE") && ran.stdout.contains("wbstore"), "{}", ran.stdout);
    }
}

#[test]
fn a_shell_is_answered_without_a_request_and_whatever_the_file_has() {
    for file in ["", "[deployment", "deployment = 1", "[deployment.prod]\nwrong = true\n"] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("wbstore.toml"), file).expect("a file");
        let ran = run(|process| {
            process.current_dir(folder.path()).env("WBSTORE_COMPLETE", "fish");
            process.args(["--", "wbstore", "plan", "--only", ""]);
        });
        let offered = if file.contains("wrong") { "prod\n" } else { "" };
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), offered, ""), "{file}");
        assert!(!ran.connected);
    }
    let other = place();
    let named = other.path().join("wbstore.toml");
    let mut process = command("http://127.0.0.1:1");
    process
        .env("WBSTORE_COMPLETE", "fish")
        .args(["--", "wbstore", "plan", "--file"])
        .arg(&named)
        .args(["--only", "l"]);
    assert_eq!(String::from_utf8_lossy(&process.output().expect("it runs").stdout), "lab\n");
}

#[test]
fn an_unknown_shell_is_an_error() {
    let ran = run(|process| {
        process.env("WBSTORE_COMPLETE", "tcsh").args(["--", "wbstore", ""]);
    });
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("bash") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
}
