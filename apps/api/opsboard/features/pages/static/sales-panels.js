// The board's lists of leads, approvals, campaigns and journeys: what somebody has to do next.

import { chip, words } from "./chips.js";
import { h } from "./dom.js";
import { age, nearTime, number } from "./format.js";
import { show } from "./panels.js";
import { failureOf } from "./sales-columns.js";

export function showQueue(section, leads, { leads: counts }) {
  show(
    section,
    counts.links.unprocessed,
    `All ${number(counts.unprocessed)}`,
    "No lead waits to be processed.",
    leads,
    (lead) => [
      line(lead.name, [lead.source, lead.category].filter(Boolean).join(" · ") || lead.email),
      h(
        "span",
        { class: "line-side" },
        lead.claimed_by && h("span", {}, lead.claimed_by.name),
        h("span", { class: "quiet" }, nearTime(lead.created_at)),
      ),
    ],
  );
}

export function showDecisions(section, approvals, { approvals: counts }) {
  show(
    section,
    counts.links.pending,
    `All ${number(counts.pending)}`,
    "No request waits for a decision.",
    approvals,
    (approval) => [
      line(approval.subject, approval.lead?.name),
      h(
        "span",
        { class: "line-side" },
        h(
          "span",
          { class: approval.queue_entry?.is_overdue ? "late" : "" },
          `${age(approval.age_hours)}${approval.queue_entry?.is_overdue ? ", overdue" : ""}`,
        ),
        h("span", { class: "quiet" }, approval.queue_entry?.assigned_user?.name ?? words(approval.next_action)),
      ),
    ],
  );
}

export function showSending(section, campaigns, { campaigns: counts }) {
  show(
    section,
    counts.links.active,
    `All ${number(counts.active)}`,
    "No campaign is scheduled or running.",
    campaigns,
    (campaign) => [
      line(campaign.name, words(campaign.channel)),
      h(
        "span",
        { class: "line-side" },
        chip(campaign.status),
        h("span", { class: "quiet" }, nearTime(campaign.started_at ?? campaign.scheduled_at ?? campaign.created_at)),
      ),
    ],
  );
}

export function showStuck(section, contacts, { journeys: counts }) {
  show(
    section,
    counts.links.failed,
    `All ${number(counts.failed)}`,
    "Nobody has failed in a journey.",
    contacts,
    (contact) => [
      line(contact.customer.name, contact.journey.name),
      h(
        "span",
        { class: "line-side" },
        h("span", { class: "late" }, failureOf(contact)),
        h("span", { class: "quiet" }, `at ${contact.node.name}`),
      ),
    ],
  );
}

// There is no page of one of them: its list says all.
function line(name, text) {
  return h(
    "span",
    { class: "line-main" },
    h("span", { class: "job-number" }, name),
    text && h("span", { class: "line-text" }, text),
  );
}
