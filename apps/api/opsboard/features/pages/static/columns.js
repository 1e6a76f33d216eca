// The columns, filters and sorts of each list.

import { archivedFilter, restoreColumn } from "./archive.js";
import { chip, glyph, progress, words } from "./chips.js";
import { h } from "./dom.js";
import { count, day, nearDay, nearTime, number } from "./format.js";
import { HOURS } from "./hours-columns.js";
import { stopWords, waitsWords } from "./late.js";
import { pageOf } from "./router.js";
import { riskBar } from "./risk.js";
import { SALES } from "./sales-columns.js";
import { SHOP } from "./shop-columns.js";
import { nounOf, sentence, thing } from "./history.js";
import { dateFilter, editLink, flag, named, removeButton, search, sort } from "./list-parts.js";
import { administers, manages } from "./rights.js";
import { moveButton } from "./steps.js";
import { customers, machines, people } from "./sources.js";
import { statusChoice } from "./status-choice.js";
import { DELIVERIES } from "./webhook-columns.js";

const JOB_STATUS = {
  name: "status",
  label: "Status",
  values: ["draft", "active", "on_hold", "completed", "cancelled"],
};
const STEP_STATUS = { name: "status", label: "Status", values: ["pending", "in_progress", "completed", "skipped"] };
const MACHINE_STATUS = { name: "status", label: "Status", values: ["active", "maintenance", "inactive"] };
const PRIORITY = { name: "priority", label: "Priority", values: ["low", "normal", "high", "urgent"] };
const ROLE = { name: "role", label: "Role", values: ["admin", "manager", "operator"] };

// The most frequent kinds of the audit log; others come by their links.
const AUDITED = [
  "job",
  "job_step",
  "customer",
  "contact",
  "lead",
  "machine",
  "user",
  "document",
  "campaign",
  "journey",
  "business_settings",
];

function recordOf(entry) {
  const area = {
    job: "jobs",
    customer: "customers",
    contact: "contacts",
    lead: "leads",
    document: "documents",
    user: "users",
    machine: "machines",
    process: "processes",
    routing: "routings",
  }[entry.entity];
  if (!entry.entity_id) return null;
  return h(
    "a",
    { href: area ? `#/${area}/${entry.entity_id}` : `#/audit?entity=${entry.entity}&entity_id=${entry.entity_id}` },
    thing(entry),
  );
}

// Work of an inactive person, for a manager to reassign.
function workLeft({ work_left }) {
  if (!work_left?.steps) return null;
  return h("a", { href: pageOf(work_left.links.steps) }, count(work_left.steps, "step"));
}

// Without permissions every role works on a process.
function rolesOf({ permissions }) {
  if (!permissions.length) return "Everybody";
  const may = ["manager", "operator"].filter((role) => permissions.some((one) => one.role === role && one.can_operate));
  return ["admin", ...may].map(words).join(", ");
}

// Address -> { title, one, columns: [head, cell(item, context), kind, sort], filters, links(me) }; the first column names the item.
// Kinds: "control" is left out for roles that have none, "when" is a time, which stays on one line.
export const LISTS = {
  jobs: {
    title: "Jobs",
    one: "job",
    bulk: { path: "/api/jobs/bulk-status", statuses: JOB_STATUS.values, nameOf: (job) => job.job_number, may: manages },
    links: (me) => [manages(me) && ["New job", "#/jobs/new"]],
    filters: [
      search("Words of number or title"),
      JOB_STATUS,
      PRIORITY,
      { name: "customer_id", label: "Customer", source: customers },
      { name: "machine_id", label: "Machine", source: machines },
      (me) => manages(me) && { name: "assigned_user_id", label: "Person", source: people },
      dateFilter("due_from", "Due from"),
      dateFilter("due_to", "Due until"),
      flag("overdue", "Overdue"),
      flag("due_today", "Due today"),
      archivedFilter,
      sort("-created_at", "due_date", "-updated_at", "job_number"),
    ],
    columns: [
      ["Job", (job) => named(`#/jobs/${job.id}`, job.job_number, job.title), null, "job_number"],
      [
        "Customer",
        (job) => job.customer && h("a", { href: `#/jobs?customer_id=${job.customer.id}` }, job.customer.name),
      ],
      ["Status", (job) => chip(job.status)],
      [
        "Priority",
        (job) => (job.priority === "normal" ? h("span", { class: "quiet" }, words("normal")) : chip(job.priority)),
      ],
      [
        "Due",
        (job) =>
          h(
            "span",
            { class: job.is_overdue ? "late" : "" },
            job.is_overdue && glyph("overdue"),
            h("span", { class: "when", title: day(job.due_date) }, nearDay(job.due_date)),
            job.is_overdue && h("span", { class: "visually-hidden" }, " (overdue)"),
          ),
        null,
        "due_date",
      ],
      ["Progress", (job) => progress(job.progress)],
      restoreColumn("jobs", (job) => job.job_number),
    ],
  },
  "jobs/at-risk": {
    title: "Jobs that may end late",
    one: "job",
    filters: [{ ...JOB_STATUS, values: ["draft", "active", "on_hold"] }, PRIORITY, sort("due_date", "-due_date")],
    columns: [
      ["Job", (job) => named(`#/jobs/${job.id}`, job.job_number, job.title)],
      [
        "Customer",
        (job) => job.customer && h("a", { href: `#/jobs?customer_id=${job.customer.id}` }, job.customer.name),
      ],
      ["Status", (job) => chip(job.status)],
      ["Due", (job) => h("span", { title: day(job.due_date) }, nearDay(job.due_date)), "when"],
      ["Days left", (job) => number(job.days_left)],
      ["Steps left", (job) => number(job.steps_left)],
      ["Risk", (job) => riskBar(job)],
      ["Now at", (job) => job.waits_at && waitsWords(job.waits_at)],
      ["Past jobs like it", (job) => number(job.risk_basis)],
    ],
  },
  "job-steps": {
    title: "Steps",
    one: "step",
    // An operator moves on what is theirs or nobody's.
    bulk: {
      path: "/api/job-steps/bulk-status",
      statuses: STEP_STATUS.values,
      nameOf: (step) => `step ${step.step_order} of ${step.job.job_number}`,
      may: (me, step) => manages(me) || !step?.assigned_user || step.assigned_user.id === me.id,
    },
    filters: [
      flag("mine", "Only mine"),
      STEP_STATUS,
      flag("completed_today", "Completed today"),
      sort("-created_at", "-started_at", "-completed_at"),
    ],
    columns: [
      ["Job", (step) => named(`#/jobs/${step.job.id}`, step.job.job_number, step.job.title)],
      ["Step", (step) => [`${step.step_order} `, step.process?.name]],
      ["Machine", (step) => step.machine?.name],
      ["Person", (step) => step.assigned_user?.name],
      ["Status", (step) => chip(step.status)],
      ["Since", (step) => nearTime(step.completed_at ?? step.started_at ?? step.created_at), "when"],
      ["Move on", (step, context) => moveButton(step, context), "control"],
    ],
  },
  machines: {
    title: "Machines",
    one: "machine",
    bulk: {
      path: "/api/machines/bulk-status",
      statuses: MACHINE_STATUS.values,
      nameOf: (machine) => machine.name,
      may: () => true,
    },
    links: (me) => [
      manages(me) && ["New machine", "#/machines/new"],
      ["Processes", "#/processes"],
      ["Routings", "#/routings"],
      ["Reasons", "#/reasons"],
      ["Working hours", "#/working-hours"],
      ["Holidays", "#/holidays"],
      ["Stops", "#/stops"],
      ["Problems", "#/problems"],
    ],
    filters: [search("Name begins with"), MACHINE_STATUS, archivedFilter],
    columns: [
      ["Machine", (machine) => named(`#/machines/${machine.id}`, machine.name)],
      ["Location", (machine) => machine.location],
      ["Status", (machine) => chip(machine.status)],
      [
        "Stopped",
        (machine) =>
          machine.stop &&
          h(
            "a",
            { class: "late machine-stop", href: `#/stops?machine_id=${machine.id}&open=true` },
            stopWords(machine.stop),
          ),
      ],
      ["On it", (machine) => number(machine.load.in_progress)],
      ["Waiting", (machine) => number(machine.load.pending)],
      [
        "Set to",
        (machine, context) =>
          statusChoice(
            { ...machine, key: `machine-${machine.id}`, path: `/api/machines/${machine.id}` },
            MACHINE_STATUS.values,
            context,
          ),
        "control",
      ],
      ["Change", (machine, { me }) => manages(me) && editLink("machines", machine, machine.name), "control"],
      restoreColumn("machines", (machine) => machine.name),
    ],
  },
  processes: {
    title: "Processes",
    one: "process",
    many: "processes",
    links: (me) => [manages(me) && ["New process", "#/processes/new"], ["Machines", "#/machines"]],
    filters: [search("Name begins with"), flag("is_active", "Only active"), archivedFilter],
    columns: [
      ["Process", (process) => named(`#/processes/${process.id}`, process.name)],
      ["Description", (process) => process.description],
      ["Use", (process) => chip(process.is_active ? "active" : "inactive")],
      ["Worked on by", (process) => rolesOf(process)],
      ["Change", (process, { me }) => manages(me) && editLink("processes", process, process.name), "control"],
      restoreColumn("processes", (process) => process.name),
    ],
  },
  routings: {
    title: "Routings",
    one: "routing",
    links: (me) => [manages(me) && ["New routing", "#/routings/new"], ["Machines", "#/machines"]],
    filters: [search("Name begins with"), archivedFilter],
    columns: [
      ["Routing", (routing) => named(`#/routings/${routing.id}`, routing.name)],
      ["Description", (routing) => routing.description],
      ["Steps", (routing) => routing.steps.map((step) => step.process.name).join(", ")],
      ["Change", (routing, { me }) => manages(me) && editLink("routings", routing, routing.name), "control"],
      [
        "Remove",
        (routing, context) => manages(context.me) && removeButton("routings", routing, routing.name, context),
        "control",
      ],
      restoreColumn("routings", (routing) => routing.name),
    ],
  },
  reasons: {
    title: "Reasons",
    one: "reason",
    links: (me) => [manages(me) && ["New reason", "#/reasons/new"], ["Machines", "#/machines"]],
    filters: [search("Name begins with"), { name: "kind", label: "For", values: ["reject", "stop", "hold"] }],
    columns: [
      ["Reason", (reason) => h("strong", {}, reason.name)],
      ["For", (reason) => words(reason.kind)],
      ["Description", (reason) => reason.description],
      ["Change", (reason, { me }) => manages(me) && editLink("reasons", reason, reason.name), "control"],
      [
        "Remove",
        (reason, context) => manages(context.me) && removeButton("reasons", reason, reason.name, context),
        "control",
      ],
    ],
  },
  ...HOURS,
  customers: {
    title: "Customers",
    one: "customer",
    links: (me) => [
      manages(me) && ["New customer", "#/customers/new"],
      ["Contacts", "#/contacts"],
      manages(me) && ["Duplicates", "#/duplicates/customers"],
    ],
    filters: [search("Words of name, e-mail or phone"), archivedFilter, sort("name", "-created_at")],
    columns: [
      ["Customer", (customer) => named(`#/customers/${customer.id}`, customer.name), null, "name"],
      ["E-mail", (customer) => customer.email],
      ["Phone", (customer) => customer.phone],
      ["Address", (customer) => customer.address],
      ["Change", (customer, { me }) => manages(me) && editLink("customers", customer, customer.name), "control"],
      restoreColumn("customers", (customer) => customer.name),
    ],
  },
  contacts: {
    title: "Contacts",
    one: "contact",
    links: (me) => [["New contact", "#/contacts/new"], manages(me) && ["Duplicates", "#/duplicates/contacts"]],
    filters: [search("Words of name, e-mail or phone"), archivedFilter],
    columns: [
      ["Contact", (contact) => named(`#/contacts/${contact.id}`, contact.name), null, "name"],
      [
        "Customer",
        (contact) =>
          contact.customer && h("a", { href: `#/jobs?customer_id=${contact.customer.id}` }, contact.customer.name),
      ],
      ["E-mail", (contact) => contact.email],
      ["Phone", (contact) => contact.phone],
      ["Change", (contact) => editLink("contacts", contact, contact.name), "control"],
      restoreColumn("contacts", (contact) => contact.name),
    ],
  },
  users: {
    title: "Users",
    one: "user",
    links: (me) => [administers(me) && ["New user", "#/users/new"], ["Audit log", "#/audit"]],
    filters: [search("Name begins with"), ROLE, flag("is_active", "Only active"), archivedFilter],
    columns: [
      [
        "Name",
        (user, { me }) =>
          administers(me) ? named(`#/users/${user.id}`, user.full_name) : h("strong", {}, user.full_name),
        null,
        "full_name",
      ],
      ["E-mail", (user) => user.email],
      ["Role", (user) => words(user.role)],
      ["Work left", (user) => workLeft(user)],
      ["Account", (user) => chip(user.is_active ? "active" : "inactive", user.is_active ? "Active" : "Inactive")],
      restoreColumn("users", (user) => user.full_name),
    ],
  },
  ...SALES,
  ...DELIVERIES,
  ...SHOP,
  audit: {
    title: "Audit log",
    one: "entry",
    many: "entries",
    filters: [
      { name: "entity", label: "Kind", values: AUDITED, words: (entity) => nounOf(entity) },
      { name: "user_id", label: "Person", source: people },
      dateFilter("created_from", "From"),
      dateFilter("created_to", "Until"),
      sort("-created_at", "created_at"),
    ],
    columns: [
      ["Change", (entry) => h("span", {}, sentence(entry))],
      ["Record", (entry) => recordOf(entry)],
      ["Person", (entry) => entry.user && h("a", { href: `#/audit?user_id=${entry.user.id}` }, entry.user.name)],
      ["When", (entry) => nearTime(entry.created_at), "when", "-created_at"],
    ],
  },
  notifications: {
    title: "Notifications",
    one: "notification",
    filters: [flag("unread", "Only unread")],
    action: { verb: "Mark all read", write: markRead("/api/notifications/read", "All notifications are read.") },
    columns: [
      [
        "Notification",
        (notice) =>
          notice.link ? named(pageOf(notice.link), notice.title, notice.body) : h("strong", {}, notice.title),
      ],
      ["When", (notice) => nearTime(notice.created_at), "when"],
      [
        "Read",
        (notice, { act }) =>
          notice.read_at
            ? h("span", { class: "quiet" }, "Read")
            : h(
                "button",
                {
                  type: "button",
                  class: "move-button",
                  "data-key": `read-${notice.id}`,
                  "aria-label": `Mark read: ${notice.title}`,
                  onclick: ({ currentTarget }) =>
                    act(
                      currentTarget,
                      markRead(`/api/notifications/${notice.id}/read`, `Marked read: ${notice.title}`),
                    ),
                },
                "Mark read",
              ),
        "control",
      ],
    ],
  },
};

// Undo: what was read at that very moment is unread again.
function markRead(path, done) {
  const undo = ({ read_at: readAt }) => ({
    method: "POST",
    path: "/api/notifications/unread",
    content: { read_at: readAt },
    done: "Undone: unread again.",
  });
  return { method: "POST", path, done, undo };
}
