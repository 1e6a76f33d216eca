// Saved views of a list: choose one, save what is shown, hide columns. All of it stands in the address.

import { ask } from "./ask.js";
import { h, replace } from "./dom.js";
import { manages } from "./rights.js";
import { address } from "./router.js";

/** Parts of an address that no view keeps. */
const PASSING = ["cursor", "page", "page_size", "view"];

/** Heads of columns that are hidden; the first column names the item and stays. */
export function hidden(query) {
  return (query.get("hide") ?? "").split(",").filter(Boolean);
}

/** The bar with views and columns above a list; `columns` are its heads. */
export function views(area, query, columns, { me, act }) {
  const element = h("div", { class: "views" });
  let isLoaded = false;

  // Once for each view of the list: what others save is not waited for.
  async function load(read) {
    if (isLoaded) return;
    const { items } = await read(`/api/saved-views?area=${encodeURIComponent(area)}&page_size=100`);
    isLoaded = true;
    const mine = items.filter(({ owner }) => owner.id === me.id);
    const usual = mine.find((view) => view.is_default) ?? items.find((view) => view.is_shared && view.is_default);
    if (usual?.query && query.size === 0) location.replace(`#/${area}?${usual.query}`);
    else show(items);
  }

  function show(items) {
    const now = keptOf(query);
    const shown = items.find((view) => new URLSearchParams(view.query).toString() === now);
    const choose = ({ target }) => {
      const next = new URLSearchParams(items.find(({ id }) => String(id) === target.value)?.query ?? "view=all");
      location.hash = address(area, next);
    };
    const isOwn = shown && (shown.owner.id === me.id || me.role === "admin");
    replace(
      element,
      items.length > 0 &&
        h(
          "label",
          { class: "field" },
          h("span", {}, "View"),
          h(
            "select",
            { "aria-label": "View", "data-key": "view", onchange: choose },
            h("option", { value: "" }, "All"),
            items.map((view) =>
              h(
                "option",
                { value: view.id, selected: view === shown },
                view.owner.id === me.id ? view.name : `${view.name} (${view.owner.name})`,
              ),
            ),
          ),
        ),
      h(
        "button",
        {
          type: "button",
          class: "plain-button",
          "data-key": "save-view",
          onclick: ({ currentTarget }) => save(currentTarget, now),
        },
        "Save view",
      ),
      isOwn &&
        h(
          "button",
          {
            type: "button",
            class: "plain-button",
            "data-key": "remove-view",
            onclick: ({ currentTarget }) => remove(currentTarget, shown),
          },
          "Remove view",
        ),
      columnChoice(),
    );
  }

  function columnChoice() {
    const without = hidden(query);
    const toggle =
      (head) =>
      ({ target }) => {
        const next = new URLSearchParams(query);
        const rest = target.checked ? without.filter((name) => name !== head) : [...without, head];
        next.delete("hide");
        if (rest.length) next.set("hide", rest.join(","));
        location.hash = address(area, next);
      };
    const choices = h("div", {});
    const fill = () =>
      choices.childElementCount ||
      choices.append(
        ...columns.slice(1).map((head) =>
          h(
            "label",
            { class: "flag" },
            h("input", {
              type: "checkbox",
              checked: !without.includes(head),
              onchange: toggle(head),
              "data-key": `column-${head}`,
            }),
            head,
          ),
        ),
      );
    return h(
      "details",
      { class: "columns", open: without.length > 0, ontoggle: fill },
      h("summary", { "data-key": "columns" }, "Columns"),
      choices,
    );
  }

  async function save(pressed, now) {
    const answer = await ask({
      title: "Save this view",
      verb: "Save",
      text: "Filters, sort and columns are kept under a name.",
      fields: [
        {
          name: "name",
          label: "Name",
          isText: true,
          check: (text) => (text && text.length <= 100 ? "" : "Enter a name of at most 100 characters."),
        },
        { name: "is_default", label: "Show it when I open this list", isFlag: true },
        manages(me) && { name: "is_shared", label: "Show it to everybody", isFlag: true },
      ].filter(Boolean),
    });
    if (answer === null) return;
    await act(pressed, {
      method: "POST",
      path: "/api/saved-views",
      content: { area, query: now, ...answer },
      done: `Saved the view ${answer.name}.`,
      onDone: again,
    });
  }

  async function remove(pressed, { id, name, query: was, is_shared: isShared, is_default: isDefault }) {
    const undo = () => ({
      method: "POST",
      path: "/api/saved-views",
      content: { area, name, query: was, is_shared: isShared, is_default: isDefault },
      done: `Undone: ${name} is back.`,
      onDone: again,
    });
    await act(pressed, {
      method: "DELETE",
      path: `/api/saved-views/${id}`,
      done: `Removed the view ${name}.`,
      undo,
      onDone: again,
    });
  }

  function again() {
    isLoaded = false;
    return load();
  }

  return { element, load };
}

function keptOf(query) {
  const rest = new URLSearchParams(query);
  for (const name of PASSING) rest.delete(name);
  return rest.toString();
}
