// The sticky comment: one for each key on a pull request, written again by each run.

import { readFile } from "node:fs/promises";

import { fit } from "./markdown.mjs";

// GitHub rejects a longer body: "Body is too long (maximum is 65536 characters)".
const BODY_BYTES = 65536;

// `viewerDidAuthor` is true for comments of this token alone. A comment of somebody else that begins with
// the marker is left alone: its author could change the plan, or the digest, after the review.
const LIST = `
  query ($pull: ID!, $after: String) {
    node(id: $pull) {
      ... on PullRequest {
        comments(first: 100, after: $after) {
          nodes { id body viewerDidAuthor }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }`;
const CREATE = `
  mutation ($pull: ID!, $body: String!) {
    addComment(input: { subjectId: $pull, body: $body }) { commentEdge { node { url } } }
  }`;
const UPDATE = `
  mutation ($id: ID!, $body: String!) {
    updateIssueComment(input: { id: $id, body: $body }) { issueComment { url } }
  }`;

/** Writes the plan into the comment of the pull request that started the run; returns the comment's address. */
export async function writeComment({ plan, digest, run, inputs, env }) {
  const { pull_request: pull } = JSON.parse(await readFile(env.GITHUB_EVENT_PATH, "utf8"));
  if (!pull) return "";
  const marker = `<!-- wbstore plan ${inputs.commentKey} -->`;
  const origin = `\n<sub>Planned by [this run](${run}) for ${pull.head.sha}.</sub>\n`;
  const expect = digest && ` To apply exactly this plan: \`wbstore provision … --expect ${digest}\``;
  const rest = `**The plan is longer than a comment can be.** The rest is in the summary of [the run](${run}).${expect}\n`;
  const room = BODY_BYTES - Buffer.byteLength(marker + origin) - 1;
  const body = `${marker}\n${fit(plan, room, rest)}${origin}`;

  const ask = (query, variables) => graphql(env.GITHUB_GRAPHQL_URL, inputs.token, query, variables);
  const id = await find(ask, pull.node_id, marker);
  if (id) return (await ask(UPDATE, { id, body })).updateIssueComment.issueComment.url;
  return (await ask(CREATE, { pull: pull.node_id, body })).addComment.commentEdge.node.url;
}

async function find(ask, pull, marker) {
  for (let after = null; ; ) {
    const { nodes, pageInfo } = (await ask(LIST, { pull, after })).node.comments;
    const own = nodes.find(({ body, viewerDidAuthor }) => viewerDidAuthor && body.startsWith(marker));
    if (own || !pageInfo.hasNextPage) return own?.id;
    after = pageInfo.endCursor;
  }
}

async function graphql(url, token, query, variables) {
  const headers = { authorization: `bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  if (!response.ok) throw new Error(`GitHub returned HTTP status ${response.status}`);
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map(({ message }) => message).join("; "));
  return data;
}
