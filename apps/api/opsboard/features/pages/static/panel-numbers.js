// The board's panel of the numbers of the shop; the page of them has the rest.

import { h, replace } from "./dom.js";
import { number } from "./format.js";
import { pageOf } from "./router.js";

/** @type {[string, string, (all: any) => string][]} */
const FIGURES = [
  ["Good pieces", "work", (all) => number(all.quantity_good)],
  ["Scrap", "rejects", (all) => percent(all.scrap_rate)],
  ["Jobs completed", "jobs_completed", (all) => number(all.jobs_completed)],
  ["On time", "jobs_completed", (all) => percent(all.on_time_share)],
  [
    "Lead time",
    "jobs_completed",
    (all) => (all.lead_time_days === null ? "–" : `${number(Math.round(all.lead_time_days * 10) / 10)} d`),
  ],
  ["Utilisation", "work", (all) => percent(all.utilisation)],
];

export function showNumbers(section, { all }) {
  const more = section.querySelector(".more");
  more.href = "#/numbers";
  more.textContent = "All numbers";
  more.hidden = false;
  replace(section.querySelector(".card-body"), figures(all));
}

/** The figures of some days, each with the list behind it. */
export function figures(all) {
  return h(
    "div",
    { class: "figures middle number-figures" },
    FIGURES.map(([label, link, value]) =>
      h(
        "a",
        { class: "figure", href: pageOf(all.links[link]), "data-key": `figure-${label}` },
        h("span", { class: "value" }, value(all)),
        " ",
        h("span", { class: "label" }, label),
      ),
    ),
  );
}

export function percent(share) {
  return share === null ? "–" : `${number(Math.round(share * 1000) / 10)} %`;
}
