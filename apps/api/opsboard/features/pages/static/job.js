// One job: what is to be made, for whom, until when, and how far each step is.

import { archiveButton } from "./archive.js";
import { chip, progress, words } from "./chips.js";
import { h, replace } from "./dom.js";
import { history } from "./history.js";
import { count, dateTime, day, number } from "./format.js";
import { counted } from "./freshness.js";
import { table } from "./list.js";
import { problemWords } from "./notices.js";
import { delayWords, waitsWords } from "./late.js";
import { riskFact } from "./risk.js";
import { statusLink } from "./status-link.js";
import { statusChoice } from "./status-choice.js";
import { editLink, factList, ownFields } from "./list-parts.js";
import { manages } from "./rights.js";
import { dragSteps, makeDraggable, stepButtons } from "./step-order.js";
import { moveButton } from "./steps.js";

const STATUSES = ["draft", "active", "on_hold", "completed", "cancelled"];

export function job(id, context) {
  const element = h("div", { class: "job", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const link = statusLink(id, context);
  const past = history("job", id, context);
  let shown = null;
  if (manages(context.me)) dragSteps(element, () => shown?.found, context);

  async function load(read) {
    counted(null);
    try {
      const address = `/api/jobs/${encodeURIComponent(id)}`;
      // Not for what cannot be an id: the address itself is told to be of nothing.
      const delayed = /^[1-9][0-9]*$/.test(id) ? read(`/api/jobs/delays?job_ids=${id}`) : null;
      const [found, lateness, delays] = await Promise.all([read(address), read(`${address}/lateness-risk`), delayed]);
      if (found !== shown?.found || lateness !== shown.lateness || delays !== shown.delays)
        replace(element, ...parts(found, lateness, delays, context, link), past.element);
      shown = { found, lateness, delays };
      view.title = found.job_number;
      await past.load(read);
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(element, h("h1", {}, "Job"), problemWords(problem), h("p", {}, h("a", { href: "#/jobs" }, "All jobs")));
      shown = null;
    }
  }

  const view = { title: "Job", element, load, changed: () => (shown = null) };
  return view;
}

function parts(found, lateness, delays, context, link) {
  return [
    h(
      "div",
      { class: "list-head", "data-row": "head" },
      h("h1", {}, h("span", { class: "job-number" }, found.job_number), " ", found.title),
      chip(found.status),
      found.archived_at && chip("archived"),
      found.is_overdue && chip("overdue"),
      h("a", { class: "move-button", href: `/jobs/${found.id}/traveller`, "data-key": "traveller" }, "Traveller"),
      manages(context.me) && editLink("jobs", found, found.job_number),
      jobStatus(found, context),
      archiveButton("jobs", found, found.job_number, context),
    ),
    found.description && h("p", { class: "description" }, found.description),
    factList([...facts(found, lateness, delays), ...ownFields(found)]),
    h("h2", {}, "Steps"),
    found.steps.length ? stepTable(found, context) : h("p", { class: "empty" }, "This job has no steps."),
    mayAddSteps(found, context) &&
      h(
        "p",
        { class: "actions", "data-row": "add-steps" },
        h("a", { class: "plain-button", href: `#/jobs/${found.id}/steps` }, "Add steps"),
      ),
    link,
  ];
}

function mayAddSteps(found, { me }) {
  return manages(me) && !["completed", "cancelled"].includes(found.status);
}

function stepTable(found, context) {
  const shown = table(`Steps of ${found.job_number}`, columns(found), found.steps, context);
  return manages(context.me) ? makeDraggable(shown, found.steps) : shown;
}

// Times and instructions, as they were planned.
function workOf({ setup_minutes: setup, seconds_per_piece: seconds, instructions }) {
  const times = [
    setup !== null && `${number(setup)} min set-up`,
    seconds !== null && `${number(seconds / 60)} min a piece`,
  ]
    .filter(Boolean)
    .join(", ");
  return times || instructions
    ? [times, times && instructions && ". ", instructions && h("span", { class: "instructions" }, instructions)]
    : null;
}

function facts(found, lateness, delays) {
  const { customer } = found;
  const [delay] = delays.items;
  return [
    ["Progress", progress(found.progress)],
    [
      "Due",
      [day(found.due_date), found.days_late && h("span", { class: "late" }, ` ${count(found.days_late, "day")} late`)],
    ],
    ["Risk of ending late", riskFact(lateness)],
    ...(delay ? [["Takes longest", delayWords(delay)]] : []),
    ...(found.waits_at ? [["Now at", waitsWords(found.waits_at)]] : []),
    ["Quantity", number(found.quantity)],
    ["Priority", words(found.priority)],
    ["Customer", customer ? h("a", { href: `#/jobs?customer_id=${customer.id}` }, customer.name) : "–"],
    ["Started", dateTime(found.started_at)],
    ["Completed", dateTime(found.completed_at)],
    ["Added", [dateTime(found.created_at), found.created_by && ` by ${found.created_by.name}`]],
  ];
}

function columns(found) {
  return [
    ["Step", (step) => [h("span", { class: "job-number" }, String(step.step_order)), " ", step.process?.name]],
    ["Machine", (step) => step.machine?.name],
    ["Person", (step) => step.assigned_user?.name],
    ["Status", (step) => chip(step.status)],
    ["Work", workOf],
    ["Started", (step) => dateTime(step.started_at), "when"],
    ["Completed", (step) => dateTime(step.completed_at), "when"],
    ["Done / rejected", (step) => `${number(step.quantity_done)} / ${number(step.quantity_rejected)}`],
    ["Move on", (step, context) => moveButton(step, context, found), "control"],
    [
      "Change",
      (step, { me }) =>
        manages(me) &&
        editLink(
          "job-steps",
          step,
          `${step.process?.name ?? `step ${step.step_order}`} of ${found.job_number}`,
          "Assign",
        ),
      "control",
    ],
    ["Order", (step, context) => manages(context.me) && stepButtons(step, context, found), "control"],
  ];
}

function jobStatus(found, context) {
  if (!manages(context.me)) return null;
  const thing = { key: `job-${found.id}`, name: found.job_number, path: `/api/jobs/${found.id}`, status: found.status };
  return statusChoice(thing, STATUSES, context, { label: "Set to", noteOf: (next) => undoLoses(found, next) });
}

// The server keeps times of start and completion by the status, so that some do not come back.
function undoLoses(found, next) {
  if (found.completed_at && next !== "completed") return "Undo gives it a new time of completion.";
  if (found.started_at && next === "draft") return "Undo gives it a new time of start.";
  return null;
}
