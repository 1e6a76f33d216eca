// The page: who is signed in, which view the address asks for, and the poll that keeps it fresh.

import { forgetAll, get, write } from "./api.js";
import { board } from "./board.js";
import { byId, replace } from "./dom.js";
import { setTimeZone, day, count } from "./format.js";
import { beginFreshness, checked, forget, notChecked } from "./freshness.js";
import { job } from "./job.js";
import { LISTS } from "./columns.js";
import { list } from "./list.js";
import { announce, clearNotice, problemWords, showProblem } from "./notices.js";
import { Poller } from "./poller.js";
import { route } from "./router.js";
import { showSignIn } from "./sign-in.js";

let me = null;
let view = null;
const poller = new Poller({ succeeded, failed });

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
  open();
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
  if (me) byId("main").focus();
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
  view?.close?.();
  me = view = null;
  forgetAll();
  forget();
  clearNotice();
  delete document.body.dataset.known;
  byId("business").textContent = byId("who").textContent = "";
  for (const id of ["areas", "bell", "sign-out", "records-as-of"]) byId(id).hidden = true;
  showSignIn(reason, signedIn);
}

// Shows what the address says.
function open() {
  const { area, id, query } = route();
  const shop = { me, act };
  view?.close?.();
  const listed = id ? `${area}/${id}` : area;
  if (Object.hasOwn(LISTS, listed)) view = list(listed, query, shop);
  else if (area === "jobs" && id) view = job(id, shop);
  else view = board(shop);
  view.place = `${area}/${id}`;
  for (const link of document.querySelectorAll("#areas a")) {
    const isHere = link.hash.replace("#/", "") === area;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  replace(byId("main"), view.element);
  clearNotice();
  poller.start(load);
}

async function load(signal) {
  await Promise.all([view.load(signal), loadUnread(signal)]);
}

async function loadUnread(signal) {
  const { unread } = await get("/api/notifications/unread", signal);
  byId("unread").textContent = unread ? (unread > 99 ? "99+" : String(unread)) : "";
  byId("bell").setAttribute("aria-label", unread ? count(unread, "unread notification") : "No unread notifications");
}

function succeeded() {
  document.title = `${view.title} · ${me.tenant.name}`;
  checked();
}

function failed(problem, nextAt) {
  if (problem.isSignedOut) signedOut("Your sign-in has ended. Sign in again.");
  else notChecked(problem, nextAt);
  // What is no answer of the server is a fault of this page: let it be seen where such things are looked for.
  if (problem.status === undefined) console.error(problem);
}

// A write by a button: it cannot be pressed twice, a refusal is told in words, and what changed is shown at once.
async function act(button, method, path, content, done) {
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await write(method, path, content);
    clearNotice();
    announce(done);
  } catch (problem) {
    if (problem.isSignedOut) return signedOut("Your sign-in has ended. Sign in again.");
    showProblem(problem);
  } finally {
    button.ariaDisabled = null;
  }
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
addEventListener("hashchange", () => {
  if (!me) return;
  const before = view.place;
  open();
  // The same list narrowed otherwise: whoever set a filter goes on from there.
  if (view.place === before) return;
  scrollTo(0, 0);
  byId("main").focus({ preventScroll: true });
  announce(view.title);
});
beginFreshness();
begin();
