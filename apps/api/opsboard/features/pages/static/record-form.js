// The form of one record: made from its fields, kept as a draft, saved with If-Match, and never redrawn over input.

import { get, recall } from "./api.js";
import { conflict, differences, isSame } from "./conflict.js";
import { h, replace } from "./dom.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { control, stateOf, fieldValue } from "./fields.js";
import { announce, problemWords, showProblem } from "./notices.js";
import { complaintOf } from "./validation.js";

/**
 * @param {object} options
 * @param {Record<string, any>} [options.first] states that the fields of a new record begin with
 * @param {string} options.address of the form in the page; names its draft
 * @param {string} options.path of the API: of the record, or of the list that a new one is added to
 * @param {{ data: any, etag: string | null } | null} options.base the record as it was read; null for a new one
 * @param {import("./fields.js").Field[]} options.fields
 * @param {string} options.verb
 * @param {"PATCH" | "PUT"} [options.method] of a change
 * @param {(members: object, data: any) => object} [options.whole] what a change sends: for a PUT, all members of the record
 * @param {(record: any) => string} options.nameOf
 * @param {(button: Element, write: object) => Promise<boolean>} options.act
 * @param {(record: any | null) => void} options.leave called when it is saved, or with null when it is given up
 */
export function recordForm({
  address,
  path,
  base,
  fields,
  verb,
  nameOf,
  act,
  leave,
  method = "PATCH",
  whole = (members) => members,
  first = {},
}) {
  const draft = draftOf(address);
  if (draft) base = draft.base;
  const controls = fields.map((field) => control(field, changed));
  const problem = h("div", { role: "alert" });
  const versions = h("div", {});
  const note = h("p", { class: "quiet", role: "status" });
  const save = h("button", { type: "submit", class: "main-button" }, verb);
  const cancel = h("button", { type: "button", class: "plain-button", onclick: giveUp }, "Cancel");
  let undecided = () => [];
  const form = h(
    "form",
    { class: "record-form", novalidate: true, onsubmit: submit },
    note,
    versions,
    controls.map(({ element }) => element),
    problem,
    h("div", { class: "field-row" }, save, cancel),
  );
  for (const one of controls) one.set(draft?.states[one.field.name] ?? initial(one.field));
  if (draft) note.textContent = "What you typed before is here again. It is not saved yet; Cancel drops it.";

  function initial(field) {
    return base
      ? stateOf(field, base.data)
      : (first[field.name] ?? field.initial ?? (field.kind === "picker" ? null : ""));
  }

  function isDirty() {
    return controls.some(({ field, state }) => !isSame(field, state(), initial(field)));
  }

  function changed() {
    if (!isDirty()) return dropDraft(address);
    return keepDraft(address, {
      states: Object.fromEntries(controls.map(({ field, state }) => [field.name, state()])),
      base,
    });
  }

  function giveUp() {
    dropDraft(address);
    leave(null);
  }

  // Members that differ from the record; all that has a value for a new one.
  function content() {
    const sent = controls.filter(({ field, state, value }) =>
      base ? !isSame(field, state(), initial(field)) : value() !== null,
    );
    return Object.fromEntries(sent.map(({ field, value }) => [field.name, value()]));
  }

  async function submit(event) {
    event.preventDefault();
    replace(problem);
    for (const one of controls) one.complain(one.mistake());
    const wrong = controls.find((one) => one.mistake());
    if (wrong) return wrong.focus();
    if (undecided().length) return tell(`Choose a version first: ${undecided().join(", ")}.`);
    const body = content();
    if (base && Object.keys(body).length === 0) {
      announce("Nothing was changed.");
      return giveUp();
    }
    return act(save, base ? change(body) : creation(body));
  }

  function creation(body) {
    return { method: "POST", path, content: body, refused, onDone: saved, doneOf: (made) => `Added ${nameOf(made)}.` };
  }

  function change(body) {
    const before = Object.fromEntries(
      controls
        .filter(({ field }) => field.name in body)
        .map(({ field }) => [field.name, fieldValue(field, initial(field))]),
    );
    const undo = (made) => ({
      method,
      path,
      content: whole(before, made),
      done: `Undone: ${nameOf(made)} is as it was.`,
    });
    return {
      method,
      path,
      content: whole(body, base.data),
      before: () => base.etag,
      refused,
      onDone: saved,
      undo,
      doneOf: (made) => `Saved ${nameOf(made)}.`,
    };
  }

  function saved(made) {
    dropDraft(address);
    save.ariaDisabled = null;
    leave(made);
  }

  // True when the form itself says what is wrong.
  async function refused(found) {
    if (found.status === 412) return showVersions();
    const told = found.fields.filter((one) => controlOf(one.field));
    for (const one of told) controlOf(one.field).complain(complaintOf(one, controlOf(one.field).field.label));
    const named = told.length
      ? null
      : controls.find(({ field }) => new RegExp(`\\b${field.name}\\b`).test(found.message));
    named?.complain(found.message.replace(` (${named.field.name})`, ""));
    const first = told.length ? controlOf(told[0].field) : named;
    if (!first && !found.isFinal) return false; // the server's absence is told as everywhere
    if (first) first.focus();
    else tell(problemWords(found));
    return true;
  }

  function controlOf(name) {
    return controls.find(({ field }) => field.name === name);
  }

  function tell(content) {
    replace(problem, typeof content === "string" ? h("p", { class: "problem" }, content) : content);
  }

  // From here on the record as they saved it is what the form is compared with.
  async function showVersions() {
    try {
      const theirs = await get(path);
      const found = differences(controls, base.data, theirs);
      const shown = conflict(found, theirs, (field, state) => {
        controlOf(field.name).set(state);
        changed();
      });
      base = { data: theirs, etag: recall(path)?.etag ?? null };
      for (const { field, theirs: state, isContested } of found) if (!isContested) controlOf(field.name).set(state);
      undecided = shown.open;
      changed();
      replace(versions, shown.element);
      shown.element.focus();
    } catch (found) {
      showProblem(found);
    }
    return true;
  }

  // A poll has read the record again.
  function renewed(data) {
    if (base && data !== base.data && note.textContent === "")
      note.textContent = "Somebody else has just changed this. When you save, you see both versions.";
  }

  return { element: form, isDirty, renewed, focus: () => controls[0].focus() };
}
