// Parts of lists and of records: filters, the cell that names an item, facts.

import { ask } from "./ask.js";
import { h } from "./dom.js";
import { sortWords } from "./filter-words.js";

export const flag = (name, label, value = "true") => ({ name, label, flag: value });
export const search = (label) => ({ name: "q", label, search: true });
export const dateFilter = (name, label) => ({ name, label, date: true });
export const sort = (...values) => ({ name: "sort", label: "Sort by", values, words: sortWords });

/** A button for one row. `label` says what it is about, for those who hear it alone. */
export function rowButton(verb, label, key, press) {
  return h(
    "button",
    {
      type: "button",
      class: "move-button",
      "data-key": key,
      "aria-label": label,
      onclick: ({ currentTarget }) => press(currentTarget),
    },
    verb,
  );
}

// The way to the form of an item, for those who may use it.
export function editLink(area, { id }, name, verb = "Edit") {
  return h(
    "a",
    {
      class: "move-button",
      href: `#/${area}/${id}/edit`,
      "data-key": `edit-${area}-${id}`,
      "aria-label": `${verb} ${name}`,
    },
    verb,
  );
}

// Asked once more, because what is removed is gone.
export function removeButton(area, { id }, name, { act }) {
  const press = async ({ currentTarget: button }) => {
    if (!(await ask({ title: `Remove ${name}?`, text: "It cannot be undone.", verb: "Remove" }))) return;
    const current = button.isConnected
      ? button
      : (document.querySelector(`[data-key="remove-${area}-${id}"]`) ?? button);
    await act(current, { method: "DELETE", path: `/api/${area}/${id}`, done: `Removed ${name}.` }, h("div", {})); // the row goes at once
  };
  return h(
    "button",
    {
      type: "button",
      class: "move-button",
      "data-key": `remove-${area}-${id}`,
      "aria-label": `Remove ${name}`,
      onclick: press,
    },
    "Remove",
  );
}

export function named(href, name, more) {
  return h(
    "a",
    { class: "named", href, "data-key": `${href} ${name}` },
    h("span", { class: "job-number" }, name),
    more && h("span", { class: "line-text" }, more),
  );
}

// Own fields of a record, which its business imported: a name and a text each.
export const ownFields = (found) => Object.entries(found?.own_fields ?? {});

export function factList(facts) {
  return h(
    "dl",
    { class: "facts", "data-row": "facts" },
    facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** A list without rows: says so, and what can be done about it. `actions` are [words, href]. */
export function emptyState(words, actions) {
  return h(
    "div",
    { class: "empty-state" },
    h("p", { class: "empty" }, words),
    actions.length > 0 &&
      h(
        "p",
        { class: "actions" },
        actions.map(([verb, href]) => h("a", { class: "plain-button", href, "data-key": `empty-${href}` }, verb)),
      ),
  );
}
