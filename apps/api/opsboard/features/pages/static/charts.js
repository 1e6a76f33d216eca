// The two charts. Chart.js is large and comes after the numbers; what it draws is there as a table as well.

import { words } from "./chips.js";
import { h, replace } from "./dom.js";
import { month, monthLabel, number } from "./format.js";
import { pageOf } from "./router.js";
import { monthsChart, statusesChart } from "./chart-settings.js";

let library = null;
const drawings = new WeakMap(); // canvas -> what to draw on it

export function drawMonths(element, { items }) {
  const created = items.reduce((sum, item) => sum + item.created, 0);
  const completed = items.reduce((sum, item) => sum + item.completed, 0);
  const summary = `${items.length} months: ${number(created)} jobs created, ${number(completed)} completed.`;
  element.querySelector("#month-words").textContent = summary;
  const row = (item) => [month(item.month), cell(item.created, item.links.created), cell(item.completed, item.links.completed)];
  replace(element.querySelector("#month-table"), table(["Month", "Created", "Completed"], items.map(row)));
  draw(element.querySelector("#month-chart"), () => monthsChart(items, items.map((item, index) => monthLabel(item.month, index))),
    (index, set) => items[index].links[set === 0 ? "created" : "completed"]);
}

export function drawStatuses(element, { items }) {
  element.querySelector("#status-words").textContent = items.map((item) => `${words(item.status)} ${number(item.count)}`).join(", ");
  const row = (item) => [words(item.status), cell(item.count, item.link)];
  replace(element.querySelector("#status-table"), table(["Status", "Jobs"], items.map(row)));
  draw(element.querySelector("#status-chart"), () => statusesChart(items), (index) => items[index].link);
}

function cell(value, link) {
  return h("a", { href: pageOf(link), "data-key": link }, number(value));
}

function table(heads, rows) {
  return h("table", {},
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((value) => h("td", {}, value))))));
}

// `settings()` is asked for again when the colours of the page change; `linkAt(index, set)` is what a click opens.
async function draw(canvas, settings, linkAt) {
  drawings.set(canvas, { settings, linkAt });
  const Chart = await (library ??= loadLibrary());
  if (!Chart || !canvas.isConnected) return;
  const chart = Chart.getChart(canvas);
  if (chart) {
    const { data, options } = drawings.get(canvas).settings();
    Object.assign(chart, { data, options });
    chart.update("none");
  } else {
    new Chart(canvas, withClicks(canvas, drawings.get(canvas).settings()));
  }
}

function withClicks(canvas, settings) {
  const at = (elements) => elements[0] && drawings.get(canvas).linkAt(elements[0].index, elements[0].datasetIndex);
  settings.options.onClick = (_, elements) => {
    if (at(elements)) location.hash = pageOf(at(elements));
  };
  settings.options.onHover = (_, elements) => canvas.classList.toggle("points", elements.length > 0);
  return settings;
}

// After the page has painted its numbers. Without it the tables still tell everything: they are opened.
async function loadLibrary() {
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const script = h("script", { src: new URL("charts/Chart.bundle.js", import.meta.url).href });
  const loaded = new Promise((resolve) => ["load", "error"].forEach((event) => script.addEventListener(event, () => resolve(event))));
  document.head.append(script);
  if ((await loaded) === "load") return window.Chart;
  library = null;
  script.remove();
  for (const details of document.querySelectorAll(".board details")) details.open = true;
  return null;
}

addEventListener("themechange", () => {
  for (const canvas of document.querySelectorAll("canvas")) redraw(canvas);
});

function redraw(canvas) {
  const drawing = drawings.get(canvas);
  if (drawing) draw(canvas, drawing.settings, drawing.linkAt);
}

// A screen on the wall runs for months: what is no longer shown must not stay in memory.
export function closeCharts(element) {
  for (const canvas of element.querySelectorAll("canvas")) window.Chart?.getChart(canvas)?.destroy();
}
