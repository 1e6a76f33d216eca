// Elements without markup in strings: text is always text, whatever it holds.

import { keepRows } from "./rows.js";
import { isHeld } from "./steady.js";

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

// New content for a container. Who has the focus on something with a data-key keeps it on its successor, so that
// a poll never throws a keyboard user out; what has gone gives the focus to the section around it.
export function replace(container, ...children) {
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const key = container.contains(focused) ? focused.dataset.key : undefined;
  const content = present(children);
  if (isHeld(container)) renewRows(container, content);
  else if (!keepRows(container, content)) container.replaceChildren(...content);
  if (key === undefined) return;
  const successor = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  (successor ?? container.closest("[tabindex]"))?.focus({ preventScroll: true });
  if (successor?.type === "search") successor.setSelectionRange(successor.value.length, successor.value.length);
}

// While a row must stay in its place, each row is renewed where it is: none comes, goes or moves.
function renewRows(container, content) {
  // Nodes that stay in the page must not be removed and inserted again.
  const next = h("div", {}, ...content.filter((child) => !child.isConnected));
  for (const row of container.querySelectorAll("[data-row]")) {
    const successor = next.querySelector(`[data-row="${CSS.escape(row.dataset.row)}"]`);
    if (successor) row.replaceChildren(...successor.childNodes);
  }
}

export function fromTemplate(id) {
  return /** @type {HTMLTemplateElement} */ (document.getElementById(id)).content.cloneNode(true);
}

/** @param {string} id @returns {any} of the kind that the template says */
export function byId(id) {
  return document.getElementById(id);
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
