// The lists of leads, approvals, campaigns and journeys.

import { decisionButtons } from "./approvals.js";
import { archivedFilter, restoreColumn } from "./archive.js";
import { chip, words } from "./chips.js";
import { h } from "./dom.js";
import { age, dateTime } from "./format.js";
import { editLink, flag, named, search, sort } from "./list-parts.js";
import { manages, mayEditLead } from "./rights.js";

const status = (...values) => ({ name: "status", label: "Status", values });
const RECIPIENT_STATUS = status(
  "pending",
  "sent",
  "delivered",
  "opened",
  "clicked",
  "converted",
  "bounced",
  "unsubscribed",
);
const FAILURES = { loop: "goes in a loop", rounds: "came round too often", lost: "has no way on" };

const CAMPAIGN_COLUMNS = [
  ["Campaign", (campaign) => h("strong", {}, campaign.name)],
  ["Channel", (campaign) => words(campaign.channel)],
  ["Status", (campaign) => chip(campaign.status)],
  ["Scheduled", (campaign) => when(campaign.scheduled_at), "when"],
  ["Started", (campaign) => when(campaign.started_at), "when"],
  ["Completed", (campaign) => when(campaign.completed_at), "when"],
];

export const SALES = {
  leads: {
    title: "Leads",
    one: "lead",
    links: (me) => [manages(me) && ["New lead", "#/leads/new"], manages(me) && ["Duplicates", "#/duplicates/leads"]],
    filters: [
      search("Words of name, e-mail or phone"),
      status("unprocessed", "new", "contacted", "qualified", "won", "lost"),
      flag("created_today", "Entered today"),
      flag("mine", "Only mine"),
      archivedFilter,
      sort("-created_at", "-updated_at", "-scraped_at", "name"),
    ],
    columns: [
      ["Lead", (lead) => named(`#/leads/${lead.id}`, lead.name, lead.category), null, "name"],
      ["E-mail", (lead) => lead.email],
      ["Phone", (lead) => lead.phone],
      ["Source", (lead) => lead.source],
      ["Status", (lead) => chip(lead.status)],
      ["Person", (lead) => lead.assigned_user?.name ?? lead.claimed_by?.name],
      ["Entered", (lead) => dateTime(lead.created_at), "when", "-created_at"],
      ["Change", (lead, { me }) => mayEditLead(me, lead) && editLink("leads", lead, lead.name), "control"],
      restoreColumn("leads", (lead) => lead.name),
    ],
  },
  "workflow-approvals": {
    title: "Approvals",
    one: "approval",
    filters: [
      status("pending", "approved", "rejected", "changes_requested"),
      flag("decided_today", "Decided today"),
      sort("-created_at", "-decided_at"),
    ],
    columns: [
      ["Request", (approval) => titled(approval.subject, approval.lead?.name)],
      ["Status", (approval) => chip(approval.status)],
      ["Asked by", (approval) => approval.requested_by?.name],
      ["Asked", (approval) => dateTime(approval.created_at), "when"],
      ["Decided by", (approval) => approval.decided_by?.name],
      ["Decided", (approval) => when(approval.decided_at), "when"],
    ],
  },
  "workflow-approvals/pending": {
    title: "Approvals that wait",
    one: "approval",
    filters: [],
    columns: [
      ["Request", (approval) => titled(approval.subject, approval.lead?.name)],
      [
        "Waits",
        (approval) =>
          h(
            "span",
            { class: approval.queue_entry?.is_overdue ? "late" : "" },
            age(approval.age_hours),
            approval.queue_entry?.is_overdue && h("span", { class: "visually-hidden" }, " (overdue)"),
          ),
      ],
      ["Priority", (approval) => approval.queue_entry && words(approval.queue_entry.priority)],
      ["Asked by", (approval) => approval.requested_by?.name],
      ["Who decides", (approval) => approval.queue_entry?.assigned_user?.name],
      ["Next", (approval) => words(approval.next_action)],
      ["Decide", (approval, context) => decisionButtons(approval, context), "control"],
    ],
  },
  campaigns: {
    title: "Campaigns",
    one: "campaign",
    filters: [status("draft", "scheduled", "running", "paused", "completed", "cancelled")],
    columns: CAMPAIGN_COLUMNS,
  },
  "campaigns/active": { title: "Active campaigns", one: "campaign", filters: [], columns: CAMPAIGN_COLUMNS },
  "campaigns/active/recipients": {
    title: "Recipients of active campaigns",
    one: "recipient",
    filters: [RECIPIENT_STATUS],
    columns: [
      ["Recipient", (recipient) => titled(recipient.address, recipient.name)],
      ["Campaign", (recipient) => recipient.campaign.name],
      ["Status", (recipient) => chip(recipient.status)],
      ["Lead", (recipient) => recipient.lead?.name],
      ["Changed", (recipient) => dateTime(recipient.updated_at), "when"],
    ],
  },
  journeys: {
    title: "Journeys",
    one: "journey",
    filters: [search("Name begins with"), status("draft", "active", "paused", "archived"), sort("-created_at", "name")],
    columns: [
      [
        "Journey",
        (journey) => named(`#/journeys/contacts?journey_id=${journey.id}`, journey.name, journey.description),
        null,
        "name",
      ],
      ["Status", (journey) => chip(journey.status)],
      ["Changed", (journey) => dateTime(journey.updated_at), "when"],
    ],
  },
  "journeys/contacts": {
    title: "Contacts in journeys",
    one: "contact",
    filters: [status("active", "paused", "completed", "failed", "removed"), sort("-created_at", "due_at")],
    columns: [
      ["Customer", (contact) => named(`#/jobs?customer_id=${contact.customer.id}`, contact.customer.name)],
      [
        "Journey",
        (contact) => h("a", { href: `#/journeys/contacts?journey_id=${contact.journey.id}` }, contact.journey.name),
      ],
      ["Status", (contact) => chip(contact.status)],
      ["At", (contact) => contact.node.name],
      [
        "Due",
        (contact) =>
          contact.status === "failed" ? failureOf(contact) : h("span", { class: "when" }, dateTime(contact.due_at)),
      ],
    ],
  },
};

// Why somebody goes on no more, in words.
export function failureOf({ failure }) {
  return failure ? FAILURES[failure] : "failed";
}

function titled(name, more) {
  return h("span", { class: "named" }, h("strong", {}, name), more && h("span", { class: "line-text" }, more));
}

function when(instant) {
  return instant && dateTime(instant);
}
