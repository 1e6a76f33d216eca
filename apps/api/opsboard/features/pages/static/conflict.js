// Two people changed one record: both versions side by side, and a choice for each field that both changed.

import { h } from "./dom.js";
import { dateTime } from "./format.js";
import { stateOf, stateWords } from "./fields.js";

/**
 * Compares what somebody typed with what somebody else has saved since the form was opened.
 * @returns {{ field: import("./fields.js").Field, before: any, yours: any, theirs: any, isContested: boolean }[]}
 */
export function differences(controls, base, theirs) {
  return controls
    .map(({ field, state }) => ({
      field,
      before: stateOf(field, base),
      yours: state(),
      theirs: stateOf(field, theirs),
    }))
    .filter(({ field, before, theirs: now }) => !isSame(field, before, now))
    .map((all) => ({
      ...all,
      isContested: !isSame(all.field, all.yours, all.before) && !isSame(all.field, all.yours, all.theirs),
    }));
}

export function isSame(field, one, other) {
  return field.kind === "picker"
    ? (one?.id ?? null) === (other?.id ?? null)
    : JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Shows the differences. `choose(field, state)` puts a version into the form.
 * Gives the element and `open()`: the names of fields for which nobody has decided yet.
 */
export function conflict(found, record, choose) {
  const contested = found.filter((one) => one.isContested);
  const others = found.filter((one) => !one.isContested);
  const element = h(
    "section",
    { class: "conflict", tabindex: "-1", "aria-labelledby": "conflict-title" },
    h("h2", { id: "conflict-title" }, "Somebody else changed this meanwhile"),
    h(
      "p",
      {},
      `Their version was saved ${dateTime(record.updated_at)}. Nothing of yours is saved yet, and nothing is lost.`,
      contested.length
        ? " Choose for each field which version to keep, then save again."
        : " Check the form and save again.",
    ),
    contested.map((one) => choiceOf(one, choose)),
    others.length > 0 &&
      h(
        "dl",
        { class: "conflict-others" },
        others.map(({ field, before, theirs }) =>
          h(
            "div",
            {},
            h("dt", {}, `${field.label}, changed by them`),
            h("dd", {}, `${stateWords(field, before)} → ${stateWords(field, theirs)}`),
          ),
        ),
      ),
  );
  return {
    element,
    open: () =>
      contested
        .map(({ field }) => field.label)
        .filter((_, index) => !element.querySelectorAll("fieldset")[index].querySelector(":checked")),
  };
}

function choiceOf({ field, yours, theirs }, choose) {
  const version = (name, state) =>
    h(
      "label",
      { class: "version-choice" },
      h("input", { type: "radio", name: `conflict-${field.name}`, onchange: () => choose(field, state) }),
      h("span", {}, h("strong", {}, name), " ", stateWords(field, state)),
    );
  return h("fieldset", {}, h("legend", {}, field.label), version("Yours:", yours), version("Theirs:", theirs));
}
