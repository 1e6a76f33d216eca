// The buttons of the terminal. What moves a step is kept on the device until the server has it; the rest is sent at once.

import { serverNow } from "./api.js";
import { ask } from "./ask.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { nameOf } from "./work-names.js";
import { sheet } from "./work-sheet.js";

const KEPT = "Kept on this device: it is sent when the server can be reached.";
const MOST_MINUTES = 7 * 24 * 60; // the API's limit

export function startButton(step, context, look) {
  const label = step.status === "in_progress" ? "Go on" : "Start";
  const press = ({ currentTarget }) => {
    const began = moment();
    return move(currentTarget, context, {
      path: "/api/work",
      content: { step_id: step.step_id, started_at: began },
      effect: { step: step.step_id, began },
      says: `${label} ${nameOf(step)}`,
      done: `You work on ${nameOf(step)}.`,
      pressed: "Started",
    });
  };
  return bigButton(label, nameOf(step), `${look} is-wide`, `begin-${step.step_id}`, press);
}

export function finishButton(step, context) {
  const good = Math.max(0, step.job.quantity - step.quantity_done);
  return endButton(step, context, {
    label: "Finish",
    look: "main-button is-wide",
    good,
    more: { finish: true },
    done: "Finished",
  });
}

export function pauseButton(step, context) {
  return endButton(step, context, {
    label: "Pause",
    look: "plain-button",
    good: 0,
    more: { finish: false },
    done: "Paused",
  });
}

export function handOverButton(step, context) {
  return endButton(step, context, {
    label: "Hand over",
    look: "plain-button",
    good: 0,
    more: { finish: false },
    done: "Handed over",
    people: context.people,
  });
}

function endButton(step, context, { label, look, good, more, done, people = null }) {
  const name = nameOf(step);
  const press = async ({ currentTarget }) => {
    const result = await sheet({
      title: `${label} ${name}`,
      text: step.job.title,
      verb: label,
      good,
      reasons: context.rejectReasons,
      people,
    });
    if (!result) return;
    const pieces = `${number(result.quantity_good)} good, ${number(result.quantity_rejected)} rejected`;
    await move(currentTarget, context, {
      path: `/api/work/${step.record_id ?? "{id}"}/end`,
      after: step.pending_key ?? null,
      content: { ...result, ...more, ended_at: moment(step.began_at) },
      effect: {
        step: step.step_id,
        isOver: more.finish || people !== null,
        good: result.quantity_good,
        rejected: result.quantity_rejected,
      },
      says: `${label} ${name}: ${pieces}`,
      done: `${done} ${name}: ${pieces}.`,
      pressed: done,
    });
  };
  return bigButton(label, name, look, `${label}-${step.step_id}`, press);
}

// The time of the deed, by the clock of the server; never before `since`.
function moment(since = null) {
  const now = serverNow();
  return new Date(since ? Math.max(now, Date.parse(since)) : now).toISOString();
}

function move(button, { act, queue }, { done, ...write }) {
  return act(button, { ...write, method: "POST", send: queue.send, doneOf: (data) => (data ? done : KEPT) });
}

function bigButton(label, name, look, key, press) {
  return h(
    "button",
    { type: "button", class: `big-button ${look}`, "data-key": key, "aria-label": `${label} ${name}`, onclick: press },
    label,
  );
}

export function stopButton({ id, name, status, stop }, { act, stopReasons }) {
  if (stop) {
    const write = {
      method: "POST",
      path: `/api/stops/${stop.id}/end`,
      content: {},
      done: `${name} runs again.`,
      pressed: "Runs again",
    };
    return h(
      "button",
      {
        type: "button",
        class: "big-button plain-button",
        "data-key": `runs-${id}`,
        "aria-label": `${name} runs again`,
        onclick: ({ currentTarget }) => act(currentTarget, write),
      },
      "Runs again",
    );
  }
  if (status !== "active") return null;
  const report = async ({ currentTarget }) => {
    const check = (text) => (text ? "" : "Say why it stands still.");
    const answer = await ask({
      title: `${name} stands still`,
      text: "",
      verb: "Report",
      fields: [{ name: "reason", label: "Why?", isText: true, check, proposals: stopReasons }],
    });
    if (!answer) return;
    const content = { machine_id: id, reason: answer.reason };
    await act(currentTarget, {
      method: "POST",
      path: "/api/stops",
      content,
      done: `${name} stands still: ${answer.reason}.`,
      pressed: "Reported",
    });
  };
  return h(
    "button",
    {
      type: "button",
      class: "big-button plain-button",
      "data-key": `stop-${id}`,
      "aria-label": `${name} stands still`,
      onclick: report,
    },
    "Machine stopped",
  );
}

export function endOfOthersButton(record, { act }) {
  const name = nameOf(record);
  const press = ({ currentTarget }) =>
    act(currentTarget, {
      method: "POST",
      path: `/api/work/${record.id}/end`,
      content: record.is_forgotten ? { ended_at: record.started_at } : {},
      done: `Ended the work of ${record.worker.name} on ${name}.`,
      pressed: "Ended",
      note: record.is_forgotten ? "It counts no time; correct the record if work was done." : null,
    });
  return bigButton("End", `the work of ${record.worker.name} on ${name}`, "plain-button", `end-${record.id}`, press);
}

export function correctButton(record, { act }) {
  const name = `the work of ${record.worker.name} on ${nameOf(record)}`;
  const press = async ({ currentTarget }) => {
    const isMinutes = (text) =>
      /^\d{1,5}$/.test(text) && Number(text) <= MOST_MINUTES
        ? ""
        : "Enter the minutes as a whole number, at most those of 7 days.";
    const answer = await ask({
      title: `Correct ${name}`,
      verb: "Correct",
      fields: [
        { name: "minutes", label: "Minutes worked", check: isMinutes },
        { name: "correction", label: "Why?", isText: true, check: (text) => (text ? "" : "Say why it is corrected.") },
      ],
    });
    if (!answer) return;
    const ended = new Date(Date.parse(record.started_at) + Number(answer.minutes) * 60_000).toISOString();
    await act(currentTarget, {
      method: "PATCH",
      path: `/api/work/${record.id}`,
      content: { ended_at: ended, correction: answer.correction },
      done: `Corrected ${name}.`,
      pressed: "Corrected",
    });
  };
  return bigButton("Correct", name, "plain-button", `correct-${record.id}`, press);
}
