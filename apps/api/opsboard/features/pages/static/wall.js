// The page /wall: for a screen that nobody touches. Areas take turns, an outage frames the whole screen, and a new version is
// loaded by itself. `#areas=jobs,late&seconds=30` chooses the areas and how long each is shown; `token=` is that of a link.

import { get, useToken } from "./api.js";
import { glyph, words } from "./chips.js";
import { byId, h, replace } from "./dom.js";
import { count, nearTime, number, setTimeZone, setToday } from "./format.js";
import { beginFreshness, checked, counted, forget, notChecked } from "./freshness.js";
import { stopWords } from "./late.js";
import { Poller } from "./poller.js";

const SECONDS = 20;
const RETRY = 5_000; // ms
const VERSION_EACH = 12; // rounds of the poll: a minute
const TOKEN = "wall-token";

const AREAS = {
  jobs: {
    title: "Jobs",
    render: ({ jobs }) => [
      figures(jobs, ["active", "due_today", "overdue"]),
      figures(jobs, ["on_hold", "draft", "completed", "total"]),
    ],
  },
  late: {
    title: "Overdue",
    render: ({ late }) =>
      rows(
        late.map((job) =>
          h(
            "li",
            { class: "is-overdue" },
            h("span", {}, h("strong", {}, job.job_number), job.title),
            h("span", { class: "late" }, `${count(job.days_late, "day")} late`),
          ),
        ),
        "Nothing is overdue.",
      ),
  },
  machines: {
    title: "Machines",
    render: ({ machines }) =>
      h(
        "ul",
        { class: "wall-tiles" },
        machines.map((machine) =>
          h(
            "li",
            { class: `is-${machine.status}` },
            h("strong", {}, machine.name),
            h("span", {}, glyph(machine.status), ` ${words(machine.status)}`),
            h("span", { class: "quiet" }, `${number(machine.in_progress)} on · ${number(machine.pending)} waiting`),
            machine.stop && h("span", { class: "late" }, stopWords(machine.stop)),
          ),
        ),
      ),
  },
  sell: {
    title: "Leads and approvals",
    render: ({ leads, approvals }) => [
      figures(leads, ["unprocessed", "in_progress", "new_today"]),
      figures(approvals, ["pending", "changes_requested", "decided_today"]),
      approvals.oldest_pending_at &&
        h("p", { class: "wall-words" }, `The oldest request waits since ${nearTime(approvals.oldest_pending_at)}.`),
    ],
  },
};
const LABELS = {
  active: "Active",
  due_today: "Due today",
  overdue: "Overdue",
  on_hold: "On hold",
  draft: "Draft",
  completed: "Completed",
  total: "All jobs",
  unprocessed: "Leads to process",
  in_progress: "Leads in progress",
  new_today: "New leads today",
  pending: "Approvals waiting",
  changes_requested: "Returned",
  decided_today: "Decided today",
};

const chosen = new URLSearchParams(location.hash.slice(1));
const token = tokenOfLink();
const names = (chosen.get("areas") ?? "").split(",").filter((name) => Object.hasOwn(AREAS, name));
const path = `/api/wall${names.length ? `?areas=${names.join(",")}` : ""}`;
const seconds = Math.max(5, Number(chosen.get("seconds")) || SECONDS);
const poller = new Poller({ succeeded, failed });
let shown = [];
let sections = [];
let turn = 0;
let lastGood = null;
let rounds = 0;
let version = null;
let drawn = null;

// A link has its token behind #. It is taken out of the address, which people in the hall can read, and kept for as long as
// the tab is open, so that the screen can load itself again.
function tokenOfLink() {
  const sent = chosen.get("token");
  if (sent) {
    sessionStorage.setItem(TOKEN, sent);
    chosen.delete("token");
    history.replaceState(null, "", `#${chosen}`);
  }
  return sessionStorage.getItem(TOKEN);
}

async function begin() {
  if (token) useToken(token);
  let wall;
  try {
    wall = await get(path);
  } catch (problem) {
    if (problem.isSignedOut) return signedOut();
    say(`${problem.message} This screen tries again by itself.`);
    return setTimeout(begin, RETRY);
  }
  setTimeZone(wall.business.time_zone);
  setToday(wall.business.as_of);
  byId("business").textContent = wall.business.name;
  version = await versionNow().catch(() => null);
  shown = names.length ? names : wall.areas;
  sections = shown.map((name) =>
    h("section", { class: `wall-area is-${name}`, "aria-label": AREAS[name].title, hidden: true }),
  );
  replace(byId("main"), sections);
  show();
  return poller.start(load);
}

async function load(signal) {
  const wall = await get(path, signal);
  counted(wall.as_of);
  if (wall === drawn) return;
  drawn = wall;
  for (const [index, name] of shown.entries()) replace(sections[index], AREAS[name].render(wall));
}

function succeeded() {
  lastGood = Date.now();
  checked();
  rounds += 1;
  if (rounds % VERSION_EACH === 0) reloadIfNew();
}

function failed(problem, nextAt) {
  if (problem.isSignedOut) return signedOut();
  return notChecked(problem, nextAt, lastGood);
}

// The sign-in or the link was ended: nothing of the business may be seen here any more.
function signedOut() {
  poller.stop();
  forget();
  sessionStorage.removeItem(TOKEN);
  if (token) return say("The link of this screen has ended. An admin makes a new one under “Your account”.");
  return say("Nobody is signed in on this screen.", h("a", { href: "/" }, "Sign in"));
}

function say(text, ...more) {
  replace(byId("main"), h("div", { class: "wall-words" }, h("p", {}, text), more));
}

// The page's ETag is another one after a deploy; before, the server must answer, or the reload would show nothing.
async function reloadIfNew() {
  const now = await versionNow().catch(() => null);
  if (now !== null && version !== null && now !== version) location.reload();
  version ??= now;
}

async function versionNow() {
  const answer = await fetch("/wall", { method: "HEAD", cache: "no-store" });
  return answer.ok ? answer.headers.get("ETag") : null;
}

function show() {
  for (const [index, section] of sections.entries()) section.hidden = index !== turn % sections.length;
  byId("title").textContent = AREAS[shown[turn % sections.length]].title;
}

function figures(counts, members) {
  const texts = members.map((member) => number(counts[member]));
  const element = h(
    "div",
    { class: "wall-figures" },
    members.map((member, index) =>
      h(
        "div",
        { class: `wall-figure is-${kindOf(member)}${counts[member] ? "" : " is-zero"}` },
        h("span", { class: "value", "data-wall": member }, texts[index]),
        h("span", { class: "label" }, LABELS[member]),
      ),
    ),
  );
  element.style.setProperty("--figures", String(members.length));
  element.style.setProperty("--characters", String(Math.max(2, ...texts.map((text) => text.length))));
  return element;
}

function kindOf(member) {
  return (
    {
      due_today: "due",
      unprocessed: "pending",
      new_today: "active",
      changes_requested: "on_hold",
      decided_today: "completed",
    }[member] ?? member
  );
}

function rows(items, nothing) {
  return items.length ? h("ul", { class: "wall-rows" }, items) : h("p", { class: "wall-words" }, nothing);
}

beginFreshness();
addEventListener("hashchange", () => location.reload());
setInterval(() => {
  turn += 1;
  if (lastGood !== null) show();
}, seconds * 1000);
begin();
