// The page /design: every part with its states, made by the functions that the pages use.

import { chip, glyph, progress, words } from "./chips.js";
import { byId, h } from "./dom.js";
import { filters } from "./filters.js";
import { ICONS, icon } from "./icons.js";
import { table } from "./list.js";
import { dateFilter, emptyState, factList, flag, named, search, sort } from "./list-parts.js";
import { problemWords } from "./notices.js";
import { barChart, lineChart, paretoChart, sparkline } from "./svg-charts.js";

const STATUSES = [
  "draft",
  "active",
  "on_hold",
  "completed",
  "cancelled",
  "pending",
  "in_progress",
  "skipped",
  "maintenance",
  "inactive",
  "overdue",
  "urgent",
  "high",
  "low",
];
const button = (kind, label, more = {}) => h("button", { type: "button", class: kind, ...more }, label);
const row = (...children) => h("div", { class: "samples-row" }, children);
const part = (title, ...children) => h("section", { "aria-label": title }, h("h2", {}, title), children);
const sub = (title, ...children) => [h("h3", {}, title), ...children];

/** The custom properties of the style sheet that all pages have: name -> value. */
function tokens() {
  const sheet = [...document.styleSheets].find(({ href }) => href?.endsWith("/base.bundle.css"));
  const found = new Map();
  for (const rule of sheet?.cssRules ?? []) {
    if (!(rule instanceof CSSStyleRule) || rule.selectorText !== ":root") continue;
    for (const name of rule.style) if (name.startsWith("--")) found.set(name, rule.style.getPropertyValue(name).trim());
  }
  return [...found];
}

function colours() {
  return h(
    "div",
    { class: "swatches" },
    tokens()
      .filter(([, value]) => value.startsWith("#"))
      .map(([name]) => {
        const square = h("span", { class: "swatch-colour" });
        square.style.background = `var(${name})`;
        return h("div", { class: "swatch" }, square, h("code", {}, name));
      }),
  );
}

function sizes(prefix) {
  return h(
    "div",
    {},
    tokens()
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => {
        const sample = prefix === "--text" ? h("span", {}, "118 jobs") : h("span", { class: "space-bar" });
        if (prefix === "--text") sample.style.fontSize = `min(var(${name}), 4rem)`;
        else sample.style.width = `var(${name})`;
        return h("div", { class: "swatch" }, h("code", {}, `${name}: ${value}`), sample);
      }),
  );
}

function buttons() {
  return [
    row(
      button("main-button", "Main: one on a page"),
      button("plain-button", "Plain"),
      button("move-button", "Start"),
      button("move-button to-complete", "Complete"),
      button("icon-button", icon("more"), { "aria-label": "Icon button" }),
    ),
    sub(
      "Not to be pressed now",
      row(
        button("move-button", "Start", { "aria-disabled": "true" }),
        button("main-button", "Main", { "aria-disabled": "true" }),
      ),
    ),
    sub("For a hand in a glove", row(button("move-button big-button", "Begin"))),
  ];
}

function fields() {
  const field = (label, control, ...more) =>
    h("div", { class: "form-field" }, h("label", { for: control.id }, label), control, more);
  return h(
    "div",
    { class: "record-form" },
    field("Title (required)", h("input", { id: "sample-title", value: "Bracket, laser cut" })),
    field(
      "Due",
      h("input", { id: "sample-due", type: "date", "aria-invalid": "true", "aria-describedby": "sample-problem" }),
      h("p", { class: "problem", id: "sample-problem" }, "Enter a date, for example 2026-03-31."),
    ),
    field("Customer", h("input", { id: "sample-off", disabled: true, value: "Cannot be changed" })),
    field(
      "Priority",
      h(
        "select",
        { id: "sample-priority" },
        ["low", "normal", "high", "urgent"].map((value) => h("option", {}, words(value))),
      ),
    ),
  );
}

function listSamples() {
  const items = [
    { id: 1, name: "J-1", status: "active", progress: { steps: 4, done: 1 } },
    { id: 2, name: "J-2", status: "on_hold", progress: { steps: 3, done: 3 } },
  ];
  const columns = [
    ["Job", (item) => named("#main", item.name, "Bracket, laser cut")],
    ["Status", (item) => chip(item.status)],
    ["Progress", (item) => progress(item.progress)],
  ];
  return [
    filters("design", new URLSearchParams("mine=true"), [
      search("Words of number or title"),
      { name: "status", label: "Status", values: STATUSES.slice(0, 4) },
      dateFilter("due_from", "Due from"),
      flag("mine", "Only mine"),
      flag("overdue", "Overdue"),
      sort("-created_at", "due_date"),
    ]),
    table("Sample of a list", columns, items, {}),
    sub("Nothing to show", emptyState("There are no jobs yet.", [["New job", "#main"]])),
    sub(
      "Refused or failed",
      h(
        "div",
        { class: "trouble-state" },
        problemWords({ words: "The list cannot be sorted like this.", requestId: "4f2a" }),
        h("a", { class: "plain-button", href: "#main" }, "Show the whole list"),
      ),
    ),
    sub("Under way", h("p", { class: "waiting" }, "Loading …")),
  ];
}

function figures() {
  const figure = (value, label, kind) =>
    h(
      "a",
      { class: `figure marked ${kind}`, href: "#main" },
      h("span", { class: "value" }, value),
      " ",
      h("span", { class: "label" }, label),
    );
  return h(
    "div",
    { class: "card" },
    h("h3", {}, "Jobs"),
    h(
      "div",
      { class: "figures middle" },
      figure("24", "Active", "is-active"),
      figure("7", "Overdue", "is-overdue"),
      figure("3", "On hold", "is-on_hold"),
      figure("0", "Draft", "is-draft is-zero"),
    ),
  );
}

function charts() {
  const reasons = [
    ["Scratch", 12],
    ["Size", 31],
    ["Weld", 7],
    ["Other", 3],
  ].map(([label, value]) => ({ label: String(label), value: Number(value), href: "#main" }));
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"];
  return [
    sub(
      "Bars",
      barChart({
        title: "Jobs by month",
        unit: "Jobs",
        points: months.map((label, index) => ({ label, value: [31, 44, 28, 52, 47, 60][index], href: "#main" })),
      }),
    ),
    sub("Pareto", paretoChart({ title: "Rejects by reason", unit: "Pieces", points: reasons })),
    sub(
      "Lines",
      lineChart({
        title: "Hours worked and planned",
        labels: months,
        series: [
          { name: "Worked", values: [120, 132, null, 101, 140, 155] },
          { name: "Planned", values: [130, 130, 140, 140, 150, 150] },
        ],
      }),
    ),
    sub(
      "Beside a number",
      row(h("span", { class: "value" }, "60"), sparkline([31, 44, 28, 52, 47, 60], "Six months, from 31 to 60")),
    ),
  ];
}

function freshness() {
  const states = {
    fresh: "As of 07:59:12, checked 3 s ago",
    late: "The server cannot be reached. Last good numbers from 07:58:02.",
    lost: "The server cannot be reached. Last good numbers from 06:10:00.",
  };
  return Object.entries(states).map(([state, text]) =>
    h(
      "div",
      { class: "bar sample-bar" },
      h("p", { class: "freshness", "data-state": state }, h("span", { class: "pulse", "aria-hidden": "true" }), text),
    ),
  );
}

function messages() {
  return [
    h("div", { class: "toast" }, h("p", {}, "J-118 is completed."), button("plain-button", "Undo")),
    h(
      "div",
      { class: "notice" },
      problemWords({ words: "Somebody else changed the job meanwhile." }),
      button("plain-button", "Close"),
    ),
    h("p", { class: "banner" }, "Records as of 31 May 2014: “today” is that day."),
  ];
}

byId("parts").append(
  part("Colours", colours()),
  part("Type", sizes("--text")),
  part("Space", sizes("--space")),
  part("Buttons", buttons()),
  part(
    "Status",
    row(STATUSES.map((status) => chip(status))),
    sub(
      "Signs without words",
      row(STATUSES.map((status) => h("span", { class: `is-${status}`, title: words(status) }, glyph(status)))),
    ),
  ),
  part(
    "Icons of the menu",
    row(
      Object.keys(ICONS).map((name) =>
        h("span", { class: "swatch" }, icon(/** @type {keyof typeof ICONS} */ (name)), name),
      ),
    ),
  ),
  part("Figures", figures()),
  part("Lists", listSamples()),
  part("Charts", charts()),
  part(
    "Facts",
    factList([
      ["Customer", "Harbour Freight"],
      ["Due", "in 3 days"],
      ["Progress", progress({ steps: 5, done: 2 })],
    ]),
  ),
  part("Forms", fields()),
  part("Messages", messages()),
  part("Freshness", freshness()),
);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
