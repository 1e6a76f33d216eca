"""A screen that runs for days within seconds: its clock and its network are those of the test."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import CDPSession, Error, Page, expect

from tests.pages.browser import Visit, until

HOUR = 3_600  # seconds
# Timers run one after the other in the order of their times, each once the promises of the one before are settled.
# The answer changes every half minute. Noted at each step: an old number without a mark.
SCRIPT = """(({ outages, deploys, answer }) => {
    const timers = new Map();
    let now = Number(sessionStorage.getItem("now")) || Date.parse("2026-11-30T08:00:00Z");
    const begun = Number(sessionStorage.getItem("begun")) || now;
    let answered = null;
    let last = 0;
    let version = null;
    let isLeaving = false;
    sessionStorage.setItem("begun", begun);
    addEventListener("pagehide", () => sessionStorage.setItem("now", now));
    window.Date = class extends Date {
        constructor(...parts) { super(...(parts.length ? parts : [now])); }
        static now() { return now; }
    };
    const timer = (repeats) => (run, pause = 0) => {
        timers.set(++last, { run, at: now + Math.max(1, pause), each: repeats ? pause : 0 });
        return last;
    };
    window.setTimeout = timer(false);
    window.setInterval = timer(true);
    window.clearTimeout = window.clearInterval = (id) => timers.delete(id);
    AbortSignal.timeout = () => new AbortController().signal;
    window.fetch = async (path, { method = "GET", headers = {} } = {}) => {
        const at = (now - begun) / 1000;
        window.week.asked += 1;
        if (outages.some(([from, long]) => at >= from && at < from + long)) throw new TypeError("Failed to fetch");
        if (method === "HEAD") {
            const found = `"version ${deploys.filter((from) => at >= from).length}"`;
            version ??= found;
            isLeaving = found !== version; // the page loads itself again
            return response(200, found);
        }
        answered = now;
        const etag = `"${Math.floor(at / 30)}"`;
        if (headers["If-None-Match"] === etag) return response(304, etag);
        return response(200, etag, { ...answer, jobs: { ...answer.jobs, active: Math.floor(at / 30) } });
    };
    const response = (status, etag, body) => (
        { status, ok: status === 200, headers: new Headers({ ETag: etag }), json: async () => body });
    function check() {
        const state = document.getElementById("freshness")?.dataset.state;
        if (answered === null || !document.querySelector("[data-wall]")) return;
        const age = (now - answered) / 1000;
        window.week.oldest = Math.max(window.week.oldest, age);
        const isWrong = (age > 61 && state !== "lost") || (age > 16 && state === "fresh");
        if (isWrong) window.week.wrong.push([now - begun, age, state]);
    }
    window.week = { asked: 0, oldest: 0, wrong: [], async pass(seconds) {
        for (const end = now + seconds * 1000; ;) {
            let id = null;
            for (const [one, { at }] of timers) if (id === null || at < timers.get(id).at) id = one;
            if (id === null || timers.get(id).at > end) return (now = end);
            const due = timers.get(id);
            now = due.at;
            if (due.each) due.at += due.each;
            else timers.delete(id);
            due.run();
            for (let turn = 0; turn < 40; turn += 1) await null;
            check();
            if (isLeaving) await new Promise(() => {});
        }
    } };
})"""


@dataclass
class Week:
    """The outages (beginning, length) and deploys of a run, all in seconds since its begin."""

    hours: int
    outages: list[tuple[int, int]]
    deploys: list[int]
    heaps: list[tuple[int, int]] = field(default_factory=list)
    """Of each version that was loaded: the bytes after an hour, and at its end."""

    def open(self, visitor: Visit, answer: Any) -> None:
        plan = json.dumps({"outages": self.outages, "deploys": self.deploys, "answer": answer})
        visitor.page.add_init_script(f"{SCRIPT}({plan})")
        until(
            visitor.open("/wall"),
            "document.querySelector('[data-wall]') || document.querySelector('.wall-area')",
        )

    def run(self, page: Page) -> tuple[int, float]:
        """Return how many requests there were, and the age in seconds of the oldest number shown."""
        cdp = page.context.new_cdp_session(page)
        asked, oldest, begin, early = 0, 0.0, 0, 0
        for hour in range(1, self.hours + 1):
            is_last = hour == self.hours or any(hour * HOUR <= at < (hour + 1) * HOUR for at in self.deploys)
            try:
                page.evaluate("week.pass(3600)")
            except Error as error:  # the page has loaded itself again
                if "context was destroyed" not in str(error):
                    raise
                wait_until_loaded(page)
                begin = hour
                continue
            if hour == begin + 1:
                early = heap(cdp)
            if is_last:
                self.heaps.append((early, heap(cdp)))
                asked += page.evaluate("week.asked")
                oldest = max(oldest, page.evaluate("week.oldest"))
            assert page.evaluate("week.wrong.slice(0, 3)") == [], hour
        expect(page.locator("#freshness")).to_have_attribute("data-state", "fresh")
        return asked, oldest


def wait_until_loaded(page: Page) -> None:
    """Wait for the new document; while it replaces the old one, nothing can be asked of either."""
    deadline = time.monotonic() + 20
    while True:
        with suppress(Error):
            if page.evaluate("window.week?.asked < 100 && !!document.querySelector('.wall-area')"):
                return
        assert time.monotonic() < deadline, "it did not load itself again"
        page.wait_for_timeout(50)


def heap(cdp: CDPSession) -> int:
    """The bytes that JavaScript uses once what is not needed has been given back."""
    cdp.send("HeapProfiler.collectGarbage")
    used: int = cdp.send("Runtime.getHeapUsage")["usedSize"]
    return used
