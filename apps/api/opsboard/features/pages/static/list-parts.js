// What lists are made of: their filters, and the cell that names an item.

import { h } from "./dom.js";

export const flag = (name, label, value = "true") => ({ name, label, flag: value });
export const search = (label) => ({ name: "q", label, search: true });
export const sort = (...values) => ({ name: "sort", label: "Sort by", values, words: sortWords });

export function named(href, name, more) {
  return h("a", { class: "named", href, "data-key": `${href} ${name}` }, h("span", { class: "job-number" }, name), more && h("span", { class: "line-text" }, more));
}

function sortWords(value) {
  const names = { created_at: "added", updated_at: "changed", due_date: "due date", job_number: "job number", started_at: "started", completed_at: "completed", scraped_at: "found", decided_at: "decided", due_at: "due", name: "name" };
  return (value.startsWith("-") ? "Last " : "") + names[value.replace("-", "")];
}
