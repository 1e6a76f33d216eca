// The lists on the board: overdue, my next steps, recent jobs, machines; those of sales are in sales-panels.js.

import { chip, glyph, words } from "./chips.js";
import { h, replace } from "./dom.js";
import { count, daysLate, nearDay, number } from "./format.js";
import { stopWords, whyLate } from "./late.js";
import { pageOf } from "./router.js";
import { stamped } from "./rows.js";
import { moveButton } from "./steps.js";

const MOST_MACHINES = 20;

export function showOverdue(section, jobs, { jobs: counts, today }) {
  show(section, counts.links.overdue, `All ${number(counts.overdue)}`, "Nothing is overdue.", jobs, (job) => [
    jobLink(job.id, job.job_number, job.title),
    h(
      "span",
      { class: "line-side" },
      h("span", { class: "late" }, glyph("overdue"), count(daysLate(job.due_date, today), "day"), " late"),
      h("span", { class: "quiet" }, job.customer?.name ?? words(job.status)),
    ),
    whyLate(job),
  ]);
}

export function showMine(section, steps, { tasks }, context) {
  const all = number(tasks.pending + tasks.in_progress);
  const link = "/api/job-steps?mine=true&status=in_progress,pending";
  show(section, link, `All ${all}`, "You have no open steps.", steps, (step) => [
    jobLink(
      step.job.id,
      step.job.job_number,
      workOf(step),
      h(
        "span",
        { class: `is-${step.status}` },
        glyph(step.status),
        h("span", { class: "visually-hidden" }, `${words(step.status)}: `),
      ),
    ),
    h("span", { class: "line-side" }, moveButton(step, context)),
  ]);
}

export function showRecent(section, recent) {
  show(section, recent.link, "All jobs", "There are no jobs yet.", recent.items, (job) => [
    jobLink(job.id, job.job_number, job.title),
    h(
      "span",
      { class: "line-side" },
      chip(job.status),
      h(
        "span",
        { class: job.is_overdue ? "late" : "quiet" },
        job.due_date ? `Due ${nearDay(job.due_date)}` : "No due date",
      ),
    ),
  ]);
}

// Idle machines first: they need attention.
export function showFloor(section, machines, { machines: counts }) {
  const order = ["maintenance", "active", "inactive"];
  const sorted = [...machines].sort(
    (a, b) => order.indexOf(a.status) - order.indexOf(b.status) || b.load.in_progress - a.load.in_progress,
  );
  const shown = sorted.slice(0, MOST_MACHINES);
  show(section, counts.links.total, `All ${number(counts.total)}`, "There are no machines yet.", shown, (machine) => [
    h(
      "a",
      {
        class: `machine is-${machine.status}`,
        href: `#/job-steps?machine_id=${machine.id}&status=in_progress,pending`,
        "data-key": `machine-${machine.id}`,
      },
      glyph(machine.status),
      h(
        "span",
        { class: "machine-name" },
        machine.name,
        h("span", { class: "visually-hidden" }, `, ${words(machine.status)}`),
      ),
      h(
        "span",
        { class: "machine-load quiet" },
        `${number(machine.load.in_progress)} on · ${number(machine.load.pending)} waiting`,
      ),
      machine.stop && h("span", { class: "late machine-stop" }, stopWords(machine.stop)),
    ),
  ]);
}

export function show(section, link, linkWords, nothing, items, line) {
  const more = section.querySelector(".more");
  more.href = pageOf(link);
  more.textContent = linkWords;
  more.setAttribute("aria-label", `${linkWords}: ${section.querySelector("h2").textContent}`);
  more.hidden = items.length === 0;
  const content = items.length
    ? h(
        "ul",
        { class: "lines" },
        items.map((item) => stamped(item, h("li", { "data-row": item.id }, line(item)))),
      )
    : h("p", { class: "empty" }, nothing);
  replace(section.querySelector(".card-body"), content);
}

function workOf({ process, machine, step_order: order }) {
  return [process?.name ?? `Step ${order}`, machine?.name].filter(Boolean).join(" · ");
}

export function jobLink(id, jobNumber, text, mark = null) {
  return h(
    "a",
    { class: "line-main", href: `#/jobs/${id}`, "data-key": `job-${id}-${text}` },
    h("span", { class: "job-number" }, jobNumber),
    " ",
    h("span", { class: "line-text" }, mark, text),
  );
}
