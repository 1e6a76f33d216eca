// Asks for what a write needs before it is sent.

import { h } from "./dom.js";

// Opens a dialog. Gives { values, button } when it is confirmed with valid answers, null when it is closed.
// A field is { name, label, value, hint, check(text) -> message or "", isText, proposals }, or with isFlag a yes or no, or
// with `options`, pairs of value and words, a choice; the hint is a promise of text.
export function ask({ title, text = "", fields = [], verb }) {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  const problem = h("p", { class: "problem", id: "ask-problem", role: "alert", hidden: true });
  const inputs = fields.map((field) =>
    field.options
      ? choiceOf(field)
      : field.isFlag
        ? h("input", { name: field.name, type: "checkbox" })
        : h("input", {
            list: field.proposals ? `ask-${field.name}-proposals` : null,
            name: field.name,
            type: "text",
            inputmode: field.isText ? null : "numeric",
            autocomplete: "off",
            value: field.value ?? "",
            "aria-describedby": field.hint ? `ask-${field.name}-hint` : null,
          }),
  );
  const confirm = h("button", { type: "submit", class: "main-button" }, verb);
  const cancel = h("button", { type: "button", class: "plain-button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    { novalidate: true, onsubmit: submit },
    h("h2", { id: "ask-title" }, title),
    text && h("p", { class: "quiet" }, text),
    fields.map((field, index) =>
      field.isFlag
        ? h("label", { class: "flag" }, inputs[index], field.label)
        : h(
            "label",
            { class: "field" },
            h("span", {}, field.label),
            inputs[index],
            field.hint && hintOf(field),
            field.proposals &&
              h(
                "datalist",
                { id: `ask-${field.name}-proposals` },
                field.proposals.map((value) => h("option", { value })),
              ),
          ),
    ),
    problem,
    h("div", { class: "field-row" }, confirm, cancel),
  );
  const dialog = h("dialog", { class: "ask", "aria-labelledby": "ask-title", onclose: closed }, form);

  function submit(event) {
    event.preventDefault();
    const wrong = fields.findIndex((field, index) => complaint(field, inputs[index]));
    for (const [index, input] of inputs.entries()) {
      if (index === wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    problem.hidden = wrong < 0;
    if (wrong < 0) return answer();
    problem.textContent = complaint(fields[wrong], inputs[wrong]);
    inputs[wrong].setAttribute("aria-errormessage", "ask-problem");
    return inputs[wrong].focus();
  }

  function answer() {
    resolve(
      Object.fromEntries(
        fields.map(({ name, isFlag }, index) => [name, isFlag ? inputs[index].checked : inputs[index].value.trim()]),
      ),
    );
    dialog.close();
  }

  function closed() {
    dialog.remove();
    resolve(null); // confirmed before: nothing happens
  }

  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

function choiceOf({ name, options }) {
  return h(
    "select",
    { name },
    options.map(([value, text]) => h("option", { value }, text)),
  );
}

function hintOf({ name, hint }) {
  const place = h("span", { class: "quiet", id: `ask-${name}-hint` });
  hint.then((text) => (place.textContent = text));
  return place;
}

function complaint(field, input) {
  return field.check?.(input.value.trim()) ?? "";
}
