// Charts as SVG, made from data without a library: bars, lines and Pareto. They take the colours of the style sheets, follow
// the width of their place, print, and tell the same as a table below them.

import { h } from "./dom.js";
import { number } from "./format.js";

/**
 * @typedef {object} Point
 * @property {string} label
 * @property {number} value
 * @property {string} [href]  the list behind the number
 * @property {string} [kind]  a class of the bar, such as "is-overdue"
 */

const NS = "http://www.w3.org/2000/svg";
const WIDE = 600;
const HIGH = 240;
const LEFT = 46;
const RIGHT = 8;
const TOP = 12;
const BOTTOM = 26;
const TICKS = 4;
const SHARE = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

// The smallest of 1, 2, 5, 10, 20, 50 ... that divides a scale up to the largest value into a few steps.
export function scaleOf(largest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, largest / TICKS)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size * TICKS >= largest);
  return { step, top: step * Math.max(1, Math.ceil(largest / step)) };
}

/**
 * Bars of counts, one beside the other.
 * @param {{ title: string, points: Point[], unit?: string }} chart
 */
export function barChart({ title, points, unit = "Number" }) {
  const { frame, y, x, width } = axes(points, Math.max(0, ...points.map(({ value }) => value)));
  const bars = points.map((point, index) => barOf(point, x(index), y(point.value), width, y(0)));
  return figure(
    title,
    summary(title, points),
    [frame, bars, labels(points, x, width)],
    table(
      title,
      ["", unit],
      points.map((point) => [point.label, cell(point)]),
    ),
  );
}

/**
 * The largest first, with the share of the whole that all up to each have together.
 * @param {{ title: string, points: Point[], unit?: string }} chart
 */
export function paretoChart({ title, points, unit = "Number" }) {
  const sorted = [...points].sort((a, b) => b.value - a.value);
  const total = sorted.reduce((sum, { value }) => sum + value, 0);
  const upTo = (index) => sorted.slice(0, index + 1).reduce((sum, { value }) => sum + value, 0);
  const shares = sorted.map((_, index) => (total ? upTo(index) / total : 0));
  const { frame, y, x, width } = axes(sorted, Math.max(0, ...sorted.map(({ value }) => value)));
  const high = (share) => HIGH - BOTTOM - share * (HIGH - BOTTOM - TOP);
  const line = shares
    .map((share, index) => `${index ? "L" : "M"}${round(x(index) + width / 2)} ${round(high(share))}`)
    .join("");
  const bars = sorted.map((point, index) => barOf(point, x(index), y(point.value), width, y(0)));
  const rows = sorted.map((point, index) => [point.label, cell(point), SHARE.format(shares[index])]);
  return figure(
    title,
    summary(title, sorted),
    [frame, bars, svg("path", { class: "chart-line is-total", d: line }), labels(sorted, x, width)],
    table(title, ["", unit, "Together"], rows),
  );
}

/**
 * Values over time, one line for each series; a gap (null) stays a gap.
 * @param {{ title: string, labels: string[], series: { name: string, values: (number | null)[] }[] }} chart
 */
export function lineChart({ title, labels: names, series }) {
  const points = names.map((label) => ({ label, value: 0 }));
  const { frame, y, x, width } = axes(
    points,
    Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))),
  );
  const lines = series.map(({ values }, index) =>
    svg("path", { class: `chart-line is-series-${index + 1}`, d: pathOf(values, (at) => x(at) + width / 2, y) }),
  );
  const keys =
    series.length > 1 &&
    h(
      "p",
      { class: "chart-keys" },
      series.map(({ name }, index) => h("span", { class: `chart-key is-series-${index + 1}` }, name)),
    );
  const rows = names.map((label, at) => [
    label,
    ...series.map(({ values }) => (values[at] === null ? "–" : number(values[at]))),
  ]);
  const words = series.map(({ name, values }) => `${name}: ${number(values.at(-1) ?? 0)} at the end`).join(", ");
  return figure(
    title,
    `${title}. ${words}`,
    [frame, lines, labels(points, x, width)],
    table(title, ["", ...series.map(({ name }) => name)], rows),
    keys,
  );
}

/** A small line without axes, to stand beside a number. */
export function sparkline(values, words) {
  const largest = Math.max(...values, 1);
  const smallest = Math.min(...values, 0);
  const x = (index) => 2 + (index * 96) / Math.max(1, values.length - 1);
  const y = (value) => 22 - ((value - smallest) / (largest - smallest || 1)) * 20;
  return svg(
    "svg",
    { class: "sparkline", viewBox: "0 0 100 24", role: "img", "aria-label": words, preserveAspectRatio: "none" },
    svg("path", { class: "chart-line is-series-1", d: pathOf(values, x, y) }),
  );
}

function axes(points, largest) {
  const { step, top } = scaleOf(largest);
  const y = (value) => HIGH - BOTTOM - (value / top) * (HIGH - BOTTOM - TOP);
  const slot = (WIDE - LEFT - RIGHT) / Math.max(1, points.length);
  const width = Math.min(48, slot * 0.7);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const frame = ticks.map((tick) => [
    svg("path", { class: "chart-grid", d: `M${LEFT} ${round(y(tick))}H${WIDE - RIGHT}` }),
    svg("text", { class: "chart-tick", x: LEFT - 6, y: round(y(tick)) + 4 }, number(tick)),
  ]);
  return { frame, y, width, x: (index) => LEFT + slot * index + (slot - width) / 2 };
}

/** @param {Point} point @param {number} x @param {number} y @param {number} width @param {number} ground */
function barOf({ label, value, href, kind = "" }, x, y, width, ground) {
  const shape = svg(
    "rect",
    {
      class: `chart-rect ${kind}`,
      x: round(x),
      y: round(y),
      width: round(width),
      height: round(Math.max(0, ground - y)),
      rx: 2,
    },
    svg("title", {}, `${label}: ${number(value)}`),
  );
  // Pressed with a pointer it opens its list; by keyboard the table below does.
  if (href) shape.addEventListener("click", () => (location.hash = href));
  if (href) shape.classList.add("is-link");
  return shape;
}

// Where there is no room for all, each second, third ... is named.
function labels(points, x, width) {
  const longest = Math.max(1, ...points.map(({ label }) => label.length));
  const each = Math.max(1, Math.ceil((points.length * Math.min(longest, 12) * 7) / (WIDE - LEFT - RIGHT)));
  return points.map(
    ({ label }, index) =>
      index % each === 0 &&
      svg(
        "text",
        { class: "chart-label", x: round(x(index) + width / 2), y: HIGH - 8 },
        label.length > 13 ? `${label.slice(0, 12)}…` : label,
      ),
  );
}

function pathOf(values, x, y) {
  const isGap = (index) => index < 0 || values[index] === null;
  return values
    .map((value, index) =>
      value === null ? "" : `${isGap(index - 1) ? "M" : "L"}${round(x(index))} ${round(y(value))}`,
    )
    .join("");
}

function figure(title, words, parts, asTable, keys = null) {
  return h(
    "figure",
    { class: "svg-chart" },
    svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": words }, parts),
    keys,
    h(
      "details",
      {},
      h("summary", {}, "As a table", h("span", { class: "visually-hidden" }, `: ${title}`)),
      h("div", { class: "scrolls" }, asTable),
    ),
  );
}

function summary(title, points) {
  return `${title}: ${points.map(({ label, value }) => `${label} ${number(value)}`).join(", ")}`;
}

/** @param {Point} point */
function cell({ value, href }) {
  return href ? h("a", { href, "data-key": `chart-${href}` }, number(value)) : number(value);
}

function table(title, heads, rows) {
  return h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, title),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head, index) => (index ? h("th", { scope: "col" }, head) : h("td", {}))),
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

function round(value) {
  return Math.round(value * 10) / 10;
}
