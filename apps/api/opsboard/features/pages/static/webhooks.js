// Webhooks, for admins: who is told of events, their secrets, and a test.

import { smallForm } from "./account.js";
import { change } from "./api.js";
import { ask } from "./ask.js";
import { chip } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime } from "./format.js";
import { counted } from "./freshness.js";
import { table } from "./list.js";
import { rowButton } from "./list-parts.js";
import { announce } from "./notices.js";
import { secret } from "./secrets.js";
import { eventWords, receiver } from "./webhook-columns.js";

const EVENTS = [
  "job.created",
  "job.updated",
  "job.status_changed",
  "job.archived",
  "job.restored",
  "job_step.created",
  "job_step.updated",
  "job_step.status_changed",
  "job_step.removed",
  "lead.created",
  "lead.updated",
  "lead.status_changed",
  "lead.claimed",
  "lead.archived",
  "lead.restored",
  "approval.created",
  "approval.updated",
  "approval.status_changed",
  "machine_stop.started",
  "machine_stop.ended",
  "alert.fired",
  "alert.cleared",
  "board.digest",
];

export function webhooks(context) {
  const shownOnce = h("div", {});
  const rows = h("div", {});
  const inner = { ...context, shownOnce };
  const element = h(
    "div",
    { class: "account", tabindex: "-1" },
    h(
      "div",
      { class: "list-head" },
      h("h1", {}, "Webhooks"),
      h("a", { class: "plain-button", href: "#/webhooks/deliveries" }, "Deliveries"),
    ),
    h("p", {}, "Other programs, or mailboxes, are told when something happens here."),
    shownOnce,
    rows,
    h("div", { class: "record" }, newWebhook(inner)),
  );
  let shown = null;

  async function load(read) {
    counted(null);
    const list = await read("/api/webhooks?page_size=100&cursor=");
    if (list !== shown)
      replace(
        rows,
        list.items.length
          ? table("Webhooks", COLUMNS, list.items, inner)
          : h("p", { class: "empty" }, "There are no webhooks."),
      );
    shown = list;
  }

  return { title: "Webhooks", element, load, changed: () => (shown = null) };
}

const COLUMNS = [
  [
    "Receiver",
    (webhook) =>
      h(
        "span",
        { class: "named" },
        h("strong", {}, webhook.description ?? receiver(webhook.url)),
        h("span", { class: "line-text" }, webhook.url),
      ),
  ],
  ["Events", (webhook) => (webhook.events.length ? webhook.events.map(eventWords).join(", ") : "All")],
  [
    "State",
    (webhook) =>
      webhook.is_active
        ? chip(webhook.is_failing ? "failed" : "active", webhook.is_failing ? "Does not answer" : "Active")
        : chip("paused"),
  ],
  [
    "Deliveries",
    (webhook) =>
      h(
        "a",
        {
          href: `#/webhooks/deliveries?webhook_id=${webhook.id}`,
          "aria-label": `Deliveries to ${receiver(webhook.url)}`,
        },
        "Show",
      ),
  ],
  ["Change", (webhook, context) => buttons(webhook, context), "control"],
];

function buttons(webhook, { act, shownOnce }) {
  const path = `/api/webhooks/${webhook.id}`;
  const name = receiver(webhook.url);
  const press = (verb, key, content) =>
    rowButton(verb, `${verb}: ${name}`, `${key}-${webhook.id}`, (button) => act(button, content));
  return h(
    "span",
    { class: "actions" },
    webhook.is_active &&
      press("Send a test", "ping", {
        method: "POST",
        path: `${path}/ping`,
        done: "A test event was sent; the deliveries have its outcome.",
      }),
    press(webhook.is_active ? "Pause" : "Resume", "pause", {
      method: "PATCH",
      path,
      content: { is_active: !webhook.is_active },
      done: webhook.is_active ? `${name} is paused.` : `${name} is told of events again.`,
    }),
    !webhook.url.startsWith("mailto:") &&
      rowButton("New secret", `New secret: ${name}`, `secret-${webhook.id}`, (button) =>
        rotate(button, webhook, { act, shownOnce }),
      ),
    rowButton("Remove", `Remove: ${name}`, `remove-${webhook.id}`, (button) => remove(button, webhook, act)),
  );
}

async function rotate(button, webhook, { act, shownOnce }) {
  const name = receiver(webhook.url);
  const text = "The receiver must know the new secret within a day: until then events are signed with both.";
  if ((await ask({ title: `A new secret for ${name}?`, text, verb: "Make a new secret" })) === null) return;
  await act(button, {
    method: "POST",
    path: `/api/webhooks/${webhook.id}/rotate-secret`,
    content: { overlap_hours: 24 },
    done: "The secret was made.",
    onDone: (made) => showSecret(shownOnce, made, ` The old one ends ${dateTime(made.old_secret_until)}.`),
  });
}

async function remove(button, webhook, act) {
  const name = receiver(webhook.url);
  if (
    (await ask({
      title: `Remove ${name}?`,
      text: "Its deliveries are removed with it, also those that wait.",
      verb: "Remove",
    })) === null
  )
    return;
  await act(button, { method: "DELETE", path: `/api/webhooks/${webhook.id}`, done: `Removed ${name}.` }, h("div", {}));
}

function showSecret(place, webhook, more = "") {
  replace(
    place,
    secret(
      `This is the secret of ${receiver(webhook.url)}, by which it checks that an event is ours. It is shown only now.${more}`,
      "Secret",
      webhook.secret,
    ),
  );
  place.scrollIntoView({ block: "nearest" });
}

function newWebhook({ refresh, shownOnce }) {
  const boxes = EVENTS.map((type) => h("input", { type: "checkbox", name: type }));
  const events = h(
    "fieldset",
    { class: "scopes" },
    h("legend", {}, "Events; none chosen means all"),
    EVENTS.map((type, index) => h("label", { class: "flag" }, boxes[index], eventWords(type))),
  );
  const fields = [
    { name: "url", label: "Address", required: true, hint: "https://… of a program, or mailto: and an address." },
    { name: "description", label: "What it is for" },
  ];
  return smallForm(
    "New webhook",
    fields,
    "Add webhook",
    async ({ url, description }) => {
      const chosen = EVENTS.filter((_, index) => boxes[index].checked);
      const { data } = await change("POST", "/api/webhooks", {
        url: url.trim(),
        description: description.trim() || null,
        events: chosen,
      });
      if (!data.url.startsWith("mailto:")) showSecret(shownOnce, data);
      announce("The webhook was added.");
      refresh();
      return `Added ${receiver(data.url)}.`;
    },
    events,
  );
}
