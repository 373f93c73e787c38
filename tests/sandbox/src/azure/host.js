// Runs Azurite until standard input ends, with storage accounts that come and go.
//
// Azurite reads its accounts from its environment once a minute. Here they are set over HTTP, at
// once, by whoever shares this Azurite: PUT and DELETE /accounts/{name}. GET / tells where it is.
"use strict";

const http = require("http");
const path = require("path");

const [, root, controlPort, blobPort, queuePort, pass] = process.argv;
const source = path.join(root, "node_modules", "azurite", "dist", "src");
const load = (...parts) => require(path.join(source, ...parts)).default;

// Telemetry is off below; not even loading it saves two thirds of the start.
const Module = require("module");
const loadModule = Module._load;
Module._load = (name, ...rest) => (name === "applicationinsights" ? {} : loadModule(name, ...rest));

const accounts = new Map();
load("common", "AccountDataStore").prototype.getAccount = (name) => accounts.get(name);

// The sandbox's own requests carry a pass in place of a signature.
for (const authenticator of [
  load("blob", "authentication", "BlobSharedKeyAuthenticator"),
  load("queue", "authentication", "QueueSharedKeyAuthenticator"),
]) {
  const validate = authenticator.prototype.validate;
  authenticator.prototype.validate = function (request, context) {
    return request.getHeader("authorization") === pass ? true : validate.call(this, request, context);
  };
}

// Account names are global: one that somebody else has is refused with 409.
function change(method, name, [owner, ...keys]) {
  const taken = accounts.get(name);
  if (taken && taken.owner !== owner) return 409;
  if (method === "DELETE") {
    accounts.delete(name);
  } else {
    const [key1, key2] = keys.map((key) => Buffer.from(key, "base64"));
    accounts.set(name, { name, owner, key1, key2 });
  }
  return 200;
}

const where = { blob: `http://127.0.0.1:${blobPort}`, queue: `http://127.0.0.1:${queuePort}`, pass };

http
  .createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const [, kind, name] = request.url.split("/");
      if (kind === "accounts" && name) {
        response.writeHead(change(request.method, name, body.split("\n"))).end();
      } else {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(where));
      }
    });
  })
  .listen(Number(controlPort), "127.0.0.1");

// The sandbox holds the other end of standard input. The system closes it when the sandbox is gone,
// however it went, and Azurite goes with it. Ctrl-C reaches the whole group; the sandbox decides.
process.stdin.on("end", () => process.exit(0)).resume();
process.on("SIGINT", () => {});
process.on("SIGTERM", () => process.exit(0));

process.argv = [
  process.argv[0],
  path.join(source, "azurite.js"),
  ...["--blobPort", blobPort, "--queuePort", queuePort, "--tablePort", "0"],
  ...["--inMemoryPersistence", "--disableTelemetry", "--disableProductStyleUrl", "--silent"],
  // Clients are newer than any Azurite.
  "--skipApiVersionCheck",
];
require(path.join(source, "azurite.js"));
