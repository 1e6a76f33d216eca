// Moving a step on: the one button that the shop presses all day.

import { h } from "./dom.js";

const MOVES = {
  pending: { verb: "Start", status: "in_progress", done: "Started" },
  in_progress: { verb: "Complete", status: "completed", done: "Completed" },
};

// Null when there is nothing to move, or when it is somebody else's to move.
export function moveButton(step, { me, act }, job = step.job) {
  const move = MOVES[step.status];
  const isOthers = step.assigned_user && step.assigned_user.id !== me.id;
  if (!move || (me.role === "operator" && isOthers)) return null;
  const what = `${step.process?.name ?? `step ${step.step_order}`} of ${job.job_number}`;
  return h("button", {
    type: "button",
    class: `move-button to-${move.status}`,
    "data-key": `move-${step.id}`,
    "aria-label": `${move.verb} ${what}`,
    onclick: ({ currentTarget }) =>
      act(currentTarget, "PATCH", `/api/job-steps/${step.id}`, { status: move.status }, `${move.done} ${what}.`),
  }, move.verb);
}
