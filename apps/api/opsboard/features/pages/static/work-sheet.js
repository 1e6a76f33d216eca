// Asks at the end of some work for the pieces: large buttons, the likely numbers filled in, a reason for rejects.

import { h } from "./dom.js";

const MOST = 1_000_000; // the API's limit

/**
 * Gives { quantity_good, quantity_rejected, reject_reason? }, or null when it is closed. `reasons`: names to choose from.
 * With `people`, it asks who goes on with the step: hand_over_to, null for anybody.
 */
export function sheet({ title, text, verb, good, reasons, people = null }) {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  const goodPieces = counter("Good pieces", "sheet-good", good, changed);
  const rejected = counter("Rejected pieces", "sheet-rejected", 0, changed);
  const reason = h("input", {
    id: "sheet-reason",
    type: "text",
    maxlength: 200,
    autocomplete: "off",
    list: "sheet-reasons",
  });
  const why = h(
    "div",
    { class: "form-field", hidden: true },
    h("label", { for: "sheet-reason" }, "Why rejected?"),
    reason,
    suggestions("sheet-reasons", reasons),
  );
  const heir =
    people &&
    h(
      "select",
      { id: "sheet-heir" },
      h("option", { value: "" }, "Anybody"),
      people.map(({ id, name }) => h("option", { value: id }, name)),
    );
  const who = heir && h("div", { class: "form-field" }, h("label", { for: "sheet-heir" }, "Who goes on?"), heir);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h(
    "form",
    { novalidate: true, onsubmit: submit },
    h("h2", { id: "sheet-title" }, title),
    h("p", { class: "quiet" }, text),
    who,
    goodPieces.element,
    rejected.element,
    why,
    problem,
    h(
      "div",
      { class: "task-buttons" },
      h("button", { type: "submit", class: "big-button main-button" }, verb),
      h("button", { type: "button", class: "big-button plain-button", onclick: () => dialog.close() }, "Cancel"),
    ),
  );
  const dialog = h("dialog", { class: "ask sheet", "aria-labelledby": "sheet-title", onclose: closed }, form);

  function changed() {
    why.hidden = !(rejected.value() > 0);
  }

  function submit(event) {
    event.preventDefault();
    const wrong = [goodPieces, rejected].find((each) => Number.isNaN(each.value()));
    problem.hidden = !wrong;
    if (wrong) {
      problem.textContent = `Enter ${wrong.label.toLowerCase()} as a whole number of at most a million.`;
      return wrong.focus();
    }
    const pieces = { quantity_good: goodPieces.value(), quantity_rejected: rejected.value() };
    const result = heir ? { ...pieces, hand_over_to: heir.value ? Number(heir.value) : null } : pieces;
    const said = reason.value.trim();
    resolve(result.quantity_rejected && said ? { ...result, reject_reason: said } : result);
    dialog.close();
  }

  function closed() {
    dialog.remove();
    resolve(null); // confirmed before: nothing happens
  }

  document.body.append(dialog);
  dialog.showModal();
  // Not a number: a touch keyboard would cover the sheet, and the likely answer is filled in.
  form.querySelector("[type=submit]").focus();
  return promise;
}

/** The proposals of a text field; any other text is accepted too. */
export function suggestions(id, names) {
  return h(
    "datalist",
    { id },
    names.map((value) => h("option", { value })),
  );
}

function counter(label, id, initial, changed) {
  const input = h("input", {
    id,
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    value: String(initial),
    oninput: changed,
  });
  const value = () => (/^\d{1,7}$/.test(input.value.trim()) && Number(input.value) <= MOST ? Number(input.value) : NaN);
  const step = (by, sign, word) =>
    h(
      "button",
      {
        type: "button",
        class: "big-button plain-button",
        "aria-label": `${word} ${label.toLowerCase()}`,
        onclick: () => {
          input.value = String(Math.min(MOST, Math.max(0, (value() || 0) + by)));
          changed();
        },
      },
      sign,
    );
  const element = h(
    "div",
    { class: "form-field counter" },
    h("label", { for: id }, label),
    h("div", { class: "counter-row" }, step(-1, "−", "Fewer"), input, step(1, "+", "More")),
  );
  return { element, label, value, focus: () => input.focus() };
}
