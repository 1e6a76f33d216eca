// The search over all records: a dialog that `/` and Ctrl-K open anywhere. It comes to the browser when it is first opened.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { pageOf } from "./router.js";

const PAUSE = 150; // ms without a key before a search begins
const NAMES = {
  jobs: "Jobs",
  customers: "Customers",
  contacts: "Contacts",
  leads: "Leads",
  machines: "Machines",
  users: "People",
  documents: "Documents",
};
const HINT = "Words in any order: a job number, a name, an e-mail address or the digits of a phone number.";
let dialog = null;

export function openSearch() {
  if (dialog) return;
  const input = h("input", {
    type: "text",
    role: "combobox",
    maxlength: 100,
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Search",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": "found",
    oninput: later,
    onkeydown: press,
  });
  const found = h("div", { id: "found", role: "listbox", "aria-label": "Results" });
  const message = h("p", { class: "quiet", role: "status" }, HINT);
  let options = []; // { element, href }
  let active = -1;
  let timer = 0;
  let searches = 0; // answers of earlier searches are dropped

  function later() {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  }

  async function search() {
    const mine = ++searches;
    const text = input.value.trim();
    if (!text) return show([], HINT);
    try {
      const { groups } = await get(`/api/search?${new URLSearchParams({ q: text })}`);
      if (mine === searches) show(groups, groups.length ? "" : "Nothing has all these words.", text);
    } catch (problem) {
      if (mine === searches) show([], problem.words ?? "The search failed.");
    }
  }

  function show(groups, text, words) {
    options = [];
    message.textContent = text;
    replace(
      found,
      groups.map((group) => groupOf(group, words)),
    );
    input.setAttribute("aria-expanded", String(options.length > 0));
    mark(options.length ? 0 : -1);
  }

  function groupOf({ kind, items, has_more: hasMore, is_complete: isComplete }, words) {
    const name = NAMES[kind];
    const all = `#/${kind}?${new URLSearchParams({ q: words })}`;
    return h(
      "div",
      { role: "group", "aria-labelledby": `found-${kind}` },
      h("h3", { id: `found-${kind}`, role: "presentation" }, name),
      items.map((item) =>
        option(
          pageOf(item.link),
          h("strong", {}, item.title),
          item.detail && h("span", { class: "quiet" }, item.detail),
        ),
      ),
      kind !== "documents" &&
        (hasMore || !isComplete) &&
        option(all, h("span", {}, `All ${name.toLowerCase()} like this`)),
    );
  }

  function option(href, ...content) {
    const element = h(
      "div",
      { id: `found-option-${options.length}`, role: "option", "aria-selected": "false", onclick: () => go(href) },
      content,
    );
    options.push({ element, href });
    return element;
  }

  function mark(next) {
    options[active]?.element.setAttribute("aria-selected", "false");
    active = next;
    const chosen = options[active]?.element;
    if (!chosen) return input.removeAttribute("aria-activedescendant");
    chosen.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", chosen.id);
    return chosen.scrollIntoView({ block: "nearest" });
  }

  function press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) mark((active + step + options.length) % options.length);
    else if (event.key === "Enter" && options[active]) go(options[active].href);
    else return;
    event.preventDefault();
  }

  function go(href) {
    dialog.close();
    location.hash = href;
  }

  function closed() {
    clearTimeout(timer);
    searches += 1;
    dialog.remove();
    dialog = null;
  }

  dialog = h(
    "dialog",
    {
      class: "search",
      "aria-label": "Search",
      onclose: closed,
      onclick: ({ target }) => target === dialog && dialog.close(),
    },
    h(
      "div",
      { class: "search-box" },
      h(
        "div",
        { class: "search-line" },
        input,
        h("button", { type: "button", class: "plain-button", onclick: () => dialog.close() }, "Close"),
      ),
      message,
      found,
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}
