// The state of the whole service, for those who run it: what is the matter, and the means to mend it.

import { chip } from "./chips.js";
import { h, replace } from "./dom.js";
import { counted } from "./freshness.js";
import { problemWords } from "./notices.js";
import { alerts } from "./operate-alerts.js";
import { cache } from "./operate-cache.js";
import { recount } from "./operate-counts.js";
import { connections, indexes, queries } from "./operate-database.js";
import { sessions } from "./operate-sessions.js";
import { signIns, usage, workers } from "./operate-workers.js";

const RARELY = 60_000; // ms between two looks at what changes slowly

// `path` is read at each poll, or rarely; `shows` gives what stands below the heading.
const PARTS = [
  { id: "alerts", title: "Alerts", path: "/api/health/alerts", shows: alerts },
  { id: "workers", title: "Workers and machines", path: "/api/health/workers", shows: workers },
  { id: "connections", title: "Connections to the database", path: "/api/health/db", shows: connections },
  { id: "sessions", title: "Locks and long transactions", path: "/api/health/activity", shows: sessions },
  { id: "cache", title: "Cache", path: "/api/health/cache", shows: cache },
  { id: "queries", title: "Slowest queries", path: "/api/health/queries", shows: queries, isRare: true },
  { id: "indexes", title: "Indexes", path: "/api/health/indexes", shows: indexes, isRare: true },
  { id: "sign-ins", title: "Sign-ins", path: "/api/health/workers", shows: signIns },
  {
    id: "usage",
    title: "Usage by business in the last 30 days",
    path: "/api/health/usage?days=30",
    shows: usage,
    isRare: true,
  },
];

export function operate(context) {
  if (!context.me.runs_service) return forOthers();
  const parts = PARTS.map((part) => ({
    ...part,
    body: h("div", {}, h("p", { class: "waiting" }, "Loading …")),
    readAt: 0,
  }));
  const element = h(
    "div",
    { class: "operate", tabindex: "-1" },
    h(
      "div",
      { class: "list-head" },
      h("h1", {}, "Operate"),
      h("a", { class: "plain-button", href: "#/audit" }, "Audit log"),
    ),
    parts.map(sectionOf),
    recount(context),
  );

  // One after the other: answers about health have few connections of their own.
  async function load(read) {
    counted(null);
    const problems = [];
    const answers = new Map(); // two parts may show one answer
    const due = parts.filter((part) => !part.isRare || Date.now() - part.readAt > RARELY);
    for (const part of due) {
      try {
        if (!answers.has(part.path)) answers.set(part.path, await read(part.path));
        show(part, answers.get(part.path));
      } catch (problem) {
        if (problem.isSignedOut || problem.status === undefined || problem.status === 0) throw problem;
        problems.push(problem);
        replace(part.body, problemWords(problem));
      }
    }
    // One part that cannot be read says so in its place; if none can, the page is not fresh.
    if (problems.length === due.length) throw problems[0];
  }

  function show(part, answer) {
    part.readAt = Date.now();
    replace(
      part.body,
      answer.problem &&
        h("p", { class: "problem" }, `${answer.problem} This is of ${Math.round(answer.age_seconds)} s ago.`),
      answer.status && h("p", {}, chip(answer.status)),
      part.shows(answer, context),
    );
  }

  function changed() {
    for (const part of parts) part.readAt = 0;
  }

  return { title: "Operate", element, load, changed };
}

function forOthers() {
  const element = h(
    "div",
    { class: "not-found", tabindex: "-1" },
    h("h1", {}, "Operate"),
    h("p", {}, "This page is about the whole service, for admins of those who run it (OPERATOR_TENANTS)."),
    h("p", {}, h("a", { href: "#/" }, "To the board")),
  );
  return { title: "Operate", element, load: async () => counted(null) };
}

function sectionOf({ id, title, body }) {
  return h(
    "section",
    { class: "card operate-part", id: `operate-${id}`, "aria-labelledby": `operate-${id}-title`, tabindex: "-1" },
    h("h2", { id: `operate-${id}-title` }, title),
    body,
  );
}
