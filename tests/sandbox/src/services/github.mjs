// As much of GitHub as the action uses, until standard input ends: the files of releases, and the comments of one
// pull request by GraphQL. Queries are validated against the schema that GitHub publishes, and executed by it.
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const [, , root, port, folder] = process.argv;
const require = createRequire(path.join(root, "package.json"));
const { buildSchema, graphql } = require("graphql");
const published = path.join(root, "node_modules/@octokit/graphql-schema/schema.graphql");
// As it is published, it defines a field twice that nothing here uses.
const schema = buildSchema(fs.readFileSync(published, "utf8"), { assumeValid: true });
schema.getType("Node").resolveType = (node) => node.type;

const PULL = "PR_kwDOAcme";
const AUTHOR = "github-actions";
// https://docs.github.com/en/rest/issues/comments: the message that a longer body is rejected with.
const LONGEST = 65536;
// Somebody else wrote the first, with the marker of the action; then come more than a page holds.
const comments = ["<!-- wbstore plan default -->\nPlan: nothing to do", ...Array(120).fill("LGTM")].map(
  (body, id) => ({ id: `IC_${id}`, author: "mallory", body }),
);

const shown = (comment, viewer) => ({
  ...comment,
  type: "IssueComment",
  url: `https://github.com/acme/infra/pull/17#issuecomment-${comment.id}`,
  viewerDidAuthor: comment.author === viewer,
});
const writing = (viewer, body) => {
  if (viewer !== AUTHOR) throw new Error("Resource not accessible by integration");
  if (body.length > LONGEST) throw new Error(`Body is too long (maximum is ${LONGEST} characters)`);
};
const resolvers = (viewer) => ({
  node: ({ id }) => ({
    type: "PullRequest",
    id,
    comments: ({ first, after }) => {
      if (first > 100) throw new Error("Requesting more than 100 records");
      const begin = after ? Number(after) : 0;
      const end = Math.min(begin + first, comments.length);
      return {
        nodes: comments.slice(begin, end).map((comment) => shown(comment, viewer)),
        pageInfo: { hasNextPage: end < comments.length, endCursor: String(end) },
      };
    },
  }),
  addComment: ({ input: { subjectId, body } }) => {
    writing(viewer, body);
    if (subjectId !== PULL) throw new Error(`Could not resolve to a node with the global id of '${subjectId}'`);
    const comment = { id: `IC_${comments.length}`, author: viewer, body };
    comments.push(comment);
    return { commentEdge: { node: shown(comment, viewer) } };
  },
  updateIssueComment: ({ input: { id, body } }) => {
    writing(viewer, body);
    const comment = comments.find((comment) => comment.id === id);
    comment.body = body;
    return { issueComment: shown(comment, viewer) };
  },
});

async function answer(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/graphql") {
    const viewer = { "bearer writer": AUTHOR, "bearer reader": "reader" }[request.headers.authorization];
    if (!viewer || !request.headers["user-agent"]) return response.writeHead(401).end();
    let text = "";
    for await (const part of request) text += part;
    const { query, variables } = JSON.parse(text);
    const result = await graphql({ schema, source: query, rootValue: resolvers(viewer), variableValues: variables });
    return response.setHeader("content-type", "application/json").end(JSON.stringify(result));
  }
  if (pathname === "/comments") return response.end(JSON.stringify(comments));
  const file = path.join(folder, path.normalize(pathname));
  // As GitHub does, a download is redirected to where the file is.
  if (pathname.startsWith("/releases/")) {
    return response.writeHead(302, { location: pathname.replace("/releases/", "/files/") }).end();
  }
  return fs.existsSync(file) ? fs.createReadStream(file).pipe(response) : response.writeHead(404).end();
}

process.stdin.on("end", () => process.exit()).resume();
http.createServer((request, response) => void answer(request, response)).listen(Number(port), "127.0.0.1");
