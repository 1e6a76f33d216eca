"""The page's files: kept by browsers as long as they hold, compressed, and nothing but them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from opsboard.features.pages import assets, bundles
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


def test_every_module_can_be_joined_and_nothing_comes_twice() -> None:
    """Also those that no test opens: `link` raises for a form of import or export that it does not know."""
    joined = bundles.bundles(assets.stamps())
    modules = {name for name in assets.FILES if name.endswith(".js")} - {"theme.js", "docs.js"}
    defined = {
        name: re.findall(r'^define\("([\w-]+\.js)"', text, re.MULTILINE) for name, text in joined.items()
    }
    assert all(len(names) == len(set(names)) for names in defined.values())
    first = set(defined["app.bundle.js"])
    chunks = {name: set(names) for name, names in defined.items() if name.endswith(".chunk.js")}
    assert chunks and all(names and not names & first for names in chunks.values())
    assert set().union(*map(set, defined.values())) == modules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import * as dom from "./dom.js";\n', "cannot be joined"),
        ("export default 1;\n", "cannot be joined"),
        ("export let one = 1;\n", "cannot be joined"),
        ('const one = await import("./one.js");\nawait one;\n', "cannot be joined"),
    ],
)
def test_an_unknown_form_of_import_or_export_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bundles.link(text)


def test_modules_may_import_functions_of_each_other_and_nothing_else() -> None:
    one = 'import { two } from "./two.js";\nexport function one() { return two; }\nexport const ONE = 1;\n'
    circle = {"one.js": bundles.link(one)}
    circle["two.js"] = bundles.link(
        'import { one } from "./one.js";\nexport function two() { return one; }\n'
    )
    assert bundles.order(circle, "one.js") == ["two.js", "one.js"]
    circle["two.js"] = bundles.link(
        'import { ONE } from "./one.js";\nexport function two() { return ONE; }\n'
    )
    with pytest.raises(ValueError, match="imports ONE of one"):
        bundles.order(circle, "one.js")


def test_a_first_visit_loads_little(visit: Visiting) -> None:
    """All of it, compressed: page, styles, code and charts; forms come when they are opened."""
    visitor = visit("manager")
    page = visitor.open_board()
    expect(page.locator("#month-chart .chart-bar").first).to_be_attached()
    loaded = [found for found in visitor.responses if "/api/" not in found.url]
    names = [found.url.rpartition("/")[2] for found in loaded]
    assert "app.bundle.js" in names and not [name for name in names if name.endswith(".chunk.js")]
    assert len(set(names)) <= 8, names
    weight = sum(int(found.headers["content-length"]) for found in loaded)
    assert weight < 85_000


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
