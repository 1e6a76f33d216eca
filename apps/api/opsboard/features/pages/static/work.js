// The terminal beside a machine: what I work on now, what comes next, and for managers who works on what.

import { glyph } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime, timeOrDate } from "./format.js";
import { counted } from "./freshness.js";
import { manages } from "./rights.js";
import { stamped } from "./rows.js";
import {
  correctButton,
  endOfOthersButton,
  finishButton,
  handOverButton,
  pauseButton,
  startButton,
} from "./work-buttons.js";
import { nameOf } from "./work-names.js";
import { withQueue } from "./work-queue.js";
import { scanForm, scanOf } from "./work-scan.js";
import { takeScanned } from "./work-scanned.js";
import { task } from "./work-task.js";

/** `query` of the address: the step, or the job whose next step, was scanned. */
export function work(context, query = new URLSearchParams()) {
  const { queue } = context;
  const scan = scanOf(query);
  const content = h("div", { class: "work-content" }, h("p", { class: "waiting" }, "Loading …"));
  const element = h(
    "div",
    { class: "work", tabindex: "-1" },
    h("h1", {}, "My work"),
    scanForm(() => context.refresh()),
    content,
  );
  let last = null; // what was read
  let shown = "";
  let names; // reasons of each kind and colleagues, read once

  async function load(read) {
    counted(null);
    const done = queue.answered();
    const isManager = manages(context.me);
    const everybody = isManager ? read("/api/work?open=true&sort=started_at&page_size=50") : null;
    const left = isManager ? read("/api/work?forgotten=true&sort=started_at&page_size=50") : null;
    const [mine, others, forgotten] = await Promise.all([readMine(read), everybody, left, names ?? readNames(read)]);
    queue.shown(done);
    last = { mine, others, forgotten };
    paint();
  }

  // Without the server the steps of this device are shown; the scanned one may be among them.
  async function readMine(read) {
    try {
      return await read(scan ? `/api/work/next?${scan.kind}_id=${scan.id}` : "/api/work/next");
    } catch (problem) {
      if (!scan || problem.isFinal) throw problem;
      return { ...(await read("/api/work/next")), scanned: undefined };
    }
  }

  async function readNames(read) {
    const [{ items }, colleagues] = await Promise.all([
      read("/api/reasons?page_size=100&sort=name"),
      read("/api/work/colleagues"),
    ]);
    const namesOf = (kind) => items.filter((reason) => reason.kind === kind).map((reason) => reason.name);
    names = {
      rejectReasons: namesOf("reject"),
      stopReasons: namesOf("stop"),
      people: colleagues.items.filter(({ id }) => id !== context.me.id),
    };
  }

  function paint() {
    const state = JSON.stringify([last, queue.entries(), queue.answered().map(({ entry }) => entry.key)]);
    if (!last || state === shown) return;
    const isFirst = !shown;
    shown = state;
    const mine = withQueue(last.mine, queue.entries(), queue.answered());
    replace(content, ...parts({ ...last, mine: takeScanned(mine, scan) }, { ...context, ...names, repaint: paint }));
    // After a scan the field has gone with the view before; the keyboard goes on here.
    if (isFirst && scan && document.activeElement === document.body)
      element.closest("main")?.focus({ preventScroll: true });
  }

  // Without a network nothing is read: what was pressed is shown all the same.
  function changed() {
    shown = "";
    if (names) paint();
  }

  return { title: "My work", element, load, changed };
}

function parts({ mine, others, forgotten }, context) {
  const [first, ...next] = mine.now.length || mine.scan ? [null, ...mine.next] : mine.next;
  const isIdle = !mine.now.length && !first && !mine.scan;
  return [
    waiting(context),
    mine.scan && scanned(mine.scan, context),
    section(
      "Now",
      mine.now.map((step) => ofNow(step, context)),
    ),
    first && section("Next", [task(first, [startButton(first, context, "main-button")], context, { isLarge: true })]),
    isIdle &&
      h(
        "p",
        { class: "empty" },
        mine.later.length ? "Nothing can be begun now; see what comes later." : "Nothing waits for you.",
      ),
    section(
      first ? "After that" : "Next",
      next.map((step) => task(step, [startButton(step, context, "move-button")], context)),
    ),
    section(
      "Later",
      mine.later.map((step) => task(step, [], context)),
    ),
    forgotten &&
      section(
        "Forgotten work",
        forgotten.items.map((record) => ofForgotten(record, context)),
      ),
    others &&
      section(
        "Everybody's work",
        others.items.filter((record) => record.worker.id !== context.me.id).map((record) => ofOthers(record, context)),
      ),
  ];
}

function ofNow(step, context) {
  return task(step, [finishButton(step, context)], context, {
    isLarge: true,
    more: [pauseButton(step, context), handOverButton(step, context)],
  });
}

function scanned({ step, place, words }, context) {
  const shown = {
    now: () => ofNow(step, context),
    next: () => task(step, [startButton(step, context, "main-button")], context, { isLarge: true }),
    other: () => task(step, [], context, { isLarge: true }),
  };
  return [
    step
      ? section("Scanned", [shown[place]()])
      : h("section", { "aria-label": "Scanned" }, h("h2", {}, "Scanned"), h("p", { class: "empty" }, words)),
    h("p", { class: "scan-end" }, h("a", { href: "#/work", "data-key": "scan-end" }, "Close the scanned step")),
  ];
}

function section(heading, tasks) {
  if (!tasks.length) return null;
  return h("section", { "aria-label": heading }, h("h2", {}, heading), h("ul", { class: "task-list" }, tasks));
}

// Writes that the server does not have yet, and those that it refused.
function waiting({ queue, repaint }) {
  const entries = queue.entries();
  const pending = entries.filter(({ refusal }) => !refusal);
  const dismiss = (key) => () => {
    queue.dismiss(key);
    repaint();
  };
  return [
    pending.length > 0 &&
      h(
        "section",
        { "aria-label": "Not sent yet", class: "notice" },
        h("p", {}, "Not sent yet; it is sent when the server can be reached:"),
        h(
          "ul",
          {},
          pending.map(({ says }) => h("li", {}, says)),
        ),
      ),
    section(
      "Refused",
      entries
        .filter(({ refusal }) => refusal)
        .map(({ key, says, refusal }) =>
          h(
            "li",
            { class: "task is-small", "data-row": `refused-${key}` },
            h("p", { class: "task-name" }, says),
            h("p", { class: "late" }, glyph("overdue"), refusal),
            h(
              "div",
              { class: "task-buttons" },
              h(
                "button",
                {
                  type: "button",
                  class: "big-button plain-button",
                  "data-key": `dismiss-${key}`,
                  "aria-label": `Dismiss: ${says}`,
                  onclick: dismiss(key),
                },
                "Dismiss",
              ),
            ),
          ),
        ),
    ),
  ];
}

function ofOthers(record, context) {
  return recordOf(
    record,
    context,
    [
      h("span", {}, `since ${timeOrDate(record.started_at)}`),
      record.is_forgotten && h("span", { class: "late" }, glyph("overdue"), "forgotten"),
    ],
    [endOfOthersButton(record, context), record.is_forgotten && correctButton(record, context)],
  );
}

function ofForgotten(record, context) {
  return recordOf(
    record,
    context,
    [h("span", { class: "late" }, glyph("overdue"), `${dateTime(record.started_at)} to ${dateTime(record.ended_at)}`)],
    [correctButton(record, context)],
  );
}

function recordOf(record, context, facts, buttons) {
  return stamped(
    record,
    h(
      "li",
      { class: "task is-small", "data-row": `record-${record.id}` },
      h("p", { class: "task-name" }, record.worker.name),
      h("p", {}, nameOf(record), record.machine && h("span", { class: "quiet" }, ` ${record.machine.name}`)),
      h("p", { class: "task-facts" }, facts),
      h("div", { class: "task-buttons" }, buttons),
    ),
  );
}
