// The field for the steps of a routing or a job: a row for each, which can be added, moved and removed.

import { h } from "./dom.js";
import { control } from "./fields.js";

/**
 * @typedef {{ process: any, machine: any, setup: string, minutes: string, instructions: string, person?: any }} StepState
 */

let made = 0; // for ids: each row has its own for as long as the page lives

/** @returns {StepState[]} */
export function stepsState(steps) {
  return steps.map((step) => ({
    process: step.process,
    machine: step.machine,
    setup: text(step.setup_minutes),
    minutes: minutesOf(step.seconds_per_piece),
    instructions: step.instructions ?? "",
  }));
}

/** The API's value of rows. */
export function stepsValue(rows) {
  return rows.map(({ process, machine, setup, minutes, instructions, person }) => ({
    process_id: process?.id ?? null,
    machine_id: machine?.id ?? null,
    setup_minutes: number(setup),
    seconds_per_piece: secondsOf(minutes),
    instructions: instructions.trim() || null,
    ...(person ? { assigned_user_id: person.id } : {}),
  }));
}

export function stepsWords(rows) {
  return rows.map(({ process }) => process?.name ?? "?").join(", ") || "–";
}

/** Seconds a piece as people say them, and back; to the second. */
export function minutesOf(seconds) {
  return seconds === null ? "" : String(Math.round(seconds / 0.006) / 10_000);
}

export function secondsOf(minutes) {
  const value = number(minutes);
  return value === null ? null : Math.round(value * 60);
}

function text(value) {
  return value === null ? "" : String(value);
}

function number(state) {
  return state.trim() === "" ? null : Number(state.trim().replace(",", "."));
}

/** The control: see fields.js. `field.sources` has the pickers' sources: processes, machines and, for jobs, people. */
export function stepsControl(field, id, changed) {
  const list = h("ol", { class: "step-rows" });
  const add = h("button", { type: "button", class: "plain-button", onclick: addOne }, "Add step");
  const element = h("div", { id, role: "group", "aria-labelledby": `${id}-label`, tabindex: "-1" }, list, add);
  let rows = [];

  function addOne() {
    rows.push(row({ process: null, machine: null, setup: "", minutes: "", instructions: "" }));
    draw();
    changed();
    rows.at(-1).focus();
  }

  function row(state) {
    const one = editor(field, state, changed);
    const act = (verb, press) => h("button", { type: "button", class: "move-button", onclick: press }, verb);
    one.buttons = h(
      "div",
      { class: "step-buttons" },
      act("Up", () => move(one, -1)),
      act("Down", () => move(one, 1)),
      act("Remove", () => drop(one)),
    );
    one.element = h("li", {}, h("fieldset", {}, one.legend, one.parts, one.buttons));
    return one;
  }

  function move(one, by) {
    const from = rows.indexOf(one);
    const to = from + by;
    if (to < 0 || to >= rows.length) return;
    rows.splice(to, 0, ...rows.splice(from, 1));
    draw();
    changed();
    one.buttons.children[by < 0 ? 0 : 1].focus();
  }

  function drop(one) {
    rows = rows.filter((other) => other !== one);
    draw();
    changed();
    add.focus();
  }

  function draw() {
    rows.forEach((one, index) => {
      one.legend.textContent = `Step ${index + 1}`;
      for (const button of one.buttons.children)
        button.setAttribute("aria-label", `${button.textContent} step ${index + 1}`);
    });
    list.replaceChildren(...rows.map((one) => one.element));
  }

  return {
    element,
    input: element,
    state: () => rows.map((one) => one.state()),
    set(states) {
      rows = (states || []).map(row);
      draw();
    },
    mistake() {
      const wrong = rows.findIndex((one) => one.mistake());
      if (wrong < 0) return field.required && rows.length === 0 ? "Add a step." : "";
      rows[wrong].focus();
      return `Step ${wrong + 1}: ${rows[wrong].mistake()}`;
    },
  };
}

function editor({ sources }, state, changed) {
  made += 1;
  const name = `step-${made}`;
  /** @type {(import("./fields.js").Field | false)[]} */
  const declared = [
    { name: "process", label: "Process", kind: "picker", source: sources.processes, required: true },
    { name: "machine", label: "Machine", kind: "picker", source: sources.machines, hint: "Left empty: any." },
    Boolean(sources.people) && { name: "person", label: "Person", kind: "picker", source: sources.people },
    { name: "setup", label: "Set-up minutes", kind: "number" },
    { name: "minutes", label: "Minutes a piece", kind: "decimal" },
    { name: "instructions", label: "Instructions", kind: "area" },
  ];
  const controls = declared
    .flatMap((field) => (field ? [field] : []))
    .map((field) => ({ key: field.name, ...control({ ...field, name: `${name}-${field.name}` }, changed) }));
  for (const one of controls) one.set(state[one.key] ?? (one.field.kind === "picker" ? null : ""));
  const mistakeOf = (one) => (one.key === "process" && !one.state() ? "Choose a process." : one.mistake());
  return {
    legend: h("legend", {}),
    parts: controls.map(({ element }) => element),
    state: () => Object.fromEntries(controls.map((one) => [one.key, one.state()])),
    mistake: () => controls.map(mistakeOf).find(Boolean) ?? "",
    focus: () => (controls.find(mistakeOf) ?? controls[0]).focus(),
  };
}
