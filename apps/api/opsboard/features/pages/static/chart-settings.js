// The style of the charts: colours and fonts of the page, no animation.

import { words } from "./chips.js";
import { number } from "./format.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export function statusesChart(items) {
  const page = look();
  const colours = items.map((item) => page.colour(item.status));
  const bars = { data: items.map((item) => item.count), backgroundColor: colours, borderRadius: 3, minBarLength: 3, maxBarThickness: page.size * 1.6 };
  const options = common(page);
  options.indexAxis = "y";
  options.layout = { padding: { right: page.size * 4.5 } }; // room for the largest number behind its bar
  options.scales = { x: { display: false, beginAtZero: true }, y: axis(page, { grid: { display: false } }) };
  return { type: "bar", data: { labels: items.map((item) => words(item.status)), datasets: [bars] }, options, plugins: [numbersBehindBars] };
}

// Created are hollow, completed are solid: told apart by shape as well as by colour.
export function monthsChart(items, labels) {
  const page = look();
  const bars = { borderRadius: 2, barPercentage: 0.9, categoryPercentage: 0.72 };
  const hollow = { backgroundColor: page.colour("created-fill"), borderColor: page.colour("created"), borderWidth: 1.5, borderSkipped: "bottom" };
  const created = { ...bars, ...hollow, label: "Created", data: items.map((item) => item.created) };
  const completed = { ...bars, label: "Completed", data: items.map((item) => item.completed), backgroundColor: page.colour("completed") };
  const options = common(page);
  options.scales = {
    x: axis(page, { grid: { display: false } }),
    y: axis(page, { beginAtZero: true, grid: { color: page.colour("grid") }, ticks: { maxTicksLimit: 5, precision: 0 } }),
  };
  return { type: "bar", data: { labels, datasets: [created, completed] }, options };
}

function common(page) {
  const tooltip = { titleFont: page.font, bodyFont: page.font, callbacks: { label: (item) => `${item.dataset.label ?? "Jobs"}: ${number(item.raw)}` } };
  return { responsive: true, maintainAspectRatio: false, animation: CALM.matches ? false : { duration: 300 }, plugins: { legend: { display: false }, tooltip } };
}

function axis(page, more) {
  const ticks = { color: page.colour("ink"), font: page.font, ...more.ticks };
  return { ...more, border: { display: false }, ticks };
}

function look() {
  const style = getComputedStyle(document.documentElement);
  const size = parseFloat(style.fontSize) * 0.85;
  const font = { size, family: getComputedStyle(document.body).fontFamily };
  return { size, font, colour: (name) => style.getPropertyValue(`--chart-${name}`).trim() };
}

const numbersBehindBars = {
  id: "numbersBehindBars",
  afterDatasetsDraw(chart) {
    const { ctx, data } = chart;
    const page = look();
    ctx.save();
    ctx.font = `600 ${page.size * 1.1}px ${page.font.family}`;
    ctx.fillStyle = page.colour("ink");
    ctx.textBaseline = "middle";
    chart.getDatasetMeta(0).data.forEach((bar, index) => ctx.fillText(number(data.datasets[0].data[index]), bar.x + 8, bar.y));
    ctx.restore();
  },
};
