// A select chooses a status, the button beside it sets it: arrow keys alone write nothing.

import { words } from "./chips.js";
import { h } from "./dom.js";

const choices = new Map(); // key -> what is chosen and not yet set; a poll must not take it back

// `thing` is { key, name, path, status }; `noteOf(next)` says what Undo would not bring back.
export function statusChoice(thing, statuses, { act }, { label = null, noteOf = (_next) => null } = {}) {
  const { key, name, path, status } = thing;
  if (choices.get(key) === status) choices.delete(key);
  const options = statuses.map((value) =>
    h("option", { value, selected: value === (choices.get(key) ?? status) }, words(value)),
  );
  const select = h(
    "select",
    { "aria-label": label ? null : `Status of ${name}`, "data-key": `status-${key}`, onchange: choose },
    options,
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "move-button",
      "data-key": `set-${key}`,
      "aria-label": `Set the status of ${name}`,
      onclick: set,
    },
    "Set",
  );
  showChoice();

  function choose() {
    choices.set(key, select.value);
    showChoice();
  }

  function showChoice() {
    button.ariaDisabled = select.value === status ? "true" : null;
  }

  async function set() {
    const next = select.value;
    if (next === status) return;
    const write = (to, done) => ({ method: "PATCH", path, content: { status: to }, done });
    const undo = () => write(status, `Undone: ${name} is ${words(status).toLowerCase()} again.`);
    if (await act(button, { ...write(next, `${name} is now ${words(next).toLowerCase()}.`), undo, note: noteOf(next) }))
      choices.delete(key);
  }

  const control = label ? h("label", { class: "field inline" }, h("span", {}, label), select) : select;
  return h("div", { class: "status-choice" }, control, button);
}

export function forgetChoices() {
  choices.clear();
}
