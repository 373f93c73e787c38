// Downloads the release for this runner. Nothing of it is unpacked before its checksum is verified.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const ARCHITECTURES = { x64: "x86_64", arm64: "aarch64" };

/** The target of this runner, as in the names of the archives. */
function target() {
  const architecture = ARCHITECTURES[process.arch];
  // Alpine has no glibc, and its Node.js reports none.
  const libc = process.report.getReport().header.glibcVersionRuntime ? "gnu" : "musl";
  const system = { linux: `unknown-linux-${libc}`, darwin: "apple-darwin" }[process.platform];
  if (!architecture || !system) {
    throw new Error(`no release for ${process.platform} on ${process.arch}: use a Linux or macOS runner`);
  }
  return `${architecture}-${system}`;
}

/** Installs the release, and returns the path of the program. */
export async function install({ version, sha256, releaseUrl }, env) {
  const name = `wbstore-${version}-${target()}`;
  const release = `${releaseUrl}/v${version}`;
  const archive = await download(`${release}/${name}.tar.gz`);
  const expected = sha256 || listed(await download(`${release}/SHA256SUMS`), `${name}.tar.gz`);
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== expected) {
    throw new Error(`${name}.tar.gz has the SHA-256 ${actual} instead of ${expected}: it was not installed`);
  }
  const folder = await mkdtemp(join(env.RUNNER_TEMP, "wbstore-"));
  const file = join(folder, `${name}.tar.gz`);
  await writeFile(file, archive);
  await promisify(execFile)("tar", ["-xzf", file, "-C", folder]);
  return join(folder, name, "wbstore");
}

/** The sum of `file` in the output of `sha256sum`. */
function listed(sums, file) {
  const lines = sums.toString().split("\n").map((line) => line.split(/ [ *]/));
  const line = lines.find(([, name]) => name === file);
  if (!line) throw new Error(`SHA256SUMS of the release does not list ${file}`);
  return line[0];
}

async function download(url, attempts = 3) {
  try {
    const response = await fetch(url);
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    throw Object.assign(new Error(`HTTP status ${response.status}`), { isFinal: response.status < 500 });
  } catch (error) {
    if (error.isFinal || attempts === 1) {
      throw new Error(`failed to download ${url}: ${error.cause?.message ?? error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return download(url, attempts - 1);
  }
}
