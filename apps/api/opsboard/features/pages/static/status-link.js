// A link for the customer: made by a button, shown once, copied, and taken back when it went to the wrong person.

import { get, make, write } from "./api.js";
import { h, replace } from "./dom.js";
import { dateTime, day } from "./format.js";
import { announce, clearNotice, problemWords } from "./notices.js";

// Stays as it is while polls renew the job around it. Null for who may not make one.
export function statusLink(id, { me }) {
  if (me.role === "operator") return null;
  const path = `/api/jobs/${encodeURIComponent(id)}/status-links`;
  const box = h("div", { class: "status-link" });

  async function attempt(work, button = null) {
    if (button?.ariaDisabled === "true") return;
    if (button) button.ariaDisabled = "true";
    try {
      await work();
      clearNotice();
    } catch (problem) {
      replace(box.querySelector(".made"), problemWords(problem));
    } finally {
      if (button) button.ariaDisabled = null;
    }
  }

  async function showMade() {
    const made = await make("POST", path);
    const address = h("input", { type: "url", "data-key": "link-address", readonly: true, value: made.url, "aria-label": "Link for the customer", onfocus: ({ target }) => target.select() });
    const copy = h("button", { type: "button", class: "main-button", "data-key": "copy-link", onclick: () => copied(address) }, "Copy");
    replace(box.querySelector(".made"),
      h("p", {}, `Whoever has this link sees the status until ${dateTime(made.expires_at)}. It is shown only now.`),
      h("div", { class: "field-row" }, address, copy));
    await showActive();
    copy.focus();
  }

  async function showActive() {
    const links = (await get(`${path}?page_size=100&cursor=`)).items.filter((link) => link.is_active);
    replace(box.querySelector(".active"), links.map((link) =>
      h("li", {}, `Made ${dateTime(link.created_at)}${link.created_by ? ` by ${link.created_by.name}` : ""}, until ${day(link.expires_at.slice(0, 10))} `,
        h("button", { type: "button", class: "plain-button", "aria-label": `Revoke the link made ${dateTime(link.created_at)}`, onclick: ({ currentTarget }) => attempt(() => revoke(link), currentTarget) }, "Revoke"))),
      links.length ? null : h("li", { class: "quiet" }, "No link is in force."));
  }

  async function revoke(link) {
    await write("DELETE", `${path}/${link.id}`);
    replace(box.querySelector(".made"));
    announce("The link was revoked.");
    await showActive();
  }

  const button = h("button", { type: "button", class: "plain-button", onclick: ({ currentTarget }) => attempt(showMade, currentTarget), "data-key": "new-link" }, "New link");
  const details = h("details", { ontoggle: () => details.open && attempt(showActive) },
    h("summary", {}, "Status link"), h("p", { class: "quiet" }, "Lets a customer see status, due date and progress of this job without signing in."),
    h("ul", { class: "active" }), button, h("div", { class: "made" }));
  box.append(details);
  return box;
}

// Without https a browser gives no clipboard: then the address is selected, to be copied by hand.
async function copied(address) {
  address.select();
  try {
    await navigator.clipboard.writeText(address.value);
    announce("Copied.");
  } catch {
    announce("Selected; copy it with your keyboard.");
  }
}
