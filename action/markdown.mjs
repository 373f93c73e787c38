// What the action reads from a plan in Markdown, and how it shortens one.

/**
 * The digest of a plan; empty if there is nothing to apply.
 *
 * wbstore puts no text of others at the start of a line, so none can pass for this one.
 */
export function digestOf(plan) {
  return /^To apply exactly this plan: `wbstore provision … --expect ([0-9a-f]{32})`$/m.exec(plan)?.[1] ?? "";
}

/** The plan in at most `limit` bytes: whole, or its first lines with what they opened closed, and `rest`. */
export function fit(plan, limit, rest) {
  if (Buffer.byteLength(plan) <= limit) return plan;
  const kept = [];
  let open = [];
  let length = Buffer.byteLength(rest);
  for (const line of plan.split("\n")) {
    const next = opened(open, line);
    length += Buffer.byteLength(line) + 1;
    if (length + Buffer.byteLength(next.join("\n")) + 3 > limit) break;
    kept.push(line);
    open = next;
  }
  return [...kept, ...open.toReversed(), "", rest].join("\n");
}

/** What has to be closed after `line`, if `open` had to be before it. */
function opened(open, line) {
  const fence = /^`{3,}/.exec(line)?.[0];
  const inner = open.at(-1);
  if (inner?.startsWith("`")) {
    return fence?.length >= inner.length && line.trim() === fence ? open.slice(0, -1) : open;
  }
  if (fence) return [...open, fence];
  if (line.startsWith("<details>")) return [...open, "</details>"];
  if (line.startsWith("</details>")) return open.slice(0, -1);
  return open;
}
