// Sessions of the database that hold others up, and the press that ends one.

import { ask } from "./ask.js";
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { rowButton } from "./list-parts.js";
import { advice, bytes, facts, folded, percent, present, rows, seconds } from "./operate-parts.js";

const who = ({ name, user }) =>
  h(
    "span",
    { class: "named" },
    h("strong", {}, name || "unnamed"),
    h("span", { class: "line-text quiet" }, user ?? ""),
  );

const BLOCKED = [
  ["Waits", who],
  ["For the table", (session) => session.waits_for],
  ["For", (session) => seconds(session.seconds)],
  [
    "Blocked by",
    (session) =>
      session.blocked_by.map((holder) =>
        h(
          "p",
          {},
          `${holder.name || "unnamed"} (${holder.user}, session ${holder.pid})${holder.seconds === null ? "" : `, ${seconds(holder.seconds)}`}`,
        ),
      ),
  ],
  ["End", (session, context) => session.blocked_by.map((holder) => endButton(holder, "block", context)), "control"],
];
const LOCKS = [
  ["Session", who],
  ["Table", (lock) => lock.table],
  ["Keeps out", (lock) => lock.keeps_out],
  ["In a transaction for", (lock) => seconds(lock.seconds)],
  ["End", (lock, context) => lock.pid !== null && endButton(lock, `lock-${lock.table}`, context), "control"],
];
const LONG = [
  ["Session", who],
  ["Query", (session) => session.query],
  ["Runs for", (session) => seconds(session.seconds)],
  ["Waits for", (session) => session.waits_for],
  [
    "Cancel",
    (session, context) =>
      rowButton("Cancel", `Cancel the statement of session ${session.pid}`, `cancel-${session.pid}`, (pressed) =>
        cancel(pressed, session, context),
      ),
    "control",
  ],
];
const IDLE = [
  ["Session", who],
  ["Last query", (session) => session.last_query],
  ["Idle for", (session) => seconds(session.idle_seconds)],
  ["In a transaction for", (session) => seconds(session.transaction_seconds)],
  ["End", (session, context) => endButton(session, "idle", context), "control"],
];

export function sessions(found, context) {
  const { database, disk, transaction_ids: ids, holds_up: held } = found;
  const byPid = (all) => all.map((session) => ({ ...session, id: session.pid }));
  return [
    advice(found),
    facts(
      ["Sessions", number(found.sessions.reduce((sum, group) => sum + group.count, 0))],
      ["Dead rows", held.dead_rows === null ? "–" : number(held.dead_rows)],
      ["Counts to fold", held.unfolded_deltas === null ? "–" : number(held.unfolded_deltas)],
      ["Transaction ids used", percent(ids.used)],
      ["Read from memory", percent(database.cache_hit_ratio)],
      ["Size of the database", bytes(database.bytes)],
      ["Deadlocks", number(database.deadlocks)],
      ["Disk left", `${bytes(disk.free_bytes)} of ${bytes(disk.total_bytes)}`],
    ),
    h("h3", {}, "Blocked"),
    rows("Blocked sessions", BLOCKED, byPid(found.blocked), context, "No session waits for a lock."),
    h("h3", {}, "Locked tables"),
    rows(
      "Locked tables",
      LOCKS,
      found.locks.map((lock) => ({ ...lock, id: `${lock.pid}-${lock.table}` })),
      context,
      "No session locks a table.",
    ),
    h("h3", {}, "Long statements"),
    rows(
      "Long statements",
      LONG,
      byPid(found.long_statements),
      context,
      "No statement has run for longer than a second.",
    ),
    h("h3", {}, "Idle in a transaction"),
    rows(
      "Idle in a transaction",
      IDLE,
      byPid(found.idle_in_transaction),
      context,
      "No session is idle in a transaction.",
    ),
    found.settings.length > 0 &&
      folded(
        "settings",
        `${count(found.settings.length, "setting")} of the server to look at`,
        h(
          "ul",
          {},
          found.settings.map((setting) =>
            h(
              "li",
              {},
              h("strong", {}, `${setting.name} = ${setting.value}: `),
              `${setting.advice}. ${setting.reason}`,
            ),
          ),
        ),
      ),
  ];
}

// The pid may belong to another session by now: the query is sent too, and the API compares it.
async function cancel(pressed, { pid, query, name }, { act }) {
  const answer = await ask({
    title: `Cancel the statement of session ${pid}?`,
    text: `${name || "It"} gets an error. The audit log says who cancelled it.`,
    verb: "Cancel the statement",
  });
  if (answer)
    await act(present(pressed), {
      method: "POST",
      path: "/api/health/activity/cancel",
      content: { pid, ...(query ? { query } : {}) },
      done: `Cancelled the statement of session ${pid}.`,
    });
}

function endButton({ pid, name }, kind, { act }) {
  const press = async (pressed) => {
    const answer = await ask({
      title: `End session ${pid}?`,
      text: `${name || "It"} loses its connection, and its open transaction is rolled back. The audit log says who ended it.`,
      verb: "End the session",
    });
    if (answer)
      await act(present(pressed), {
        method: "POST",
        path: "/api/health/activity/cancel",
        content: { pid, end_session: true },
        done: `Ended session ${pid}.`,
      });
  };
  return rowButton("End session", `End session ${pid}`, `${kind}-${pid}`, press);
}
