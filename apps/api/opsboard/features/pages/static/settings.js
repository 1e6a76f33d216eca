// Settings of the business: its name and time zone, and how it wants to be served. Admins change them.

import { get, recall } from "./api.js";
import { h, replace } from "./dom.js";
import { stateOf, stateWords } from "./fields.js";
import { counted } from "./freshness.js";
import { factList } from "./list-parts.js";
import { recordForm } from "./record-form.js";
import { administers } from "./rights.js";

const BUSINESS = [
  { name: "name", label: "Name of the business", required: true },
  {
    name: "time_zone",
    label: "Time zone",
    kind: "choice",
    values: [],
    hint: "It decides when a day begins. Another zone counts all days anew.",
  },
];
const SERVICE = [
  { name: "locale", label: "Language", required: true, hint: "Of texts for customers, for example en or de-AT." },
  { name: "currency", label: "Currency", required: true, hint: "Three letters, for example EUR." },
  { name: "opens_at", label: "Opens at", kind: "time", required: true },
  { name: "closes_at", label: "Closes at", kind: "time", required: true },
  {
    name: "contact_email",
    label: "E-mail for customers",
    kind: "email",
    hint: "Customers see it on the page of their job, with the numbers below.",
  },
  { name: "contact_phone", label: "Phone for customers", kind: "tel" },
  { name: "whatsapp_number", label: "WhatsApp for customers", kind: "tel" },
  { name: "auto_reply", label: "Reply to messages automatically", kind: "flag" },
  { name: "auto_reply_text", label: "Text of the automatic reply", kind: "area" },
  {
    name: "contradictions",
    label: "Changes that contradict the records",
    kind: "choice",
    values: ["warn", "refuse"],
    hint: "For example more pieces done than ordered. “Warn” saves such a change and says so; “Refuse” does not save it.",
  },
];

export function settings({ me, act, refresh, renamed }) {
  const parts = [
    {
      title: "Business",
      verb: "Save business",
      path: "/api/tenant",
      fields: BUSINESS,
      place: h("section", { class: "record" }),
      nameOf: ({ name }) => name,
      saved: async () => renamed(await get("/api/auth/me")),
    },
    {
      title: "Hours, contact and rules",
      verb: "Save settings",
      path: "/api/settings",
      fields: SERVICE,
      place: h("section", { class: "record" }),
      nameOf: () => "the settings",
      method: "PUT",
      whole: (members, data) => ({ ...putMembers(data), ...members }),
      saved: () => {},
    },
  ];
  const links =
    administers(me) &&
    h(
      "p",
      { class: "actions" },
      h("a", { class: "move-button", href: "#/import" }, "Import records"),
      h("a", { class: "move-button", href: "#/users" }, "Users"),
      h("a", { class: "move-button", href: "#/working-hours" }, "Working hours"),
      h("a", { class: "move-button", href: "#/holidays" }, "Holidays"),
      me.runs_service && h("a", { class: "move-button", href: "#/operate" }, "Operate the service"),
      h("a", { class: "move-button", href: "#/webhooks" }, "Webhooks"),
    );
  const element = h(
    "div",
    { class: "account", tabindex: "-1" },
    h("h1", {}, "Settings"),
    links,
    parts.map(({ place }) => place),
  );

  async function load(read) {
    counted(null);
    await Promise.all(
      parts.map(async (part) => {
        const data = await read(part.path);
        if (data === part.data) return;
        if (part.form?.isDirty()) part.form.renewed(data);
        else show(part, data);
      }),
    );
  }

  function show(part, data) {
    part.data = data;
    const fields = part.fields.map((field) =>
      field.name === "time_zone"
        ? { ...field, values: zones(data.time_zone), words: (zone) => zone.replaceAll("_", " ") }
        : field,
    );
    if (!administers(me))
      return replace(
        part.place,
        h("h2", {}, part.title),
        factList(fields.map((field) => [field.label, stateWords(field, stateOf(field, data)) || "–"])),
      );
    part.form = recordForm({
      address: `settings${part.path}`,
      path: part.path,
      act,
      fields,
      verb: part.verb,
      base: { data, etag: recall(part.path)?.etag ?? null },
      nameOf: part.nameOf,
      method: part.method,
      whole: part.whole,
      leave: (made) => {
        part.form = null;
        show(part, made ?? part.data);
        if (made) part.saved();
        refresh();
      },
    });
    return replace(part.place, h("h2", {}, part.title), part.form.element);
  }

  return { title: "Settings", element, load };
}

// A PUT replaces everything: members without a field here (options) are sent back as they are.
function putMembers({ business: _business, updated_at: _updatedAt, ...members }) {
  return members;
}

// The browser's list, and the present zone, which it may not know.
function zones(present) {
  return [...new Set([present, "UTC", ...Intl.supportedValuesOf("timeZone")])].sort();
}
