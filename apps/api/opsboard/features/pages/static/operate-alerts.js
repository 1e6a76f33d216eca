// Alerts: what is the matter, since when, who looks after it; acknowledged or silenced by a press.

import { ask } from "./ask.js";
import { chip } from "./chips.js";
import { h } from "./dom.js";
import { timeOrDate } from "./format.js";
import { rowButton } from "./list-parts.js";
import { present, rows } from "./operate-parts.js";

const LONGEST = 43_200; // minutes; the API's limit
const COLUMNS = [
  ["Alert", (alert) => [h("strong", {}, alert.summary), h("p", { class: "quiet" }, alert.action)]],
  ["State", (alert) => chip(alert.state)],
  ["Severity", (alert) => chip(alert.severity)],
  ["Since", (alert) => timeOrDate(alert.state === "cleared" ? alert.cleared_at : alert.since)],
  [
    "Looked after",
    (alert, { me }) =>
      alert.acknowledged_at &&
      `by ${alert.acknowledged_by === me.id ? "you" : `person ${alert.acknowledged_by}`} since ${timeOrDate(alert.acknowledged_at)}`,
  ],
  ["Silenced until", (alert) => isSilenced(alert) && timeOrDate(alert.silenced_until)],
  [
    "Do",
    (alert, context) =>
      [
        alert.state === "firing" &&
          !alert.acknowledged_at &&
          rowButton("Acknowledge", `Acknowledge: ${alert.summary}`, `acknowledge-${alert.id}`, (pressed) =>
            acknowledge(pressed, alert, context),
          ),
        alert.state !== "cleared" &&
          (isSilenced(alert)
            ? rowButton("End silence", `End the silence of: ${alert.summary}`, `silence-${alert.id}`, (pressed) =>
                silence(pressed, alert, 0, context),
              )
            : rowButton("Silence", `Silence: ${alert.summary}`, `silence-${alert.id}`, (pressed) =>
                askToSilence(pressed, alert, context),
              )),
      ].filter(Boolean),
    "control",
  ],
];

export function alerts({ alerts: all }, context) {
  const items = all.map((alert) => ({ ...alert, id: `${alert.rule} ${alert.subject}` }));
  return rows("Alerts", COLUMNS, items, context, "No alert fires, and none did in the last seven days.");
}

function isSilenced({ silenced_until: until }) {
  return until !== null && Date.parse(until) > Date.now();
}

function acknowledge(pressed, { rule, subject, summary }, { act }) {
  return act(pressed, {
    method: "POST",
    path: "/api/health/alerts/acknowledge",
    content: { rule, subject },
    done: `You look after: ${summary}`,
  });
}

async function askToSilence(pressed, alert, context) {
  const check = (text) =>
    /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= LONGEST ? "" : `Enter 1 to ${LONGEST} minutes.`;
  const answer = await ask({
    title: "Silence this alert?",
    text: alert.summary,
    verb: "Silence",
    fields: [{ name: "minutes", label: "Minutes", value: "60", check }],
  });
  if (answer) await silence(present(pressed), alert, Number(answer.minutes), context);
}

function silence(pressed, { rule, subject, summary }, minutes, { act }) {
  const done = minutes ? `Silenced for ${minutes} min: ${summary}` : `No longer silenced: ${summary}`;
  return act(pressed, {
    method: "POST",
    path: "/api/health/alerts/silence",
    content: { rule, subject, minutes },
    done,
  });
}
