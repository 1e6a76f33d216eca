"""One Chromium for all tests of the pages; no visit may leave the host or make the browser complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.application import Application
from tests.pages.browser import Site, Visit, start_chromium, visiting

Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(app: Application) -> Iterator[Site]:
    """The shared application on a port, for tests that only read."""
    site = Site(app.flask)
    yield site
    site.go_away()


@pytest.fixture(scope="session")
def tokens(app: Application) -> dict[str, str]:
    """A token of the shared application for each role: checking a password is slow on purpose."""
    return {role: app.token(role) for role in ("admin", "manager", "operator")}


@pytest.fixture
def own_site(own_app: Application) -> Iterator[Site]:
    """The same for a test that writes."""
    site = Site(own_app.flask)
    yield site
    site.go_away()


@pytest.fixture
def visit(browser: Browser, site: Site, tokens: dict[str, str]) -> Iterator[Visiting]:
    """Visits the shared application in a role (None: not signed in); complains where the browser does."""
    with ExitStack() as stack:
        made: list[Visit] = []

        def begin(role: str | None = "admin", look: str = "light") -> Visit:
            token = tokens[role] if role else None
            made.append(stack.enter_context(visiting(browser, site, look, token)))
            return made[-1]

        yield begin
        for visit in made:
            visit.assert_clean()


@pytest.fixture
def own_visit(browser: Browser, own_site: Site, own_app: Application) -> Iterator[Visiting]:
    """Visits the test's own application."""
    with ExitStack() as stack:
        made: list[Visit] = []

        def begin(role: str | None = "admin", look: str = "light") -> Visit:
            token = own_app.token(role) if role else None
            made.append(stack.enter_context(visiting(browser, own_site, look, token)))
            return made[-1]

        yield begin
        for visit in made:
            visit.assert_clean()
