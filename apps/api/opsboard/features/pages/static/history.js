// The history of a record in words, from the audit log: who did what, from what to what.

import { words } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime, day } from "./format.js";
import { manages } from "./rights.js";

const NOUNS = {
  job_step: "step",
  api_token: "API token",
  password_link: "link to set a password",
  job_status_link: "link to the status",
  response_approval: "approval",
  campaign_recipient: "recipient",
  saved_view: "saved view",
};
const COLUMNS = {
  full_name: "name",
  email: "e-mail address",
  customer_id: "customer",
  machine_id: "machine",
  process_id: "process",
  assigned_user_id: "person",
  due_date: "due date",
  job_number: "number",
  quantity_done: "good pieces",
  is_active: "active",
  quantity_rejected: "rejected pieces",
  archived_at: "archived",
  starts_at: "begin",
  ends_at: "end",
  external_id: "key of its source",
};
const VERBS = {
  create: "added",
  update: "changed",
  delete: "removed",
  export: "exported",
  archive: "archived",
  restore: "restored",
  anonymise: "anonymised",
  merge: "merged",
  unmerge: "undid the merge of",
  clear: "cleared",
  cancel: "cancelled a statement of",
  end: "ended",
  acknowledge: "acknowledged",
  silence: "silenced",
};
// Kept by the server beside every change: nothing that somebody did.
const BESIDE = ["updated_at", "full_name_search", "email_search"];

/** A part of a record's page, for those who may read the audit log. */
export function history(entity, id, { me }) {
  const list = h("ol", { class: "history-list" });
  const more = h("p", {});
  const element = h(
    "section",
    { class: "history", "data-row": "history", "aria-label": "History", hidden: !manages(me) },
    h("h2", {}, "History"),
    list,
    more,
  );
  const query = new URLSearchParams({ entity, entity_id: id });
  let shown = null;

  async function load(read) {
    if (!manages(me)) return;
    const page = await read(`/api/audit?${query}&cursor=&page_size=20`);
    if (page === shown) return;
    shown = page;
    replace(list, page.items.length ? page.items.map(line) : h("li", { class: "quiet" }, "Nothing was noted yet."));
    replace(more, page.has_next && h("a", { href: `#/audit?${query}` }, "All entries"));
  }

  return { element, load };
}

function line(entry) {
  return h(
    "li",
    {},
    h("time", { class: "quiet", datetime: entry.created_at }, dateTime(entry.created_at)),
    h("span", {}, sentence(entry)),
  );
}

/** "Kim Sand changed the due date from 3 May 2026 to 5 May 2026." */
export function sentence(entry) {
  const who = entry.user?.name ?? "Opsboard";
  const parts = details(entry);
  if (entry.action === "update" && parts.length) return `${who} changed ${join(parts)}.`;
  return `${who} ${VERBS[entry.action] ?? entry.action.replaceAll("_", " ")} ${thing(entry)}${parts.length && entry.action === "create" ? `: ${join(parts)}` : ""}.`;
}

export const nounOf = (entity) => NOUNS[entity] ?? entity.replaceAll("_", " ");

export function thing({ entity, entity_id: id }) {
  const noun = nounOf(entity);
  return id ? `${noun} ${id}` : noun;
}

function details({ changes, action }) {
  return Object.entries(changes)
    .filter(
      ([name, pair]) => Array.isArray(pair) && pair.length === 2 && !BESIDE.includes(name) && !name.endsWith("_search"),
    )
    .map(([name, [before, after]]) => {
      const label = COLUMNS[name] ?? name.replaceAll("_", " ");
      if (action === "create") return `${label} ${value(after)}`;
      if (before === null) return `the ${label} to ${value(after)}`;
      return `the ${label} from ${value(before)} to ${value(after)}`;
    });
}

function value(found) {
  if (found === null || found === "") return "nothing";
  if (typeof found === "boolean") return found ? "yes" : "no";
  if (typeof found === "object") return JSON.stringify(found);
  const text = String(found);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return day(text);
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:/.test(text)) return dateTime(text);
  return words(text) === text ? `“${text}”` : words(text).toLowerCase();
}

function join(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
