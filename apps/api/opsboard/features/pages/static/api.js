// Talks to the API. What was read is kept with its ETag, so that reading it again costs a 304 while it still holds.

const TIMEOUT = 15_000;
const MOST_KEPT = 60; // answers; the oldest goes first

const kept = new Map();

// An error in words, whether the server sent it or could not be reached at all.
export class Problem extends Error {
  constructor({ status = 0, title = "", detail = "", code = "", request_id = null, errors = [] }, retryAfter = 0) {
    super(detail || title);
    Object.assign(this, { status, title, code, requestId: request_id, fields: errors, retryAfter });
  }

  get isSignedOut() {
    return this.status === 401;
  }

  // The client's own mistake: asking again gives the same answer.
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }

  get words() {
    const fields = this.fields.map((error) => `${error.field} ${error.message}.`);
    return [this.message, ...fields].join(" ");
  }
}

// The answer at a path. The very same object again means: nothing has changed.
export async function get(path, signal) {
  const before = kept.get(path);
  const headers = before ? { "If-None-Match": before.etag } : {};
  // no-store: the browser's own cache would hide the 304 and keep a second copy.
  const response = await send(path, { headers, cache: "no-store" }, signal);
  if (response.status === 304 && before) return before.data;
  const data = await response.json();
  kept.delete(path);
  const etag = response.headers.get("ETag");
  if (etag) kept.set(path, { etag, data });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return data;
}

// A write; `content` undefined sends no body. Its answer is not read: the next poll shows what it did.
export async function write(method, path, content) {
  const response = await sendContent(method, path, content);
  await response.body?.cancel();
}

// A write whose answer says what cannot be read again.
export async function make(method, path, content) {
  return (await sendContent(method, path, content)).json();
}

function sendContent(method, path, content) {
  const body = content === undefined ? {} : { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } };
  return send(path, { method, ...body });
}

export function forgetAll() {
  kept.clear();
}

async function send(path, options, signal) {
  const patience = AbortSignal.timeout(TIMEOUT);
  let response;
  try {
    response = await fetch(path, { ...options, signal: signal ? either(signal, patience) : patience });
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = patience.aborted;
    throw new Problem({ detail: late ? "The server does not answer." : "The server cannot be reached." });
  }
  if (response.ok || response.status === 304) return response;
  throw await problemOf(response);
}

function either(...signals) {
  const controller = new AbortController();
  for (const signal of signals) signal.addEventListener("abort", () => controller.abort(), { once: true });
  if (signals.some((signal) => signal.aborted)) controller.abort();
  return controller.signal;
}

async function problemOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  // A proxy in between answers in HTML: only its number says something.
  const document = isProblem ? await response.json().catch(() => ({})) : {};
  const detail = document.detail || `The server answered ${response.status} ${response.statusText}.`;
  return new Problem({ ...document, status: response.status, detail }, retryAfter);
}
