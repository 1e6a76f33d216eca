// Parts of the sections of "Operate": facts, advice, a table or the sentence that stands for an empty one.

import { h } from "./dom.js";
import { count, number } from "./format.js";
import { factList } from "./list-parts.js";
import { table } from "./list.js";

export const facts = (...all) => factList(all.filter(([, value]) => value !== null && value !== undefined));

export function advice({ warnings, recommendations }) {
  return [
    warnings.map((text) => h("p", { class: "warning" }, text)),
    recommendations.map((text) => h("p", { class: "quiet" }, text)),
  ];
}

/** `none` is the sentence for no rows. */
export function rows(caption, columns, items, context, none) {
  return items.length ? table(caption, columns, items, context) : h("p", { class: "empty" }, none);
}

const open = new Set(); // keys of what is unfolded: a poll draws it anew

/** Details behind a line of words, unfolded on demand. */
export function folded(key, words, ...content) {
  const press = ({ currentTarget }) => (currentTarget.open ? open.add(key) : open.delete(key));
  return h("details", { open: open.has(key), ontoggle: press }, h("summary", { "data-key": key }, words), content);
}

/** The button that now stands where the pressed one was: a poll may have renewed the row while a dialog was open. */
export function present(pressed) {
  return pressed.isConnected
    ? pressed
    : (document.querySelector(`[data-key="${CSS.escape(pressed.dataset.key)}"]`) ?? pressed);
}

export function percent(share) {
  return share === null || share === undefined ? "–" : `${number(Math.round(share * 1000) / 10)} %`;
}

export function bytes(amount) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, amount)) / Math.log(1024)));
  const value = amount / 1024 ** power;
  return `${number(power && value < 10 ? Math.round(value * 10) / 10 : Math.round(value))} ${units[power]}`;
}

/** "0.4 s", "35 s", "12 min", "5 hours" */
export function seconds(amount) {
  if (amount === null || amount === undefined) return "–";
  if (amount < 10) return `${number(Math.round(amount * 10) / 10)} s`;
  if (amount < 120) return `${number(Math.round(amount))} s`;
  return amount < 7200 ? `${number(Math.round(amount / 60))} min` : count(Math.round(amount / 3600), "hour");
}

export function milliseconds(amount) {
  return amount >= 1000 ? seconds(amount / 1000) : `${number(Math.round(amount * 10) / 10)} ms`;
}
