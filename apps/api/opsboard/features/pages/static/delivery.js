// One delivery of a webhook or a mail: each attempt with its outcome, what is sent, and sending it again.

import { chip } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime, number } from "./format.js";
import { counted } from "./freshness.js";
import { table } from "./list.js";
import { factList } from "./list-parts.js";
import { problemWords } from "./notices.js";
import { eventWords, receiver, replayButton } from "./webhook-columns.js";

const ATTEMPTS = [
  ["Time", (attempt) => dateTime(attempt.at)],
  ["Took", (attempt) => `${number(attempt.milliseconds)} ms`],
  ["Status", (attempt) => attempt.status],
  ["Outcome", (attempt) => attempt.error ?? "Received"],
  ["Answer", (attempt) => attempt.response && h("span", { class: "line-text" }, attempt.response)],
];

export function delivery(id, context) {
  const path = `/api/webhooks/deliveries/${id}`;
  // Nothing here moves up under the pointer, so no row has to stay in its place.
  const act = (pressed, content) => context.act(pressed, content, h("div", {}));
  const element = h("div", { class: "record-page", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const view = { title: "Delivery", element, load, changed: () => (shown = null) };
  let shown = null;

  async function load(read) {
    counted(null);
    try {
      const found = await read(path);
      view.title = eventWords(found.event_type);
      if (found !== shown) replace(element, ...parts(found, act));
      shown = found;
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(
        element,
        h("h1", {}, view.title),
        problemWords(problem),
        h("p", {}, h("a", { href: "#/webhooks/deliveries" }, "All deliveries")),
      );
    }
  }

  return view;
}

function parts(found, act) {
  const attempts = found.attempt_log.map((attempt, index) => ({ ...attempt, id: index + 1 })).reverse();
  return [
    h(
      "div",
      { class: "list-head", "data-row": "head" },
      h("h1", {}, eventWords(found.event_type)),
      chip(found.status),
      replayButton(found, act),
    ),
    factList(facts(found).filter(([, value]) => value)),
    h("h2", {}, "Attempts"),
    attempts.length
      ? table("Attempts, the last one first", ATTEMPTS, attempts, {})
      : h("p", { class: "empty" }, "There was no attempt yet."),
    h("h2", {}, "What is sent"),
    h("p", { class: "sent-text" }, JSON.stringify(found.body, null, 2)),
    h(
      "p",
      { class: "actions" },
      h("a", { href: "#/webhooks/deliveries" }, "All deliveries"),
      h("a", { href: "#/webhooks" }, "Webhooks"),
    ),
  ];
}

function facts(found) {
  const { webhook, replay_of: repeated } = found;
  return [
    [
      "To",
      webhook
        ? h("a", { href: `#/webhooks/deliveries?webhook_id=${webhook.id}` }, receiver(webhook.url))
        : "A person, by mail",
    ],
    ["About", found.subject.replaceAll("_", " ")],
    ["Written", dateTime(found.created_at)],
    ["Next attempt", found.next_attempt_at && dateTime(found.next_attempt_at)],
    ["Given up after", found.status === "waiting" && dateTime(found.expires_at)],
    ["Received", found.status === "delivered" && dateTime(found.finished_at)],
    ["Given up", found.status === "failed" && dateTime(found.finished_at)],
    ["Repeats", repeated && h("a", { href: `#/webhooks/deliveries/${repeated}` }, `Delivery ${repeated}`)],
    ["Id of the event", found.event_id],
  ];
}
