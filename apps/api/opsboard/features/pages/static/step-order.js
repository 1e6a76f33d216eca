// The steps of a job in another order, skipped or removed: by buttons, and by dragging a row with the mouse.

import { h } from "./dom.js";

const nameOf = (step) => step.process?.name ?? `step ${step.step_order}`;

/** The buttons of one step; none once it has begun. */
export function stepButtons(step, { act }, job) {
  if (step.status !== "pending") return null;
  const index = job.steps.indexOf(step);
  const button = (verb, label, press, isOff = false) =>
    h(
      "button",
      {
        type: "button",
        class: "move-button",
        "data-key": `${verb}-${step.id}`,
        "aria-label": label,
        "aria-disabled": isOff ? "true" : null,
        onclick: ({ currentTarget }) => isOff || press(currentTarget),
      },
      verb,
    );
  return h(
    "div",
    { class: "step-buttons" },
    button("Up", `Move ${nameOf(step)} up`, (pressed) => move(pressed, job, step, index, act), index === 0),
    button(
      "Down",
      `Move ${nameOf(step)} down`,
      (pressed) => move(pressed, job, step, index + 2, act),
      index === job.steps.length - 1,
    ),
    button("Skip", `Skip ${nameOf(step)}`, (pressed) => skip(pressed, step, act)),
    button("Remove", `Remove ${nameOf(step)}`, (pressed) => remove(pressed, job, step, act)),
  );
}

function move(pressed, job, step, position, act) {
  const before = job.steps.indexOf(step) + 1;
  const write = (to, done) => ({
    method: "POST",
    path: `/api/job-steps/${step.id}/move`,
    content: { position: to },
    done,
  });
  const undo = () => write(before, `Undone: ${nameOf(step)} is step ${before} again.`);
  return act(pressed, { ...write(position, `${nameOf(step)} is step ${position} now.`), undo }, h("div", {}));
}

function skip(pressed, step, act) {
  const path = `/api/job-steps/${step.id}`;
  const undo = () => ({
    method: "PATCH",
    path,
    content: { status: "pending" },
    done: `Undone: ${nameOf(step)} is waiting again.`,
  });
  return act(
    pressed,
    { method: "PATCH", path, content: { status: "skipped" }, done: `Skipped ${nameOf(step)}.`, undo },
    h("div", {}),
  );
}

function remove(pressed, job, step, act) {
  const again = {
    process_id: step.process?.id,
    machine_id: step.machine?.id ?? null,
    assigned_user_id: step.assigned_user?.id ?? null,
    setup_minutes: step.setup_minutes,
    seconds_per_piece: step.seconds_per_piece,
    instructions: step.instructions,
  };
  const content = { steps: [again], position: job.steps.indexOf(step) + 1 };
  // A step needs a process; an imported one may have none.
  const undo =
    step.process &&
    (() => ({
      method: "POST",
      path: `/api/jobs/${job.id}/steps`,
      content,
      done: `Undone: ${nameOf(step)} is there again.`,
    }));
  return act(
    pressed,
    { method: "DELETE", path: `/api/job-steps/${step.id}`, done: `Removed ${nameOf(step)}.`, undo },
    h("div", {}),
  );
}

/** Lets rows be dragged. `current()` gives the job as it is shown; the listeners outlive each redrawing of the rows. */
export function dragSteps(element, current, { act }) {
  const stepOf = (row) => current()?.steps.find((step) => String(step.id) === row?.dataset.row);
  const rowOf = (event) => event.target.closest?.("tr[data-row]");
  let dragged = null;

  element.addEventListener("dragstart", (event) => {
    const row = rowOf(event);
    dragged = row?.draggable ? row.dataset.row : null;
    if (dragged) event.dataTransfer.setData("text/plain", dragged);
  });
  element.addEventListener("dragover", (event) => {
    mark(dragged && rowOf(event));
    if (dragged && stepOf(rowOf(event))) event.preventDefault(); // it may be dropped here
  });
  element.addEventListener("dragend", () => {
    mark(null);
    dragged = null;
  });
  element.addEventListener("drop", (event) => {
    const [job, row] = [current(), rowOf(event)];
    const [step, target] = [stepOf({ dataset: { row: dragged } }), stepOf(row)];
    mark(null);
    if (!step || !target || step === target) return;
    event.preventDefault();
    move(row, job, step, job.steps.indexOf(target) + 1, act);
  });

  function mark(row) {
    for (const marked of element.querySelectorAll(".drop-here"))
      if (marked !== row) marked.classList.remove("drop-here");
    row?.classList.add("drop-here");
  }
}

/** Rows of pending steps can be dragged by those who manage. */
export function makeDraggable(table, steps) {
  for (const row of table.tBodies[0].rows)
    row.draggable = steps.some((step) => String(step.id) === row.dataset.row && step.status === "pending");
  return table;
}
