// Parts of pages with numbers: a card with a heading, a table that scrolls within it.

import { h } from "./dom.js";

export function grid(caption, heads, rows) {
  return h(
    "div",
    { class: "scrolls", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: "number-table" },
      h("caption", { class: "visually-hidden" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}

export function section(heading, ...content) {
  return h("section", { class: "card" }, h("h2", {}, heading), content);
}
