// Messages to the person: spoken for those who listen, a toast for what was done, a notice for what went wrong.

import { byId, h, replace } from "./dom.js";

const UNDO_TIME = 10_000; // ms
const MOST_TOASTS = 3;

export function announce(words) {
  byId("announcer").textContent = words;
}

// Says what was done. `undo(button)` takes it back; while the pointer or the focus is on the toast, it stays.
export function showDone(words, { warnings = [], undo = null, isLow = false } = {}) {
  const place = byId("toasts");
  place.classList.toggle("at-top", isLow);
  const button =
    undo &&
    h(
      "button",
      {
        type: "button",
        class: "plain-button",
        onclick: ({ currentTarget }) => undo(currentTarget).then((isDone) => isDone && toast.remove()),
      },
      "Undo",
    );
  const toast = h(
    "div",
    { class: "toast" },
    h(
      "div",
      { class: "toast-words" },
      h("p", {}, words),
      warnings.map((warning) => h("p", { class: "warning" }, warning)),
    ),
    button,
  );
  let timer = 0;
  const stay = () => clearTimeout(timer);
  const go = () => {
    stay();
    timer = setTimeout(() => toast.remove(), UNDO_TIME);
  };
  for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, stay);
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, go);
  go();
  place.append(toast);
  while (place.children.length > MOST_TOASTS) place.firstElementChild.remove();
  announce([words, ...warnings].join(" "));
}

export function clearToasts() {
  byId("toasts").replaceChildren();
}

// Stays until it is closed or the next one comes: an error must not vanish while somebody reads it. One that the
// server's absence made goes when the server is back.
export function showProblem(problem) {
  const close = h("button", { type: "button", class: "plain-button", onclick: clearNotice }, "Close");
  replace(
    byId("problems"),
    h("div", { class: "notice", role: "alert", "data-transient": problem.isTransient }, problemWords(problem), close),
  );
}

export function clearNotice() {
  byId("problems").replaceChildren();
}

export function clearTransientNotice() {
  byId("problems").querySelector("[data-transient]")?.remove();
}

// The error, and the request id that finds it in the server's log.
export function problemWords(problem) {
  const request = problem.requestId && h("span", { class: "request-id" }, `Request ${problem.requestId}`);
  return h("p", { class: "problem" }, problem.words ?? "Something went wrong on this page.", " ", request);
}
