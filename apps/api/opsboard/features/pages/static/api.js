// Talks to the API. What was read is kept with its ETag, so that reading it again costs a 304 while it still holds.

import { complaintOf } from "./validation.js";

const TIMEOUT = 15_000;
const MOST_KEPT = 120; // answers; the one not read for longest goes first

const KEY_LIFE = 120_000; // ms

const CLOSE = 2_000; // ms; a device's clock is right when it differs by no more

let ahead = 0; // ms, the clock of this device
let bearer = null; // the token of a link, sent in place of the cookie

const kept = new Map(); // path -> { etag, data, at: when it last held }
const unanswered = new Map(); // request -> { key, since }

// An error in words, whether the server sent it or could not be reached at all.
export class Problem extends Error {
  constructor({ status = 0, title = "", detail = "", code = "", request_id = null, errors = [] }, retryAfter = 0) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.code = code;
    this.requestId = request_id;
    /** @type {{ field: string, message: string }[]} */
    this.fields = errors;
    this.retryAfter = retryAfter;
  }

  get isSignedOut() {
    return this.status === 401;
  }

  // The client's own mistake: asking again gives the same answer.
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }

  // The server, or the way to it, was at fault: this passes.
  get isTransient() {
    return !this.isFinal && !this.isSignedOut;
  }

  get words() {
    // Each value has a sentence of its own, so that there is nothing left to say of all.
    const complaints = new Set(this.fields.map((field) => complaintOf(field)));
    return complaints.size ? [...complaints].join(" ") : this.message;
  }
}

/** From now on requests carry the token of a link, and no cookie. */
export function useToken(token) {
  bearer = token;
}

// The answer at a path. The very same object again means: nothing has changed.
export async function get(path, signal) {
  const before = kept.get(path);
  const headers = before ? { "If-None-Match": before.etag } : {};
  // no-store: the browser's own cache would hide the 304 and keep a second copy.
  const response = await send(path, { headers, cache: "no-store" }, signal);
  if (response.status === 304 && before) return keep(path, before);
  const data = await response.json();
  const etag = response.headers.get("ETag");
  return etag ? keep(path, { etag, data }) : data;
}

// Reads that begin in one go are one request: one 304 while none of them has changed. Gives read(path).
export function gather(signal) {
  let waiting = [];
  const flush = () => {
    const asked = waiting;
    waiting = [];
    if (asked.length === 1) get(asked[0].path, signal).then(asked[0].resolve, asked[0].reject);
    else
      together(asked, signal).catch((problem) => {
        for (const { reject } of asked) reject(problem);
      });
  };
  return (path) => {
    const same = waiting.find((one) => one.path === path);
    if (same) return same.answer;
    const asked = { path, resolve: null, reject: null, answer: null };
    asked.answer = new Promise((resolve, reject) => Object.assign(asked, { resolve, reject }));
    if (waiting.push(asked) === 1) queueMicrotask(flush);
    return asked.answer;
  };
}

async function together(asked, signal) {
  const path = `/api/batch?paths=${encodeURIComponent(asked.map((one) => one.path).join(" "))}`;
  const { answers } = await get(path, signal);
  for (const [index, { path: part, resolve, reject }] of asked.entries()) {
    const { status, etag, body, retry_after: retryAfter } = answers[index];
    if (status !== 200) {
      reject(new Problem({ ...body, status }, retryAfter ?? 0));
      continue;
    }
    const before = kept.get(part);
    resolve(keep(part, before && etag && plain(before.etag) === plain(etag) ? before : { etag, data: body }));
  }
}

// The tags of the two representations of the same answer.
function plain(etag) {
  return etag.replace(/^W\//, "").replace('-gzip"', '"');
}

// The last answer of a path and when it was last valid: { data, at }. Undefined if it is not cached.
export function recall(path) {
  return kept.get(path);
}

function keep(path, answer) {
  kept.delete(path); // the newest goes to the end
  kept.set(path, { ...answer, at: Date.now() });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return answer.data;
}

// Signs in and out; the answer is not read.
export async function write(method, path, content) {
  const response = await sendContent(method, path, content, {});
  await response.body?.cancel();
}

// A request of somebody who is not signed in; gives its answer.
export async function request(method, path, content) {
  return (await sendContent(method, path, content, {})).json();
}

// A change of data, with an Idempotency-Key: a change that is sent again because no answer came is made once.
// `ifMatch` is the ETag that the changed thing must still have; `key` a key that outlives this page. Gives { data }.
export async function change(method, path, content, ifMatch = null, key = null) {
  const request = JSON.stringify([method, path, content ?? null, ifMatch]);
  const headers = { "Idempotency-Key": key ?? keyOf(request), ...(ifMatch ? { "If-Match": ifMatch } : {}) };
  try {
    const response = await sendContent(method, path, content, headers);
    const text = await response.text();
    unanswered.delete(request);
    return { data: text ? JSON.parse(text) : null };
  } catch (problem) {
    if (problem.isFinal && problem.code !== "idempotency_key_in_use") unanswered.delete(request);
    throw problem;
  }
}

// The same request within two minutes has the same key until the server has answered it.
function keyOf(request) {
  const now = Date.now();
  const before = unanswered.get(request);
  if (before && now - before.since < KEY_LIFE) return before.key;
  const key = newKey();
  unanswered.set(request, { key, since: now });
  return key;
}

/** A key of a write. randomUUID() exists only under https. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The present moment by the clock of the server, as its last answer said, in ms. */
export function serverNow() {
  return Date.now() - ahead;
}

// The moment of an answer is exact to a second, and the way takes a while.
function noteClock(response, askedAt) {
  const sent = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(sent)) return;
  const difference = (askedAt + Date.now()) / 2 - sent - 500;
  ahead = Math.abs(difference) <= CLOSE ? 0 : difference;
}

function sendContent(method, path, content, headers) {
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  const type = content === undefined ? {} : { "Content-Type": "application/json" };
  return send(path, { method, ...body, headers: { ...type, ...headers } });
}

export function forgetAll() {
  kept.clear();
}

async function send(path, options, signal) {
  const patience = AbortSignal.timeout(TIMEOUT);
  const askedAt = Date.now();
  let response;
  try {
    response = await fetch(path, {
      ...options,
      ...carried(options.headers),
      signal: signal ? either(signal, patience) : patience,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = patience.aborted;
    throw new Problem({ detail: late ? "The server does not answer." : "The server cannot be reached." });
  }
  noteClock(response, askedAt);
  if (response.ok || response.status === 304) return response;
  throw await problemOf(response);
}

function carried(headers) {
  return bearer ? { credentials: "omit", headers: { ...headers, Authorization: `Bearer ${bearer}` } } : {};
}

function either(...signals) {
  const controller = new AbortController();
  for (const signal of signals) signal.addEventListener("abort", () => controller.abort(), { once: true });
  if (signals.some((signal) => signal.aborted)) controller.abort();
  return controller.signal;
}

// A form with files. Gives the response as soon as it begins; it is read as long as the work takes.
export async function upload(path, form, signal) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body: form, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem({ detail: "The server cannot be reached, or a file has changed since it was chosen." });
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

async function problemOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  // A proxy in between answers in HTML: only its number says something.
  const document = isProblem ? await response.json().catch(() => ({})) : {};
  const detail = document.detail || `The server answered ${response.status} ${response.statusText}.`;
  return new Problem({ ...document, status: response.status, detail }, retryAfter);
}
