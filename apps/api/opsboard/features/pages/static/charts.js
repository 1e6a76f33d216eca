// The two charts, drawn by elements whose sizes the style sheet takes from a share of the largest: they follow the width
// of the window, the theme and the paper by themselves. What they show is there as a table as well.

import { words } from "./chips.js";
import { h, replace } from "./dom.js";
import { month, monthLabel, number } from "./format.js";
import { pageOf } from "./router.js";
import { scaleOf } from "./svg-charts.js";

export function drawMonths(element, { items }) {
  const created = items.reduce((sum, item) => sum + item.created, 0);
  const completed = items.reduce((sum, item) => sum + item.completed, 0);
  const summary = `${items.length} months: ${number(created)} jobs created, ${number(completed)} completed.`;
  element.querySelector("#month-words").textContent = summary;
  const row = (item) => [
    month(item.month),
    cell(item.created, item.links.created),
    cell(item.completed, item.links.completed),
  ];
  replace(element.querySelector("#month-table"), table(["Month", "Created", "Completed"], items.map(row)));
  const { step, top } = scaleOf(Math.max(0, ...items.flatMap((item) => [item.created, item.completed])));
  const ticks = Array.from({ length: top / step + 1 }, (_, index) => index * step);
  const barOf = (item, kind) =>
    bar(
      `chart-bar is-${kind}`,
      item[kind] / top,
      item.links[kind],
      `${month(item.month)}: ${number(item[kind])} ${kind}`,
    );
  replace(
    element.querySelector("#month-chart"),
    ticks.map((tick) => shared(h("span", { class: "tick" }, number(tick)), tick / top)),
    h(
      "div",
      { class: "months" },
      items.map((item, index) =>
        h(
          "div",
          { class: "month-group" },
          barOf(item, "created"),
          barOf(item, "completed"),
          h(
            "span",
            { class: "month-label" },
            [monthLabel(item.month, index)].flat().map((line) => h("span", {}, line)),
          ),
        ),
      ),
    ),
  );
}

export function drawStatuses(element, { items }) {
  element.querySelector("#status-words").textContent = items
    .map((item) => `${words(item.status)} ${number(item.count)}`)
    .join(", ");
  const row = (item) => [words(item.status), cell(item.count, item.link)];
  replace(element.querySelector("#status-table"), table(["Status", "Jobs"], items.map(row)));
  const largest = Math.max(1, ...items.map((item) => item.count));
  replace(
    element.querySelector("#status-chart"),
    items.map((item) =>
      h(
        "div",
        { class: `status-row is-${item.status}` },
        h("span", { class: "status-label" }, words(item.status)),
        h(
          "span",
          { class: "status-track" },
          bar("chart-bar", item.count / largest, item.link, `${words(item.status)}: ${number(item.count)}`),
          h("span", { class: "status-count" }, number(item.count)),
        ),
      ),
    ),
  );
}

// Pressed with a pointer it opens its list; by keyboard the table does.
function bar(kind, share, link, title) {
  return shared(
    h("span", { class: share > 0 ? kind : `${kind} is-none`, title, onclick: () => (location.hash = pageOf(link)) }),
    share,
  );
}

function shared(element, share) {
  element.style.setProperty("--share", share);
  return element;
}

function cell(value, link) {
  return h("a", { href: pageOf(link), "data-key": link }, number(value));
}

function table(heads, rows) {
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head) => h("th", { scope: "col" }, head)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map(([first, ...rest]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, first),
          rest.map((value) => h("td", {}, value)),
        ),
      ),
    ),
  );
}
