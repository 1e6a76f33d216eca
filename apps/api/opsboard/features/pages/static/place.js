// The scroll position of each entry of the history, so that Back, Forward and a reload return to the same place.

const PAUSE = 100; // ms without scrolling before the place is noted

let timer = 0;
let wanted = null; // where to scroll as soon as the page is long enough

history.scrollRestoration = "manual"; // the browser tries before there is anything to scroll

// The history entry that is shown; null for a new one.
export function knownPlace() {
  return history.state?.scroll ?? null;
}

export function goTo(place) {
  clearTimeout(timer);
  wanted = place;
  hold("none"); // what is still drawn above the place must not move it
  scrollTo(0, place);
  if (Math.abs(scrollY - place) <= 1) wanted = null;
}

// Called when all of the view is there: if it is shorter now, its end has to do.
export function settle() {
  if (wanted !== null) scrollTo(0, wanted);
  wanted = null;
  hold("");
}

function hold(anchor) {
  document.documentElement.style.overflowAnchor = anchor;
}

function note() {
  clearTimeout(timer);
  if (wanted === null) history.replaceState({ ...history.state, scroll: scrollY }, "");
}

function giveUp() {
  wanted = null; // somebody scrolls: they know better
}

addEventListener(
  "scroll",
  () => {
    clearTimeout(timer);
    timer = setTimeout(note, PAUSE);
  },
  { passive: true },
);
addEventListener("popstate", () => clearTimeout(timer)); // the place is that of the entry before
addEventListener("click", note, true);
addEventListener("pagehide", note);
for (const event of ["wheel", "touchmove", "keydown"]) addEventListener(event, giveUp, { passive: true });
