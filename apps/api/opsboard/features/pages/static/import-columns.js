// The columns of a file, each with its first values and what it becomes; and the first rows with the faults in them.

import { h } from "./dom.js";
import { filterLabel } from "./filter-words.js";
import { choicesOf, columnOf, lacking, LINE, withColumn, withKey, withoutSlot, withTarget } from "./import-mapping.js";

const SAMPLES = 3;
const LONGEST = 60; // characters of a value

/** One table of the mapping: its file, its key, its columns. `change(mapping)` takes a new mapping. */
export function tableForm(name, at, file, state, change) {
  const { mapping, targets } = state;
  const entry = name === null ? null : mapping.tables[name];
  const target = entry && targets.find((one) => one.table === (entry.table || name));
  const label = file.sheet ? `${file.path}, ${file.sheet}` : file.path;
  const id = `import-${file.name}-${at}`;
  const tables = h(
    "select",
    {
      id,
      "data-key": `table-${file.name}-${at}`,
      onchange: ({ target: { value } }) =>
        change(
          withTarget(
            mapping,
            name,
            file,
            targets.find((one) => one.table === value),
          ),
        ),
    },
    h("option", { value: "" }, "Nothing: this file is not used"),
    targets.map((one) => h("option", { value: one.table, selected: one === target }, filterLabel(one.table))),
  );
  return h(
    "section",
    { class: "import-file card", "aria-label": target ? `${label}: ${filterLabel(target.table)}` : label },
    h("h2", {}, label),
    file.problem
      ? h("p", { class: "problem" }, `This file ${file.problem}.`)
      : [
          h("div", { class: "form-field" }, h("label", { for: id }, "Its rows become"), tables),
          entry && columnsOf(name, entry, file, target, state, change),
        ],
  );
}

function columnsOf(name, entry, file, target, state, change) {
  const { mapping } = state;
  const { slots, rest } = choicesOf(entry, file.columns);
  const missing = lacking(entry, target);
  const row = (column, index) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, column || `Column ${index + 1}`),
      h(
        "td",
        { class: "samples" },
        file.rows
          .slice(0, SAMPLES)
          .map((one) => short(one.fields[index]))
          .filter(Boolean)
          .join(" · ") || "–",
      ),
      h(
        "td",
        {},
        slotChoice(column, slots.get(column) ?? "", target, `${name}-${index}`, (slot) =>
          change(withColumn(mapping, name, column, slot)),
        ),
      ),
    );
  return [
    h(
      "div",
      { class: "form-field" },
      h("label", { for: `key-${name}` }, "A row is known again by"),
      keyChoice(name, entry, file, (column) => change(withKey(mapping, name, column))),
    ),
    missing.length > 0 &&
      h("p", { class: "problem" }, `Still needed: ${missing.map((one) => filterLabel(one).toLowerCase()).join(", ")}.`),
    h(
      "table",
      { class: "import-columns" },
      h("caption", { class: "visually-hidden" }, `Columns of ${file.path}`),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Column", "First values", "Becomes"].map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, file.columns.map(row)),
    ),
    rest.length > 0 &&
      h(
        "ul",
        { class: "import-rest" },
        rest.map(([slot, value]) =>
          h(
            "li",
            {},
            h("span", {}, h("strong", {}, slotLabel(slot)), ` from ${valueWords(value)}`),
            h(
              "button",
              {
                type: "button",
                class: "move-button",
                "data-key": `drop-${name}-${slot}`,
                "aria-label": `Leave out ${slotLabel(slot)}`,
                onclick: () => change(withoutSlot(mapping, name, slot)),
              },
              "Leave out",
            ),
          ),
        ),
      ),
  ];
}

function slotChoice(column, chosen, target, key, set) {
  const option =
    (kind) =>
    ({ name, is_required: isRequired }) => {
      const slot = `${kind}.${name}`;
      return h(
        "option",
        { value: slot, selected: slot === chosen },
        slotLabel(slot) + (isRequired ? " (required)" : ""),
      );
    };
  return h(
    "select",
    { "aria-label": `${column} becomes`, "data-key": `column-${key}`, onchange: ({ target: { value } }) => set(value) },
    h("option", { value: "" }, "Nothing"),
    h(
      "optgroup",
      { label: "Fields" },
      target.columns.filter((one) => one.kind !== "members" && one.kind !== "changes").map(option("columns")),
    ),
    target.parents.length > 0 && h("optgroup", { label: "The key of its" }, target.parents.map(option("parents"))),
  );
}

function keyChoice(name, entry, file, set) {
  const present = columnOf(entry.external_id);
  const isOther = present === null || !(file.columns.includes(present) || present === LINE);
  return h(
    "select",
    { id: `key-${name}`, "data-key": `key-${name}`, onchange: ({ target: { value } }) => value && set(value) },
    isOther && h("option", { value: "", selected: true }, entry.external_id),
    file.columns.filter(Boolean).map((column) => h("option", { value: column, selected: column === present }, column)),
    h("option", { value: LINE, selected: present === LINE }, "The number of its line"),
  );
}

function slotLabel(slot) {
  const name = slot.split(".")[1];
  return filterLabel(name);
}

// Values made from several columns, in the words of the mapping file.
function valueWords(value) {
  if (typeof value === "string") return value;
  const { value: one, parts, first_of: first, members, ...others } = value;
  const source = one ?? (parts ?? first)?.join(" ") ?? (members ? Object.keys(members).join(", ") : "");
  return (
    source ||
    Object.entries(others)
      .map(([way, text]) => `${way} ${typeof text === "string" ? text : JSON.stringify(text)}`)
      .join(", ")
  );
}

/** The first rows of a file; a fault stands in its cell. */
export function firstRows(file, faults) {
  const own = faults.filter((fault) => fault.file === file.path);
  const row = ({ line, fields, damage }) => {
    const ofLine = own.filter((fault) => fault.line === line);
    const whole = ofLine.filter((fault) => !file.columns.includes(fault.column));
    return h(
      "tr",
      { class: damage || whole.length ? "is-fault" : "" },
      h(
        "th",
        { scope: "row" },
        String(line),
        damage && h("span", { class: "problem" }, ` ${damage}`),
        whole.map(reason),
      ),
      file.columns.map((column, index) => {
        const here = ofLine.filter((fault) => fault.column === column);
        return h("td", { class: here.length ? "is-fault" : "" }, short(fields[index]), here.map(reason));
      }),
    );
  };
  return h(
    "div",
    { class: "scrolls first-rows", role: "region", tabindex: "0", "aria-label": `First rows of ${file.path}` },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Line"),
          file.columns.map((column) => h("th", { scope: "col" }, column)),
        ),
      ),
      h("tbody", {}, file.rows.map(row)),
    ),
  );
}

function short(text = "") {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function reason(fault) {
  return h("span", { class: "problem" }, ` ${fault.reason}`);
}
