"""Packs a release: archive.py PROGRAM BILL VERSION TARGET OUT, run in the repository; prints the archive's path.

The same program makes the same archive, whoever builds it and when.
"""

import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile

PAGES = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"]
# By the names under which each shell looks for them.
COMPLETIONS = {"bash": "wbstore.bash", "fish": "wbstore.fish", "zsh": "_wbstore"}
# 1980-01-01: zip and some versions of tar object to an earlier one.
TIME = 315532800

program, bill, version, target, out = sys.argv[1:]
program, out = pathlib.Path(program).resolve(), pathlib.Path(out)

files = {page: pathlib.Path(page).read_bytes() for page in PAGES}
files["wbstore"] = program.read_bytes()
files["wbstore.cdx.json"] = pathlib.Path(bill).read_bytes()
for shell, file in COMPLETIONS.items():
    files[f"completions/{file}"] = subprocess.check_output([program, "completions", shell])
with tempfile.TemporaryDirectory() as folder:
    subprocess.check_call([program, "man", "--dir", folder], stdout=subprocess.DEVNULL)
    for page in pathlib.Path(folder).iterdir():
        files[f"man/{page.name}"] = page.read_bytes()

name = f"wbstore-{version}-{target}"
archive = out / f"{name}.tar.gz"
with archive.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as members:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size, member.mtime = len(content), TIME
            member.mode = 0o755 if path == "wbstore" else 0o644
            members.addfile(member, io.BytesIO(content))
digest = hashlib.sha256(archive.read_bytes()).hexdigest()
(out / f"{archive.name}.sha256").write_text(f"{digest}  {archive.name}\n")
print(archive)
