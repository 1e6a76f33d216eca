// The load of the shop: machines and people by the work that waits for them, and the queue of one of them.

import { chip, glyph } from "./chips.js";
import { h, replace } from "./dom.js";
import { count, dateTime, day, number } from "./format.js";
import { counted } from "./freshness.js";
import { stopWords } from "./late.js";
import { editLink } from "./list-parts.js";
import { grid, section } from "./number-parts.js";
import { route } from "./router.js";

export function load(_context) {
  const { query } = route();
  const of = ["machine_id", "assigned_user_id"].find((name) => /^[1-9]\d*$/.test(query.get(name) ?? ""));
  const element = h("div", { class: "shop-numbers", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let shown = null;

  async function load(read) {
    counted(null);
    const found = await read(of ? `/api/dashboard/queue?${of}=${query.get(of)}` : "/api/dashboard/load");
    if (found === shown) return;
    shown = found;
    replace(element, of ? queue(found, `${of}=${query.get(of)}`) : loads(found));
  }

  return { title: of ? "Queue" : "Load", element, load, changed: () => (shown = null) };
}

function loads({ machines, people, next_week_from: from }) {
  const weeks = ["This week", `Week from ${day(from)}`];
  const heads = (name) => [name, "Now", "Waiting", "Work", ...weeks, "Overdue", "Without times"];
  return [
    h("h1", {}, "Load"),
    h(
      "p",
      { class: "quiet" },
      "Work of open jobs by the times of their steps, most first. A week shows the work of jobs that are due in it, of its working hours.",
    ),
    section(
      "Machines",
      grid(
        "Load of machines",
        heads("Machine"),
        machines.map((one) => row(one, "machine_id", "No machine")),
      ),
    ),
    section(
      "People",
      grid(
        "Load of people",
        heads("Person"),
        people.map((one) => row(one, "assigned_user_id", "Nobody")),
      ),
    ),
  ];
}

function row(one, filter, nobody) {
  const name = one.id
    ? h("a", { href: `#/load?${filter}=${one.id}`, "data-key": `${filter}-${one.id}` }, one.name)
    : nobody;
  const marks = [
    one.status && one.status !== "active" && chip(one.status),
    one.stop && h("span", { class: "late" }, glyph("overdue"), stopWords(one.stop)),
  ].filter(Boolean);
  const cells = [
    number(one.in_progress),
    number(one.pending),
    hours(one.seconds),
    week(one.this_week),
    week(one.next_week),
    one.overdue ? h("span", { class: "late" }, number(one.overdue)) : "0",
    number(one.without_times),
  ];
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      name,
      marks.map((mark) => h("div", { class: "load-mark" }, mark)),
    ),
    cells.map((cell) => h("td", {}, cell)),
  );
}

// "12 h", "1.5 h": minutes say nothing here.
function hours(seconds) {
  const exact = seconds / 3600;
  return `${number(exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact))} h`;
}

function week({ due_seconds: due, capacity_seconds: capacity }) {
  if (capacity === null) return hours(due);
  const words = `${hours(due)} of ${hours(capacity)}`;
  return due > capacity ? h("span", { class: "late" }, glyph("overdue"), words) : words;
}

function queue({ name, total, items }, filter) {
  const back = h("p", {}, h("a", { href: "#/load", "data-key": "all-loads" }, "Load of all"));
  if (name === null)
    return [h("h1", {}, "Queue"), h("p", { class: "empty" }, "There is no such machine or person."), back];
  const heads = ["Step", "Job", "Status", "Due", "Work", "Planned", "Waits for", "Machine", "Person", "Change"];
  const list = h(
    "p",
    {},
    `${count(total, "open step")}. `,
    h("a", { href: `#/job-steps?waiting=true&${filter}`, "data-key": "list" }, "As a list, with its export"),
  );
  return [
    h("h1", {}, `Queue of ${name}`),
    back,
    list,
    items.length
      ? section("In order", grid(`Queue of ${name}`, heads, items.map(queued)))
      : h("p", { class: "empty" }, "Nothing waits."),
  ];
}

function queued(step) {
  const { job } = step;
  const name = step.process?.name ?? `Step ${step.step_order}`;
  const cells = [
    h("a", { href: `#/jobs/${job.id}`, "data-key": `job-${step.step_id}` }, job.job_number),
    chip(step.status),
    job.due_date && h("span", { class: step.is_overdue ? "late" : null }, day(job.due_date)),
    step.seconds === null ? "–" : hours(step.seconds),
    step.planned_start ? dateTime(step.planned_start) : "–",
    step.waits_for ?? "–",
    step.machine?.name ?? "–",
    step.person?.name ?? "–",
    editLink("job-steps", { id: step.step_id }, `${name} of ${job.job_number}`, "Assign"),
  ];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name),
    cells.map((cell) => h("td", {}, cell)),
  );
}
