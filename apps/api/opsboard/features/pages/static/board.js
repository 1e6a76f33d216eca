// The board: figures, charts and the lists a shift looks at, each renewed only when its answer is a new one.

import { drawMonths, drawStatuses } from "./charts.js";
import { fromTemplate, h } from "./dom.js";
import { dateTime, number } from "./format.js";
import { counted } from "./freshness.js";
import { firstDay, isEmpty } from "./first-day.js";
import { showFloor, showMine, showOverdue, showRecent } from "./panels.js";
import { showAtRisk, showCalibration } from "./risk.js";
import { pageOf } from "./router.js";
import { showDecisions, showQueue, showSending, showStuck } from "./sales-panels.js";

const SHOWN = 8;
const SHOWN_OF_SALES = 5;
// The lists of areas that a role may not see, as the counts say: the section, its list, and what shows it.
/** @type {[string, string, string, (place: Element, items: any[], stats: any) => void][]} */
const SALES = [
  ["leads", "queue", "leads?status=unprocessed", showQueue],
  ["approvals", "decisions", "workflow-approvals/pending?", showDecisions],
  ["campaigns", "sending", "campaigns/active?", showSending],
  ["journeys", "stuck", "journeys/contacts?status=failed", showStuck],
];

export function board(context) {
  const board = h("div");
  board.append(fromTemplate("board-page"));
  const beginning = firstDay(context);
  const element = h("div", {}, beginning.element, board);
  beginning.element.hidden = true; // until the counts say that there is nothing to show
  const find = (id) => element.querySelector(`#${id}`);
  let listed = null; // the counts that the lists below were read with
  let drawn = {};

  async function load(read) {
    await Promise.all([
      read("/api/dashboard/stats").then(async (stats) => {
        const hasBegun = !isEmpty(stats);
        beginning.element.hidden = hasBegun;
        board.hidden = !hasBegun;
        if (!hasBegun) return showBeginning(stats, read);
        showFigures(element, stats);
        showOldest(find("oldest-approval"), stats.approvals);
        counted(stats.as_of);
        // Counted from the same tables: while the counts are the same answer, so are the lists.
        if (stats === listed) return;
        await loadLists(stats, read);
        listed = stats;
      }),
      read(`/api/dashboard/recent-jobs?limit=${SHOWN}`).then((recent) => draw("recent", recent, () => showRecent(find("recent"), recent))),
      read("/api/dashboard/chart/jobs-by-month").then((months) => draw("months", months, drawMonths)),
      read("/api/dashboard/chart/jobs-by-status").then((statuses) => draw("statuses", statuses, drawStatuses)),
    ]);
  }

  async function showBeginning(stats, read) {
    const processes = await read("/api/processes?page_size=1");
    beginning.show(stats, processes.total);
    counted(stats.as_of);
  }

  async function loadLists(stats, read) {
    // An empty cursor: the first page without counting all of them, the counts are there already.
    const steps = (status) => read(`/api/job-steps?mine=true&status=${status}&page_size=${SHOWN}&cursor=`);
    const sales = SALES.filter(([area]) => stats[area]);
    const [overdue, running, waiting, machines, risky, calibration, ...answers] = await Promise.all([
      read(`/api/jobs?overdue=true&sort=due_date&page_size=${SHOWN}&cursor=`),
      steps("in_progress"),
      steps("pending"),
      read("/api/machines?page_size=100&cursor="),
      read(`/api/jobs/at-risk?page_size=${SHOWN}&cursor=`),
      read("/api/jobs/risk-calibration"),
      ...sales.map(([, , path]) => read(`/api/${path}&page_size=${SHOWN_OF_SALES}&cursor=`)),
    ]);
    showOverdue(find("overdue"), overdue.items, stats);
    showMine(find("mine"), [...running.items, ...waiting.items].slice(0, SHOWN), stats, context);
    showFloor(find("floor"), machines.items, stats);
    showAtRisk(find("risk"), risky.items);
    showCalibration(find("calibration"), calibration);
    for (const [area, id] of SALES) find(id).hidden = !stats[area];
    sales.forEach(([, id, , show], index) => show(find(id), answers[index].items, stats));
  }

  function draw(name, data, drawInto) {
    if (drawn[name] === data) return;
    drawn = { ...drawn, [name]: data };
    drawInto(element, data);
  }

  return { title: "Board", element, load, changed: () => (listed = null) };
}

// Since when the request waits that has waited longest.
function showOldest(place, approvals) {
  place.hidden = !approvals?.oldest_pending_at;
  place.textContent = place.hidden ? "" : `Oldest since ${dateTime(approvals.oldest_pending_at)}`;
}

// Each number opens the list behind it; the address of the list comes with the number.
function showFigures(element, stats) {
  for (const figure of element.querySelectorAll("[data-count]")) {
    const [group, name] = figure.dataset.count.split(".");
    const counts = stats[group];
    figure.closest("section").hidden = counts === undefined;
    if (!counts) continue;
    const value = figure.querySelector(".value");
    const text = number(counts[name]);
    if (value.textContent !== text) value.textContent = text;
    figure.classList.toggle("is-zero", counts[name] === 0);
    figure.href = pageOf(counts.links[name]);
  }
  // As large as the card allows: the style sheet divides its width by the number of characters, and a label
  // needs the room of three.
  const big = element.querySelector(".big");
  const lengths = [...big.querySelectorAll(".value")].map((value) => Math.max(3, value.textContent.length));
  big.style.setProperty("--characters", lengths.reduce((sum, length) => sum + length, 0));
}
