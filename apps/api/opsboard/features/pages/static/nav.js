// The menu, made of the pages that the person's role may open; style sheets make a side bar or a bottom bar of it.

import { byId, h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { pagesFor } from "./pages.js";

export function showMenu(role, runsService) {
  const pages = pagesFor(role, runsService);
  const groups = [...new Set(pages.map(({ group }) => group))];
  const more = h(
    "button",
    {
      type: "button",
      class: "nav-more",
      id: "more",
      "aria-expanded": "false",
      "aria-controls": "all-areas",
      onclick: toggle,
    },
    icon("more"),
    "More",
  );
  replace(
    byId("areas"),
    h(
      "div",
      { class: "nav-entries", id: "all-areas" },
      groups.map((group) =>
        section(
          group,
          pages.filter((page) => page.group === group),
        ),
      ),
      h(
        "div",
        { class: "nav-extra" },
        h(
          "button",
          { type: "button", class: "plain-button", "data-theme-toggle": true },
          "Switch between light and dark",
        ),
        h("button", { type: "button", class: "plain-button", "data-sign-out": true }, "Sign out"),
      ),
    ),
    h(
      "div",
      { class: "nav-quick" },
      pages
        .filter(({ onPhone }) => onPhone)
        .slice(0, 4)
        .map(entry),
      more,
    ),
  );
  byId("areas").hidden = false;
}

export function hideMenu() {
  close();
  byId("areas").hidden = true;
}

/** Marks the entry of the area that is shown, and shuts the menu of a phone. */
export function markPlace(area) {
  close();
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("#areas a"))) {
    if (link.hash.replace("#/", "") === area) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function section(group, pages) {
  const id = `nav-${group.toLowerCase()}`;
  return h(
    "div",
    { class: "nav-group" },
    group && h("p", { class: "nav-title", id }, group),
    h(
      "ul",
      { "aria-labelledby": group ? id : null },
      pages.map((page) => h("li", {}, entry(page))),
    ),
  );
}

/** @param {import("./pages.js").Page} page */
function entry({ title, href, icon: name }) {
  return h("a", { href }, icon(name), h("span", {}, title));
}

function toggle() {
  if (isOpen()) return close();
  byId("areas").dataset.open = "";
  byId("more").setAttribute("aria-expanded", "true");
  byId("all-areas").querySelector("a").focus();
}

function isOpen() {
  return "open" in byId("areas").dataset;
}

function close() {
  if (!isOpen()) return;
  delete byId("areas").dataset.open;
  byId("more").setAttribute("aria-expanded", "false");
}

addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !isOpen()) return;
  close();
  byId("more").focus();
});
addEventListener("pointerdown", ({ target }) => isOpen() && !byId("areas").contains(target) && close());
// With the keyboard one can leave the open menu: it must not lie over what has the focus.
addEventListener("focusin", ({ target }) => isOpen() && !byId("areas").contains(target) && close());
