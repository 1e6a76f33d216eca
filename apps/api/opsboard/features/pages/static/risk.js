// Jobs at risk of ending late, as bars, and the calibration of the risk: predicted against actual shares.

import { glyph } from "./chips.js";
import { h, replace } from "./dom.js";
import { count, number } from "./format.js";
import { whyLate } from "./late.js";
import { jobLink, show } from "./panels.js";

const SHARE = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const ERROR = new Intl.NumberFormat(undefined, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
// The picture in its own units: a square with room for the words at its sides.
const SIDE = 100;
const LARGEST = 5;

export function showAtRisk(section, jobs) {
  show(section, "/api/jobs/at-risk", "All open jobs by due date", "No open job has a due date ahead.", jobs, (job) => [
    jobLink(job.id, job.job_number, job.title),
    h(
      "span",
      { class: "line-side" },
      riskBar(job),
      h(
        "span",
        { class: "quiet" },
        `${job.days_left ? count(job.days_left, "day") : "today"}, ${count(job.steps_left, "step")} left`,
      ),
    ),
    whyLate(job),
  ]);
}

// Active jobs of which no step has moved for a week, the longest first.
export function showIdle(section, jobs) {
  show(
    section,
    "/api/jobs?status=active&sort=due_date",
    "All active jobs",
    "A step of every active job has moved within a week.",
    jobs,
    (job) => [
      jobLink(job.id, job.job_number, job.title),
      h(
        "span",
        { class: "line-side" },
        h("span", { class: "late" }, glyph("overdue"), `${count(job.idle_days, "day")} without a move`),
      ),
      whyLate(job),
    ],
  );
}

// The risk as a bar and a number, with its basis in the tooltip.
export function riskBar({ risk, risk_basis: basis }) {
  if (risk === null) return h("span", { class: "quiet" }, "Not known");
  const label = `${SHARE.format(risk)} risk of ending late, from ${count(basis, "past job")} in this state`;
  return h(
    "span",
    { class: "progress risk-bar", title: label },
    h("progress", { max: 1, value: risk, "aria-label": label }),
    h("span", { "aria-hidden": "true" }, SHARE.format(risk)),
  );
}

export function showCalibration(section, found) {
  const content = found.reason
    ? [
        h(
          "p",
          { class: "empty" },
          `Not known yet: ${number(found.learned_from + found.scored)} of ${number(found.needed)} finished jobs with a due date.`,
        ),
      ]
    : [picture(found.bins), h("p", { class: "verdict" }, verdict(found)), asTable(found.bins)];
  const body = section.querySelector(".card-body");
  const wasOpen = body.querySelector("details")?.open;
  replace(body, content);
  if (wasOpen && body.querySelector("details")) body.querySelector("details").open = true;
}

function verdict(found) {
  const always = `always saying ${SHARE.format(found.base_rate)}`;
  const errors = `Brier score ${ERROR.format(found.brier)} against ${ERROR.format(found.brier_of_base_rate)}, from ${count(found.scored, "job")} it had not seen.`;
  return [
    h("strong", {}, found.is_better ? `Better than ${always}.` : `No better than ${always}: do not rely on it.`),
    " ",
    errors,
  ];
}

function picture(bins) {
  const most = Math.max(...bins.map((bin) => bin.cases));
  const place = (bin) => ({
    cx: bin.predicted * SIDE,
    cy: SIDE - bin.observed * SIDE,
    r: 1.5 + (LARGEST - 1.5) * Math.sqrt(bin.cases / most),
  });
  const title = bins
    .map((bin) => `predicted ${SHARE.format(bin.predicted)}, actual ${SHARE.format(bin.observed)}`)
    .join("; ");
  return drawn(
    "svg",
    {
      viewBox: "-15 -6 124 122",
      class: "calibration-picture",
      role: "img",
      "aria-label": `Predicted and actual shares: ${title}`,
    },
    drawn("path", { class: "frame", d: `M0 0V${SIDE}H${SIDE}` }),
    drawn("path", { class: "exact", d: `M0 ${SIDE}L${SIDE} 0` }),
    bins.map((bin) => drawn("circle", { class: "bin", ...place(bin) })),
    [0, 0.5, 1].map((share) => [
      drawn("text", { x: share * SIDE, y: SIDE + 6, class: "middle-text" }, SHARE.format(share)),
      drawn("text", { x: -2, y: SIDE - share * SIDE + 1.5, class: "end-text" }, SHARE.format(share)),
    ]),
    drawn("text", { x: SIDE / 2, y: SIDE + 13, class: "middle-text" }, "predicted"),
    drawn("text", { x: 2, y: -1 }, "ended late"),
  );
}

function drawn(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat(Infinity));
  return element;
}

function asTable(bins) {
  const row = (bin) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, SHARE.format(bin.predicted)),
      h("td", {}, SHARE.format(bin.observed)),
      h("td", {}, number(bin.cases)),
    );
  return h(
    "details",
    {},
    h("summary", {}, "As a table", h("span", { class: "visually-hidden" }, ": predicted and actual")),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Predicted", "Ended late", "Cases"].map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, bins.map(row)),
    ),
  );
}

// The facts on the page of a job.
export function riskFact(found) {
  const why = { closed: "–", no_due_date: "No due date", no_history: "Not known: no finished job had a due date" };
  if (found.reason in why) return why[found.reason];
  return found.reason === "overdue" ? "It is late" : riskBar(found);
}
