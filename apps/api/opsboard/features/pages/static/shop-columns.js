// The lists of the shop floor: records of work, stops of machines.

import { h } from "./dom.js";
import { dateTime, number } from "./format.js";
import { dateFilter, flag, named, sort } from "./list-parts.js";
import { chip, words } from "./chips.js";
import { KINDS, problemActions } from "./problems.js";
import { machines, people } from "./sources.js";
import { manages } from "./rights.js";

export const SHOP = {
  // With filters; without, the address shows the terminal.
  work: {
    title: "Work records",
    one: "record",
    filters: [
      (me) => manages(me) && { name: "worker_id", label: "Person", source: people },
      { name: "machine_id", label: "Machine", source: machines },
      dateFilter("ended_from", "Ended from"),
      dateFilter("ended_to", "Ended until"),
      flag("rejected", "With rejects"),
      flag("open", "Not ended"),
      sort("-started_at", "-ended_at"),
    ],
    columns: [
      ["Job", (record) => named(`#/jobs/${record.job.id}`, record.job.job_number, record.job.title)],
      ["Step", (record) => [`${record.step.step_order} `, record.process?.name]],
      ["Machine", (record) => record.machine?.name],
      ["Person", (record) => record.worker.name],
      ["Began", (record) => dateTime(record.started_at), "when"],
      [
        "Ended",
        (record) =>
          record.ended_at
            ? dateTime(record.ended_at)
            : h(
                "span",
                { class: record.is_forgotten ? "late" : "quiet" },
                record.is_forgotten ? "forgotten" : "goes on",
              ),
        "when",
      ],
      ["Time", (record) => (record.seconds === null ? null : duration(record.seconds))],
      ["Good", (record) => number(record.quantity_good)],
      ["Rejected", (record) => number(record.quantity_rejected)],
      ["Why rejected", (record) => record.reject_reason],
    ],
  },
  problems: {
    title: "Problems",
    one: "problem",
    filters: [
      { name: "status", label: "Status", values: ["open", "answered", "closed"] },
      { name: "kind", label: "About", values: KINDS },
      { name: "machine_id", label: "Machine", source: machines },
      flag("mine", "Only mine"),
    ],
    columns: [
      ["Problem", (problem) => h("strong", {}, problem.description)],
      ["About", (problem) => words(problem.kind)],
      [
        "Job",
        (problem) =>
          problem.job &&
          h("a", { href: `#/jobs/${problem.job.id}` }, problem.job.job_number, " ", problem.process?.name),
      ],
      ["Machine", (problem) => problem.machine?.name],
      [
        "Status",
        (problem) => [
          chip(problem.status),
          problem.holds_step && problem.status !== "closed" && h("span", { class: "late" }, " holds the step"),
        ],
      ],
      [
        "Reported",
        (problem) => [
          h("span", { class: "when" }, dateTime(problem.created_at)),
          h("span", { class: "quiet" }, ` ${problem.reported_by?.name ?? ""}`),
        ],
      ],
      ["Answer", (problem) => problem.answer],
      ["Solve", (problem, context) => problemActions(problem, context), "control"],
    ],
  },
  stops: {
    title: "Machine stops",
    one: "stop",
    filters: [
      { name: "machine_id", label: "Machine", source: machines },
      flag("open", "Stopped now"),
      dateFilter("started_from", "From"),
      dateFilter("started_to", "Until"),
      sort("-started_at"),
    ],
    columns: [
      ["Machine", (stop) => named(`#/job-steps?machine_id=${stop.machine.id}`, stop.machine.name)],
      ["Why", (stop) => stop.reason],
      ["Since", (stop) => dateTime(stop.started_at), "when"],
      [
        "Until",
        (stop) => (stop.ended_at ? dateTime(stop.ended_at) : h("span", { class: "late" }, "stopped now")),
        "when",
      ],
      ["Time", (stop) => (stop.seconds === null ? null : duration(stop.seconds))],
      ["Reported by", (stop) => stop.reported_by?.name],
      ["Note", (stop) => stop.note],
    ],
  },
};

// "2 h 05 min"; below an hour minutes alone.
export function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} min`;
}
