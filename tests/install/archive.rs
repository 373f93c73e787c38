//! The archives of a release, and what finds them.

use std::fs;
use std::process::Command;

use wbstore_sandbox::archive::Release;

use crate::{host, packed, packed_with, page, run, script};

#[test]
fn an_archive_of_one_program_is_the_same_each_time() {
    let archives = [(); 2].map(|()| {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        script(&program, "echo \"$*\"; [ \"$1\" != man ] || echo page > \"$3/wbstore.1\"");
        fs::read(packed_with(&program, folder.path())).expect("a file")
    });
    assert!(archives[0] == archives[1]);
    // The time in the header of gzip (RFC 1952), which two archives of one second have in common.
    assert_eq!(archives[0][4..8], [0; 4]);
}

#[test]
fn the_checksum_of_an_archive_is_right_and_what_is_in_it_runs() {
    let (archive, folder) = (packed(), tempfile::tempdir().expect("a folder"));
    let name = format!("wbstore-{}-{}", Release::VERSION, host());
    let there = archive.parent().expect("a folder");
    run(Command::new("sha256sum")
        .args(["--check", "--strict", &format!("{name}.tar.gz.sha256")])
        .current_dir(there));
    run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()));
    let version = run(Command::new(folder.path().join(&name).join("wbstore")).arg("--version").env_clear());
    assert_eq!(version, format!("wbstore {}\n", Release::VERSION));

    let members = run(Command::new("python3").args(["-c", MEMBERS]).arg(archive));
    let members: Vec<_> = members.lines().map(|line| line.split_once(' ').expect("a path")).collect();
    for file in ["LICENSE", "README.md", "wbstore.cdx.json", "completions/_wbstore", "man/wbstore-plan.1"] {
        let path = format!("{name}/{file}");
        assert!(members.iter().any(|(there, _)| *there == path), "{file}: {members:?}");
    }
    assert!(members.is_sorted(), "{members:?}");
    for (path, rest) in members {
        let mode = if path.ends_with("/wbstore") { "0o755" } else { "0o644" };
        assert_eq!(rest, format!("{mode} 0 0 315532800"), "{path}");
    }
}

/// Prints path, mode, owner, group and time of each file in an archive.
const MEMBERS: &str = "import sys, tarfile
for file in tarfile.open(sys.argv[1]):
    print(file.name, oct(file.mode), file.uid, file.gid, file.mtime)";

/// A value of the table that cargo-binstall reads, with its placeholders filled in.
/// <https://github.com/cargo-bins/cargo-binstall/blob/main/SUPPORT.md>
fn filled(name: &str) -> String {
    let manifest = page("Cargo.toml");
    let (_, table) = manifest.split_once("[package.metadata.binstall]\n").expect("the table is there");
    let line =
        table.lines().find_map(|line| line.strip_prefix(&format!("{name} = \""))).expect("it has a value");
    let filled = [
        ("repo", env!("CARGO_PKG_REPOSITORY")),
        ("name", env!("CARGO_PKG_NAME")),
        ("bin", "wbstore"),
        ("version", Release::VERSION),
        ("target", &host()),
        ("binary-ext", ""),
    ]
    .iter()
    .fold(line.trim_end_matches('"').to_owned(), |text, (name, value)| {
        text.replace(&format!("{{ {name} }}"), value)
    });
    assert!(!filled.contains(['{', '}']), "{filled}");
    filled
}

#[test]
fn cargo_binstall_finds_the_archive_and_the_program_in_it() {
    let archive = packed();
    let (release, file) =
        filled("pkg-url").rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a URL");
    assert_eq!(
        release,
        format!("https://github.com/wbstore/wbstore/releases/download/v{}", Release::VERSION)
    );
    assert_eq!(Some(file.as_str()), archive.file_name().and_then(|name| name.to_str()));
    assert_eq!(filled("pkg-fmt"), "tgz");
    let listed = run(Command::new("tar").arg("-tzf").arg(archive));
    assert!(listed.lines().any(|path| path == filled("bin-dir")), "{listed}");
    // The action and the page on installation use the same addresses.
    assert!(
        page("action.yml").contains(&format!("default: {}", release.rsplit_once('/').expect("a folder").0))
    );
    assert!(
        page("docs/install.md").contains(&format!("{release}/wbstore-{}-$target.tar.gz", Release::VERSION))
    );
}
