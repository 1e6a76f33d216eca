// The board's panels below the figures and charts, in their order: one entry is one section.

import { h } from "./dom.js";
import { showFloor, showMine, showOverdue, showRecent } from "./panels.js";
import { showNumbers } from "./panel-numbers.js";
import { showAtRisk, showCalibration, showIdle } from "./risk.js";
import { showDecisions, showQueue, showSending, showStuck } from "./sales-panels.js";

const SHOWN = 8;
const SHOWN_OF_SALES = 5;
// An empty cursor: the first page without counting all of it, for the counts have been read already.
const list = (path, shown = SHOWN) => `/api/${path}page_size=${shown}&cursor=`;
// The overdue, those at risk and those that stand still, each with its cause, from one statement.
const LATE = `/api/jobs/late?limit=${SHOWN}`;
const steps = (status) => list(`job-steps?mine=true&status=${status}&`);

// `span` is the width of a section in twelfths.
// `paths` are read for it, and `render` shows their answers: render(section, answers, stats, context).
// `group` names the counts that a role must have to see it; `isAlwaysRead`: also while the counts stay the same.
/**
 * @typedef {object} Panel
 * @property {string} id
 * @property {string} title
 * @property {number} span
 * @property {string} [group]
 * @property {boolean} [isAlwaysRead]
 * @property {string[]} paths
 * @property {(section: Element, answers: any[], stats?: any, context?: any) => void} render
 */
/** @type {Panel[]} */
export const PANELS = [
  {
    id: "overdue",
    title: "Overdue",
    span: 7,
    paths: [LATE],
    render: (section, [late], stats) => showOverdue(section, late.overdue, stats),
  },
  {
    id: "mine",
    title: "My next steps",
    span: 5,
    paths: [steps("in_progress"), steps("pending")],
    render: (section, [running, waiting], stats, context) =>
      showMine(section, [...running.items, ...waiting.items].slice(0, SHOWN), stats, context),
  },
  {
    id: "risk",
    title: "May end late",
    span: 7,
    paths: [LATE],
    render: (section, [late]) => showAtRisk(section, late.at_risk),
  },
  {
    id: "calibration",
    title: "How good that guess is",
    span: 5,
    paths: ["/api/jobs/risk-calibration"],
    render: (section, [calibration]) => showCalibration(section, calibration),
  },
  {
    id: "idle",
    title: "No step moved for a week",
    span: 12,
    paths: [LATE],
    render: (section, [late]) => showIdle(section, late.stuck),
  },
  {
    id: "queue",
    title: "Leads to process",
    span: 7,
    group: "leads",
    paths: [list("leads?status=unprocessed&", SHOWN_OF_SALES)],
    render: (section, [leads], stats) => showQueue(section, leads.items, stats),
  },
  {
    id: "decisions",
    title: "Approvals that wait",
    span: 5,
    group: "approvals",
    paths: [list("workflow-approvals/pending?", SHOWN_OF_SALES)],
    render: (section, [approvals], stats) => showDecisions(section, approvals.items, stats),
  },
  {
    id: "sending",
    title: "Active campaigns",
    span: 7,
    group: "campaigns",
    paths: [list("campaigns/active?", SHOWN_OF_SALES)],
    render: (section, [campaigns], stats) => showSending(section, campaigns.items, stats),
  },
  {
    id: "stuck",
    title: "Failed in journeys",
    span: 5,
    group: "journeys",
    paths: [list("journeys/contacts?status=failed&", SHOWN_OF_SALES)],
    render: (section, [contacts], stats) => showStuck(section, contacts.items, stats),
  },
  {
    id: "numbers",
    title: "The last 14 days",
    span: 12,
    isAlwaysRead: true,
    paths: ["/api/work/numbers"],
    render: (section, [numbers]) => showNumbers(section, numbers),
  },
  {
    id: "recent",
    title: "Recent jobs",
    span: 7,
    isAlwaysRead: true,
    paths: [`/api/dashboard/recent-jobs?limit=${SHOWN}`],
    render: (section, [recent]) => showRecent(section, recent),
  },
  {
    id: "floor",
    title: "Machines now",
    span: 5,
    paths: [list("machines?", 100)],
    render: (section, [machines], stats) => showFloor(section, machines.items, stats),
  },
];

export function sectionOf({ id, title, span }) {
  return h(
    "section",
    { class: `card ${id} span-${span}`, id, "aria-labelledby": `${id}-title`, tabindex: "-1" },
    h("div", { class: "card-head" }, h("h2", { id: `${id}-title` }, title), h("a", { class: "more", hidden: true })),
    h("div", { class: "card-body" }, h("p", { class: "waiting" }, "Loading …")),
  );
}
