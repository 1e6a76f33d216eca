// The numbers of the shop: by day or week, rejects by reason, and estimated against worked time.

import { h, replace } from "./dom.js";
import { count, day, number } from "./format.js";
import { counted } from "./freshness.js";
import { grid, section } from "./number-parts.js";
import { figures, percent } from "./panel-numbers.js";
import { address, pageOf, route } from "./router.js";
import { duration } from "./shop-columns.js";
import { paretoChart } from "./svg-charts.js";

const MOST_REASONS = 20; // of the chart; the list of rejects has them all
const PERIODS = [
  ["14 days", 14],
  ["4 weeks", 28],
  ["12 weeks", 84],
  ["a year", 364],
];
const FRESH = "/api/work/numbers";

export function numbers(_context) {
  const { query } = route();
  const element = h("div", { class: "shop-numbers", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let shown = [];

  async function load(read) {
    counted(null);
    const {
      all: { date_to: today },
    } = await read(FRESH);
    const days = Number(query.get("days") ?? 14);
    const by = query.get("by") ?? "day";
    const span = `date_from=${daysBefore(today, days - 1)}&date_to=${today}`;
    const of = ["process_id", "product"]
      .filter((name) => query.get(name))
      .map((name) => `&${name}=${encodeURIComponent(query.get(name))}`)
      .join("");
    const answers = await Promise.all([
      read(`${FRESH}?${span}&by=${by}`),
      read(`/api/work/rejects?${span}${of}`),
      read(`/api/work/estimates?${span}`),
    ]);
    if (answers.every((answer, index) => answer === shown[index])) return;
    shown = answers;
    const [found, rejects, estimates] = answers;
    replace(
      element,
      h("h1", {}, "Numbers of the shop"),
      choices(query, days, by),
      figures(found.all),
      table(found),
      rejected(rejects, query),
      estimated(estimates),
    );
  }

  return { title: "Numbers of the shop", element, load, changed: () => (shown = []) };
}

function daysBefore(date, days) {
  return new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);
}

function choices(query, days, by) {
  const links = (label, options, current, name) =>
    h(
      "nav",
      { class: "number-choices", "aria-label": label },
      options.map(([text, value]) =>
        h(
          "a",
          {
            href: withValue(query, name, value),
            "aria-current": value === current ? "true" : null,
            "data-key": `${name}-${value}`,
          },
          text,
        ),
      ),
    );
  return [
    links("Period", PERIODS, days, "days"),
    links(
      "Rows",
      [
        ["by day", "day"],
        ["by week", "week"],
      ],
      by,
      "by",
    ),
  ];
}

function withValue(query, name, value) {
  const next = new URLSearchParams(query);
  if (value === null) next.delete(name);
  else next.set(name, String(value));
  return address("numbers", next);
}

function table({ by, items }) {
  const heads = [
    by === "week" ? "Week from" : "Day",
    "Good",
    "Rejected",
    "Scrap",
    "Worked",
    "Utilisation",
    "Jobs",
    "On time",
    "Lead time",
  ];
  const row = (item) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, day(item.date_from)),
      [
        link(number(item.quantity_good), item.links.work, `good-${item.date_from}`),
        link(number(item.quantity_rejected), item.links.rejects, `rejected-${item.date_from}`),
        percent(item.scrap_rate),
        duration(item.worked_seconds),
        percent(item.utilisation),
        link(number(item.jobs_completed), item.links.jobs_completed, `jobs-${item.date_from}`),
        percent(item.on_time_share),
        item.lead_time_days === null ? "–" : count(item.lead_time_days, "day"),
      ].map((cell) => h("td", {}, cell)),
    );
  return section("By time", grid("Numbers of the shop by time", heads, [...items].reverse().map(row)));
}

function rejected({ reasons, processes, products, quantity_rejected: total }, query) {
  const heading = "Rejects by reason";
  const narrowed = ["process_id", "product"].some((name) => query.get(name));
  const all =
    narrowed &&
    h(
      "p",
      {},
      h(
        "a",
        {
          href: withValue(new URLSearchParams([...query].filter(([name]) => name !== "product")), "process_id", null),
          "data-key": "all-rejects",
        },
        "Show rejects of all processes and products",
      ),
    );
  if (!total) return section(heading, h("p", { class: "empty" }, "Nothing was rejected."), all);
  const points = reasons.slice(0, MOST_REASONS).map((reason) => ({
    label: reason.name ?? "No reason",
    value: reason.quantity_rejected,
    href: reason.link && pageOf(reason.link),
  }));
  return section(
    heading,
    all,
    h("p", {}, `${count(total, "piece")} rejected.`),
    paretoChart({ title: heading, points, unit: "Pieces" }),
    narrower("By process", processes, total, (item) => item.id && withValue(query, "process_id", item.id)),
    narrower("By product", products, total, (item) => withValue(query, "product", item.name)),
  );
}

function narrower(heading, items, total, linkOf) {
  const rows = items.map((item) => {
    const href = linkOf(item);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, href ? h("a", { href, "data-key": `${heading}-${item.name}` }, item.name) : "None"),
      h("td", {}, number(item.quantity_rejected)),
      h("td", {}, percent(item.quantity_rejected / total)),
    );
  });
  return [h("h3", {}, heading), grid(`Rejects ${heading.toLowerCase()}`, ["Name", "Pieces", "Share"], rows)];
}

function estimated({ items }) {
  const rows = items.map((item) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, item.name ?? "No process"),
      h("td", {}, number(item.steps)),
      h("td", {}, duration(item.estimated_seconds)),
      h("td", {}, duration(item.worked_seconds)),
      h("td", {}, item.ratio === null ? "–" : percent(item.ratio)),
    ),
  );
  const heading = "Estimated and worked time";
  if (!rows.length)
    return section(heading, h("p", { class: "empty" }, "No step with an estimate and a record of work was completed."));
  return section(
    heading,
    grid(
      "Estimated and worked time of completed steps",
      ["Process", "Steps", "Estimated", "Worked", "Worked of estimated"],
      rows,
    ),
  );
}

function link(text, to, key) {
  return h("a", { href: pageOf(to), "data-key": key }, text);
}
