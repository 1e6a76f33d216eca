"""A business is set up and worked in by the page alone, in three roles, while a second browser watches."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.features.test_archive import assert_board_agrees
from tests.pages.browser import Visit
from tests.pages.clock import let_pass_until_shown
from tests.pages.conftest import Visiting
from tests.pages.test_accounts import go_to
from tests.pages.test_forms import pick, read
from tests.pages.test_production import choose
from tests.pages.test_setting_up import empty  # noqa: F401  # a fixture
from tests.seed import Business


class Size(NamedTuple):
    machines: int
    processes: int
    people: int
    routings: int
    jobs: int


class Watcher:
    """A second browser, whose time the test turns forward."""

    def __init__(self, visitor: Visit) -> None:
        self.visitor = visitor
        visitor.page.clock.install()
        self.page = visitor.open_board()
        self.address = ""

    def open(self, area: str) -> None:
        go_to(self.page, f"#/{area}")
        self.address = f"/api/{area.partition('?')[0]}"
        expect(self.page.locator("#total")).to_have_text(re.compile(r"\d"))

    def sees(self, text: str) -> None:
        """The row is there with the first answer after it was written; one may have been on its way before."""
        before = self.rounds()
        let_pass_until_shown(self.page, self.page.locator(".list-body tbody tr"), text)
        assert self.rounds() - before <= 2, text

    def rounds(self) -> int:
        """How often the list was read; a picture above it reads more of the same address."""
        urls = [urlsplit(found.url) for found in self.visitor.responses]
        return sum(url.path == self.address and "page_size=25" in url.query for url in urls)


def add(page: Page, area: str, one: str, fields: dict[str, str], name: str) -> None:
    go_to(page, f"#/{area}/new")
    expect(page.get_by_role("heading", name=f"New {one}")).to_be_visible()
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name=f"Add {one}").click()
    expect(page.locator("#toasts")).to_contain_text(f"Added {name}.")


def set_up_people(page: Page, watcher: Watcher, people: int) -> None:
    go_to(page, "#/settings")
    page.get_by_label("Opens at").fill("06:00")
    page.get_by_label("Closes at").fill("22:00")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#toasts")).to_contain_text("Saved the settings.")
    watcher.open("users")
    for place in range(people):
        name = f"Person {place:02}"
        add(page, "users", "user", {"E-mail": f"p{place}@gamma.example", "Name (required)": name}, name)
        expect(page.get_by_label("Link to set a password")).to_have_value(re.compile("set-password"))
        watcher.sees(name)


def set_up_production(page: Page, watcher: Watcher, size: Size) -> None:
    for area, one, count in (
        ("machines", "machine", size.machines),
        ("processes", "process", size.processes),
    ):
        watcher.open(area)
        for place in range(count):
            name = f"{one.capitalize()} {place}"
            add(page, area, one, {"Name (required)": name}, name)
            watcher.sees(name)
    watcher.open("routings")
    for place in range(size.routings):
        go_to(page, "#/routings/new")
        page.get_by_label("Name (required)").fill(f"Routing {place}")
        for step in range(2):
            page.get_by_role("button", name="Add step", exact=True).click()
            choose(page, step, "Process", f"Process {(place + step) % size.processes}")
        page.get_by_role("button", name="Add routing").click()
        expect(page.locator("#toasts")).to_contain_text(f"Added Routing {place}.")
        watcher.sees(f"Routing {place}")


def set_up_hours(page: Page, watcher: Watcher) -> None:
    watcher.open("working-hours?of_business=true")
    for begin, end in (("06:00", "14:00"), ("14:00", "22:00"), ("22:00", "06:00")):
        times = {"From (required)": begin, "Until (required)": end}
        add(page, "working-hours", "shift", times, f"Monday {begin} to {end}")
        watcher.sees(begin)
    watcher.open("holidays")
    days = {"Name (required)": "New Year", "First day (required)": "2031-01-01"}
    add(page, "holidays", "holiday", days, "New Year")
    watcher.sees("New Year")


def add_jobs(page: Page, watcher: Watcher, size: Size) -> None:
    watcher.open("jobs")
    for place in range(size.jobs):
        title, routing = f"Part {place:02}", f"Routing {place % size.routings}"
        go_to(page, "#/jobs/new")
        expect(page.get_by_role("heading", name="New job")).to_be_visible()
        page.get_by_label("Title (required)").fill(title)
        page.get_by_label("Due date").fill("2030-01-31")
        page.get_by_label("Status").select_option("active")
        pick(page, "Steps of the routing", routing, routing)
        page.get_by_role("button", name="Add job").click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        watcher.sees(title)


def set_up(visit: Visiting, app: Application, size: Size) -> None:
    watcher = Watcher(visit("manager"))
    set_up_people(visit("admin").open_board(), watcher, size.people)
    manager = visit("manager").open_board()
    set_up_production(manager, watcher, size)
    set_up_hours(manager, watcher)
    add_jobs(manager, watcher, size)
    operator = visit("operator").open_board(f"#/jobs/{read(app, '/api/jobs?page_size=1')['items'][0]['id']}")
    watcher.open("job-steps?status=in_progress")
    operator.get_by_role("button", name=re.compile("^Start")).first.click()
    expect(operator.locator(".job tbody tr").first).to_contain_text("In progress")
    watcher.sees(f"Part {size.jobs - 1:02}")
    counted = [
        read(app, f"/api/{area}?page_size=1")["total"]
        for area in ("machines", "processes", "users", "routings", "jobs")
    ]
    assert read(app, "/api/working-hours?of_business=true")["total"] == 3
    assert read(app, "/api/holidays?date_from=2031-01-01")["total"] == 1
    assert counted == [size.machines, size.processes, size.people + 3, size.routings, size.jobs]
    assert_board_agrees(app)


def test_a_small_business_is_set_up_by_the_page_alone(
    empty: Business,  # noqa: F811
    own_visit: Visiting,
    own_app: Application,
) -> None:
    set_up(own_visit, own_app, Size(machines=1, processes=2, people=1, routings=1, jobs=2))


@pytest.mark.slow
def test_a_business_is_set_up_by_the_page_alone(
    empty: Business,  # noqa: F811
    own_visit: Visiting,
    own_app: Application,
) -> None:
    set_up(own_visit, own_app, Size(machines=3, processes=5, people=10, routings=2, jobs=20))
