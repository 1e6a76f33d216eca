// The recount: compares every kept count of the business with its rows, when somebody asks for it.

import { get } from "./api.js";
import { chip } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime, number } from "./format.js";
import { problemWords } from "./notices.js";
import { facts, rows } from "./operate-parts.js";

const COLUMNS = [
  ["Count", (difference) => [difference.metric, difference.label].filter(Boolean).join(", ")],
  ["Day", (difference) => difference.day],
  ["Kept", (difference) => number(difference.kept), "figure-cell"],
  ["Counted", (difference) => number(difference.counted), "figure-cell"],
];

export function recount(context) {
  const result = h("div", { role: "status" });
  const button = h(
    "button",
    { type: "button", class: "move-button", "data-key": "recount", onclick: press },
    "Recount now",
  );

  async function press() {
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    replace(result, h("p", { class: "waiting" }, "Counting …"));
    try {
      replace(result, shown(await get("/api/health/rollups"), context));
    } catch (problem) {
      replace(result, problemWords(problem));
    } finally {
      button.ariaDisabled = null;
    }
  }

  return h(
    "section",
    { class: "card operate-part", id: "operate-counts", "aria-labelledby": "operate-counts-title", tabindex: "-1" },
    h("h2", { id: "operate-counts-title" }, "Counts of your business"),
    h(
      "p",
      { class: "quiet" },
      "Numbers and totals are kept, not counted each time. A recount compares them with the rows; it takes as long as counting takes.",
    ),
    h("p", { class: "actions" }, button),
    result,
  );
}

function shown({ status, differences, folded, not_folded: waiting, as_of: at }, context) {
  const items = differences.map((difference, index) => ({ ...difference, id: index }));
  return [
    h(
      "p",
      {},
      chip(status === "ok" ? "ok" : "critical", status === "ok" ? "All counts are right" : "Some counts differ"),
      ` as of ${dateTime(at)}`,
    ),
    facts(["Kept counts", number(folded)], ["Changes to fold", number(waiting)]),
    items.length > 0 && rows("Differences", COLUMNS, items, context, ""),
    items.length > 0 && h("p", {}, "Mend them with: opsboard rollups rebuild"),
  ];
}
