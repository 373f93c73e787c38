// The GitHub Action: installs a release, runs one command, and shows a plan where it is reviewed.
// It uses nothing but Node.js, so there is nothing to bundle and nothing to trust besides.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";

import { writeComment } from "./comment.mjs";
import { readInputs } from "./inputs.mjs";
import { install } from "./install.mjs";
import { digestOf, fit } from "./markdown.mjs";

// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
const SUMMARY_BYTES = 1024 * 1024;

async function main(env) {
  const inputs = await readInputs(env);
  const program = await install(inputs, env);
  await appendFile(env.GITHUB_PATH, `${dirname(program)}\n`);
  if (!inputs.command) return 0;

  const isPlan = inputs.command === "plan" && !inputs.args.some((word) => /^--format(=|$)/.test(word));
  const args = [inputs.command, ...inputs.args, ...(isPlan ? ["--format", "markdown"] : [])];
  const { code, stdout } = await run(program, args, inputs.workingDirectory);
  await setOutput(env, "exit-code", code);
  if (!isPlan) return code;

  const run_url = `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`;
  const digest = digestOf(stdout);
  await setOutput(env, "digest", digest);
  // A failed plan replaces the comment too: an older one would show a digest that nobody checked again.
  const plan = stdout || `**\`wbstore plan\` failed** with exit code ${code}. The log of [the run](${run_url}) has the reason.\n`;
  await appendFile(env.GITHUB_STEP_SUMMARY, fit(plan, SUMMARY_BYTES, ""));
  if (inputs.comment) {
    try {
      const url = await writeComment({ plan, digest, run: run_url, inputs, env });
      await setOutput(env, "comment-url", url);
    } catch (error) {
      // The token of a pull request from a fork cannot write; the plan is in the summary all the same.
      warn(`the plan is in the job's summary, but not in a comment: ${error.message}`);
    }
  }
  return code;
}

/** Runs the program; both of its streams are in the log, where the runner obeys none of their lines. */
function run(program, args, cwd) {
  const token = randomUUID();
  process.stdout.write(`::stop-commands::${token}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: cwd || undefined, stdio: ["ignore", "pipe", "inherit"] });
    const parts = [];
    child.stdout.on("data", (part) => {
      parts.push(part);
      process.stdout.write(part);
    });
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("close", (code) => {
      process.stdout.write(`\n::${token}::\n`);
      resolve({ code: code ?? 130, stdout: Buffer.concat(parts).toString() });
    });
  });
}

async function setOutput(env, name, value) {
  await appendFile(env.GITHUB_OUTPUT, `${name}=${value}\n`);
}

/** Text of a workflow command is one line, with these letters written as codes. */
function escaped(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function warn(text) {
  process.stdout.write(`::warning title=wbstore::${escaped(text)}\n`);
}

try {
  process.exitCode = await main(process.env);
} catch (error) {
  process.stdout.write(`::error title=wbstore::${escaped(error.message)}\n`);
  process.exitCode = 1;
}
