// The page: who is signed in, which view the address asks for, and the poll that keeps it fresh.

import { forgetAll, get, recall, write } from "./api.js";
import { board } from "./board.js";
import { byId, replace } from "./dom.js";
import { setTimeZone, day, count } from "./format.js";
import { beginFreshness, checked, forget, notChecked } from "./freshness.js";
import { job } from "./job.js";
import { LISTS } from "./columns.js";
import { list } from "./list.js";
import { announce, clearNotice, clearToasts, clearTransientNotice, problemWords, showProblem } from "./notices.js";
import { notFound } from "./not-found.js";
import { goTo, knownPlace, settle } from "./place.js";
import { Poller } from "./poller.js";
import { route } from "./router.js";
import { showSignIn } from "./sign-in.js";
import { forgetChoices } from "./status-choice.js";
import { onRelease, release } from "./steady.js";
import { writer } from "./writes.js";

let me = null;
let view = null;
let isFailing = false; // the last round of the poll
const poller = new Poller({ succeeded, failed });
const act = writer({ changed: showChanges, signedOut: () => signedOut("Your sign-in has ended. Sign in again.") });

async function begin() {
  if (!known()) return showSignIn("", signedIn);
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

// The page came to a browser without the cookie, or has let it go: there is nobody to ask about.
function known() {
  return "known" in document.body.dataset;
}

// The server was away when the page was opened: say so and come back by ourselves.
function startLater(problem) {
  replace(byId("main"), problemWords(problem));
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

function signedInAs({ role, tenant, full_name }) {
  setTimeZone(tenant.time_zone);
  byId("business").textContent = tenant.name;
  byId("records-as-of").textContent = tenant.as_of ? `Records as of ${day(tenant.as_of)}: “today” is that day.` : "";
  byId("records-as-of").hidden = !tenant.as_of;
  byId("who").textContent = full_name;
  for (const id of ["areas", "bell", "sign-out"]) byId(id).hidden = false;
  for (const link of document.querySelectorAll("[data-for]")) link.hidden = !link.dataset.for.split(" ").includes(role);
}

function signedOut(reason) {
  poller.stop();
  release();
  view?.close?.();
  me = view = null;
  forgetAll();
  forget();
  clearNotice();
  clearToasts();
  delete document.body.dataset.known;
  byId("business").textContent = byId("who").textContent = "";
  for (const id of ["areas", "bell", "sign-out", "records-as-of"]) byId(id).hidden = true;
  showSignIn(reason, signedIn);
}

// Shows what the address says: at once what was last read of it, then what is read now.
async function open() {
  const { area, id, query } = route();
  const shop = { me, act };
  release();
  forgetChoices();
  view?.close?.();
  const listed = id ? `${area}/${id}` : area;
  if (Object.hasOwn(LISTS, listed)) view = list(listed, query, shop);
  else if (area === "jobs" && id) view = job(id, shop);
  else if (area === "" && !id) view = board(shop);
  else view = notFound();
  view.place = `${area}/${id}`;
  for (const link of document.querySelectorAll("#areas a")) {
    const isHere = link.hash.replace("#/", "") === area;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  replace(byId("main"), view.element);
  clearNotice();
  await showLast(view);
  poller.start(load);
}

async function load(signal) {
  const read = (path) => get(path, signal);
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
  if (problem.isSignedOut) signedOut("Your sign-in has ended. Sign in again.");
  else notChecked(problem, nextAt, view.lastGood);
  // What is no answer of the server is a fault of this page: let it be seen where such things are looked for.
  if (problem.status === undefined) console.error(problem);
}

// What a write changed is shown at once, not only at the next poll.
function showChanges() {
  view?.changed?.();
  return poller.now();
}

byId("sign-out").addEventListener("click", async () => {
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
  const before = view.place;
  const place = knownPlace();
  await open();
  // The same list narrowed otherwise: whoever set a filter goes on from there.
  if (view.place !== before || place !== null) goTo(place ?? 0);
  if (view.place === before) return;
  byId("main").focus({ preventScroll: true });
  announce(view.title);
});
onRelease(() => me && showChanges());
beginFreshness();
begin();
