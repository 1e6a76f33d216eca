// Labels of filters and sort orders.

import { words } from "./chips.js";

const LABELS = {
  q: "The search",
  status: "Status",
  priority: "Priority",
  role: "Role",
  sort: "The sort order",
  page_size: "The number of rows",
  page: "The page number",
  cursor: "The page",
  mine: "Only mine",
  overdue: "Overdue",
  due_today: "Due today",
  created_today: "Entered today",
  completed_today: "Completed today",
  decided_today: "Decided today",
  unread: "Only unread",
  waiting: "Can be worked on",
  assignee_inactive: "Of inactive people",
  is_active: "Only active",
  archived: "Archived",
  source: "Source",
  category: "Category",
  customer_id: "Customer",
  machine_id: "Machine",
  process_id: "Process",
  job_id: "Job",
  assigned_user_id: "Person",
  lead_id: "Lead",
  user_id: "Person",
  entity: "Kind",
  entity_id: "Record",
  campaign_id: "Campaign",
  journey_id: "Journey",
  approval_id: "Approval",
  webhook_id: "Webhook",
};
const EVENTS = {
  created: "Added",
  due: "Due",
  completed: "Completed",
  started: "Started",
  scraped: "Found",
  decided: "Decided",
};
// By which list an id is given a name, and by which member of it.
export const NAMED_BY = {
  customer_id: ["customers", "name"],
  machine_id: ["machines", "name"],
  process_id: ["processes", "name"],
  job_id: ["jobs", "job_number"],
  assigned_user_id: ["users", "full_name"],
  user_id: ["users", "full_name"],
  lead_id: ["leads", "name"],
  campaign_id: ["campaigns", "name"],
  journey_id: ["journeys", "name"],
  webhook_id: ["webhooks", "url"],
};

/** Whether a value of an address is an id; nothing else has a name to be asked for. */
export function isId(value) {
  return /^\d+$/.test(value ?? "");
}

const SORTED = {
  created_at: "Added",
  updated_at: "Changed",
  started_at: "Started",
  completed_at: "Completed",
  scraped_at: "Found",
  decided_at: "Decided",
  due_date: "Due date",
  due_at: "Due",
  job_number: "Job number",
  name: "Name",
};

// "created_from" -> "Added from"; a name that nobody foresaw is told as it is, without underscores.
export function filterLabel(name) {
  const [, event, end] = name.match(/^(\w+)_(from|to)$/) ?? [];
  if (EVENTS[event]) return `${EVENTS[event]} ${end === "from" ? "from" : "until"}`;
  const plain = name.replaceAll("_", " ");
  return LABELS[name] ?? plain[0].toUpperCase() + plain.slice(1);
}

// All orders in one style: what is sorted by, then what comes first.
export function sortWords(value) {
  const name = value.replace("-", "");
  const isDown = value.startsWith("-");
  if (name.startsWith("due_")) return `${SORTED[name]}, ${isDown ? "latest" : "earliest"} first`;
  if (name.endsWith("_at")) return `${SORTED[name] ?? name}, ${isDown ? "newest" : "oldest"} first`;
  return `${SORTED[name] ?? name}, ${isDown ? "Z to A" : "A to Z"}`;
}

// "Draft, active or on hold"
export function oneOf(names) {
  const all = names.map((name, index) => (index ? words(name).toLowerCase() : words(name)));
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

// A sentence for what is listed: "My steps that are in progress or waiting".
export function titleOf({ title }, query) {
  const has = (name) => Boolean(query.get(name));
  const before = [
    has("archived") && "archived",
    has("mine") && "my",
    has("unread") && "unread",
    has("overdue") && "overdue",
  ].filter(Boolean);
  const after = [
    ["due_today", "due today"],
    ["created_today", "entered today"],
    ["decided_today", "decided today"],
    ["completed_today", "completed today"],
  ]
    .filter(([name]) => has(name))
    .map(([, phrase]) => phrase);
  const statuses = (query.get("status") ?? "").split(",").filter((status) => words(status) !== status);
  const isAlone = statuses.length === 1 && !before.length && !after.length;
  // More than a few are no title; the filter says them.
  if (isAlone && ["on_hold", "in_progress"].includes(statuses[0])) after.push(words(statuses[0]).toLowerCase());
  else if (isAlone && statuses[0] === "changes_requested") after.push("with changes requested");
  else if (isAlone) before.push(words(statuses[0]).toLowerCase());
  else if (statuses.length && statuses.length <= 3) after.unshift(`that are ${oneOf(statuses).toLowerCase()}`);
  const sentence = [...before, before.length ? title.toLowerCase() : title, ...after].join(" ");
  return sentence[0].toUpperCase() + sentence.slice(1);
}
