// The terminal beside a machine: what I work on now, what comes next, and for managers who works on what.

import { ask } from "./ask.js";
import { problemButton } from "./problems.js";
import { chip, glyph } from "./chips.js";
import { h, replace } from "./dom.js";
import { count, day, number, timeOrDate } from "./format.js";
import { counted } from "./freshness.js";
import { manages } from "./rights.js";
import { stamped } from "./rows.js";
import { sheet } from "./work-sheet.js";

export function work(context) {
  const element = h("div", { class: "work", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let shown = {};
  let named; // the reasons of each kind, read once

  async function load(read) {
    counted(null);
    const everybody = manages(context.me) ? read("/api/work?open=true&sort=started_at&page_size=50") : null;
    const [mine, others] = await Promise.all([read("/api/work/next"), everybody, named ?? readReasons(read)]);
    if (mine !== shown.mine || others !== shown.others) replace(element, h("h1", {}, "My work"), ...parts(mine, others, { ...context, ...named }));
    shown = { mine, others };
  }

  async function readReasons(read) {
    const { items } = await read("/api/reasons?page_size=100&sort=name");
    const namesOf = (kind) => items.filter((reason) => reason.kind === kind).map((reason) => reason.name);
    named = { rejectReasons: namesOf("reject"), stopReasons: namesOf("stop") };
  }

  return { title: "My work", element, load, changed: () => (shown = {}) };
}

function parts(mine, others, context) {
  const [first, ...next] = mine.now.length ? [null, ...mine.next] : mine.next;
  const isIdle = !mine.now.length && !first;
  return [
    section("Now", mine.now.map((step) => task(step, [finishButton(step, context), pauseButton(step, context)], context))),
    first && section("Next", [task(first, [startButton(first, context, "main-button")], context)]),
    isIdle && h("p", { class: "empty" }, mine.later.length ? "Nothing can be begun now; see what comes later." : "Nothing waits for you."),
    section(first ? "After that" : "Next", next.map((step) => task(step, [startButton(step, context, "move-button")], context))),
    section("Later", mine.later.map((step) => task(step, [], context))),
    others && section("Everybody's work", others.items.filter((record) => record.worker.id !== context.me.id).map((record) => ofOthers(record, context))),
  ];
}

function section(heading, tasks) {
  if (!tasks.length) return null;
  return h("section", { "aria-label": heading }, h("h2", {}, heading), h("ul", { class: "task-list" }, tasks));
}

function task(step, buttons, context) {
  const { job, machine } = step;
  return stamped(step, h("li", { class: "task", "data-row": step.step_id },
    h("p", { class: "task-name" }, h("a", { href: `#/jobs/${job.id}`, "data-key": `task-${step.step_id}` }, nameOf(step)), " ",
      h("span", { class: "quiet" }, machine ? machine.name : "any machine")),
    h("p", {}, h("span", { class: "job-number" }, job.job_number), " ", job.title),
    h("p", { class: "task-facts" },
      h("span", {}, `${number(step.quantity_done)} of ${count(job.quantity, "piece")} done`),
      job.due_date && h("span", {}, `due ${day(job.due_date)}`),
      ["high", "urgent"].includes(job.priority) && chip(job.priority),
      step.began_at && h("span", {}, `since ${timeOrDate(step.began_at)}`),
      step.waits_for && h("span", {}, `waits for ${step.waits_for}`),
      step.held_by && h("span", { class: "late" }, glyph("overdue"), `held: ${step.held_by.description}`),
      job.status !== "active" && chip(job.status),
      machine && machine.status !== "active" && chip(machine.status, machineWords(machine)),
      !step.is_mine && !step.record_id && h("span", {}, "for anybody")),
    // Stops and problems have a row of their own: the way through a step has the full width of the first.
    buttons.length > 0 && [h("div", { class: "task-buttons" }, buttons),
      h("div", { class: "task-buttons" }, machine && stopButton(machine, context), problemButton(step, nameOf(step), context))]));
}

function machineWords({ name, status, stop }) {
  return stop ? `${name} stands still since ${timeOrDate(stop.started_at)}: ${stop.reason}` : `${name}: ${status}`;
}

function stopButton({ id, name, status, stop }, { act, stopReasons }) {
  if (stop) {
    const write = { method: "POST", path: `/api/stops/${stop.id}/end`, content: {}, done: `${name} runs again.`, pressed: "Runs again" };
    return h("button", { type: "button", class: "big-button plain-button", "data-key": `runs-${id}`, "aria-label": `${name} runs again`, onclick: ({ currentTarget }) => act(currentTarget, write) }, "Runs again");
  }
  if (status !== "active") return null;
  const report = async ({ currentTarget }) => {
    const check = (text) => (text ? "" : "Say why it stands still.");
    const answer = await ask({ title: `${name} stands still`, text: "", verb: "Report", fields: [{ name: "reason", label: "Why?", isText: true, check, proposals: stopReasons }] });
    if (!answer) return;
    const content = { machine_id: id, reason: answer.reason };
    await act(currentTarget, { method: "POST", path: "/api/stops", content, done: `${name} stands still: ${answer.reason}.`, pressed: "Reported" });
  };
  return h("button", { type: "button", class: "big-button plain-button", "data-key": `stop-${id}`, "aria-label": `${name} stands still`, onclick: report }, "Machine stopped");
}

function nameOf({ process, step_order: order }) {
  return process?.name ?? `Step ${order}`;
}

function startButton(step, { act }, look) {
  const label = step.status === "in_progress" ? "Go on" : "Start";
  const name = `${nameOf(step)} of ${step.job.job_number}`;
  const press = ({ currentTarget }) => act(currentTarget, {
    method: "POST", path: "/api/work", content: { step_id: step.step_id }, done: `You work on ${name}.`, pressed: "Started",
  });
  return h("button", { type: "button", class: `big-button ${look}`, "data-key": `begin-${step.step_id}`, "aria-label": `${label} ${name}`, onclick: press }, label);
}

function finishButton(step, context) {
  const left = Math.max(0, step.job.quantity - step.quantity_done);
  return endButton(step, context, { label: "Finish", look: "main-button", good: left, finish: true, done: "Finished" });
}

function pauseButton(step, context) {
  return endButton(step, context, { label: "Pause", look: "plain-button", good: 0, finish: false, done: "Paused" });
}

function endButton(step, { act, rejectReasons }, { label, look, good, finish, done }) {
  const name = `${nameOf(step)} of ${step.job.job_number}`;
  const press = async ({ currentTarget }) => {
    const result = await sheet({ title: `${label} ${name}`, text: step.job.title, verb: label, good, reasons: rejectReasons });
    if (!result) return;
    const pieces = `${number(result.quantity_good)} good, ${number(result.quantity_rejected)} rejected`;
    const content = { ...result, finish };
    await act(currentTarget, { method: "POST", path: `/api/work/${step.record_id}/end`, content, done: `${done} ${name}: ${pieces}.`, pressed: done });
  };
  return h("button", { type: "button", class: `big-button ${look}`, "data-key": `${label}-${step.step_id}`, "aria-label": `${label} ${name}`, onclick: press }, label);
}

function ofOthers(record, { act }) {
  const name = `${nameOf({ process: record.process, step_order: record.step.step_order })} of ${record.job.job_number}`;
  const press = ({ currentTarget }) => act(currentTarget, {
    method: "POST", path: `/api/work/${record.id}/end`, content: record.is_forgotten ? { ended_at: record.started_at } : {},
    done: `Ended the work of ${record.worker.name} on ${name}.`, pressed: "Ended",
    note: record.is_forgotten ? "It counts no time; correct the record if work was done." : null,
  });
  return stamped(record, h("li", { class: "task is-small", "data-row": `record-${record.id}` },
    h("p", { class: "task-name" }, record.worker.name),
    h("p", {}, name, record.machine && h("span", { class: "quiet" }, ` ${record.machine.name}`)),
    h("p", { class: "task-facts" }, h("span", {}, `since ${timeOrDate(record.started_at)}`),
      record.is_forgotten && h("span", { class: "late" }, glyph("overdue"), "forgotten")),
    h("div", { class: "task-buttons" }, h("button", { type: "button", class: "big-button plain-button", "data-key": `end-${record.id}`, "aria-label": `End the work of ${record.worker.name} on ${name}`, onclick: press }, "End"))));
}
