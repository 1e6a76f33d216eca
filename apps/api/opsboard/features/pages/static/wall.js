// The page /wall: for a screen that nobody touches. Areas take turns, an outage frames the whole screen, and a new version is
// loaded by itself. `#areas=jobs,late&seconds=30` chooses the areas and how long each is shown.

import { gather, get } from "./api.js";
import { glyph, words } from "./chips.js";
import { byId, h, replace } from "./dom.js";
import { count, daysLate, nearTime, number, setTimeZone, setToday } from "./format.js";
import { beginFreshness, checked, counted, forget, notChecked } from "./freshness.js";
import { stopWords } from "./late.js";
import { Poller } from "./poller.js";

const SECONDS = 20;
const RETRY = 5_000; // ms
const VERSION_EACH = 12; // rounds of the poll: a minute
const ROWS = 8;
const TILES = 24;

const AREAS = {
  jobs: { title: "Jobs", paths: [], render: (stats) => [
    figures(stats.jobs, ["active", "due_today", "overdue"]), figures(stats.jobs, ["on_hold", "draft", "completed", "total"])] },
  late: { title: "Overdue", paths: [`/api/jobs?overdue=true&sort=due_date&page_size=${ROWS}&cursor=`], render: (stats, jobs) => rows(jobs.items.map((job) =>
    h("li", { class: "is-overdue" }, h("span", {}, h("strong", {}, job.job_number), job.title), h("span", { class: "late" }, `${count(daysLate(job.due_date, stats.today), "day")} late`))),
  "Nothing is overdue.") },
  machines: { title: "Machines", paths: ["/api/machines?page_size=100&cursor="], render: (_stats, machines) => h("ul", { class: "wall-tiles" }, byNeed(machines.items).map((machine) =>
    h("li", { class: `is-${machine.status}` }, h("strong", {}, machine.name), h("span", {}, glyph(machine.status), ` ${words(machine.status)}`),
      h("span", { class: "quiet" }, `${number(machine.load.in_progress)} on · ${number(machine.load.pending)} waiting`),
      machine.stop && h("span", { class: "late" }, stopWords(machine.stop))))) },
  sell: { title: "Leads and approvals", paths: [], render: (stats) => [
    stats.leads && figures(stats.leads, ["unprocessed", "in_progress", "new_today"]), stats.approvals && figures(stats.approvals, ["pending", "changes_requested", "decided_today"]),
    stats.approvals?.oldest_pending_at && h("p", { class: "wall-words" }, `The oldest request waits since ${nearTime(stats.approvals.oldest_pending_at)}.`)] },
};
const LABELS = { active: "Active", due_today: "Due today", overdue: "Overdue", on_hold: "On hold", draft: "Draft", completed: "Completed", total: "All jobs", unprocessed: "Leads to process",
  in_progress: "Leads in progress", new_today: "New leads today", pending: "Approvals waiting", changes_requested: "Returned", decided_today: "Decided today" };

const chosen = new URLSearchParams(location.hash.slice(1));
const names = (chosen.get("areas") ?? "").split(",").filter((name) => Object.hasOwn(AREAS, name));
const shown = names.length ? names : Object.keys(AREAS);
const seconds = Math.max(5, Number(chosen.get("seconds")) || SECONDS);
const sections = shown.map((name) => h("section", { class: `wall-area is-${name}`, "aria-label": AREAS[name].title, hidden: true }));
const poller = new Poller({ succeeded, failed });
let turn = 0;
let lastGood = null;
let rounds = 0;
let version = null;
let drawn = [];

async function begin() {
  let me;
  try {
    me = await get("/api/auth/me");
  } catch (problem) {
    if (problem.isSignedOut) return signedOut();
    say(`${problem.message} This screen tries again by itself.`);
    return setTimeout(begin, RETRY);
  }
  setTimeZone(me.tenant.time_zone);
  setToday(me.tenant.as_of);
  byId("business").textContent = me.tenant.name;
  version = await versionNow().catch(() => null);
  replace(byId("main"), sections);
  show();
  return poller.start(load);
}

async function load(signal) {
  const read = gather(signal);
  const paths = ["/api/dashboard/stats", ...shown.flatMap((name) => AREAS[name].paths)];
  const [stats, ...answers] = await Promise.all(paths.map((path) => read(path)));
  counted(stats.as_of);
  if (answers.every((answer, index) => answer === drawn[index + 1]) && stats === drawn[0]) return;
  drawn = [stats, ...answers];
  for (const [index, name] of shown.entries()) {
    const own = AREAS[name].paths.map(() => answers.shift());
    replace(sections[index], AREAS[name].render(stats, ...own));
  }
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

// The sign-in was ended: nothing of the business may be seen here any more.
function signedOut() {
  poller.stop();
  forget();
  say("Nobody is signed in on this screen.", h("a", { href: "/" }, "Sign in"));
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
  const element = h("div", { class: "wall-figures" }, members.map((member, index) => h("div", { class: `wall-figure is-${kindOf(member)}${counts[member] ? "" : " is-zero"}` },
    h("span", { class: "value", "data-wall": member }, texts[index]), h("span", { class: "label" }, LABELS[member]))));
  element.style.setProperty("--figures", String(members.length));
  element.style.setProperty("--characters", String(Math.max(2, ...texts.map((text) => text.length))));
  return element;
}

function kindOf(member) {
  return { due_today: "due", unprocessed: "pending", new_today: "active", changes_requested: "on_hold", decided_today: "completed" }[member] ?? member;
}

function rows(items, nothing) {
  return items.length ? h("ul", { class: "wall-rows" }, items) : h("p", { class: "wall-words" }, nothing);
}

// Those that stand still first.
function byNeed(machines) {
  const order = ["maintenance", "active", "inactive"];
  return [...machines].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status) || b.load.pending - a.load.pending).slice(0, TILES);
}

beginFreshness();
setInterval(() => {
  turn += 1;
  if (lastGood !== null) show();
}, seconds * 1000);
begin();
