// A link for the customer: made by a button, shown once, copied, and taken back when it went to the wrong person.

import { ask } from "./ask.js";
import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { dateTime, day } from "./format.js";
import { showProblem } from "./notices.js";
import { manages } from "./rights.js";
import { copyFrom } from "./secrets.js";

// Stays as it is while polls renew the job around it. Null for who may not make one.
export function statusLink(id, { me, act }) {
  if (!manages(me)) return null;
  const path = `/api/jobs/${encodeURIComponent(id)}/status-links`;
  const box = h("div", { class: "status-link" });

  async function make(button) {
    await act(button, {
      method: "POST",
      path,
      done: "The link was made.",
      onDone: showMade,
      undo: (made) => ({
        method: "DELETE",
        path: `${path}/${made.id}`,
        done: "Undone: the link is revoked.",
        onDone: showRevoked,
      }),
    });
  }

  function showMade(made) {
    const address = h("input", {
      type: "url",
      "data-key": "link-address",
      readonly: true,
      value: made.url,
      "aria-label": "Link for the customer",
      onfocus: ({ target }) => target.select(),
    });
    const copy = h(
      "button",
      { type: "button", class: "main-button", "data-key": "copy-link", onclick: () => copyFrom(address) },
      "Copy",
    );
    replace(
      box.querySelector(".made"),
      h(
        "p",
        {},
        `Everyone with this link can see the status until ${dateTime(made.expires_at)}. Copy it now: it is not shown again.`,
      ),
      h("div", { class: "field-row" }, address, copy),
    );
    copy.focus();
    return showActive();
  }

  async function showActive() {
    try {
      await listActive();
    } catch (problem) {
      showProblem(problem);
    }
  }

  async function listActive() {
    const links = (await get(`${path}?page_size=100&cursor=`)).items.filter((link) => link.is_active);
    replace(
      box.querySelector(".active"),
      links.map((link) =>
        h(
          "li",
          { "data-row": `link-${link.id}` },
          `Made ${dateTime(link.created_at)}${link.created_by ? ` by ${link.created_by.name}` : ""}, until ${day(link.expires_at.slice(0, 10))} `,
          h(
            "button",
            {
              type: "button",
              class: "plain-button",
              "aria-label": `Revoke the link made ${dateTime(link.created_at)}`,
              onclick: ({ currentTarget }) => revoke(link, currentTarget),
            },
            "Revoke",
          ),
        ),
      ),
      links.length ? null : h("li", { class: "quiet" }, "No link is in force."),
    );
  }

  // A link that went to the wrong person must not come back by a slip: this cannot be undone, so it is asked.
  async function revoke(link, button) {
    const answer = await ask({
      title: "Revoke this link?",
      text: "Customers who have it no longer see the status. This cannot be undone; you can make a new link.",
      verb: "Revoke",
    });
    if (answer === null) return;
    await act(
      button,
      {
        method: "DELETE",
        path: `${path}/${link.id}`,
        done: "The link was revoked. This cannot be undone; make a new link if you need one.",
        onDone: showRevoked,
      },
      box,
    );
  }

  function showRevoked() {
    replace(box.querySelector(".made"));
    return showActive();
  }

  const button = h(
    "button",
    {
      type: "button",
      class: "plain-button",
      onclick: ({ currentTarget }) => make(currentTarget),
      "data-key": "new-link",
    },
    "New link",
  );
  const details = h(
    "details",
    { ontoggle: () => details.open && showActive() },
    h("summary", {}, "Status link"),
    h("p", { class: "quiet" }, "Lets a customer see status, due date and progress of this job without signing in."),
    h("ul", { class: "active" }),
    button,
    h("div", { class: "made" }),
  );
  box.append(details);
  return box;
}
