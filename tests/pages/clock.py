"""The time of a page that a test turns forward."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page


def let_pass_until(page: Page, holds: Callable[[], bool], seconds: int = 60) -> None:
    """Let at most so many seconds go by until something holds.

    One at a time: requests take real time. They must not be overtaken by their own time limit, and the page sets
    its next timer only once it has read an answer.
    """
    for _ in range(seconds):
        page.clock.run_for(1_000)
        page.wait_for_timeout(30)
        if holds():
            return
    raise AssertionError(f"not so after {seconds} s")


def let_pass_until_shown(page: Page, locator: Locator, text: str = "", seconds: int = 60) -> None:
    """Let at most so many seconds go by until an element with a text is there."""
    let_pass_until(page, lambda: locator.filter(has_text=text).count() > 0, seconds)
