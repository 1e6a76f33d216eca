// Why a job is late: the queue, step, machine and person it waits for, in words.

import { glyph } from "./chips.js";
import { h } from "./dom.js";
import { nearTime } from "./format.js";

const ONE_PLACE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

// The cause of a delay: the queue that takes longest, the step that waits or runs, and a machine that stands still.
/** @returns {Element | null} */
export function whyLate(job) {
  const texts = [job.delay && delayWords(job.delay), job.waits_at && waitsWords(job.waits_at)].filter(Boolean);
  if (!texts.length) return null;
  return h(
    "span",
    { class: "quiet delay" },
    texts.join("; "),
    job.machine_stop && h("span", { class: "late" }, `; ${stopWords(job.machine_stop)}`),
  );
}

/** "stopped since today 07:59: tool broken" */
export function stopWords({ since, reason }) {
  return `stopped since ${nearTime(since)}: ${reason}`;
}

/** "Paint is in progress on Booth 1 by Anna since today 07:59" */
export function waitsWords({ process, step_order: order, status, machine, person, since }) {
  const step = process?.name ?? `Step ${order}`;
  const place = [machine && ` on ${machine.name}`, person && ` by ${person.name}`].filter(Boolean).join("");
  return `${step} ${status === "in_progress" ? "is in progress" : "waits"}${place} since ${nearTime(since)}`;
}

// The step that takes an open job longest: "11 of 17 days are the queue before Paint".
export function delayWords({ days, longest }) {
  const { process } = longest;
  if (days === null) return `waits for ${process.name}, which finished nothing in 28 days`;
  return `${ONE_PLACE.format(longest.days)} of ${ONE_PLACE.format(days)} days are the queue before ${process.name}`;
}
