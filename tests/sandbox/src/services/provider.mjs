// Runs oidc-provider over https until standard input ends. The client `wandb` is registered with one callback,
// for the code flow with PKCE and for the implicit flow.
import fs from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , root, port, certificate, key, callback] = process.argv;
const require = createRequire(path.join(root, "package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const provider = new Provider(`https://localhost:${port}`, {
  clients: [
    {
      client_id: "wandb",
      token_endpoint_auth_method: "none",
      redirect_uris: [callback],
      response_types: ["code", "id_token"],
      grant_types: ["authorization_code", "implicit"],
    },
  ],
  responseTypes: ["code", "id_token"],
  scopes: ["openid", "profile", "email"],
  clientAuthMethods: ["none", "client_secret_basic"],
  features: { devInteractions: { enabled: false } },
});

process.stdin.on("end", () => process.exit()).resume();
https
  .createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, provider.callback())
  .listen(Number(port), "127.0.0.1");
