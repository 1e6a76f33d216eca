"""The readable documentation tells every operation, and its curl lines work."""

from __future__ import annotations

import html
import json
import re
import shlex
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from opsboard.features.pages import routes
from tests.application import Application
from tests.pages.conftest import Visiting
from tests.seed import PASSWORD

LINE = re.compile(r"<code>curl -s (.*?)</code>", re.DOTALL)


LARGEST = 150_000  # bytes of a page, not compressed


def page(app: Application, address: str = "/docs") -> str:
    answer = app.client(role=None).get(address)
    assert answer.status_code == 200, address
    return answer.get_data(as_text=True)


def area_pages(app: Application) -> dict[str, str]:
    """Return the pages that the index lists, by their addresses."""
    addresses = re.findall(r'<a id="[^"]+" href="(/docs/[^"#]+)"', page(app))
    assert len(addresses) == len(set(addresses)) >= 20
    return {address: page(app, address) for address in addresses}


def operations(app: Application) -> list[tuple[str, str, str]]:
    """Return the anchor, the page and the path of each operation of the OpenAPI document."""
    document = app.client(role=None).get("/api/openapi.json").json
    assert document is not None
    return [
        (slug(f"{method} {path}"), f"/docs/{slug(operation['tags'][0])}", path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def test_every_operation_is_on_the_page_of_its_area_and_listed_on_the_index(app: Application) -> None:
    index, areas = page(app), area_pages(app)
    listed = operations(app)
    for anchor, address, path in listed:
        assert f'<article class="operation" id="{anchor}">' in areas[address], path
        assert areas[address].count(f'href="#{anchor}"') == 2
        # The anchor is here too: links made when everything was one page lead to this entry, and on.
        assert index.count(f'<a id="{anchor}" href="{address}#{anchor}">') == 1
    assert sum(text.count('<article class="operation"') for text in areas.values()) == len(listed)
    for text in [index, *areas.values()]:
        anchors = re.findall(r'id="([^"]+)"', text)
        assert len(anchors) == len(set(anchors))


def test_no_page_is_large(app: Application) -> None:
    pages = {"/docs": page(app), **area_pages(app)}
    sizes = {address: len(text.encode()) for address, text in pages.items()}
    assert {address: size for address, size in sizes.items() if size > LARGEST} == {}


def test_every_link_between_the_pages_has_an_end(app: Application) -> None:
    pages = {"/docs": page(app), **area_pages(app)}
    for address, text in pages.items():
        links = [html.unescape(link) for link in re.findall(r'href="((?:/docs|#)[^"]*)"', text)]
        assert links
        for link in links:
            target, _, anchor = link.partition("#")
            assert not anchor or f'id="{anchor}"' in pages[target or address], (address, link)
            assert (target or address) in pages, (address, link)


@pytest.mark.parametrize("address", ["/docs/nothing", "/docs/Jobs", "/docs/jobs/1"])
def test_an_area_that_is_not_there_is_not_found(app: Application, address: str) -> None:
    answer = app.client(role=None).get(address, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "opsboard.docs" not in app.flask.extensions or all(
        address.rpartition("/")[2] not in pages for pages in app.flask.extensions["opsboard.docs"].values()
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/docs#get-api-jobs-job-id", "/docs/jobs#get-api-jobs-job-id"),
        ("/docs#job-steps", "/docs/job-steps"),
        ("/docs#problems", "/docs#problems"),
        ("/docs#nothing", "/docs#nothing"),
    ],
)
def test_an_address_of_the_one_page_leads_to_the_page_of_today(visit: Visiting, old: str, new: str) -> None:
    visited = visit(None).open(old)
    expect(visited).to_have_url(re.compile(re.escape(new) + "$"))
    if new.startswith("/docs/jobs"):
        expect(visited.locator(":target")).to_be_in_viewport()


@pytest.mark.parametrize("look", ["light", "phone"])
def test_no_section_lies_on_another(visit: Visiting, look: str) -> None:
    sections = visit(None, look).open("/docs").locator("main > section").all()
    boxes = [box for section in sections if (box := section.bounding_box())]
    assert len(boxes) == 3
    for upper, lower in pairwise(boxes):
        assert upper["y"] + upper["height"] <= lower["y"]


def test_operations_are_found_by_words(visit: Visiting, app: Application) -> None:
    visited = visit(None).open("/docs")
    shown = visited.locator(".areas li:visible")
    expect(shown).to_have_count(len(operations(app)))
    visited.get_by_label("Find an operation").fill("PATCH  journeys")
    expect(shown).to_have_count(sum(a.startswith("patch-") and "journeys" in a for a, *_ in operations(app)))
    expect(visited.locator(".areas h3:visible")).to_have_text(["Journeys"])
    visited.get_by_label("Find an operation").fill("no such words")
    expect(visited.get_by_role("status")).to_have_text("No operation matches.")
    visited.get_by_label("Find an operation").fill("")
    expect(shown).to_have_count(len(operations(app)))


def test_parameters_tell_allowed_values_and_defaults(app: Application) -> None:
    article = re.search(r'id="get-api-jobs">.*?</article>', page(app, "/docs/jobs"), re.DOTALL)
    assert article is not None
    words = re.sub(r"<[^>]+>|\s+", " ", article[0])
    assert re.search(r"page_size\s+integer\s+1 … 100\s+50\s+Items on a page", words)
    assert re.search(r"status\s+list of string or null\s+draft, active, on_hold, completed, cancelled", words)
    assert "due_date, -due_date" in words


def test_curl_lines_work(own_app: Application) -> None:
    lines = [html.unescape(line) for text in area_pages(own_app).values() for line in LINE.findall(text)]
    assert len(lines) == len(operations(own_app))
    # Signing out and another password end the token, and nobody changes their own role: those come last.
    ends = re.compile(r"logout|current_password|PATCH.*users")
    for line in sorted(lines, key=lambda line: bool(ends.search(line))):
        # Some end all tokens of their user.
        if " -F " in line or "activity/cancel" in line or "health/alerts/" in line:
            continue  # files: test_imports.py; what is there for a moment: test_activity.py, test_alerts.py
        token = own_app.token("admin")
        method, path, headers, body = take_apart(line.replace("$TOKEN", token))
        if body and "current_password" in body:
            body = json.dumps({"current_password": PASSWORD, "new_password": "a long and new secret"})
        elif body and '"email"' in body and '"password"' in body:
            body = json.dumps({"email": own_app.alpha.email("admin"), "password": PASSWORD})
        answer = own_app.flask.test_client().open(path, method=method, headers=headers, data=body)
        # Row 1 may be in another state than the example wants, or be gone by an earlier line.
        # The token of a link is one that nobody made.
        of_a_row = re.search(r"/1(/|$)", path) or (body and re.search(r'_id": 1|"token": "text"', body))
        allowed = {200, 201, 204, 404, 409} if of_a_row else {200, 201, 204}
        assert answer.status_code in allowed, (line, answer.get_data(as_text=True))


def take_apart(line: str) -> tuple[str, str, dict[str, str], str | None]:
    """Return the request curl would send."""
    words = shlex.split(line)
    url = words.pop()
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    method = next((value for option, value in options if option == "-X"), "GET")
    body = next((value for option, value in options if option == "-d"), None)
    return method, url.removeprefix("http://localhost"), headers, body


def test_a_page_is_made_once_for_each_host_and_for_few_hosts(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.flask.extensions.pop("opsboard.docs", None)
    made, read = [], routes.read_reference
    monkeypatch.setattr(routes, "read_reference", lambda spec: made.append(read(spec)) or made[-1])
    app.flask.extensions.pop("opsboard.reference", None)
    client = app.client(role=None)
    for number in range(routes.KEPT + 3):
        for address in ("/docs", "/docs/jobs", "/docs/users"):
            answer = client.get(address, base_url=f"http://host{number}.example")
            assert f"http://host{number}.example/api/" in answer.get_data(as_text=True)
    kept = app.flask.extensions["opsboard.docs"]
    assert len(kept) == routes.KEPT
    assert len(made) == 1, "reading the API takes seconds, and the name of the host is the client's word"
    assert {len(pages) for pages in kept.values()} == {3}
    before = {host: dict(pages) for host, pages in kept.items()}
    client.get("/docs/jobs", base_url="http://host0.example")
    assert kept == before
