// The board: figures, charts and the lists a shift looks at, each renewed only when its answer is a new one.

import { layout } from "./board-layout.js";
import { PANELS, sectionOf } from "./board-panels.js";
import { drawMonths, drawStatuses } from "./charts.js";
import { fromTemplate, h } from "./dom.js";
import { nearTime, number } from "./format.js";
import { counted } from "./freshness.js";
import { firstDay, isEmpty } from "./first-day.js";
import { pageOf } from "./router.js";

export function board(context) {
  const board = h("div");
  board.append(fromTemplate("board-page"));
  board.querySelector(".board").append(...PANELS.map(sectionOf));
  const arrangement = layout(board, context);
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
        await Promise.all([loadLists(stats, read), arrangement.load(read).catch(() => {})]);
        listed = stats;
      }),
      ...PANELS.filter((panel) => panel.isAlwaysRead).map(async (panel) => {
        const answers = await Promise.all(panel.paths.map((path) => read(path)));
        draw(panel.id, answers[0], () => panel.render(find(panel.id), answers));
      }),
      read("/api/dashboard/chart/jobs-by-month").then((months) => draw("months", months, drawMonths)),
      read("/api/dashboard/chart/jobs-by-status").then((statuses) => draw("statuses", statuses, drawStatuses)),
    ]);
  }

  async function showBeginning(stats, read) {
    const [processes, shifts] = await Promise.all([
      read("/api/processes?page_size=1"),
      read("/api/working-hours?page_size=1"),
    ]);
    beginning.show(stats, processes.total, shifts.total);
    counted(stats.as_of);
  }

  async function loadLists(stats, read) {
    const panels = PANELS.filter((panel) => !panel.isAlwaysRead);
    for (const panel of panels) find(panel.id).hidden = Boolean(panel.group) && !stats[panel.group];
    const shown = panels.filter((panel) => !find(panel.id).hidden);
    const answers = await Promise.all(shown.map((panel) => Promise.all(panel.paths.map((path) => read(path)))));
    shown.forEach((panel, index) => {
      panel.render(find(panel.id), answers[index], stats, context);
    });
  }

  function draw(name, data, drawInto) {
    if (drawn[name] === data) return;
    drawn = { ...drawn, [name]: data };
    drawInto(element, data);
  }

  return { title: "Board", element, load, isGathered: true, changed: () => (listed = null) };
}

// Since when the request waits that has waited longest.
function showOldest(place, approvals) {
  place.hidden = !approvals?.oldest_pending_at;
  place.textContent = place.hidden ? "" : `Oldest since ${nearTime(approvals.oldest_pending_at)}`;
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
  big.style.setProperty(
    "--characters",
    lengths.reduce((sum, length) => sum + length, 0),
  );
}
