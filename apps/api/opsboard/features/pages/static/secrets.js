// Secrets the server returns only once: links and tokens. Shown for copying until the view is left.

import { h } from "./dom.js";
import { announce } from "./notices.js";

/** A text box with a secret and a button that copies it; `words` say what it is good for. */
export function secret(words, label, value) {
  const box = h("input", {
    type: "text",
    readonly: true,
    value,
    "aria-label": label,
    onfocus: ({ target }) => target.select(),
  });
  const copy = h("button", { type: "button", class: "main-button", onclick: () => copyFrom(box) }, "Copy");
  return h("div", { class: "secret" }, h("p", {}, words), h("div", { class: "field-row" }, box, copy));
}

// Without https a browser gives no clipboard: then the text is selected, to be copied by hand.
export async function copyFrom(box) {
  box.select();
  try {
    await navigator.clipboard.writeText(box.value);
    announce("Copied.");
  } catch {
    announce("Selected; copy it with your keyboard.");
  }
}

const invitations = new Map(); // user id -> what the answer to an invitation has

export function keepInvitation(id, invitation) {
  if (invitation) invitations.set(id, invitation);
}

export function takeInvitation(id) {
  const invitation = invitations.get(id) ?? null;
  invitations.delete(id);
  return invitation;
}
