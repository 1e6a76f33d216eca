// After a press that writes, the pressed row stays where it is until the pointer has left it: a list that moves up
// would put other work under the same thumb. Another press on the same spot does nothing until then.

const NEAR = 30; // px: the same spot
const FINGER = 4_000; // ms; nobody sees a finger leave the glass, so it counts as gone after this or at the next touch elsewhere
const MOUSE = 10_000; // ms; a mouse that rests counts as gone
const LONGEST_PRESS = 10_000; // ms; a release outside the window is never heard

let press = null; // the last press: { x, y, isTouch }
let held = null; // { row, button, spot, timer, listeners }
let pressing = null; // while a button of the mouse or a finger is down: { ended, end }
const released = new Set();

// Calls `listener()` each time a row is let go, so that the view can show what it has postponed.
export function onRelease(listener) {
  released.add(listener);
}

export function hold(button, row) {
  release();
  const wait = press && !press.isTouch ? MOUSE : FINGER;
  held = { row, button, spot: press, timer: setTimeout(release, wait) };
}

export function release() {
  if (!held) return;
  const { button, timer } = held;
  clearTimeout(timer);
  held = null;
  button.ariaDisabled = null;
  for (const listener of released) listener();
}

// The last press was in the lower half of the window: what appears there would be under the thumb.
export function isLowPress() {
  return press !== null && press.y > innerHeight / 2;
}

// True while a row of this container must stay in its place.
export function isHeld(container) {
  return held !== null && container.contains(held.row);
}

/** Resolves when nothing is pressed: what is renewed between press and release loses the click. */
export async function pressEnded() {
  await pressing?.ended;
}

function beginPress() {
  endPress();
  let end = null;
  const ended = new Promise((resolve) => (end = resolve));
  pressing = { ended, end };
  setTimeout(end, LONGEST_PRESS);
}

function endPress() {
  // The click comes after the release, in the same task.
  if (pressing) setTimeout(pressing.end);
  pressing = null;
}

function isNear({ clientX, clientY }) {
  return held.spot !== null && Math.hypot(clientX - held.spot.x, clientY - held.spot.y) <= NEAR;
}

function leave(event) {
  if (held && !isNear(event) && !held.row.contains(event.target)) release();
}

function ignoreSecondPress(event) {
  // A click by keyboard has no place; the button itself is disabled for it.
  if (!held || event.detail === 0 || !isNear(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

addEventListener(
  "pointerdown",
  (event) => {
    leave(event);
    beginPress();
    press = { x: event.clientX, y: event.clientY, isTouch: event.pointerType === "touch" };
  },
  true,
);
addEventListener("pointerup", endPress, true);
addEventListener("pointercancel", endPress, true);
addEventListener("pointermove", (event) => event.pointerType !== "touch" && leave(event), true);
addEventListener("keydown", () => (press = null), true);
addEventListener(
  "focusin",
  ({ target }) => held && held.spot === null && !held.row.contains(target) && release(),
  true,
);
addEventListener("click", ignoreSecondPress, true);
