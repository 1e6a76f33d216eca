// The pool, the slowest queries with their endpoints and indexes, and the indexes as they are used.

import { h } from "./dom.js";
import { count, dateTime, number } from "./format.js";
import { advice, bytes, facts, folded, milliseconds, rows, seconds } from "./operate-parts.js";

const SHOWN = 12;
const QUERIES = [
  ["Query", (use) => h("span", { class: "job-number" }, use.query)],
  ["Endpoints", (use) => each("endpoints", use.query, use.endpoints)],
  ["Indexes", (use) => each("indexes", use.query, use.indexes)],
  ["Mean", (use) => milliseconds(use.mean_ms), "figure-cell"],
  ["Longest", (use) => milliseconds(use.max_ms), "figure-cell"],
  ["Times", (use) => number(use.count), "figure-cell"],
];

export function connections(found) {
  const { pool_stats: pool, request_threads: threads, server } = found;
  return [
    advice(found),
    facts(
      ["In use", `${number(pool.in_use)} of ${number(pool.max_connections)}`],
      ["Open", number(pool.total)],
      ["Requests that wait", number(pool.requests_waiting)],
      ["Waited in all", seconds(pool.requests_wait_ms / 1000)],
      ["Got none", number(pool.requests_errors)],
      ["Threads busy", `${number(threads.busy)} of ${number(threads.max)}`],
      [
        "Server",
        server.connections === undefined
          ? "–"
          : `${number(server.connections)} of ${number(server.max_connections)} connections`,
      ],
    ),
  ];
}

export function queries({ queries: all, slow_query_ms: slow, pg_stat_statements: extension, statements }, context) {
  const items = all.slice(0, SHOWN).map((use) => ({ ...use, id: use.query }));
  return [
    h(
      "p",
      { class: "quiet" },
      `The ${SHOWN} slowest on average, over all workers since they started. A query that takes ${number(slow)} ms or more is in the log, with its plan.`,
    ),
    rows("Slowest queries", QUERIES, items, context, "No query has run yet."),
    statements === null && h("p", { class: "quiet" }, extension),
  ];
}

export function indexes(found) {
  const unused = found.indexes.filter(({ name }) => found.unused.includes(name));
  return [
    facts(
      ["Indexes", number(found.indexes.length)],
      ["Missing", number(found.missing.length)],
      ["Invalid", number(found.invalid.length)],
      ["Duplicate", number(found.duplicate.length)],
      ["Foreign keys without one", number(found.foreign_keys_without_index.length)],
      ["Unused", `${number(unused.length)} (${bytes(unused.reduce((sum, index) => sum + index.bytes, 0))})`],
    ),
    h(
      "p",
      { class: "quiet" },
      found.since
        ? `Uses are counted since ${dateTime(found.since)}.`
        : "Uses are counted since the database was created.",
    ),
    named("Missing", found.missing),
    named("Invalid", found.invalid),
    named("Duplicate", found.duplicate),
    named(
      "Foreign keys without an index",
      found.foreign_keys_without_index.map(({ table, name }) => `${name} of ${table}`),
    ),
    unused.length > 0 &&
      folded(
        "unused",
        `${count(unused.length, "index", "indexes")} not used yet`,
        h(
          "ul",
          {},
          unused.map((index) =>
            h(
              "li",
              {},
              h("strong", {}, index.name),
              `, ${bytes(index.bytes)}`,
              index.serves && h("span", { class: "quiet" }, `: serves ${index.serves}`),
            ),
          ),
        ),
      ),
  ];
}

function named(title, names) {
  return names.length > 0 && h("p", { class: "warning" }, `${title}: ${names.join(", ")}.`);
}

// The first of them, the others on demand.
function each(kind, query, names) {
  if (!names.length) return null;
  const [first, second, ...others] = names.map((name) => h("p", {}, name));
  if (!others.length) return [first, second];
  return [first, folded(`${kind} ${query}`, `and ${others.length + 1} more`, second, others)];
}
