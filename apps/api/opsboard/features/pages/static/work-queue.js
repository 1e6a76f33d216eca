// Writes of the terminal: each is kept on this device, with its key and its time, until the server has answered it. They
// are sent in order; without a network they wait, also over a reload. A refused one stays until somebody has seen it.

import { change, newKey } from "./api.js";

const MOST_FAULTS = 5; // errors of the server for one write; then it must not keep the others back

/**
 * @typedef {object} Effect  what a write does to a step, for the page until the server shows it
 * @property {number} step
 * @property {string} [began]  work began at this time
 * @property {boolean} [isOver]  the step is finished or handed over
 * @property {number} [good]
 * @property {number} [rejected]
 *
 * @typedef {object} Entry
 * @property {string} key
 * @property {string | null} after  the key of the write whose answer has the id for `{id}` in the path
 * @property {string} method
 * @property {string} path
 * @property {any} content
 * @property {string} says  what was done, in words
 * @property {Effect} effect
 * @property {number} faults
 * @property {string | null} refusal
 */

/** The queue of one person; what others left on this device waits for them. */
export function workQueue({ id, tenant }) {
  const place = `opsboard-work-${tenant.id}-${id}`;
  const outcomes = new Map(); // key -> { entry, data } or { problem }
  let running = Promise.resolve();
  let memory = null; // where the browser keeps nothing

  /** @returns {Entry[]} */
  function entries() {
    if (memory) return memory;
    try {
      return JSON.parse(localStorage.getItem(place) ?? "[]");
    } catch {
      return [];
    }
  }

  function keep(list) {
    try {
      if (list.length) localStorage.setItem(place, JSON.stringify(list));
      else localStorage.removeItem(place);
    } catch {
      memory = list;
    }
  }

  // Gives { data }: null while it waits. Throws when it is refused at once.
  async function send({ method, path, content, says, effect, after = null }) {
    const key = newKey();
    const entry = following({ key, after, method, path, content, says, effect, faults: 0, refusal: null });
    keep([...entries(), entry]);
    await flush();
    const problem = outcomes.get(key)?.problem;
    if (!problem) return { data: outcomes.get(key)?.data ?? null };
    if (!problem.isSignedOut) dismiss(key);
    throw problem;
  }

  function following(entry) {
    const before = entry.after && outcomes.get(entry.after)?.data;
    return before ? { ...entry, path: entry.path.replace("{id}", before.id), after: null } : entry;
  }

  function flush() {
    running = running.catch(() => {}).then(sendAll);
    return running;
  }

  async function sendAll() {
    for (let entry = first(); entry && navigator.onLine; entry = first()) if (!(await sendOne(entry))) return;
  }

  function first() {
    return entries().find(({ refusal }) => !refusal);
  }

  // True when the next one may be sent.
  async function sendOne(entry) {
    try {
      const { data } = await change(entry.method, entry.path, entry.content, null, entry.key);
      outcomes.set(entry.key, { entry, data });
      keep(
        entries()
          .filter(({ key }) => key !== entry.key)
          .map(following),
      );
      return true;
    } catch (problem) {
      const isFault = problem.status === 500;
      const isLasting = problem.isFinal && !problem.isSignedOut && problem.code !== "idempotency_key_in_use";
      if (problem.status === undefined) throw problem; // a fault of this page
      if (isLasting || (isFault && entry.faults + 1 >= MOST_FAULTS)) {
        outcomes.set(entry.key, { problem });
        refuse(entry, problem.words);
        return true;
      }
      if (isFault)
        keep(entries().map((each) => (each.key === entry.key ? { ...each, faults: each.faults + 1 } : each)));
      if (problem.isSignedOut) outcomes.set(entry.key, { problem });
      return false;
    }
  }

  // Without the record of its beginning, an end has nothing to end.
  function refuse(entry, words) {
    keep(
      entries().map((each) => {
        if (each.key === entry.key) return { ...each, refusal: words };
        return each.after === entry.key ? { ...each, refusal: "Not sent, because its beginning was refused." } : each;
      }),
    );
  }

  function dismiss(key) {
    keep(entries().filter((each) => each.key !== key));
  }

  // The answers that are not shown yet; `shown` tells that they are.
  function answered() {
    return [...outcomes.values()].filter(({ entry }) => entry);
  }

  function shown(list) {
    for (const { entry } of list) delete outcomes.get(entry.key).entry;
  }

  return { send, flush, entries, dismiss, answered, shown };
}

/** The groups of steps as they will be when all writes are done. `answered`: done, and not in the groups yet. */
export function withQueue(groups, entries, answered) {
  const { now, next, later } = groups;
  const places = { now: [...now], next: [...next], later: [...later] };
  for (const { entry, data } of answered) apply(places, entry, data, false);
  for (const entry of entries) if (!entry.refusal) apply(places, entry, null, true);
  return { ...groups, ...places };
}

function apply(places, { key, effect }, data, isPending) {
  const place = ["now", "next", "later"].find((name) => places[name].some((step) => step.step_id === effect.step));
  if (!place) return;
  const step = places[place].find(({ step_id: id }) => id === effect.step);
  const isBegun = step.record_id !== null || Boolean(step.pending_key);
  if (isBegun === Boolean(effect.began)) return; // the group shows it already
  places[place] = places[place].filter((each) => each !== step);
  if (effect.isOver) return;
  const quantities = {
    quantity_done: step.quantity_done + (effect.good ?? 0),
    quantity_rejected: step.quantity_rejected + (effect.rejected ?? 0),
  };
  const changed = { ...step, ...quantities, status: "in_progress", isPending };
  if (effect.began)
    places.now.push({
      ...changed,
      record_id: data?.id ?? null,
      pending_key: data ? null : key,
      began_at: effect.began,
    });
  else places.next.unshift({ ...changed, record_id: null, pending_key: null, began_at: null });
}
