// The button that moves a step on.

import { ask } from "./ask.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { hold } from "./steady.js";

const MOST_PIECES = 2 ** 31 - 1; // the API's limit
const MOVES = {
  pending: { verb: "Start", begin: startStep },
  in_progress: { verb: "Complete", begin: completeStep },
};

// Null when there is nothing to move, when it is somebody else's to move, or when the job has ended.
export function moveButton(step, { me, act }, job = step.job) {
  const move = MOVES[step.status];
  const isOthers = step.assigned_user && step.assigned_user.id !== me.id;
  const hasEnded = step.status === "pending" && ["completed", "cancelled"].includes(job.status);
  if (!move || hasEnded || (me.role === "operator" && isOthers)) return null;
  const name = `${step.process?.name ?? `step ${step.step_order}`} of ${job.job_number}`;
  return h(
    "button",
    {
      type: "button",
      class: `move-button to-${move.verb.toLowerCase()}`,
      "data-key": `move-${step.id}`,
      "aria-label": `${move.verb} ${name}`,
      onclick: ({ currentTarget }) => move.begin({ button: currentTarget, step, job, name, act }),
    },
    move.verb,
  );
}

function startStep({ button, step, name, act }) {
  const path = `/api/job-steps/${step.id}`;
  const undo = () => ({
    method: "PATCH",
    path,
    content: { status: "pending" },
    done: `Undone: ${name} is waiting again.`,
  });
  return act(button, {
    method: "PATCH",
    path,
    content: { status: "in_progress" },
    done: `Started ${name}.`,
    pressed: "Started",
    undo,
  });
}

async function completeStep({ button, step, job, name, act }) {
  if (button.ariaDisabled === "true" || document.querySelector("dialog[open]")) return;
  hold(button, button.closest("[data-row]") ?? button);
  const answer = await ask({
    title: `Complete ${name}`,
    text: job.title,
    verb: "Complete",
    fields: pieceFields(step, job),
  });
  // A poll may have redrawn the row meanwhile.
  const current = button.isConnected ? button : (document.querySelector(`[data-key="move-${step.id}"]`) ?? button);
  current.focus({ preventScroll: true });
  if (answer === null) return;
  const path = `/api/job-steps/${step.id}`;
  const [good, rejected] = [Number(answer.good), Number(answer.rejected)];
  const before = {
    status: "in_progress",
    quantity_done: step.quantity_done,
    quantity_rejected: step.quantity_rejected,
  };
  const undo = () => ({ method: "PATCH", path, content: before, done: `Undone: ${name} is in progress again.` });
  const content = { status: "completed", quantity_done: good, quantity_rejected: rejected };
  await act(current, {
    method: "PATCH",
    path,
    content,
    done: `Completed ${name}: ${number(good)} good, ${number(rejected)} rejected.`,
    pressed: "Completed",
    undo,
  });
}

function pieceFields(step, job) {
  const hint = quantityOf(job).then(
    (quantity) => `The job has ${count(quantity, "piece")}.`,
    () => "",
  );
  return [
    {
      name: "good",
      label: "Good pieces",
      value: step.quantity_done || "",
      hint,
      check: (text) => pieces(text, "good"),
    },
    {
      name: "rejected",
      label: "Rejected pieces",
      value: step.quantity_rejected,
      check: (text) => pieces(text, "rejected"),
    },
  ];
}

function pieces(text, kind) {
  if (text === "") return `Enter the number of ${kind} pieces; 0 if there are none.`;
  if (!/^\d+$/.test(text)) return `Enter the number of ${kind} pieces as a whole number, for example 12.`;
  return Number(text) > MOST_PIECES ? `Enter at most ${number(MOST_PIECES)} ${kind} pieces.` : "";
}

// A list of steps does not say how many pieces their jobs have.
async function quantityOf(job) {
  return job.quantity ?? (await get(`/api/jobs/${job.id}?fields=quantity`)).quantity;
}
