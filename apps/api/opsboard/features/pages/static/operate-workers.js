// Workers with their freshness and load, sign-ins, and how much each business uses the service.

import { chip } from "./chips.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { bytes, facts, percent, rows, seconds } from "./operate-parts.js";

const WORKERS = [
  [
    "Worker",
    (worker) =>
      h(
        "span",
        { class: "named" },
        h("strong", {}, worker.machine),
        h("span", { class: "line-text quiet" }, `process ${worker.pid}`),
      ),
  ],
  [
    "State",
    (worker) => [
      chip(worker.status),
      worker.status === "silent" && ` for ${seconds(worker.silent_seconds)}`,
      worker.writes_paused && chip("paused", "Writes paused"),
    ],
  ],
  ["Freshness lag", (worker) => seconds(worker.change_lag_seconds), "figure-cell"],
  ["Answers", (worker) => number(worker.answers.requests), "figure-cell"],
  ["Errors", (worker) => number(worker.answers.errors), "figure-cell"],
  [
    "Threads busy",
    (worker) => `${number(worker.request_threads.busy)} of ${number(worker.request_threads.max)}`,
    "figure-cell",
  ],
  ["Memory", (worker) => bytes(worker.memory_bytes), "figure-cell"],
  ["Disk free", (worker) => percent(worker.disk_free), "figure-cell"],
  ["Runs for", (worker) => seconds(worker.uptime_seconds), "figure-cell"],
];
const USAGE = [
  [
    "Business",
    (use) =>
      h("span", { class: "named" }, h("strong", {}, use.name), h("span", { class: "line-text quiet" }, use.slug)),
  ],
  ["Requests", (use) => number(use.requests), "figure-cell"],
  ["Time", (use) => seconds(use.seconds), "figure-cell"],
  ["Sent", (use) => bytes(use.bytes), "figure-cell"],
];

export function workers(found, context) {
  const silent = found.workers.filter(({ status }) => status === "silent");
  return [
    facts(
      ["Workers", number(found.workers.length)],
      ["Machines", number(found.machines)],
      ["Silent", number(silent.length)],
      ["Longest freshness lag", seconds(found.change_lag_seconds)],
      ["Answers", number(found.answers.requests)],
      ["Errors", number(found.answers.errors)],
      ["Requests that wait for a thread", number(found.request_threads.waiting)],
    ),
    rows("Workers", WORKERS, found.workers, context, "No worker reports."),
  ];
}

export function signIns({ sign_ins: counts }) {
  const count = (outcome) => number(counts[outcome] ?? 0);
  return [
    facts(
      ["Signed in", count("sign_in")],
      ["Wrong password or unknown", count("sign_in_failed")],
      ["Refused, too many attempts", count("sign_in_refused")],
      ["Signed out", count("sign_out")],
    ),
    h(
      "p",
      { class: "quiet" },
      "Over all workers since they started. The audit log of each business has every attempt at an account of its own. ",
      h("a", { href: "#/audit?entity=user" }, "Yours"),
    ),
  ];
}

export function usage({ businesses }, context) {
  return [
    h("p", { class: "quiet" }, "Written down once a minute by each worker."),
    rows("Usage by business", USAGE, businesses, context, "No business has used the service yet."),
  ];
}
