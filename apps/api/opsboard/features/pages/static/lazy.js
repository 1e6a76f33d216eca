// A view whose code comes to the browser when it is opened for the first time, so that others do not wait for it.

import { Problem } from "./api.js";
import { h, replace } from "./dom.js";

/** @param {() => Promise<object>} begin gives the view itself */
export function lazy(title, begin) {
  const element = h("div", { tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let inner = null;

  async function load(read) {
    if (!inner) {
      inner = await begin().catch((error) => {
        console.debug(error);
        throw new Problem({ detail: "The server cannot be reached." });
      });
      replace(element, inner.element);
    }
    await inner.load(read);
    view.title = inner.title;
  }

  const view = { title, element, load, changed: () => inner?.changed?.() };
  return view;
}
