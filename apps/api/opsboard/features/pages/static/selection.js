// Selected rows of a list, and one status for all of them.

import { words } from "./chips.js";
import { h } from "./dom.js";
import { count } from "./format.js";

/**
 * @param {{ one: string, many?: string, bulk: Bulk }} kind of a list
 * @typedef {object} Bulk
 * @property {string} path
 * @property {string[]} statuses
 * @property {(item: any) => string} nameOf
 * @property {(me: any, item: any) => boolean} may whether somebody may select an item; asked without one, whether any
 */
export function selection({ one, many, bulk }, { me, act }) {
  const chosen = new Map(); // id -> the item as it was shown
  let items = [];
  const all = h("input", { type: "checkbox", "data-key": "select-all", onchange: () => selectAll(all.checked) });
  const number = h("span", { role: "status" });
  const status = h(
    "select",
    { "data-key": "bulk-status" },
    bulk.statuses.map((value) => h("option", { value }, words(value))),
  );
  const set = h(
    "button",
    { type: "button", class: "move-button", "data-key": "bulk-set", onclick: () => send() },
    "Set",
  );
  const element = h(
    "div",
    { class: "bulk", role: "group", "aria-label": "Change several at once" },
    h("label", { class: "flag" }, all, "Select all on this page"),
    number,
    h("label", { class: "field inline" }, h("span", {}, "Set the selected to"), status),
    set,
  );
  show();

  function show() {
    const may = items.filter((item) => bulk.may(me, item));
    element.hidden = may.length === 0;
    all.checked = may.length > 0 && may.every(({ id }) => chosen.has(id));
    all.indeterminate = !all.checked && chosen.size > 0;
    number.textContent = `${count(chosen.size, one, many)} selected`;
    set.ariaDisabled = chosen.size ? null : "true";
  }

  function selectAll(isOn) {
    chosen.clear();
    if (isOn) for (const item of items.filter((one) => bulk.may(me, one))) chosen.set(item.id, item);
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".select-row")))
      box.checked = isOn;
    show();
  }

  function box(item) {
    if (!bulk.may(me, item)) return null;
    const change = ({ target }) => {
      if (target.checked) chosen.set(item.id, item);
      else chosen.delete(item.id);
      show();
    };
    return h("input", {
      type: "checkbox",
      class: "select-row",
      "data-key": `select-${item.id}`,
      "aria-label": `Select ${bulk.nameOf(item)}`,
      checked: chosen.has(item.id),
      onchange: change,
    });
  }

  async function send() {
    if (!chosen.size) return;
    const [next, before] = [status.value, new Set([...chosen.values()].map((item) => item.status))];
    const write = (ids, to) => ({
      method: "POST",
      path: bulk.path,
      content: { ids, status: to },
      doneOf: (result) => outcome(result, to),
    });
    const idsOf = ({ results }) => results.filter(({ result }) => result === "updated").map(({ id }) => id);
    // Rows that had several statuses cannot be taken back by one.
    const undo = before.size === 1 ? (result) => write(idsOf(result), [...before][0]) : undefined;
    if (await act(set, { ...write([...chosen.keys()], next), undo }, h("div", {}))) {
      selectAll(false);
      set.ariaDisabled = "true";
    }
  }

  function outcome({ updated, unchanged, refused, not_found: gone, results }, to) {
    const warned = results.flatMap(({ warnings }) => warnings.map(({ message }) => message));
    return [
      `${count(updated, one, many)} set to ${words(to).toLowerCase()}.`,
      unchanged > 0 && `${count(unchanged, one, many)} had it already.`,
      refused > 0 && `${count(refused, one, many)} refused: ${results.find(({ reason }) => reason).reason}`,
      gone > 0 && `${count(gone, one, many)} no longer there.`,
      ...new Set(warned),
    ]
      .filter(Boolean)
      .join(" ");
  }

  return {
    element,
    /** The columns with a box in front of what names an item. */
    columns: ([[head, cell, kind], ...others]) => [
      [head, (item, context) => h("span", { class: "selectable" }, box(item), cell(item, context)), kind],
      ...others,
    ],
    /** Only what the page shows stays selected. */
    renew(next) {
      items = next;
      for (const id of chosen.keys()) if (!items.some((item) => item.id === id)) chosen.delete(id);
      show();
    },
  };
}
