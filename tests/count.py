#!/usr/bin/env python3
"""Counts what the design sets limits to: lines of code, places that look alike, and the size of the program.

    python3 tests/count.py            # from the root of the repository

A line of code is one that is left without tests, comments, blank lines and `use` items. Two places look
alike when six lines of code in a row are the same, to the letter or but for names, strings and numbers.
"""

import collections
import itertools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "providers/aws", "providers/gcp", "providers/azure", "providers/s3", "providers/s3_protocol")
RUN = 6
KEYWORDS = set(
    "as async await break const continue crate dyn else enum fn for if impl in let loop match mod move mut pub ref "
    "return self Self static struct super trait type unsafe use where while true false Some None Ok Err".split()
)


def sources(folder):
    """The source files of a folder that are not modules of tests."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"{folder}/*.rs"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    names = [name for name in names if (ROOT / name).exists()]
    tests = set()
    for name in names:
        home = pathlib.PurePath(name).with_suffix("")
        home = home.parent if home.name in ("mod", "lib", "main") else home
        for module in re.findall(r"#\[cfg\(test\)\]\s*(?:pub(?:\([\w ]+\))? )?mod (\w+);", (ROOT / name).read_text()):
            tests.add(home / module)
    for name in names:
        home = pathlib.PurePath(name).with_suffix("")
        if tests.isdisjoint([home, *home.parents]):
            yield name


def without_comments(text):
    """The text with comments blanked, and strings kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', re.S)
    blank = lambda found: re.sub(r"[^\n]", "", found[0]) if found[0].startswith("/") else found[0]
    return token.sub(blank, text)


def code(name):
    """The numbered lines of code of one file."""
    lines = without_comments((ROOT / name).read_text()).splitlines()
    kept, number = [], 0
    while number < len(lines):
        line = lines[number].strip()
        if line.startswith("#[cfg(") and re.match(r"#\[cfg\((all\()?test\b", line):
            number = end_of_item(lines, number + 1)
        elif re.match(r"(pub(\([\w ]+\))? )?use ", line):
            while ";" not in lines[number]:
                number += 1
        elif line:
            kept.append((number + 1, line))
        number += 1
    return kept


def end_of_item(lines, number):
    """The last line of the item that begins at `number`: a `;` or the closing brace, outside of strings."""
    depth = 0
    for number in range(number, len(lines)):
        bare = re.sub(r'"(?:\\.|[^"\\])*"|\'.\'', "", lines[number])
        depth += bare.count("{") - bare.count("}")
        closed = depth == 0 and bare.rstrip().endswith(("}", ";", ","))
        if closed and not bare.strip().startswith("#["):
            return number
    return number


def shape(line):
    line = re.sub(r'b?"(?:\\.|[^"\\])*"', "S", line)
    return re.sub(r"\w+", lambda word: word[0] if word[0] in KEYWORDS else "_", line)


def alike(files, form):
    """The pairs of files, each with a run of `RUN` lines that have the same form."""
    places = collections.defaultdict(list)
    for name, lines in files.items():
        lines = [(number, form(line)) for number, line in lines if re.search(r"\w", line)]
        for at in range(len(lines) - RUN + 1):
            places[tuple(text for _, text in lines[at : at + RUN])].append((name, at, lines[at][0]))
    runs = set()
    for found in places.values():
        if len(found) <= 8:
            runs.update(itertools.combinations(sorted(found), 2))
    pairs = {}
    for (one, at, line), (other, where, second) in sorted(runs):
        if one != other or abs(at - where) >= RUN:
            pairs.setdefault((one, other), (line, second))
    return pairs


def main():
    files = {folder: {name: code(name) for name in sources(folder)} for folder in FOLDERS}
    print("lines of code")
    for folder, found in files.items():
        print(f"  {folder:16} {sum(map(len, found.values())):6}   in {len(found)} files")
    clouds = {name: lines for folder in FOLDERS[1:] for name, lines in files[folder].items()}
    print(f"\npairs of files in providers/ that share {RUN} lines")
    same, similar = alike(clouds, lambda line: line), alike(clouds, shape)
    print(f"  to the letter    {len(same):6}\n  in shape         {len(similar):6}")
    for (one, other), (line, second) in same.items():
        print(f"  {one}:{line} ~ {other}:{second}")
    program = ROOT / "target/release/wbstore"
    size = f"{program.stat().st_size / 1e6:.1f} MB" if program.exists() else "not built (cargo build --release)"
    print(f"\nrelease binary     {size}")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        pass
