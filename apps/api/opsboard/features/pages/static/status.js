// The page a customer sees: moments in their own time zone, and what is new while it is in sight. It is whole without
// this. A check that finds nothing new is a 304.

const INTERVAL = 30_000; // ms
const LONGEST = 300_000;

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

let etag = null;
let timer = 0;
let failures = 0;
let checkedAt = new Date();
let isAsking = false;

function showMoments() {
  for (const element of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time[datetime*=T]"))) {
    element.textContent = moment.format(new Date(element.dateTime));
  }
  const words = document.getElementById("renewal");
  if (words) words.textContent = "This page is updated by itself.";
}

async function check() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    const response = await fetch(location.href, {
      headers: etag ? { "If-None-Match": etag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(15_000),
    });
    if (response.status >= 500 || response.status === 429) throw new Error(response.statusText);
    if (response.status !== 304) show(await response.text());
    etag = response.headers.get("ETag") ?? etag;
    succeeded(response.status);
  } catch {
    failed();
  } finally {
    isAsking = false;
  }
  plan();
}

// The answer is a page of ours, also when the link has ended.
function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  const before = document.querySelector("main");
  const after = document.adoptNode(next.querySelector("main"));
  if (after.dataset.of !== before.dataset.of) {
    before.replaceWith(after);
    document.title = next.title;
    showMoments();
  }
}

function succeeded(status) {
  failures = 0;
  checkedAt = new Date();
  document.getElementById("stale")?.remove();
  if (status === 404 || status === 410) stop();
}

// The last known numbers are shown with their age.
function failed() {
  failures += 1;
  const main = document.querySelector("main");
  const words =
    document.getElementById("stale") ?? Object.assign(document.createElement("p"), { id: "stale", className: "stale" });
  words.setAttribute("role", "status");
  if (!words.isConnected) main.append(words);
  words.textContent = `The page could not be updated. It shows what was known at ${clock.format(checkedAt)}.`;
}

function plan() {
  clearTimeout(timer);
  if (document.hidden || etag === "gone") return;
  const wait = Math.min(LONGEST, INTERVAL * 2 ** failures);
  timer = setTimeout(check, wait * (0.9 + Math.random() * 0.2));
}

// A link that has ended does not begin again.
function stop() {
  etag = "gone";
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (etag !== "gone") check();
});
showMoments();
if (document.getElementById("renewal")) plan();
