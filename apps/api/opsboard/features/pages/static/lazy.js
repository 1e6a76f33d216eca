// A view whose code comes to the browser when it is opened for the first time, so that others do not wait for it.

import { Problem } from "./api.js";
import { h, replace } from "./dom.js";

/** @param {() => Promise<object>} begin gives the view itself */
export function lazy(title, begin) {
  const element = h("div", { tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let inner = null;

  async function load(read) {
    if (!inner) {
      const made = await begin().catch((error) => {
        console.debug(error);
        throw new Problem({ detail: "The server cannot be reached." });
      });
      // Of two rounds the first one that is through makes the view; that of a round which was given up stays empty.
      if (!inner) {
        inner = made;
        replace(element, inner.element);
      }
    }
    await inner.load(read);
    view.title = inner.title;
  }

  const view = { title, element, load, changed: () => inner?.changed?.() };
  return view;
}
