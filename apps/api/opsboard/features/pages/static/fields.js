// The fields of a form: a label, a control, a hint and the place where its mistake is told.

import { words } from "./chips.js";
import { h } from "./dom.js";
import { day, number } from "./format.js";
import { picker } from "./picker.js";
import { stepsControl, stepsState, stepsValue, stepsWords } from "./steps-field.js";

/**
 * @typedef {object} Field
 * @property {string} name the member of the API's body
 * @property {string} label
 * @property {"text"|"email"|"tel"|"password"|"area"|"number"|"decimal"|"date"|"time"|"choice"|"flag"|"checks"|"picker"|"steps"} [kind]
 * @property {boolean} [required]
 * @property {string} [hint]
 * @property {string} [autocomplete] what a browser may fill in
 * @property {string[]} [values] of a choice, or of checks, whose state is those that are checked, with commas between
 * @property {(value: string) => string} [words] what a choice shows for a value
 * @property {(record: any) => string} [stateFrom] where the state is not the member as a text
 * @property {(state: string) => any} [valueFrom] and the value for the API is another one than the text
 * @property {string} [of] of a picker: the member of the record that has id and name
 * @property {(text: string) => Promise<import("./picker.js").Option[]>} [source] of a picker
 * @property {Record<string, (text: string) => Promise<import("./picker.js").Option[]>>} [sources] of steps: of their pickers
 * @property {any} [initial] the state in a form for a new record
 *
 * The state of a field is what its control shows: a text, an option of a picker, or rows. It can be kept as a draft.
 */

const NUMBERS = { number: /^\d+$/, decimal: /^\d+([.,]\d+)?$/ };

/** The state that shows a record's value. */
export function stateOf(field, record) {
  if (field.kind === "picker") return optionOf(record[field.of]);
  if (field.kind === "steps") return stepsState(record[field.name]);
  if (field.stateFrom) return field.stateFrom(record);
  return record[field.name] === null ? "" : String(record[field.name]);
}

function optionOf(named) {
  return named ? { id: named.id, name: named.name ?? named.full_name } : null;
}

/** The API's value of a state; a number that is none stays a text, for the API to refuse. */
export function fieldValue(field, state) {
  if (field.kind === "picker") return state?.id ?? null;
  if (field.kind === "flag") return state === "true";
  if (field.kind === "steps") return stepsValue(state);
  if (field.valueFrom) return field.valueFrom(state);
  const text = state.trim();
  if (text === "" && !field.required) return null;
  const pattern = NUMBERS[field.kind];
  return pattern?.test(text) ? Number(text.replace(",", ".")) : text;
}

/** A state in words, to compare two versions. */
export function stateWords(field, state) {
  if (field.kind === "picker") return state?.name ?? "–";
  if (field.kind === "steps") return stepsWords(state);
  if (state === "") return "–";
  if (field.kind === "flag") return state === "true" ? "Yes" : "No";
  if (field.kind === "choice") return (field.words ?? words)(state);
  if (field.kind === "checks") return state.split(",").map(words).join(", ");
  if (field.kind === "date") return day(state);
  return field.kind === "number" ? number(Number(state)) : state;
}

/** Returns the fault of a state before it is sent, or null. */
function mistakeIn(field, state, input) {
  const label = field.label.toLowerCase();
  if (input.validity?.badInput) return `Enter ${label} as a whole date, or nothing.`;
  if (field.required && state.trim() === "") return `Enter ${/^[aeiou]/.test(label) ? "an" : "a"} ${label}.`;
  const isGiven = field.required || state.trim() !== "";
  if (isGiven && field.kind in NUMBERS && !NUMBERS[field.kind].test(state.trim()))
    return `Enter ${label} as a ${field.kind === "number" ? "whole number, for example 12" : "number, for example 1.5"}.`;
  return "";
}

/**
 * The control of a field.
 * @param {Field} field
 * @param {() => void} changed called when somebody changes it
 */
export function control(field, changed) {
  const id = `field-${field.name}`;
  const made =
    field.kind === "picker"
      ? picker({ id, source: field.source, nothing: `No ${field.label.toLowerCase()} begins like this.`, changed })
      : field.kind === "steps"
        ? stepsControl(field, id, changed)
        : field.kind === "checks"
          ? checks(field, id, changed)
          : plainControl(field, id, changed);
  const isGroup = ["checks", "steps"].includes(field.kind);
  const { input } = made;
  const hint = field.hint && h("p", { class: "quiet", id: `${id}-hint` }, field.hint);
  const mistake = h("p", { class: "problem", id: `${id}-problem`, hidden: true });
  const label = h(
    isGroup ? "span" : "label",
    isGroup ? { id: `${id}-label`, class: "checks-label" } : { for: id },
    field.label,
    field.required && h("span", { class: "quiet" }, " (required)"),
  );
  if (field.required && !isGroup) input.setAttribute("aria-required", "true");
  complain("");

  function complain(sentence) {
    mistake.textContent = sentence;
    mistake.hidden = sentence === "";
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    const described = [hint && hint.id, sentence && mistake.id].filter(Boolean);
    if (described.length) input.setAttribute("aria-describedby", described.join(" "));
    else input.removeAttribute("aria-describedby");
  }

  return {
    field,
    element: h("div", { class: `form-field is-${field.kind ?? "text"}` }, label, hint, made.element, mistake),
    state: made.state,
    set: made.set,
    value: () => fieldValue(field, made.state()),
    mistake: () =>
      made.mistake ? made.mistake() : field.kind === "picker" ? "" : mistakeIn(field, made.state(), input),
    complain,
    focus: () => input.focus(),
  };
}

function checks(field, id, changed) {
  const boxes = field.values.map((value) => h("input", { type: "checkbox", value, onchange: changed }));
  const group = h(
    "div",
    { id, class: "scopes", role: "group", "aria-labelledby": `${id}-label`, tabindex: "-1" },
    field.values.map((value, index) => h("label", { class: "flag" }, boxes[index], words(value))),
  );
  const set = (state) => {
    for (const box of boxes) box.checked = state.split(",").includes(box.value);
  };
  return {
    element: group,
    input: group,
    set,
    state: () =>
      boxes
        .filter((box) => box.checked)
        .map((box) => box.value)
        .join(","),
  };
}

function plainControl(field, id, changed) {
  const kind = field.kind ?? "text";
  if (kind === "flag") return flagControl(id, changed);
  const say = field.words ?? words;
  const input =
    kind === "area"
      ? h("textarea", { id, rows: 5 })
      : kind === "choice"
        ? h(
            "select",
            { id },
            field.values.map((value) => h("option", { value }, say(value))),
          )
        : h("input", {
            id,
            type: kind in NUMBERS ? "text" : kind,
            inputmode: { number: "numeric", decimal: "decimal" }[kind],
            autocomplete: field.autocomplete ?? "off",
          });
  input.addEventListener("input", changed);
  return { element: input, input, state: () => input.value, set: (state) => (input.value = state) };
}

function flagControl(id, changed) {
  const input = h("input", { id, type: "checkbox", onchange: changed });
  return {
    element: input,
    input,
    state: () => String(input.checked),
    set: (state) => (input.checked = state === "true"),
  };
}
