// The list of what was sent to webhooks and by mail.

import { chip } from "./chips.js";
import { h } from "./dom.js";
import { count, dateTime } from "./format.js";
import { named } from "./list-parts.js";

const STATUS = { name: "status", label: "Status", values: ["waiting", "delivered", "failed"] };

export const DELIVERIES = {
  "webhooks/deliveries": {
    title: "Deliveries",
    one: "delivery",
    many: "deliveries",
    links: () => [["Webhooks", "#/webhooks"]],
    filters: [STATUS],
    columns: [
      [
        "Event",
        (delivery) =>
          named(
            `#/webhooks/deliveries/${delivery.id}`,
            eventWords(delivery.event_type),
            delivery.subject.replaceAll("_", " "),
          ),
      ],
      [
        "To",
        (delivery) =>
          delivery.webhook
            ? h(
                "a",
                { href: `#/webhooks/deliveries?webhook_id=${delivery.webhook.id}` },
                receiver(delivery.webhook.url),
              )
            : "A person, by mail",
      ],
      ["Status", (delivery) => chip(delivery.status)],
      [
        "Attempts",
        (delivery) =>
          h(
            "span",
            { class: "named" },
            count(delivery.attempts, "attempt"),
            delivery.last_error && h("span", { class: "line-text" }, delivery.last_error),
          ),
      ],
      ["Written", (delivery) => dateTime(delivery.created_at), "when"],
      [
        "Next",
        (delivery) =>
          delivery.status === "waiting"
            ? dateTime(delivery.next_attempt_at)
            : delivery.status === "delivered"
              ? `Received ${dateTime(delivery.finished_at)}`
              : "Given up",
      ],
      ["Send again", (delivery, { act }) => replayButton(delivery, act), "control"],
    ],
  },
};

/** Sends a delivery once more, or at once where it waits. A letter to a person is not sent again: it has a link that ends. */
export function replayButton(delivery, act) {
  return (
    delivery.webhook &&
    h(
      "button",
      {
        type: "button",
        class: "move-button",
        "data-key": `replay-${delivery.id}`,
        "aria-label": `Send ${eventWords(delivery.event_type)} ${delivery.id} again`,
        onclick: ({ currentTarget }) =>
          act(currentTarget, {
            method: "POST",
            path: `/api/webhooks/deliveries/${delivery.id}/replay`,
            done: "It is sent again.",
          }),
      },
      delivery.status === "waiting" ? "Send now" : "Send again",
    )
  );
}

/** "job_step.status_changed" -> "Job step: status changed" */
export function eventWords(type) {
  const [thing, what] = type.replaceAll("_", " ").split(".");
  return `${thing[0].toUpperCase()}${thing.slice(1)}: ${what}`;
}

/** Where it goes, short enough for a column: the host, or the address of a mailbox. */
export function receiver(url) {
  if (url.startsWith("mailto:")) return url.slice(7);
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
