// Statuses look the same everywhere: a word, a shape and a colour, so that no one of the three is needed.

import { h } from "./dom.js";

const WORDS = {
  draft: "Draft",
  active: "Active",
  on_hold: "On hold",
  completed: "Completed",
  cancelled: "Cancelled",
  pending: "Waiting",
  in_progress: "In progress",
  skipped: "Skipped",
  maintenance: "Maintenance",
  inactive: "Inactive",
  reject: "Rejected pieces",
  stop: "Stop of a machine",
  hold: "Job on hold",
  low: "Low",
  normal: "Normal",
  high: "High",
  urgent: "Urgent",
  unprocessed: "Unprocessed",
  new: "New",
  contacted: "Contacted",
  qualified: "Qualified",
  won: "Won",
  lost: "Lost",
  approved: "Approved",
  rejected: "Rejected",
  changes_requested: "Changes requested",
  assign: "Assign",
  decide: "Decide",
  escalate: "Escalate",
  resubmit: "Send in again",
  scheduled: "Scheduled",
  running: "Running",
  paused: "Paused",
  email: "E-mail",
  whatsapp: "WhatsApp",
  phone: "Phone",
  sent: "Sent",
  delivered: "Delivered",
  opened: "Opened",
  clicked: "Clicked",
  converted: "Converted",
  bounced: "Bounced",
  unsubscribed: "Unsubscribed",
  archived: "Archived",
  failed: "Failed",
  removed: "Removed",
  admin: "Admin",
  manager: "Manager",
  operator: "Operator",
  overdue: "Overdue",
  firing: "Fires",
  cleared: "Over",
  silent: "Silent",
  ok: "OK",
  healthy: "Healthy",
  warning: "Warning",
  critical: "Critical",
  warn: "Warn",
  refuse: "Refuse",
  waiting: "Waiting",
  open: "Open",
  answered: "Answered",
  closed: "Closed",
  material: "Material",
  machine: "Machine",
  tool: "Tool",
  drawing: "Drawing",
  quality: "Quality",
  safety: "Safety",
  other: "Something else",
};
// Statuses shown in the style of another one, because they require the same of the reader.
const LIKE = {
  unprocessed: "pending",
  new: "draft",
  contacted: "in_progress",
  qualified: "in_progress",
  won: "completed",
  lost: "cancelled",
  approved: "completed",
  rejected: "cancelled",
  changes_requested: "on_hold",
  scheduled: "pending",
  running: "in_progress",
  paused: "on_hold",
  archived: "inactive",
  failed: "overdue",
  removed: "cancelled",
  waiting: "pending",
  sent: "in_progress",
  delivered: "in_progress",
  opened: "completed",
  clicked: "completed",
  converted: "completed",
  firing: "overdue",
  cleared: "completed",
  silent: "overdue",
  ok: "completed",
  healthy: "completed",
  warning: "on_hold",
  critical: "overdue",
  bounced: "overdue",
  unsubscribed: "cancelled",
  open: "overdue",
  answered: "on_hold",
  closed: "completed",
};
const RING = "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11Z";
const DISC = "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10Z";
const TRIANGLE = "M8 2.5 14 13H2Z";
const CROSS = "M4 4l8 8M12 4l-8 8";
const LINES = {
  draft: RING,
  pending: RING,
  completed: "M3 8.5l3.5 3.5L13 4.5",
  cancelled: CROSS,
  inactive: CROSS,
  on_hold: "M5.5 3.5v9M10.5 3.5v9",
  skipped: "M4 3.5l5 4.5-5 4.5M12 3.5v9",
  low: "M8 3v9M4 9l4 4 4-4",
  high: "M8 13V4M4 7l4-4 4 4",
};
const SHAPES = {
  active: DISC,
  in_progress: "M5 3l8 5-8 5Z",
  maintenance: TRIANGLE,
  overdue: TRIANGLE,
  urgent: TRIANGLE,
};

export function words(name) {
  return WORDS[name] ?? name;
}

export function chip(name, label = words(name)) {
  const look = LIKE[name] ?? name;
  return h("span", { class: `chip is-${look}` }, glyph(look), label);
}

export function glyph(name) {
  const filled = name in SHAPES;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", filled ? "glyph filled" : "glyph");
  path.setAttribute("d", SHAPES[name] ?? LINES[name] ?? "M8 8h0");
  svg.append(path);
  return svg;
}

// The progress of a job. The bar is an element of HTML: no inline style is needed, and it can be heard.
export function progress({ steps, done }) {
  if (!steps) return h("span", { class: "quiet" }, "No steps");
  const label = `${done} of ${steps} steps done`;
  return h(
    "span",
    { class: "progress", title: label },
    h("progress", { max: steps, value: done, "aria-label": label }),
    h("span", { "aria-hidden": "true" }, `${done}/${steps}`),
  );
}
