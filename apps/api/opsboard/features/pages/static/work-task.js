// A step on the terminal: its job, what is asked of it, and what keeps it from going on.

import { chip, glyph } from "./chips.js";
import { h } from "./dom.js";
import { count, day, number, timeOrDate } from "./format.js";
import { problemButton } from "./problems.js";
import { stamped } from "./rows.js";
import { stopButton } from "./work-buttons.js";
import { wordOf } from "./work-names.js";

/** `buttons` move the step; `more` stand below them, beside those of machine and problem. */
export function task(step, buttons, context, { isLarge = false, more = [] } = {}) {
  const { job, machine } = step;
  return stamped(
    step,
    h(
      "li",
      { class: isLarge ? "task is-large" : "task", "data-row": step.step_id },
      h(
        "p",
        { class: "task-name" },
        h("a", { href: `#/jobs/${job.id}`, "data-key": `task-${step.step_id}` }, wordOf(step)),
        " ",
        h("span", { class: "quiet" }, machine ? machine.name : "any machine"),
      ),
      h("p", {}, h("span", { class: "job-number" }, job.job_number), " ", job.title),
      h("p", { class: "task-facts" }, facts(step)),
      isLarge && step.instructions && h("p", { class: "task-instructions" }, step.instructions),
      // Stops and problems have a row of their own: the way through a step has the full width of the first.
      buttons.length > 0 && [
        h("div", { class: "task-buttons" }, buttons),
        h(
          "div",
          { class: "task-buttons" },
          more,
          machine && stopButton(machine, context),
          problemButton(step, wordOf(step), context),
        ),
      ],
    ),
  );
}

function facts(step) {
  const { job, machine } = step;
  return [
    step.isPending && h("span", { class: "late" }, "not sent yet"),
    h("span", {}, `${number(step.quantity_done)} of ${count(job.quantity, "piece")} done`),
    step.planned_start && !step.began_at && h("span", {}, `planned ${timeOrDate(step.planned_start)}`),
    job.due_date && h("span", {}, `due ${day(job.due_date)}`),
    ["high", "urgent"].includes(job.priority) && chip(job.priority),
    step.began_at && h("span", {}, `since ${timeOrDate(step.began_at)}`),
    step.waits_for && h("span", {}, `waits for ${step.waits_for}`),
    step.held_by && h("span", { class: "late" }, glyph("overdue"), `held: ${step.held_by.description}`),
    job.status !== "active" && job.status !== step.status && chip(job.status),
    machine && machine.status !== "active" && chip(machine.status, machineWords(machine)),
    ["completed", "skipped"].includes(step.status) && chip(step.status),
    !step.is_mine &&
      !step.record_id &&
      !step.pending_key &&
      h("span", {}, step.person ? `for ${step.person.name}` : "for anybody"),
  ];
}

function machineWords({ name, status, stop }) {
  return stop ? `${name} stands still since ${timeOrDate(stop.started_at)}: ${stop.reason}` : `${name}: ${status}`;
}
