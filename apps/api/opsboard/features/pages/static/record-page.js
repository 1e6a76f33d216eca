// The page of one record that has no view of its own: what is known, what it leads to, and its history.

import { anonymiseButton } from "./anonymise.js";
import { archiveButton } from "./archive.js";
import { chip, words } from "./chips.js";
import { h, replace } from "./dom.js";
import { dateTime, number } from "./format.js";
import { counted } from "./freshness.js";
import { history } from "./history.js";
import { editLink, factList, ownFields } from "./list-parts.js";
import { duplicatesOf } from "./merges.js";
import { problemWords } from "./notices.js";
import { manages, mayEditLead } from "./rights.js";

const reach = (found) => [
  ["E-mail", found.email],
  ["Phone", found.phone],
];
const ofCustomer = ({ customer }) => [
  "Customer",
  customer && h("a", { href: `#/customers/${customer.id}` }, customer.name),
];

// Area -> { one, entity, nameOf, facts, links, mayEdit, isThing }; `isThing`: it is no person, so there is nothing to anonymise; a link is [words, address].
const PAGES = {
  customers: {
    one: "customer",
    nameOf: (found) => found.name,
    mayEdit: (me) => manages(me),
    facts: (found) => [...reach(found), ["Address", found.address]],
    links: (found) => [
      [`Jobs (${found.jobs.total})`, `#/jobs?customer_id=${found.id}`],
      ["Contacts", `#/contacts?customer_id=${found.id}`],
      ["Leads", `#/leads?customer_id=${found.id}`],
    ],
  },
  contacts: {
    one: "contact",
    nameOf: (found) => found.name,
    mayEdit: () => true,
    facts: (found) => [...reach(found), ofCustomer(found)],
    links: () => [],
  },
  leads: {
    one: "lead",
    nameOf: (found) => found.name,
    mayEdit: mayEditLead,
    facts: (found) => [
      ...reach(found),
      ofCustomer(found),
      ["Source", found.source],
      ["Category", found.category],
      ["Person", found.assigned_user?.name],
      ["Notes", found.notes],
    ],
    links: () => [],
  },
  machines: {
    one: "machine",
    isThing: true,
    nameOf: (found) => found.name,
    mayEdit: (me) => manages(me),
    facts: (found) => [
      ["Location", found.location],
      ["On it", number(found.load.in_progress)],
      ["Waiting", number(found.load.pending)],
    ],
    links: (found) => [
      ["Steps on it", `#/job-steps?machine_id=${found.id}`],
      ["Working hours of its own", `#/working-hours?machine_id=${found.id}`],
      ["Jobs with steps on it", `#/jobs?machine_id=${found.id}`],
    ],
  },
  processes: {
    one: "process",
    many: "processes",
    isThing: true,
    nameOf: (found) => found.name,
    mayEdit: (me) => manages(me),
    facts: (found) => [
      ["Description", found.description],
      ["Use", words(found.is_active ? "active" : "inactive")],
    ],
    links: (found) => [["Steps of it", `#/job-steps?process_id=${found.id}`]],
  },
  routings: {
    one: "routing",
    isThing: true,
    nameOf: (found) => found.name,
    mayEdit: (me) => manages(me),
    facts: (found) => [
      ["Description", found.description],
      ...found.steps.map((step) => [
        `Step ${step.step_order}`,
        [step.process.name, step.machine && ` on ${step.machine.name}`],
      ]),
    ],
    links: () => [],
  },
  documents: {
    one: "document",
    isThing: true,
    nameOf: (found) => found.title,
    mayEdit: () => false,
    facts: (found) => [
      ["File", found.file_name],
      ["Type", words(found.document_type)],
      ["Uploaded by", found.user?.name],
      ["Uploaded", dateTime(found.uploaded_at)],
    ],
    links: (found) => [found.content_stored_at && ["Download", `/api/documents/${found.id}/content`]],
  },
};

export function recordPage(area, id, context) {
  const kind = PAGES[area];
  const path = `/api/${area}/${id}`;
  const element = h("div", { class: "record-page", tabindex: "-1" }, h("p", { class: "waiting" }, "Loading …"));
  const past = history(kind.one, id, context);
  const same = ["customers", "contacts", "leads"].includes(area) ? duplicatesOf(area, id, context) : null;
  const changed = () => {
    shown = null;
    same?.changed();
  };
  const view = { title: words(kind.one), element, load, changed };
  let shown = null;

  async function load(read) {
    counted(null);
    try {
      const found = await read(path);
      view.title = kind.nameOf(found);
      if (found !== shown) replace(element, ...parts(found), same?.element, past.element);
      shown = found;
      await Promise.all([past.load(read), same?.load(read)]);
    } catch (problem) {
      if (!problem.isFinal || problem.isSignedOut) throw problem;
      replace(
        element,
        h("h1", {}, view.title),
        problemWords(problem),
        h("p", {}, h("a", { href: `#/${area}` }, `All ${kind.many ?? `${kind.one}s`}`)),
      );
      shown = null;
    }
  }

  function parts(found) {
    const known = [
      ...kind.facts(found),
      ["Added", found.created_at && dateTime(found.created_at)],
      ...ownFields(found),
    ];
    const links = kind.links(found).filter(Boolean);
    return [
      h(
        "div",
        { class: "list-head", "data-row": "head" },
        h("h1", {}, kind.nameOf(found)),
        found.status && chip(found.status),
        found.archived_at && chip("archived"),
        kind.mayEdit(context.me, found) && editLink(area, found, kind.nameOf(found)),
      ),
      factList(known.filter(([, value]) => value)),
      area !== "documents" &&
        h(
          "div",
          { class: "field-row actions", "data-row": "actions" },
          archiveButton(area, found, kind.nameOf(found), context),
          !kind.isThing && anonymiseButton(path, kind.nameOf(found), context),
        ),
      links.length > 0 &&
        h(
          "p",
          { class: "actions", "data-row": "links" },
          links.map(([label, href]) => h("a", { href }, label)),
        ),
    ];
  }

  return view;
}
