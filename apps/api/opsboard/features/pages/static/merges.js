// Duplicates: records that are likely the same, two of them side by side, and what was merged.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { dateTime } from "./format.js";
import { counted } from "./freshness.js";
import { notFound } from "./not-found.js";
import { problemWords } from "./notices.js";
import { manages } from "./rights.js";

const REASONS = { email: "same e-mail address", name: "same name", phone: "same phone number" };
const ONE = { customers: "customer", contacts: "contact", leads: "lead" };
// Area -> the members of which one is chosen: [name, label, text of the record].
const MEMBERS = {
  customers: [["address", "Address", (found) => found.address]],
  contacts: [["customer_id", "Customer", (found) => found.customer?.name]],
  leads: [
    ["customer_id", "Customer", (found) => found.customer?.name],
    ["source", "Source", (found) => found.source],
    ["category", "Category", (found) => found.category],
    ["notes", "Notes", (found) => found.notes],
  ],
};
const membersOf = (area) => [
  ["name", "Name", (found) => found.name],
  ["email", "E-mail", (found) => found.email],
  ["phone", "Phone", (found) => found.phone],
  ...MEMBERS[area],
];
const link = (area, { id, name }) => h("a", { href: `#/${area}/${id}` }, name);
const compareLink = (area, one, other) =>
  h(
    "a",
    {
      class: "move-button",
      href: `#/duplicates/${area}/${one.id}/${other.id}`,
      "aria-label": `Compare ${one.name} and ${other.name}`,
    },
    "Compare",
  );

/** The view of `#/duplicates/<area>`, or of `#/duplicates/<area>/<id>/<id>`. */
export function duplicatesAt(place, query, context) {
  const [, area, pair] = place.match(/^(customers|contacts|leads)((?:\/[1-9][0-9]*){2})?$/) ?? [];
  if (!area) return notFound();
  return pair ? sideBySide(area, pair.slice(1).split("/"), context) : duplicates(area, query, context);
}

// All suggestions, in parts.
function duplicates(area, query, context) {
  const title = `Duplicates of ${area}`;
  const element = h("div", { class: "record", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const done = mergedPart(area, "", context);
  let shown = null;

  async function load(read) {
    counted(null);
    const found = await read(
      `/api/merges/${area}/suggestions?after_id=${encodeURIComponent(query.get("after_id") ?? "0")}`,
    );
    if (found !== shown) {
      replace(
        element,
        h("h1", {}, title),
        h(
          "p",
          { class: "quiet" },
          "Records with the same e-mail address, phone number or name. Compare two of them and merge them if they are the same; it can be undone for 30 days.",
        ),
        found.items.length
          ? h(
              "ul",
              { class: "suggestions" },
              found.items.flatMap(({ record, duplicates: others }) => others.map((other) => line(area, record, other))),
            )
          : h("p", { class: "empty" }, "Nothing here looks like the same record twice."),
        found.next_id &&
          h(
            "p",
            {},
            h(
              "a",
              { class: "plain-button", href: `#/duplicates/${area}?after_id=${found.next_id}` },
              "Look at more records",
            ),
          ),
        done.element,
      );
    }
    shown = found;
    await done.load(read);
  }

  return { title, element, load, changed: () => (shown = null) };
}

function line(area, record, { record: other, reasons }) {
  return h(
    "li",
    { "data-row": `${record.id}-${other.id}` },
    link(area, record),
    " and ",
    link(area, other),
    h("span", { class: "quiet" }, ` ${reasons.map((reason) => REASONS[reason]).join(", ")} `),
    compareLink(area, record, other),
  );
}

/** A part of a record's page: what may be the same, and what was merged into it. */
export function duplicatesOf(area, id, context) {
  const list = h("div", {});
  const done = mergedPart(area, `&kept_id=${id}`, context);
  const element = h("section", { "data-row": "duplicates", "aria-label": "Duplicates" }, list, done.element);
  let isRead = false;

  async function load(read) {
    if (!manages(context.me)) return;
    await done.load(read);
    if (isRead) return; // once: it is no part of what a poll is for
    isRead = true;
    const { items } = await get(`/api/merges/${area}/suggestions?record_id=${id}`);
    const pairs = items.flatMap(({ record, duplicates: others }) => others.map((other) => line(area, record, other)));
    replace(list, pairs.length > 0 && [h("h2", {}, "May be the same"), h("ul", { class: "suggestions" }, pairs)]);
  }

  return { element, load, changed: () => (isRead = false) };
}

function mergedPart(area, filter, { act }) {
  const element = h("div", {});
  let shown = null;

  async function load(read) {
    const page = await read(`/api/merges?kind=${area}${filter}&cursor=&page_size=10`);
    if (page === shown) return;
    shown = page;
    const open = page.items.filter((merge) => !merge.undone_at && Date.parse(merge.undo_until) > Date.now());
    replace(
      element,
      open.length > 0 && [
        h("h2", {}, "Merged lately"),
        h(
          "ul",
          { class: "suggestions" },
          open.map((merge) =>
            h(
              "li",
              { "data-row": `merge-${merge.id}` },
              `${merge.merged.name} into `,
              link(area, merge.kept),
              h("span", { class: "quiet" }, ` ${dateTime(merge.created_at)} `),
              undoButton(area, merge),
            ),
          ),
        ),
      ],
    );
  }

  function undoButton(of, merge) {
    const press = ({ currentTarget }) => act(currentTarget, undoOf(of, merge), h("div", {}));
    return h(
      "button",
      {
        type: "button",
        class: "move-button",
        "data-key": `undo-merge-${merge.id}`,
        "aria-label": `Undo the merge of ${merge.merged.name}`,
        onclick: press,
      },
      "Undo",
    );
  }

  return { element, load };
}

const undoOf = (area, merge) => ({
  method: "POST",
  path: `/api/merges/${area}/${merge.id}/undo`,
  done: `${merge.merged.name} is a record of its own again.`,
});

// Both side by side, and a choice for each member.
function sideBySide(area, ids, context) {
  const title = `Merge two ${area}`;
  const element = h("div", { class: "record", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  let shown = null;

  async function load(read) {
    counted(null);
    try {
      const pair = await Promise.all(ids.map((id) => read(`/api/${area}/${id}`)));
      if (!shown) show(pair); // what was chosen stays over a poll
      shown = pair;
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(
        element,
        h("h1", {}, title),
        problemWords(problem),
        h("p", {}, h("a", { href: `#/duplicates/${area}` }, "All duplicates")),
      );
    }
  }

  function show(pair) {
    const sides = pair.map((found) => `${found.name}, added ${dateTime(found.created_at)}`);
    const kept = choice("keep", "Keep the record", sides, 0);
    const members = membersOf(area).map(([name, label, textOf]) => {
      const texts = pair.map((found) => textOf(found) || "");
      return {
        name,
        ...choice(
          name,
          label,
          texts.map((text) => text || "Nothing"),
          texts[0] || !texts[1] ? 0 : 1,
        ),
        isSame: texts[0] === texts[1],
      };
    });
    const open = members.filter((member) => !member.isSame);
    replace(
      element,
      h("h1", {}, title),
      h(
        "p",
        {},
        `Everything that refers to either of them will refer to the ${ONE[area]} that is kept. The other one is archived. It can be undone for 30 days.`,
      ),
      h(
        "form",
        { class: "conflict", onsubmit: (event) => event.preventDefault() },
        kept.element,
        open.map((member) => member.element),
        h(
          "div",
          { class: "field-row actions" },
          h(
            "button",
            {
              type: "submit",
              class: "plain-button",
              "data-key": "merge",
              onclick: ({ currentTarget }) => merge(currentTarget, pair, kept.index(), open),
            },
            "Merge",
          ),
          h("a", { class: "move-button", href: `#/duplicates/${area}` }, "Cancel"),
        ),
      ),
    );
  }

  async function merge(pressed, pair, keep, members) {
    const [one, other] = keep ? [pair[1], pair[0]] : pair;
    const take = members.filter((member) => member.index() !== keep).map(({ name }) => name);
    await context.act(
      pressed,
      {
        method: "POST",
        path: `/api/merges/${area}`,
        content: { kept_id: one.id, merged_id: other.id, take },
        done: `Merged ${other.name} into ${one.name}.`,
        undo: (made) => undoOf(area, made),
        onDone: () => location.replace(`#/${area}/${one.id}`),
      },
      h("div", {}),
    );
  }

  return { title, element, load };
}

function choice(name, label, texts, first) {
  const inputs = texts.map((_, index) =>
    h("input", { type: "radio", name: `merge-${name}`, checked: index === first }),
  );
  const element = h(
    "fieldset",
    {},
    h("legend", {}, label),
    texts.map((text, index) => h("label", { class: "version-choice" }, inputs[index], h("span", {}, text))),
  );
  return { element, index: () => (inputs[1].checked ? 1 : 0) };
}
