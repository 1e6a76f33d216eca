"""The page's files: kept by browsers as long as they hold, compressed, and nothing but them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from opsboard.features.pages import assets
from opsboard.web.lifecycle import PAGE_POLICY
from tests.application import Application
from tests.pages.conftest import Visiting

TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def test_every_file_the_page_names_is_served_for_good(app: Application) -> None:
    client = app.client(role=None)
    for page in ("/", "/docs", "/docs/jobs"):
        names = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(page).get_data(as_text=True))
        assert len(names) >= 5
        for name in names:
            answer = client.get(name)
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Content-Type"] == f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8"


@pytest.mark.parametrize("name", ["app.js", "0123456789abcdef/app.js"])
def test_a_file_of_no_or_another_version_is_asked_for_each_time(app: Application, name: str) -> None:
    client = app.client(role=None)
    first = client.get(f"/static/{name}")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    again = client.get(f"/static/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_version_follows_the_bytes(
    app: Application, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    before = assets.version()
    monkeypatch.setitem(assets.FILES, "app.js", assets.STATIC / "board.js")
    assert assets.version() != before


def test_a_first_visit_loads_little(visit: Visiting) -> None:
    """All of it, compressed: page, styles, code and charts; forms come when they are opened."""
    visitor = visit("manager")
    page = visitor.open_board()
    expect(page.locator("#month-chart .chart-bar").first).to_be_attached()
    loaded = [found for found in visitor.responses if "/api/" not in found.url]
    names = [found.url.rpartition("/")[2] for found in loaded]
    assert "app.js" in names and "record.js" not in names
    weight = sum(int(found.headers["content-length"]) for found in loaded)
    assert weight < 100_000


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "charts/Chart.bundle.js",
        "../routes.py",
        "%2e%2e/routes.py",
        "..%2froutes.py",
        "/etc/passwd",
        "",
    ],
)
def test_anything_else_is_not_found(app: Application, path: str) -> None:
    answer = app.client(role=None).get(f"/static/{path}", follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("page", ["/", "/docs", "/docs/jobs"])
def test_pages_forbid_everything_inline_and_foreign_also_when_unchanged(app: Application, page: str) -> None:
    client = app.client(role=None)
    first = client.get(page)
    again = client.get(page, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    # A browser takes the headers of a 304 over: a narrower policy there would shut the page it has.
    assert first.headers["Content-Security-Policy"] == again.headers["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY and "http" not in PAGE_POLICY
    html = first.get_data(as_text=True)
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html) == []


def test_page_says_whether_there_is_a_cookie_but_nothing_of_it(app: Application) -> None:
    client = app.flask.test_client()
    stranger = client.get("/")
    client.set_cookie("opsboard_token", "a-token-of-somebody")
    known = client.get("/")
    assert b"data-known" in known.data and b"data-known" not in stranger.data
    assert b"a-token-of-somebody" not in known.data
    assert "Cookie" in known.headers["Vary"]
