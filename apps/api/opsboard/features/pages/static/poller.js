// Asks again and again: every few seconds while somebody can see the page, less and less often while it fails.

export const INTERVAL = 5_000;
const LONGEST = 60_000;

export class Poller {
  #timer = 0;
  #run = null;
  #failures = 0;
  #load = null;

  // `succeeded()` and `failed(problem, nextAt)` are told how each round went.
  constructor({ succeeded, failed }) {
    this.succeeded = succeeded;
    this.failed = failed;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.now()));
    addEventListener("online", () => this.now());
  }

  // From now on, `load(signal)` is what is asked for.
  start(load) {
    this.#load = load;
    return this.now();
  }

  stop() {
    this.#load = null;
    this.#pause();
  }

  // A round right away; one under way is given up.
  async now() {
    this.#pause();
    if (!this.#load) return;
    const run = new AbortController();
    this.#run = run;
    let wait = INTERVAL;
    try {
      await this.#load(run.signal);
      if (run.signal.aborted) return;
      this.#failures = 0;
      this.succeeded();
    } catch (problem) {
      if (run.signal.aborted) return;
      this.#failures += 1;
      wait = pause(this.#failures, problem.retryAfter ?? 0);
      this.failed(problem, Date.now() + wait);
    }
    if (this.#load && !document.hidden && !run.signal.aborted) this.#timer = setTimeout(() => this.now(), wait);
  }

  #pause() {
    clearTimeout(this.#timer);
    this.#run?.abort();
  }
}

// Twice as long each time, with jitter: a hundred screens must not all come back in the same second.
export function pause(failures, retryAfter, random = Math.random) {
  const backoff = Math.min(LONGEST, INTERVAL * 2 ** (failures - 1));
  return Math.max(backoff * (0.75 + random() * 0.5), retryAfter * 1000);
}
