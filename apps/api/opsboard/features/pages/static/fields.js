// The fields of a form: a label, a control, a hint and the place where its mistake is told.

import { words } from "./chips.js";
import { h } from "./dom.js";
import { day, number } from "./format.js";
import { picker } from "./picker.js";

/**
 * @typedef {object} Field
 * @property {string} name the member of the API's body
 * @property {string} label
 * @property {"text"|"email"|"tel"|"password"|"area"|"number"|"date"|"time"|"choice"|"flag"|"picker"} [kind]
 * @property {boolean} [required]
 * @property {string} [hint]
 * @property {string} [autocomplete] what a browser may fill in
 * @property {string[]} [values] of a choice
 * @property {(value: string) => string} [words] what a choice shows for a value
 * @property {string} [of] of a picker: the member of the record that has id and name
 * @property {(text: string) => Promise<import("./picker.js").Option[]>} [source] of a picker
 * @property {any} [initial] the state in a form for a new record
 *
 * The state of a field is what its control shows: a text, or an option of a picker. It can be kept as a draft.
 */

/** The state that shows a record's value. */
export function stateOf(field, record) {
  if (field.kind === "picker") return optionOf(record[field.of]);
  return record[field.name] === null ? "" : String(record[field.name]);
}

function optionOf(named) {
  return named ? { id: named.id, name: named.name ?? named.full_name } : null;
}

/** The API's value of a state; a number that is none stays a text, for the API to refuse. */
export function valueOf(field, state) {
  if (field.kind === "picker") return state?.id ?? null;
  if (field.kind === "flag") return state === "true";
  const text = state.trim();
  if (text === "" && !field.required) return null;
  return field.kind === "number" && /^\d+$/.test(text) ? Number(text) : text;
}

/** A state in words, to compare two versions. */
export function stateWords(field, state) {
  if (field.kind === "picker") return state?.name ?? "–";
  if (state === "") return "–";
  if (field.kind === "flag") return state === "true" ? "Yes" : "No";
  if (field.kind === "choice") return (field.words ?? words)(state);
  if (field.kind === "date") return day(state);
  return field.kind === "number" ? number(Number(state)) : state;
}

/** Returns the fault of a state before it is sent, or null. */
function mistakeIn(field, state, input) {
  const label = field.label.toLowerCase();
  if (input.validity.badInput) return `Enter ${label} as a whole date, or nothing.`;
  if (field.required && state.trim() === "") return `Enter ${/^[aeiou]/.test(label) ? "an" : "a"} ${label}.`;
  if (field.kind === "number" && !/^\d+$/.test(state.trim())) return `Enter ${label} as a whole number, for example 12.`;
  return "";
}

/**
 * The control of a field.
 * @param {Field} field
 * @param {() => void} changed called when somebody changes it
 */
export function control(field, changed) {
  const id = `field-${field.name}`;
  const made = field.kind === "picker"
    ? picker({ id, source: field.source, nothing: `No ${field.label.toLowerCase()} begins like this.`, changed })
    : plainControl(field, id, changed);
  const { input } = made;
  const hint = field.hint && h("p", { class: "quiet", id: `${id}-hint` }, field.hint);
  const mistake = h("p", { class: "problem", id: `${id}-problem`, hidden: true });
  const label = h("label", { for: id }, field.label, field.required && h("span", { class: "quiet" }, " (required)"));
  if (field.required) input.setAttribute("aria-required", "true");
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
    value: () => valueOf(field, made.state()),
    mistake: () => (field.kind === "picker" ? "" : mistakeIn(field, made.state(), input)),
    complain,
    focus: () => input.focus(),
  };
}

function plainControl(field, id, changed) {
  const kind = field.kind ?? "text";
  if (kind === "flag") return flagControl(id, changed);
  const say = field.words ?? words;
  const input = kind === "area" ? h("textarea", { id, rows: 5 })
    : kind === "choice" ? h("select", { id }, field.values.map((value) => h("option", { value }, say(value))))
    : h("input", { id, type: kind === "number" ? "text" : kind, inputmode: kind === "number" ? "numeric" : null, autocomplete: field.autocomplete ?? "off" });
  input.addEventListener("input", changed);
  return { element: input, input, state: () => input.value, set: (state) => (input.value = state) };
}

function flagControl(id, changed) {
  const input = h("input", { id, type: "checkbox", onchange: changed });
  return { element: input, input, state: () => String(input.checked), set: (state) => (input.checked = state === "true") };
}
