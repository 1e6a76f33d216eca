// An address that is none of the page's.

import { h } from "./dom.js";

export function notFound() {
  const element = h(
    "div",
    { class: "not-found" },
    h("h1", {}, "Page not found"),
    h("p", {}, "There is no page at this address. It may be misspelled, or the page may have been removed."),
    h("p", {}, h("a", { href: "#/" }, "Go to the board")),
  );
  return { title: "Page not found", element, load: async () => {} };
}
