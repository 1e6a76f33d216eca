// The page: who is signed in, which view the address asks for, and the poll that keeps it fresh.

import { forgetAll, gather, get, recall, write } from "./api.js";
import { board } from "./board.js";
import { byId, h, replace } from "./dom.js";
import { dropAllDrafts } from "./drafts.js";
import { setTimeZone, setToday, day, count } from "./format.js";
import { beginFreshness, checked, forget, notChecked } from "./freshness.js";
import { job } from "./job.js";
import { LISTS } from "./columns.js";
import { lazy } from "./lazy.js";
import { list } from "./list.js";
import { hideMenu, markPlace, showMenu } from "./nav.js";
import { announce, clearNotice, clearToasts, clearTransientNotice, problemWords, showProblem } from "./notices.js";
import { notFound } from "./not-found.js";
import { pageAt } from "./pages.js";
import { goTo, knownPlace, settle } from "./place.js";
import { Poller } from "./poller.js";
import { route } from "./router.js";
import { askSignInAgain, showSignIn } from "./sign-in.js";
import { forgetChoices } from "./status-choice.js";
import { onRelease, pressEnded, release } from "./steady.js";
import { workQueue } from "./work-queue.js";
import { writer } from "./writes.js";

let me = null;
let view = null;
let queue = null; // writes of the terminal that the server has not answered yet
let isFailing = false; // the last round of the poll
const poller = new Poller({ succeeded, failed });
const act = writer({ changed: showChanges, signedOut: sessionEnded });
let hasCome = false; // from another view of this page to the present one
const FORM = /^(?:new|([1-9][0-9]*)\/edit)$/;
const WITH_PAGES = ["customers", "contacts", "leads", "documents", "machines", "processes", "routings"];
const WITH_FORMS = [
  "jobs",
  "job-steps",
  "machines",
  "processes",
  "routings",
  "reasons",
  "working-hours",
  "holidays",
  "customers",
  "contacts",
  "leads",
  "users",
];

async function begin() {
  if (!known() && !isScan(route().query)) return showSignIn("", signedIn);
  try {
    me = await get("/api/auth/me");
  } catch (problem) {
    if (problem.isSignedOut) showSignIn("", signedIn);
    else startLater(problem);
    return;
  }
  signedInAs(me);
  await open();
  goTo(knownPlace() ?? 0);
}

// A code of a traveller. A browser that was opened by a camera may keep the cookie back when it asks for the page.
function isScan(query) {
  return query.has("step") || query.has("job");
}

// The page came to a browser without the cookie, or has let it go: there is nobody to ask about.
function known() {
  return "known" in document.body.dataset;
}

// The server was away when the page was opened: say so and come back by ourselves.
function startLater(problem) {
  replace(
    byId("main"),
    problemWords(problem),
    h("p", { class: "quiet" }, "It is tried again every 5 seconds; nothing needs to be done here."),
  );
  setTimeout(begin, 5000);
}

async function signedIn() {
  forgetAll();
  document.body.dataset.known = "";
  await begin();
  if (!me) return;
  byId("main").focus({ preventScroll: true });
  goTo(0);
}

function signedInAs(person) {
  queue = workQueue(person);
  showPerson(person);
}

function showPerson({ role, runs_service: runsService, tenant, full_name }) {
  setTimeZone(tenant.time_zone);
  setToday(tenant.as_of);
  byId("business").textContent = tenant.name;
  byId("records-as-of").textContent = tenant.as_of ? `Records as of ${day(tenant.as_of)}: “today” is that day.` : "";
  byId("records-as-of").hidden = !tenant.as_of;
  byId("who").textContent = full_name;
  byId("who").title = `Signed in as ${full_name}, ${role}`;
  byId("who").hidden = false;
  byId("who").dataset.role = role;
  for (const id of ["search", "bell", "sign-out"]) byId(id).hidden = false;
  showMenu(role, runsService);
}

// The sign-in ended by itself: the view stays behind a dialog, with all that was typed into it.
function sessionEnded() {
  if (!me || document.querySelector(".sign-in-again")) return;
  poller.stop();
  askSignInAgain("Your sign-in has ended. Sign in again.", me.email, signedInAgain);
}

// Gives true when the same person is back; what another may not see is dropped.
async function signedInAgain() {
  const now = await get("/api/auth/me");
  const isSame = now.id === me.id && now.tenant.id === me.tenant.id && now.role === me.role;
  if (isSame) {
    view.changed?.();
    clearNotice();
    poller.start(load);
    return;
  }
  forgetPerson();
  await signedIn();
}

function signedOut(reason) {
  forgetPerson();
  delete document.body.dataset.known;
  for (const id of ["search", "bell", "sign-out", "records-as-of", "who"]) byId(id).hidden = true;
  hideMenu();
  showSignIn(reason, signedIn);
}

function forgetPerson() {
  poller.stop();
  release();
  me = view = queue = null;
  forgetAll();
  forget();
  clearNotice();
  clearToasts();
  dropAllDrafts();
  byId("business").textContent = byId("who").textContent = "";
}

// Shows what the address says: at once what was last read of it, then what is read now.
async function open() {
  const { area, id, query } = route();
  const renamed = (person) => {
    me = person;
    showPerson(me);
  };
  const context = { me, act, queue, cameFrom: () => hasCome, refresh: showChanges, renamed };
  release();
  forgetChoices();
  const listed = id ? `${area}/${id}` : area;
  const form = WITH_FORMS.includes(area) && id.match(FORM);
  if (form) view = formOf(area, form[1] ?? null, context);
  else if (area === "jobs" && /^[1-9][0-9]*\/steps$/.test(id))
    view = lazy("Steps", async () => (await import("./add-steps.js")).addSteps(parseInt(id, 10), context));
  else if (listed === "work" && (!query.size || isScan(query)))
    view = lazy("My work", async () => (await import("./work.js")).work(context, query));
  else if (Object.hasOwn(LISTS, listed)) view = list(listed, query, context);
  else if (area === "jobs" && id) view = job(id, context);
  else if (WITH_PAGES.includes(area) && /^[1-9][0-9]*$/.test(id)) view = pageOfRecord(area, id, context);
  else if (area === "users" && /^[1-9][0-9]*$/.test(id))
    view = lazy("Person", async () => (await import("./user.js")).user(id, context));
  else if (area === "duplicates")
    view = lazy("Duplicates", async () => (await import("./merges.js")).duplicatesAt(id, query, context));
  else if (pageAt(listed)) view = lazy(pageAt(listed).title, () => pageAt(listed).open(context, id));
  else if (area === "" && !id) view = board(context);
  else view = notFound();
  view.place = `${area}/${id}`;
  markPlace(area);
  replace(byId("main"), view.element);
  clearNotice();
  await showLast(view);
  poller.start(load);
}

function pageOfRecord(area, id, context) {
  return lazy("Record", async () => (await import("./record-page.js")).recordPage(area, id, context));
}

function formOf(area, id, context) {
  return lazy("Form", async () => (await import("./record.js")).record(area, id, context));
}

async function load(signal) {
  // Nothing is awaited when nothing waits: meanwhile another view may be opened, and this round is over then.
  if (queue?.entries().length) {
    await queue.flush();
    signal.throwIfAborted();
  }
  const ask = view.isGathered ? gather(signal) : (path) => get(path, signal);
  const read = async (path) => {
    const data = await ask(path);
    await pressEnded();
    signal.throwIfAborted();
    return data;
  };
  await Promise.all([view.load(read), loadUnread(read)]);
}

// Without the server too, a view shows what it was last known to show.
async function showLast(view) {
  view.lastGood = null;
  const read = async (path) => {
    const { data, at } = recall(path); // throws for what is not kept: the rest is read now
    view.lastGood = Math.min(view.lastGood ?? at, at);
    return data;
  };
  await view.load(read).catch(() => {});
}

async function loadUnread(read) {
  const { unread } = await read("/api/notifications/unread");
  byId("unread").textContent = unread ? (unread > 99 ? "99+" : String(unread)) : "";
  byId("bell").setAttribute("aria-label", unread ? count(unread, "unread notification") : "No unread notifications");
}

function succeeded() {
  document.title = `${view.title} · ${me.tenant.name}`;
  view.lastGood = Date.now();
  checked();
  settle();
  if (isFailing) clearTransientNotice();
  isFailing = false;
}

function failed(problem, nextAt) {
  isFailing = true;
  if (problem.isSignedOut) sessionEnded();
  else notChecked(problem, nextAt, view.lastGood);
  // An error that is no answer of the server is a fault of this page: report it in the console.
  if (problem.status === undefined) console.error(problem);
}

// Changes of a write are shown at once, not only at the next poll.
function showChanges() {
  view?.changed?.();
  return poller.now();
}

// The search comes to the browser when it is first opened.
async function search() {
  if (!me || document.querySelector("dialog[open]")) return;
  (await import("./search.js")).openSearch();
}

byId("search").addEventListener("click", search);
addEventListener("keydown", (event) => {
  const isTyping = /** @type {Element} */ (event.target).closest?.("input, textarea, select, [contenteditable]");
  const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!me || !(isSlash || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k"))) return;
  event.preventDefault();
  search();
});
document.addEventListener("click", async ({ target }) => {
  if (!me || !(/** @type {Element} */ (target).closest("[data-sign-out]"))) return;
  try {
    await write("POST", "/api/auth/logout");
  } catch (problem) {
    if (!problem.isSignedOut) return showProblem(problem);
  }
  signedOut("You have signed out.");
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the view's
  byId("main").focus();
});
addEventListener("hashchange", async () => {
  if (!me) return;
  hasCome = true;
  const before = view.place;
  const place = knownPlace();
  await open();
  // The same list with another filter: keep the focus where the user set it.
  if (view.place !== before || place !== null) goTo(place ?? 0);
  if (view.place === before) return;
  // A form puts the focus into its first field itself.
  if (!view.element.contains(document.activeElement)) byId("main").focus({ preventScroll: true });
  announce(view.title);
});
onRelease(() => me && showChanges());
beginFreshness();
begin();
