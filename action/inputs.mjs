// The inputs of the action. The runner hands each over as a variable, so that none is ever part of a script.

import { readFile } from "node:fs/promises";

export async function readInputs(env) {
  const input = (name) => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const matching = (name, value, pattern, form) => {
    if (!pattern.test(value)) throw new Error(`invalid \`${name}\`: use ${form}`);
    return value;
  };
  const version = input("version").replace(/^v/, "") || (await ownVersion());
  return {
    version: matching("version", version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "a version such as 0.1.0"),
    sha256: matching("sha256", input("sha256").toLowerCase(), /^([0-9a-f]{64})?$/, "64 hexadecimal digits"),
    command: matching("command", input("command"), /^[a-z]*$/, "a command such as plan"),
    args: words(input("args")),
    workingDirectory: input("working-directory"),
    comment: matching("comment", input("comment") || "true", /^(true|false)$/, "true or false") === "true",
    commentKey: matching("comment-key", input("comment-key") || "default", /^[\w.-]+$/, "letters, digits and `._-`"),
    token: input("token"),
    releaseUrl: input("release-url").replace(/\/+$/, ""),
  };
}

/** The version beside this file: a workflow that pins the action pins the program with it. */
async function ownVersion() {
  const manifest = await readFile(new URL("../Cargo.toml", import.meta.url), "utf8");
  return /^version = "(.+)"$/m.exec(manifest)[1];
}

/** The words of `line`, as a shell splits it: quotes group, and every other letter is itself. */
export function words(line) {
  const part = /(\s+)|'([^']*)'|"([^"]*)"|([^\s'"]+)/y;
  const found = [];
  let word = null;
  while (part.lastIndex < line.length) {
    const match = part.exec(line);
    if (!match) throw new Error("invalid `args`: a quote is not closed");
    const [, space, ...texts] = match;
    if (space === undefined) {
      word = (word ?? "") + texts.find((text) => text !== undefined);
    } else if (word !== null) {
      found.push(word);
      word = null;
    }
  }
  return word === null ? found : [...found, word];
}
