// Import in the browser: choose files, say what each column is, check, import. Admins only.

import { upload } from "./api.js";
import { LISTS } from "./columns.js";
import { h, replace } from "./dom.js";
import { filterLabel } from "./filter-words.js";
import { count, number } from "./format.js";
import { counted } from "./freshness.js";
import { firstRows, tableForm } from "./import-columns.js";
import { announce, problemWords } from "./notices.js";
import { administers } from "./rights.js";

const KINDS = ".csv,.tsv,.txt,.xlsx,.xlsm,.jsonl,.ndjson,.gz,.zip";
const MOST_LISTED = 100; // faults below the tables

export function importing({ me, refresh }) {
  const choice = h("div", {});
  const form = h("div", { class: "import-files" });
  const result = h("div", { class: "import-result", tabindex: "-1" });
  const element = h("div", { class: "import", tabindex: "-1" }, h("h1", {}, "Import records"), choice, form, result);
  let state = null; // { files, seen, mapping, targets, faults, detail }
  let running = null; // the AbortController of what is under way

  if (administers(me)) showChoice();
  else replace(choice, h("p", { class: "problem" }, "Only admins import records."));

  function showChoice() {
    const input = h("input", {
      type: "file",
      multiple: true,
      accept: KINDS,
      id: "import-input",
      onchange: () => look([...input.files]),
    });
    const zone = h(
      "div",
      { class: "drop-zone", ondragover: (event) => event.preventDefault(), ondrop: drop },
      h("label", { for: "import-input" }, "Drop CSV files or an Excel workbook here, or choose them:"),
      input,
    );
    replace(
      choice,
      h("p", { class: "quiet" }, "Nothing is stored before you press Import. All rows are stored, or none."),
      zone,
    );
  }

  function drop(event) {
    event.preventDefault();
    if (event.dataTransfer.files.length) look([...event.dataTransfer.files]);
  }

  async function look(files) {
    replace(form);
    replace(result, h("p", { class: "waiting", role: "status" }, "Reading the files …"));
    await guarded(async (signal) => {
      const found = await (await upload("/api/imports/preview", formOf(files), signal)).json();
      state = {
        files,
        seen: found.files,
        mapping: found.mapping,
        targets: found.targets,
        detail: found.detail,
        faults: [],
      };
      replace(result);
      show();
      announce(`${count(files.length, "file")} read.`);
    });
  }

  function change(mapping) {
    state = { ...state, mapping, faults: [] };
    replace(result);
    show();
  }

  function show() {
    const tables = Object.entries(state.mapping.tables);
    const parts = state.seen.map((file) => {
      const names = tables.filter(([, entry]) => entry.file === file.name).map(([name]) => name);
      return [
        (names.length ? names : [null]).map((name, at) => tableForm(name, at, file, state, change)),
        file.columns.length > 0 && firstRows(file, state.faults),
      ];
    });
    replace(
      form,
      state.detail &&
        !tables.length &&
        h("p", { class: "problem" }, `No table was recognised: choose one. (${state.detail})`),
      parts,
      h(
        "div",
        { class: "field-row actions" },
        h(
          "button",
          {
            type: "button",
            class: "plain-button",
            "data-key": "import-check",
            "aria-disabled": tables.length ? null : "true",
            onclick: () => run(true),
          },
          "Check without storing",
        ),
        h(
          "button",
          {
            type: "button",
            class: "main-button",
            "data-key": "import-run",
            "aria-disabled": tables.length ? null : "true",
            onclick: () => run(false),
          },
          "Import",
        ),
      ),
    );
  }

  async function run(isDry) {
    if (running || !Object.keys(state.mapping.tables).length) return;
    const words = h("p", { role: "status" }, "Sending the files …");
    const bar = h("progress", { "aria-label": "Progress of the import" });
    replace(
      result,
      words,
      bar,
      h("p", {}, h("button", { type: "button", class: "plain-button", onclick: () => running?.abort() }, "Stop")),
    );
    let toml = "";
    await guarded(async (signal) => {
      const query = new URLSearchParams({
        ...(isDry ? { dry_run: "true" } : {}),
        ...(me.tenant.as_of ? { as_of: me.tenant.as_of } : {}),
      });
      const response = await upload(`/api/imports?${query}`, formOf(state.files, state.mapping), signal);
      for await (const event of eventsOf(response.body)) {
        if (event.event === "mapping") toml = event.toml;
        else if (event.event === "end") showEnd(event, toml);
        else showProgress(words, bar, event);
      }
    });
  }

  async function guarded(work) {
    const mine = new AbortController();
    running = mine;
    try {
      await work(mine.signal);
    } catch (problem) {
      replace(
        result,
        mine.signal.aborted
          ? h("p", {}, "Stopped. Nothing was stored, unless it had just ended.")
          : problemWords(problem),
      );
    } finally {
      running = null;
    }
  }

  function showEnd(end, toml) {
    state = { ...state, faults: end.outcome === "rejected" ? end.faults : [] };
    show();
    replace(result, outcome(end), toml && mappingLink(toml, me.tenant.slug));
    result.focus();
    announce(HEADINGS[end.outcome]);
    if (end.outcome === "stored") refresh();
  }

  return { title: "Import", element, load: async () => counted(null) };
}

const HEADINGS = {
  stored: "Everything is imported",
  checked: "Everything fits; nothing was stored yet",
  rejected: "Some values do not fit; nothing was stored",
  unusable_mapping: "The columns do not fit the files",
  failed: "The import failed",
};

function outcome(end) {
  const { tables = [], remarks = [], faults = [] } = end;
  return [
    h("h2", {}, HEADINGS[end.outcome]),
    end.detail && h("p", {}, end.detail),
    tables.length > 0 &&
      h(
        "table",
        { class: "import-counts" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Table", "Added", "Changed", "Unchanged"].map((head) => h("th", { scope: "col" }, head)),
          ),
        ),
        h(
          "tbody",
          {},
          tables.map((one) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, tableLink(one.table)),
              [one.inserted, one.updated, one.unchanged].map((value) => h("td", {}, number(value))),
            ),
          ),
        ),
      ),
    remarks.length > 0 &&
      h(
        "ul",
        {},
        remarks.map((remark) => h("li", {}, remark)),
      ),
    faults.length > 0 &&
      h(
        "ul",
        { class: "import-faults" },
        faults.slice(0, MOST_LISTED).map((fault) => h("li", {}, faultWords(fault))),
      ),
    end.fault_count > MOST_LISTED &&
      h(
        "p",
        { class: "quiet" },
        `${number(end.fault_count - MOST_LISTED)} more. The command line writes all of them into a file.`,
      ),
  ];
}

function faultWords(fault) {
  if (typeof fault === "string") return fault;
  const place = [fault.file, `line ${number(fault.line)}`, fault.column].filter(Boolean).join(", ");
  return [h("strong", {}, place), `: ${fault.value === null ? "" : `“${fault.value}” `}${fault.reason}`];
}

function tableLink(table) {
  const area = table.replaceAll("_", "-");
  return Object.hasOwn(LISTS, area) ? h("a", { href: `#/${area}` }, filterLabel(table)) : filterLabel(table);
}

// The same file that the command takes.
function mappingLink(toml, slug) {
  const href = URL.createObjectURL(new Blob([toml], { type: "application/toml" }));
  return h(
    "p",
    {},
    h("a", { href, download: "mapping.toml" }, "Download this mapping"),
    " to import such files again here or by the command ",
    h("code", {}, `opsboard import FOLDER --mapping mapping.toml --tenant ${slug}`),
    ".",
  );
}

function showProgress(words, bar, { words: text, read, total }) {
  if (words.textContent !== text) words.textContent = text;
  if (!total) return;
  bar.max = total;
  bar.value = Math.min(read, total);
}

function formOf(files, mapping = null) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  if (mapping) form.append("mapping", JSON.stringify(mapping));
  return form;
}

/** The lines of a streamed answer, each of them JSON. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
