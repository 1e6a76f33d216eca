// A search picker: a text box that lists what begins with the typed text, for one customer, person or machine.

import { h, replace } from "./dom.js";

const PAUSE = 200; // ms without a key before a search begins

/**
 * @typedef {{ id: number, name: string, more?: string }} Option
 * @param {object} options
 * @param {string} options.id of the text box; the label refers to it
 * @param {(text: string) => Promise<Option[]>} options.source what begins with a text; with no text, the first ones
 * @param {string} options.nothing said when the source has nothing like the text
 * @param {() => void} options.changed called when something else is chosen
 */
export function picker({ id, source, nothing, changed }) {
  const listId = `${id}-options`;
  const input = h("input", {
    id,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    oninput: later,
    onkeydown: press,
    onblur: leave,
    onclick: () => isOpen() || search(),
  });
  const list = h("ul", { id: listId, role: "listbox", class: "picker-options", hidden: true });
  const message = h("p", { class: "quiet picker-message", role: "status" });
  let chosen = null; // an Option, or null for nobody and nothing
  let options = [];
  let active = -1; // index of the option that Enter chooses
  let timer = 0;
  let searches = 0; // answers of earlier searches are dropped

  function later() {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  }

  async function search() {
    const mine = ++searches;
    // The name of what is chosen is no search: it would list itself alone.
    const text = input.value === chosen?.name ? "" : input.value.trim();
    let found = [];
    try {
      found = await source(text);
      message.textContent = found.length ? "" : nothing;
    } catch (problem) {
      message.textContent = problem.words ?? "The search failed.";
    }
    if (mine === searches && document.activeElement === input) show(found);
  }

  function show(found) {
    options = found;
    active = found.length ? 0 : -1;
    replace(
      list,
      found.map((option, index) =>
        h(
          "li",
          { id: `${listId}-${index}`, role: "option", onpointerdown: (event) => take(event, option) },
          h("span", {}, option.name),
          option.more && h("span", { class: "quiet" }, option.more),
        ),
      ),
    );
    mark();
  }

  function mark() {
    list.hidden = options.length === 0;
    input.setAttribute("aria-expanded", String(isOpen()));
    for (const [index, item] of [...list.children].entries())
      item.setAttribute("aria-selected", String(index === active));
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[active].id);
    return list.children[active].scrollIntoView({ block: "nearest" });
  }

  function isOpen() {
    return !list.hidden;
  }

  function press(event) {
    if (event.key === "ArrowDown" && !isOpen()) search();
    else if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp" && isOpen()) move(-1);
    else if (event.key === "Enter" && isOpen()) choose(options[active]);
    else if (event.key === "Escape" && isOpen()) close();
    else return;
    event.preventDefault();
  }

  function move(by) {
    active = (active + by + options.length) % options.length;
    mark();
  }

  function take(event, option) {
    event.preventDefault(); // the text box keeps the focus
    choose(option);
  }

  function choose(option) {
    const isOther = option?.id !== chosen?.id;
    chosen = option ?? null;
    input.value = chosen?.name ?? "";
    close();
    if (isOther) changed();
  }

  function close() {
    clearTimeout(timer);
    searches += 1;
    show([]);
    message.textContent = "";
  }

  // An empty box means nothing is chosen; a text that was not chosen goes back to what was.
  function leave() {
    if (input.value.trim() === "") choose(null);
    else choose(chosen);
  }

  return {
    element: h("div", { class: "picker" }, input, list, message),
    input,
    /** @returns {Option | null} */
    state: () => (input.value.trim() === "" ? null : chosen),
    set(option) {
      chosen = option;
      input.value = option?.name ?? "";
    },
  };
}
