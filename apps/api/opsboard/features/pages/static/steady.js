// After a press that writes, the pressed row stays where it is until the pointer has left it: a list that moves up
// would put other work under the same thumb. Another press on the same spot does nothing until then.

const NEAR = 30; // px: the same spot
const FINGER = 4_000; // ms; nobody sees a finger leave the glass, so it counts as gone after this or at the next touch elsewhere
const MOUSE = 10_000; // ms; a mouse that rests counts as gone

let press = null; // the last press: { x, y, isTouch }
let held = null; // { row, button, spot, timer, listeners }
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

addEventListener("pointerdown", (event) => {
  leave(event);
  press = { x: event.clientX, y: event.clientY, isTouch: event.pointerType === "touch" };
}, true);
addEventListener("pointermove", (event) => event.pointerType !== "touch" && leave(event), true);
addEventListener("keydown", () => (press = null), true);
addEventListener("focusin", ({ target }) => held && held.spot === null && !held.row.contains(target) && release(), true);
addEventListener("click", ignoreSecondPress, true);
