// Deciding a request for approval. A decision is final, so it is asked for, with a comment for the person who asked.

import { ask } from "./ask.js";
import { h } from "./dom.js";
import { manages } from "./rights.js";

const DECISIONS = [
  { decision: "approve", verb: "Approve", done: "Approved", isCommentNeeded: false },
  { decision: "request_changes", verb: "Return", done: "Returned for changes", isCommentNeeded: true },
  { decision: "reject", verb: "Reject", done: "Rejected", isCommentNeeded: true },
];

// Null for a role that does not decide.
export function decisionButtons(approval, { me, act }) {
  if (!manages(me)) return null;
  return h(
    "div",
    { class: "status-choice" },
    DECISIONS.map((kind) =>
      h(
        "button",
        {
          type: "button",
          class: "move-button",
          "data-key": `${kind.decision}-${approval.id}`,
          "aria-label": `${kind.verb}: ${approval.subject}`,
          onclick: ({ currentTarget }) => decide(currentTarget, approval, kind, act),
        },
        kind.verb,
      ),
    ),
  );
}

async function decide(button, approval, { decision, verb, done, isCommentNeeded }, act) {
  const check = (text) => (isCommentNeeded && text === "" ? "Say why, or what to change." : "");
  const label = isCommentNeeded ? "Comment" : "Comment (optional)";
  const answer = await ask({
    title: `${verb}: ${approval.subject}`,
    text: "A decision is final.",
    verb,
    fields: [{ name: "comment", label, isText: true, check }],
  });
  if (answer === null) return;
  const current = button.isConnected
    ? button
    : (document.querySelector(`[data-key="${button.dataset.key}"]`) ?? button);
  const content = { decision, ...(answer.comment ? { comment: answer.comment } : {}) };
  await act(current, {
    method: "POST",
    path: `/api/workflow-approvals/${approval.id}/decision`,
    content,
    done: `${done}: ${approval.subject}`,
  });
}
