// What is said to the person: aloud for those who listen, and as a notice when something went wrong.

import { byId, h, replace } from "./dom.js";

export function announce(words) {
  byId("announcer").textContent = words;
}

// Stays until it is closed or the next one comes: an error must not vanish while somebody reads it.
export function showProblem(problem) {
  const close = h("button", { type: "button", class: "plain-button", onclick: clearNotice }, "Close");
  replace(byId("notices"), h("div", { class: "notice" }, problemWords(problem), close));
}

export function clearNotice() {
  byId("notices").replaceChildren();
}

// The error and, for whoever is asked about it, the id under which the server's log has it.
export function problemWords(problem) {
  const request = problem.requestId && h("span", { class: "request-id" }, `Request ${problem.requestId}`);
  return h("p", { class: "problem" }, problem.words ?? "Something went wrong on this page.", " ", request);
}
