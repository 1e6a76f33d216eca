// The code of a traveller on the terminal: a hand scanner types it and Enter, wherever the focus is; people type the
// number of a job. Either opens the step by its address.

import { get } from "./api.js";
import { h } from "./dom.js";

const CODE = /(?:#\/work\?|^)(job|step)[= ]([1-9]\d{0,14})$/i;
const NUMBER = /^[1-9]\d{0,14}$/;
const ID = "scan";

let isScanning = false; // something types while a dialog is open

/** @returns {{ kind: string, id: string } | null} what the address of the terminal asks for */
export function scanOf(query) {
  const kind = ["step", "job"].find((name) => NUMBER.test(query.get(name) ?? ""));
  return kind ? { kind, id: query.get(kind) } : null;
}

/** `opened()` is called when the code is that of the present address. */
export function scanForm(opened) {
  const input = h("input", {
    id: ID,
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "go",
    maxlength: 300,
    "aria-describedby": "scan-problem",
  });
  const problem = h("p", { id: "scan-problem", class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big-button plain-button" }, "Open");
  return h(
    "form",
    { class: "scan", novalidate: true, onsubmit: submit },
    h("label", { for: ID }, "Scan a traveller, or type a job number"),
    h("div", { class: "scan-row" }, input, button),
    problem,
  );

  async function submit(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || button.disabled) return;
    button.disabled = true;
    problem.hidden = true;
    try {
      const hash = `#/work?${await codeOf(text)}`;
      input.value = "";
      if (location.hash === hash) opened();
      else location.hash = hash;
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      input.select();
    } finally {
      button.disabled = false;
    }
  }
}

// "job=7" or "step=12". A number that is none of a job is the one below the code of a step.
async function codeOf(text) {
  const code = text.match(CODE);
  if (code) return `${code[1].toLowerCase()}=${code[2]}`;
  const { items } = await get(
    `/api/jobs?q=${encodeURIComponent(text)}&sort=job_number&page_size=50&fields=id,job_number`,
  );
  const job = items.find(({ job_number: number }) => number.toLowerCase() === text.toLowerCase());
  if (job) return `job=${job.id}`;
  if (NUMBER.test(text)) return `step=${text}`;
  throw new Error(`There is no job ${text}.`);
}

// A scanner types where the focus is: on a button its Enter would press that button.
addEventListener("keydown", (event) => {
  const field = document.getElementById(ID);
  const isEditable = /** @type {Element} */ (event.target).closest?.("input, textarea, select");
  if (!field || isEditable) return;
  const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!document.querySelector("dialog[open]")) {
    isScanning = false;
    if (isText) field.focus();
    return;
  }
  if (event.key === "Enter" && isScanning) event.preventDefault();
  isScanning = isText;
});
