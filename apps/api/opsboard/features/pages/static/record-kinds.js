// Which records have a form, who may use it, and its fields.

import { administers, isOwnLead, manages, mayEditLead } from "./rights.js";
import { keepInvitation } from "./secrets.js";
import { shiftWords, weekdayOf } from "./shift-words.js";
import { minutesOf, secondsOf } from "./steps-field.js";
import { customers, jobs, machines, people, processes, routings } from "./sources.js";

const PRIORITIES = ["low", "normal", "high", "urgent"];
const LEAD_STATUSES = ["unprocessed", "new", "contacted", "qualified", "won", "lost"];
const ROLES = ["operator", "manager", "admin"];

/**
 * The field with the steps of a routing, or of a job, where they may have people.
 * @returns {import("./fields.js").Field}
 */
export const stepsOf = (more = {}) => ({
  name: "steps",
  label: "Steps",
  kind: "steps",
  initial: [],
  sources: { processes, machines, ...more },
});

const customer = { name: "customer_id", label: "Customer", kind: "picker", of: "customer", source: customers };
// An operator gives work to nobody but themselves.
const person = ({ me }) => ({
  name: "assigned_user_id",
  label: "Person",
  kind: "picker",
  of: "assigned_user",
  source: manages(me) ? people : async () => [{ id: me.id, name: me.full_name, more: "You" }],
});
const reach = [
  { name: "email", label: "E-mail", kind: "email" },
  { name: "phone", label: "Phone", kind: "tel" },
];

const ROLES_WITH_RIGHTS = ["manager", "operator"]; // an admin may always

// No permissions: all may. Otherwise those that are said to.
function mayOperate({ permissions }) {
  const may = permissions.filter((one) => one.can_operate).map((one) => one.role);
  return ROLES_WITH_RIGHTS.filter((role) => !permissions.length || may.includes(role)).join(",");
}

function permissionsOf(state) {
  const roles = state.split(",").filter(Boolean);
  if (roles.length === ROLES_WITH_RIGHTS.length) return [];
  return (roles.length ? roles : ["admin"]).map((role) => ({ role, can_operate: true }));
}

/**
 * Area -> { one, nameOf, mayCreate(me), mayEdit(me, record), fields(context, record), page(record), made(record) }; `record` is null for a
 * new one. `page` is the address that shows a record, where it has one of its own.
 */
export const KINDS = {
  jobs: {
    one: "job",
    nameOf: (job) => job.job_number,
    mayCreate: manages,
    mayEdit: manages,
    page: (job) => `#/jobs/${job.id}`,
    fields: (_, job) => [
      { name: "title", label: "Title", required: true },
      {
        name: "job_number",
        label: "Job number",
        required: job !== null,
        hint: job ? null : "Left empty, it gets the next number.",
      },
      customer,
      { name: "due_date", label: "Due date", kind: "date" },
      { name: "priority", label: "Priority", kind: "choice", values: PRIORITIES, initial: "normal" },
      { name: "quantity", label: "Quantity", kind: "number", required: true, initial: "1" },
      job === null && { name: "routing_id", label: "Steps of the routing", kind: "picker", source: routings },
      job === null && {
        name: "copy_of_id",
        label: "Or steps of the job",
        kind: "picker",
        source: jobs,
        hint: "The beginning of a job number.",
      },
      job === null && {
        name: "status",
        label: "Status",
        kind: "choice",
        values: ["draft", "active"],
        initial: "draft",
      },
      { name: "description", label: "Description", kind: "area" },
    ],
  },
  "job-steps": {
    one: "step",
    nameOf: (step) => `${step.process?.name ?? `step ${step.step_order}`} of ${step.job.job_number}`,
    mayCreate: () => false,
    mayEdit: manages,
    page: (step) => `#/jobs/${step.job.id}`,
    fields: (context) => [
      person(context),
      { name: "machine_id", label: "Machine", kind: "picker", of: "machine", source: machines },
      { name: "quantity_done", label: "Good pieces", kind: "number", required: true },
      { name: "quantity_rejected", label: "Rejected pieces", kind: "number", required: true },
      { name: "setup_minutes", label: "Set-up minutes", kind: "number" },
      {
        name: "seconds_per_piece",
        label: "Minutes a piece",
        kind: "decimal",
        stateFrom: (step) => minutesOf(step.seconds_per_piece),
        valueFrom: secondsOf,
      },
      { name: "instructions", label: "Instructions", kind: "area" },
    ],
  },
  machines: {
    one: "machine",
    nameOf: (machine) => machine.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: () => [
      { name: "name", label: "Name", required: true },
      { name: "location", label: "Location" },
      {
        name: "status",
        label: "Status",
        kind: "choice",
        values: ["active", "maintenance", "inactive"],
        initial: "active",
      },
    ],
  },
  routings: {
    one: "routing",
    nameOf: (routing) => routing.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: () => [
      { name: "name", label: "Name", required: true },
      { name: "description", label: "Description", kind: "area" },
      stepsOf(),
    ],
  },
  reasons: {
    one: "reason",
    nameOf: (reason) => reason.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: () => [
      { name: "kind", label: "For", kind: "choice", values: ["reject", "stop", "hold"], initial: "reject" },
      { name: "name", label: "Name", required: true },
      { name: "description", label: "Description", kind: "area" },
    ],
  },
  "working-hours": {
    one: "shift",
    many: "working hours",
    nameOf: shiftWords,
    mayCreate: manages,
    mayEdit: manages,
    fields: (_, shift) => [
      {
        name: "weekday",
        label: "Day",
        kind: "choice",
        values: ["1", "2", "3", "4", "5", "6", "7"],
        words: weekdayOf,
        initial: "1",
        stateFrom: ({ weekday }) => String(weekday),
        valueFrom: Number,
      },
      { name: "starts_at", label: "From", required: true, hint: "Hours and minutes, for example 06:00." },
      {
        name: "ends_at",
        label: "Until",
        required: true,
        hint: "Earlier than From: on the next day. 24:00 is the end of the day.",
      },
      shift === null && {
        name: "machine_id",
        label: "Machine",
        kind: "picker",
        of: "machine",
        source: machines,
        hint: "Only for hours of its own. Left empty: hours of the business.",
      },
    ],
  },
  holidays: {
    one: "holiday",
    nameOf: (holiday) => holiday.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: () => [
      { name: "name", label: "Name", required: true },
      { name: "first_day", label: "First day", kind: "date", required: true },
      { name: "last_day", label: "Last day", kind: "date", hint: "Left empty: one day." },
    ],
  },
  processes: {
    one: "process",
    many: "processes",
    nameOf: (process) => process.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: ({ me }) => [
      { name: "name", label: "Name", required: true },
      { name: "description", label: "Description", kind: "area" },
      {
        name: "is_active",
        label: "Use",
        kind: "choice",
        values: ["active", "inactive"],
        initial: "active",
        stateFrom: (process) => (process.is_active ? "active" : "inactive"),
        valueFrom: (state) => state === "active",
      },
      administers(me) && {
        name: "permissions",
        label: "Roles that work on it",
        kind: "checks",
        values: ROLES_WITH_RIGHTS,
        initial: ROLES_WITH_RIGHTS.join(","),
        hint: "Admins always may.",
        stateFrom: mayOperate,
        valueFrom: permissionsOf,
      },
    ],
  },
  customers: {
    one: "customer",
    nameOf: (found) => found.name,
    mayCreate: manages,
    mayEdit: manages,
    fields: () => [
      { name: "name", label: "Name", required: true },
      ...reach,
      { name: "address", label: "Address", kind: "area" },
    ],
  },
  contacts: {
    one: "contact",
    nameOf: (contact) => contact.name,
    mayCreate: () => true,
    mayEdit: () => true,
    // Members a role may not see are not in the form: an empty field would suggest that there is no value.
    fields: ({ me }, contact) => [
      { name: "name", label: "Name", required: true },
      ...(contact === null || manages(me) ? reach : []),
      customer,
    ],
  },
  users: {
    one: "user",
    nameOf: (user) => user.full_name,
    mayCreate: administers,
    mayEdit: administers,
    page: (user) => `#/users/${user.id}`,
    made: (user) => keepInvitation(user.id, user.invitation), // its link comes with this answer only
    fields: ({ me }, user) => [
      user === null && {
        name: "email",
        label: "E-mail",
        kind: "email",
        required: true,
        hint: "They set a password by a link, which you see when the user is added.",
      },
      user === null && {
        name: "is_service",
        label: "Account of a program",
        kind: "flag",
        hint: "It never has a password; it signs in by API tokens, which you make on its page.",
      },
      { name: "full_name", label: "Name", required: true },
      user?.id !== me.id && { name: "role", label: "Role", kind: "choice", values: ROLES, initial: "operator" },
    ],
  },
  leads: {
    one: "lead",
    nameOf: (lead) => lead.name,
    mayCreate: manages,
    mayEdit: mayEditLead,
    fields: (context, lead) => [
      { name: "name", label: "Name", required: true },
      ...(lead === null || isOwnLead(context.me, lead) ? reach : []),
      { name: "status", label: "Status", kind: "choice", values: LEAD_STATUSES, initial: "unprocessed" },
      person(context),
      customer,
      { name: "source", label: "Source" },
      { name: "category", label: "Category" },
      { name: "notes", label: "Notes", kind: "area" },
    ],
  },
};
