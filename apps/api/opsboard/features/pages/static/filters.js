// The controls above a list. What they say stands in the address, so back, reload and a sent link bring it again.

import { get } from "./api.js";
import { words } from "./chips.js";
import { h } from "./dom.js";
import { filterLabel, isId, NAMED_BY, oneOf } from "./filter-words.js";
import { day } from "./format.js";
import { picker } from "./picker.js";
import { address } from "./router.js";

const PAUSE = 300; // ms without a key before a search begins
const HIDDEN = ["cursor", "page", "page_size", "hide", "view"];

export function filters(area, query, declared) {
  const set = (name, value) => {
    const next = new URLSearchParams(query);
    next.delete("cursor");
    if (value) next.set(name, value);
    else next.delete(name);
    return address(area, next);
  };
  const control = (filter) =>
    (filter.search
      ? searchBox
      : filter.date
        ? dateBox
        : filter.source
          ? choicePicker
          : filter.flag
            ? checkbox
            : choice)(filter, query, set);
  const names = declared.map(({ name }) => name);
  const others = [...query.keys()].filter((name) => !names.includes(name) && !HIDDEN.includes(name));
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Narrow the list", onsubmit: (event) => event.preventDefault() },
    declared.map(control),
    others.map((name) =>
      h(
        "a",
        { class: "chosen", href: set(name, "") },
        h("span", {}, filterLabel(name), filterValue(name, query.get(name))),
        h("span", { class: "visually-hidden" }, " – remove"),
        h("span", { "aria-hidden": "true" }, " ×"),
      ),
    ),
  );
}

// Of a filter that came with a link: a day, a name for an id, nothing for a plain yes.
function filterValue(name, value) {
  if (value === "true") return "";
  if (/^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value))) return `: ${day(value)}`;
  if (!NAMED_BY[name] || !isId(value)) return `: ${value}`;
  const [area, member] = NAMED_BY[name];
  const place = h("span", {}, ` ${value}`);
  get(`/api/${area}/${encodeURIComponent(value)}?fields=${member}`).then(
    (found) => (place.textContent = `: ${found[member]}`),
    () => {},
  );
  return place;
}

function searchBox({ name, label }, query, set) {
  let timer = 0;
  const later = ({ target }) => {
    clearTimeout(timer);
    // Each letter is not a step back: the address is replaced.
    timer = setTimeout(() => target.isConnected && location.replace(set(name, target.value)), PAUSE);
  };
  return field(
    label,
    h("input", {
      type: "search",
      name,
      value: query.get(name) ?? "",
      maxlength: 100,
      oninput: later,
      "data-key": name,
      autocomplete: "off",
    }),
  );
}

function dateBox({ name, label }, query, set) {
  const change = ({ target }) => (location.hash = set(name, target.value));
  return field(
    label,
    h("input", {
      type: "date",
      name,
      value: query.get(name) ?? "",
      max: "9999-12-31",
      onchange: change,
      "data-key": name,
    }),
  );
}

// One of many, found by its name; the address has its id.
function choicePicker({ name, label, source }, query, set) {
  const id = `filter-${name}`;
  const one = picker({
    id,
    source,
    nothing: "Nothing begins like this.",
    changed: () => (location.hash = set(name, one.state()?.id ?? "")),
  });
  one.input.name = name;
  one.input.dataset.key = name;
  const chosen = query.get(name);
  if (chosen) one.set({ id: Number(chosen), name: chosen });
  if (isId(chosen)) {
    const [area, member] = NAMED_BY[name];
    get(`/api/${area}/${encodeURIComponent(chosen)}?fields=${member}`).then(
      (found) => one.set({ id: Number(chosen), name: found[member] }),
      () => {},
    );
  }
  return h("div", { class: "field" }, h("label", { for: id }, label), one.element);
}

function checkbox({ name, label, flag }, query, set) {
  const change = ({ target }) => (location.hash = set(name, target.checked ? flag : ""));
  return h(
    "label",
    { class: "flag" },
    h("input", { type: "checkbox", name, checked: query.get(name) === flag, onchange: change, "data-key": name }),
    label,
  );
}

function choice({ name, label, values, words: say = words }, query, set) {
  const chosen = query.get(name) ?? "";
  const known = !chosen || values.includes(chosen);
  const all = known ? values : [chosen, ...values]; // "pending,in_progress" from a link
  const options = all.map((value) =>
    h("option", { value, selected: value === chosen }, value.includes(",") ? oneOf(value.split(",")) : say(value)),
  );
  const any = name === "sort" ? null : h("option", { value: "" }, "Any");
  const change = ({ target }) => (location.hash = set(name, target.value));
  return field(label, h("select", { name, onchange: change, "data-key": name }, any, options));
}

function field(label, control) {
  return h("label", { class: "field" }, h("span", {}, label), control);
}
