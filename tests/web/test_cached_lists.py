"""Pages of lists are kept: for whom, until when, how many, and what a page that is kept costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.cache.counts import CacheEvent
from opsboard.web.listing import ListArguments
from tests.application import Application, run, running_application
from tests.contract.routes import routes
from tests.seed import ROLES

PLAIN = ("/api/jobs", "/api/customers?q=ma", "/api/job-steps?mine=true&status=pending", "/api/jobs?cursor=")


def list_paths(app: Application) -> list[str]:
    """Every list there is."""
    return [
        route.path
        for route in routes(app)
        if route.method == "GET" and getattr(app.flask.view_functions[route.endpoint], "of_list", False)
    ]


def test_every_list_is_kept_as_one_and_nothing_else_is(app: Application) -> None:
    for endpoint, view in app.flask.view_functions.items():
        given = [arguments for arguments, _ in getattr(view, "_spec", {}).get("args") or ()]
        pages = any(isinstance(one, type) and issubclass(one, ListArguments) for one in given)
        assert getattr(view, "of_list", False) == (pages and not hasattr(view, "exports")), endpoint


def test_a_page_of_each_list_costs_one_statement_and_then_none(own_app: Application) -> None:
    client = own_app.client()
    paths = list_paths(own_app)
    assert len(paths) > 30
    for path in paths:
        miss = client.get(path)
        assert (miss.headers["X-Cache"], miss.headers["X-Queries"]) == ("MISS", "1"), path
        taken = own_app.services.database.pool.get_stats()["requests_num"]
        hit = client.get(path)
        assert (hit.headers["X-Cache"], hit.headers["X-Queries"], hit.data) == ("HIT", "0", miss.data), path
        same = client.get(path, headers={"If-None-Match": miss.headers["ETag"]})
        assert (same.status_code, same.headers["X-Queries"], same.data) == (304, "0", b""), path
        assert own_app.services.database.pool.get_stats()["requests_num"] == taken


@pytest.mark.parametrize("path", PLAIN)
def test_a_kept_page_is_given_before_flask_hears_of_it(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    client = own_app.client()
    first = client.get(path)
    client.get(path)
    monkeypatch.setattr(
        own_app.flask, "full_dispatch_request", lambda *args: pytest.fail("not by the fast path")
    )
    assert client.get(path).data == first.data
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_pages_are_kept_per_user_and_per_question(own_app: Application) -> None:
    seen = {}
    for business in (own_app.alpha, own_app.beta):
        for role in ROLES:
            client = own_app.client(role, business)
            for path in ("/api/jobs?fields=id", "/api/jobs?fields=id&page=2", "/api/job-steps?mine=true"):
                answer = client.get(path)
                assert answer.headers["X-Cache"] == "MISS", (business.slug, role, path)
                seen[business.slug, role, path] = answer.data
    assert seen["alpha", "admin", "/api/jobs?fields=id"] != seen["beta", "admin", "/api/jobs?fields=id"]


def test_a_write_and_a_change_by_anybody_end_a_page(own_app: Application) -> None:
    client = own_app.client()
    path = "/api/jobs?page_size=1&fields=id"
    before = client.get(path).json["total"]  # type: ignore[index]
    client.post("/api/jobs", json={"title": "one more"})
    after = client.get(path)
    assert (after.headers["X-Cache"], after.json["total"]) == ("MISS", before + 1)  # type: ignore[index]
    own_app.poll_changes()
    client.get(path)
    run(own_app, "DELETE FROM jobs WHERE id = %s", after.json["items"][0]["id"])  # type: ignore[index]
    own_app.poll_changes()
    assert client.get(path).json["total"] == before  # type: ignore[index]


@pytest.fixture
def ending_day(own_app: Application) -> tuple[Application, list[float]]:
    """A business whose day ends within minutes, and the clock of the cache."""
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute("SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::int")
        (hour,) = cursor.fetchone() or (0,)
        # A zone where it is between 23:00 and 24:00: this many hours ahead of UTC.
        ahead = 23 - hour if hour >= 11 else -(hour + 1)
        cursor.execute(
            "UPDATE tenants SET time_zone = %s, as_of = NULL",
            (f"Etc/GMT{'-' if ahead > 0 else '+'}{abs(ahead)}" if ahead else "UTC",),
        )
    own_app.services.store.clear()
    now = [1000.0]
    own_app.services.store.clock = lambda: now[0]
    return own_app, now


@pytest.mark.parametrize(
    "path",
    ["/api/jobs?overdue=true", "/api/jobs?due_today=true", "/api/job-steps?completed_today=true",
     "/api/leads?created_today=true", "/api/workflow-approvals?decided_today=true", "/api/jobs/at-risk"],
)  # fmt: skip
def test_what_shows_today_ends_with_the_day_of_the_business(
    ending_day: tuple[Application, list[float]], path: str
) -> None:
    app, now = ending_day
    config = app.services.config
    object.__setattr__(config, "values", {**config.values, "CACHE_TTL_LISTS": 86400.0})
    client = app.client()
    client.get(path)
    (entry,) = [entry for entry in app.services.store._entries.snapshot() if entry.key.of_list]
    left = entry.expires - now[0]
    assert 0 < left <= 3600, "until midnight there"
    if left > 2:
        now[0] += left - 1
        assert client.get(path).headers["X-Cache"] == "HIT"
    now[0] = entry.expires
    assert client.get(path).headers["X-Cache"] == "MISS"


def test_what_does_not_show_today_goes_on_at_midnight(ending_day: tuple[Application, list[float]]) -> None:
    app, now = ending_day
    app.client().get("/api/customers")
    (entry,) = [entry for entry in app.services.store._entries.snapshot() if entry.key.of_list]
    assert entry.body.lasts == math.inf and entry.expires - now[0] == 60


def test_a_business_with_a_fixed_day_has_no_midnight(ending_day: tuple[Application, list[float]]) -> None:
    app, now = ending_day
    run(app, "UPDATE tenants SET as_of = '2026-01-01'")
    app.client().get("/api/jobs?overdue=true")
    (entry,) = [entry for entry in app.services.store._entries.snapshot() if entry.key.of_list]
    assert entry.expires - now[0] == 60


def test_a_page_that_shows_hours_ends_with_the_hour_and_one_of_links_when_one_expires(
    own_app: Application,
) -> None:
    client = own_app.client()
    run(own_app, "UPDATE response_approvals SET created_at = now() - interval '50 minutes'")
    run(
        own_app,
        "UPDATE workflow_execution_monitoring SET started_at = now() - interval '1 hour 50 minutes' "
        "WHERE status = 'running'",
    )
    run(own_app, "UPDATE job_status_links SET expires_at = now() + interval '10 minutes'")
    own_app.poll_changes()
    links = next(path for path in list_paths(own_app) if path.endswith("/status-links"))
    for path in ("/api/workflow-approvals/pending", "/api/workflow-monitoring/active", links):
        own_app.services.store.clear()
        assert client.get(path).json["items"], path  # type: ignore[index]
        (entry,) = [entry for entry in own_app.services.store._entries.snapshot() if entry.key.of_list]
        assert 0 < entry.body.lasts <= 601, path  # a second for a clock that is set back


def test_one_user_cannot_fill_the_cache_by_asking(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, cache_max_entries=640) as app:
        store = app.services.store
        manager, operator = app.client("manager"), app.client("operator")
        for path in ("/api/dashboard/stats", "/api/jobs?page_size=1"):
            manager.get(path)
        for number in range(60):
            assert operator.get(f"/api/customers?q=x{number}&page_size=1").status_code == 200
        kept = [entry.key.user_id for entry in store._entries.snapshot() if entry.key.of_list]
        assert max(map(kept.count, kept)) == 20, "a sixteenth of half of 640"
        for path in ("/api/dashboard/stats", "/api/jobs?page_size=1"):
            assert manager.get(path).headers["X-Cache"] == "HIT"
        assert operator.get("/api/customers?q=x59&page_size=1").headers["X-Cache"] == "HIT"
        assert store.stats()[CacheEvent.EVICTED_BY_ENTRIES.value] >= 40


def test_switched_off_a_page_is_made_each_time(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, cache_ttl_lists=0) as app:
        client = app.client()
        assert {client.get("/api/jobs").headers["X-Cache"] for _ in range(2)} == {"BYPASS"}


QUESTIONS = [
    "/api/jobs?fields=id,status", "/api/jobs?status=active&fields=id", "/api/jobs?overdue=true&cursor=",
    "/api/customers?q=new&fields=id,name", "/api/job-steps?status=pending&fields=id",
    "/api/notifications?unread=true&fields=id", "/api/machines?fields=id,status", "/api/leads?fields=id,name",
]  # fmt: skip
CHANGES = [
    "INSERT INTO customers (tenant_id, name) VALUES ({tenant}, 'new')",
    "UPDATE jobs SET status = CASE status WHEN 'active' THEN 'on_hold' ELSE 'active' END WHERE tenant_id = {tenant}",
    "UPDATE jobs SET due_date = '2020-01-01' WHERE tenant_id = {tenant} AND id % 2 = 0",
    "UPDATE job_steps SET status = 'pending', completed_at = NULL WHERE tenant_id = {tenant}",
    "UPDATE notifications SET read_at = CASE WHEN read_at IS NULL THEN now() END WHERE tenant_id = {tenant}",
    "UPDATE machines SET status = CASE status WHEN 'active' THEN 'inactive' ELSE 'active' END "
    "WHERE tenant_id = {tenant}",
    "UPDATE leads SET name = name || '!' WHERE tenant_id = {tenant}",
]
STEP = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(QUESTIONS), st.sampled_from(["alpha", "beta"])),
    st.tuples(st.just("change"), st.sampled_from(CHANGES), st.sampled_from(["alpha", "beta"])),
)


@pytest.fixture
def clients(own_app: Application) -> Iterator[dict[str, tuple[FlaskClient, FlaskClient]]]:
    """For each business a client of the application and one of another that keeps nothing."""
    with running_application(own_app.database, own_app.alpha, own_app.beta, cache_enabled=False) as keepless:
        yield {
            name: (own_app.client(business=one), keepless.client(business=one))
            for name, one in (("alpha", own_app.alpha), ("beta", own_app.beta))
        }


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(steps=st.lists(STEP, min_size=8, max_size=20))
def test_whatever_changes_no_kept_page_is_old(
    own_app: Application,
    clients: dict[str, tuple[FlaskClient, FlaskClient]],
    steps: list[tuple[str, str, str]],
) -> None:
    for kind, text, name in steps:
        if kind == "change":
            run(own_app, text.format(tenant=getattr(own_app, name).id))
            own_app.poll_changes()
        else:
            kept, right = (client.get(text) for client in clients[name])
            assert kept.data == right.data, (text, kept.headers["X-Cache"])
