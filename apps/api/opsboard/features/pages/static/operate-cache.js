// The cache by endpoint, and clearing it: on every worker, each of which confirms.

import { ask } from "./ask.js";
import { h } from "./dom.js";
import { count, number, timeOrDate } from "./format.js";
import { rowButton } from "./list-parts.js";
import { bytes, facts, folded, percent, present, rows } from "./operate-parts.js";

const SHOWN = 8;
let lastClear = null; // { answer, at }: kept while the page is open

const COLUMNS = [
  ["Endpoint", (endpoint) => h("span", { class: "job-number" }, endpoint.id)],
  ["Hit rate", (endpoint) => percent(rateOf(endpoint)), "figure-cell"],
  ["Hits", (endpoint) => number(endpoint.hits), "figure-cell"],
  ["Misses", (endpoint) => number(endpoint.misses), "figure-cell"],
  ["Entries", (endpoint) => number(endpoint.entries), "figure-cell"],
  ["Size", (endpoint) => bytes(endpoint.bytes), "figure-cell"],
  [
    "Clear",
    (endpoint, context) =>
      rowButton("Clear", `Clear ${endpoint.id}`, `clear-${endpoint.id}`, (pressed) =>
        clear(pressed, endpoint.id, context),
      ),
    "control",
  ],
];

export function cache({ cache_stats: stats, workers }, context) {
  const endpoints = Object.entries(stats.endpoints).map(([id, numbers]) => ({ id, ...numbers }));
  endpoints.sort((a, b) => b.hits + b.misses - (a.hits + a.misses) || (a.id < b.id ? -1 : 1));
  return [
    facts(
      ["Hit rate", percent(stats.hit_rate)],
      ["Entries", number(stats.total_entries)],
      ["Size", bytes(stats.bytes)],
      ["Shared cache", { off: "Off", up: "Up", down: "Down" }[stats.second_level.state] ?? stats.second_level.state],
      ["Workers", number(workers.length)],
    ),
    h(
      "p",
      { class: "actions" },
      rowButton("Clear all", "Clear the whole cache", "clear-all", (pressed) => clearAll(pressed, context)),
      h("a", { href: "#/audit?entity=cache" }, "Who cleared it"),
    ),
    // A row of its own, so that it is renewed while the pressed row must stay in its place.
    h("p", { "data-row": "last-clear" }, lastClear && wordsOf(lastClear)),
    rows("Cache by endpoint", COLUMNS, endpoints.slice(0, SHOWN), context, "Nothing is kept yet."),
    endpoints.length > SHOWN &&
      folded(
        "endpoints",
        `${endpoints.length - SHOWN} more`,
        rows("More endpoints", COLUMNS, endpoints.slice(SHOWN), context, ""),
      ),
  ];
}

function rateOf({ hits, misses }) {
  return hits + misses ? hits / (hits + misses) : null;
}

async function clearAll(pressed, context) {
  const answer = await ask({
    title: "Clear the whole cache?",
    text: "Every answer is made anew. It is never needed for fresh numbers: changes end the answers they concern by themselves.",
    verb: "Clear all",
  });
  if (answer) await clear(present(pressed), null, context);
}

function clear(pressed, prefix, { act }) {
  return act(pressed, {
    method: "POST",
    path: "/api/health/cache/clear",
    content: prefix ? { prefix } : {},
    doneOf: (answer) => wordsOf({ answer, at: Date.now() }),
    onDone: (answer) => (lastClear = { answer, at: Date.now() }),
  });
}

function wordsOf({ answer: { prefix, acknowledged, workers, cleared, waiting }, at }) {
  const late = waiting.length ? ` ${waiting.join(", ")}: not yet confirmed, and stale until then.` : "";
  return `Cleared ${prefix ?? "all"} at ${timeOrDate(at)}: confirmed by ${number(acknowledged)} of ${count(workers, "worker")} (${cleared.join(", ")}).${late}`;
}
