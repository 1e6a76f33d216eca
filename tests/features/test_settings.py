"""Settings and the business itself: kept for minutes, a bounded number of them, and right at once after a change."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.cache.body import Body
from opsboard.cache.counts import CacheEvent
from opsboard.cache.key import Key
from opsboard.cache.store import Outcome, Store
from tests.application import Application, running_application

NEW = {
    "locale": "de-AT", "currency": "EUR", "opens_at": "06:30", "closes_at": "15:00", "auto_reply": True,
    "auto_reply_text": "Wir melden uns.", "contact_email": "post@works.example", "options": {"crm": {"id": 7}},
}  # fmt: skip
PATHS = {"/api/settings": "settings.get_settings", "/api/tenant": "tenant.get_tenant"}


def outcome(app: Application, path: str, role: str = "admin") -> str:
    answer = app.client(role).get(path)
    assert answer.status_code == 200
    assert (answer.headers["X-Queries"] == "0") == (answer.headers["X-Cache"] == "HIT")
    return answer.headers["X-Cache"]


def until_kept(app: Application, path: str) -> None:
    """A worker that has only begun to hear the others, or not lately, keeps nothing yet."""
    until = time.monotonic() + 10
    while outcome(app, path) != "HIT":
        assert time.monotonic() < until, f"{path} is never kept"


def test_what_is_put_is_there_and_in_the_audit_log_with_what_it_changed(own_app: Application) -> None:
    client = own_app.client()
    put: dict[str, Any] = client.put("/api/settings", json=NEW).json  # type: ignore[assignment]
    assert {name: put[name] for name in NEW} == NEW
    assert client.get("/api/settings").json == put
    assert put["business"]["name"] == f"{own_app.alpha.canary} works"
    entry: Any = client.get("/api/audit?entity=business_settings").json["items"][0]  # type: ignore[index]
    assert entry["changes"]["opens_at"] == ["07:00:00", "06:30:00"]
    assert "currency" not in entry["changes"]


def test_putting_the_same_again_changes_and_audits_nothing_more(own_app: Application) -> None:
    client = own_app.client()
    for _ in range(2):
        client.put("/api/settings", json=NEW)
    assert client.get("/api/audit?entity=business_settings").json["total"] == 1  # type: ignore[index]


def test_a_business_that_has_said_nothing_has_the_defaults(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM business_settings")
    client = own_app.client()
    found: Any = client.get("/api/settings").json
    assert (found["opens_at"], found["currency"], found["updated_at"]) == ("08:00", "EUR", None)
    assert client.put("/api/settings", json=NEW).status_code == 200
    assert client.get("/api/settings").json["updated_at"]  # type: ignore[index]


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens_at": "15:00"}, {"opens_at": "24:00"}, {"locale": "german"}, {"currency": "euro"}, {"options": []},
        {"contact_email": "nobody"}, {"options": {"x": "\x00"}}, {"options": {"x": "y" * 20_001}},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(app: Application, wrong: dict[str, Any]) -> None:
    assert app.client().put("/api/settings", json=NEW | wrong).status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_they_are_kept_per_business_until_they_change(own_app: Application, path: str) -> None:
    client = own_app.client()
    write = client.put if path == "/api/settings" else client.patch
    assert outcome(own_app, path) == "MISS"
    until_kept(own_app, path)
    assert own_app.client("admin", own_app.beta).get(path).headers["X-Cache"] == "MISS"
    assert write(path, json=NEW if path == "/api/settings" else {"name": "Other works"}).status_code == 200
    assert outcome(own_app, path) == "MISS"
    until_kept(own_app, "/api/settings")
    # The business is part of its settings.
    client.patch("/api/tenant", json={"name": "Yet another"})
    assert outcome(own_app, "/api/settings") == "MISS"


def test_another_worker_drops_them_when_they_change_whoever_wrote(own_app: Application) -> None:
    def pushed_out(app: Application, path: str) -> bool:
        """Return True if the cached answer ends within seconds while it is requested repeatedly."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if app.client().get(path).headers["X-Cache"] == "MISS":
                return True
        return False

    with running_application(own_app.database, own_app.alpha, own_app.beta) as other:
        other.services.change_feed.start()
        for path in PATHS:
            until_kept(other, path)
        assert own_app.client().put("/api/settings", json=NEW).status_code == 200
        assert pushed_out(other, "/api/settings")
        assert other.client().get("/api/settings").json["locale"] == "de-AT"  # type: ignore[index]
        until_kept(other, "/api/tenant")
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE tenants SET name = 'By hand' WHERE id = %s", (own_app.alpha.id,))
        assert pushed_out(other, "/api/tenant")
        assert other.client().get("/api/tenant").json["name"] == "By hand"  # type: ignore[index]


@pytest.mark.parametrize("path", PATHS)
def test_they_are_cleared_by_their_prefix_and_counted_by_their_name(own_app: Application, path: str) -> None:
    prefix = PATHS[path].split(".")[0]
    until_kept(own_app, path)
    answer = own_app.client().post("/api/health/cache/clear", json={"prefix": prefix})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert outcome(own_app, path) == "MISS"
    of_endpoint = own_app.services.store.stats()["endpoints"][PATHS[path]]
    assert of_endpoint["hits"] == 1
    assert of_endpoint["misses"] >= 2
    assert of_endpoint["entries"] == 1


def test_after_ten_minutes_they_are_read_again(own_app: Application) -> None:
    config = own_app.services.config
    assert (config.cache_ttl_settings, config.cache_ttl_tenant, config.cache_max_settings) == (600, 600, 1000)
    clock = [0.0]
    store = Store(100, 1 << 20, clock=lambda: clock[0])
    key = Key(1, "admin", None, "settings.get_settings", "")

    def found() -> Outcome:
        return store.get_or_load(
            key, config.cache_ttl_settings, frozenset(), lambda: Body(b"{}", frozenset())
        ).outcome

    assert [found(), found()] == [Outcome.MISS, Outcome.HIT]
    clock[0] = 599.9
    assert found() == Outcome.HIT
    clock[0] = 600.0
    assert found() == Outcome.MISS


def test_the_least_used_goes_when_there_are_too_many_and_nothing_else_does() -> None:
    store = Store(10_000, 64 << 20)
    store.limit("settings.get_settings", 1000)

    def ask(tenant: int, endpoint: str = "settings.get_settings") -> Outcome:
        key = Key(tenant, "admin", None, endpoint, "")
        return store.get_or_load(key, 600, frozenset(), lambda: Body(b"{}", frozenset())).outcome

    def ask_many(first: int) -> None:
        for tenant in range(first, 1500, 8):
            ask(tenant)

    assert ask(1, "dashboard.stats") == Outcome.MISS
    assert [ask(5000), ask(5000)] == [Outcome.MISS, Outcome.HIT]
    threads = [threading.Thread(target=ask_many, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = store.stats()
    assert stats["endpoints"]["settings.get_settings"]["entries"] == 1000
    assert stats[CacheEvent.EVICTED_BY_ENTRIES.value] == 501
    assert ask(1, "dashboard.stats") == Outcome.HIT
    assert ask(5000) == Outcome.MISS


def test_another_time_zone_moves_the_days(own_app: Application) -> None:
    client = own_app.client()
    assert client.patch("/api/tenant", json={"time_zone": "Mars/Olympus"}).status_code == 400
    assert client.patch("/api/tenant", json={"time_zone": "Asia/Tokyo"}).json["time_zone"] == "Asia/Tokyo"  # type: ignore[index]
    assert client.get("/api/health/rollups").json["differences"] == []  # type: ignore[index]


def test_a_limit_of_zero_seconds_keeps_nothing(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, cache_ttl_tenant=0.0) as app:
        assert [outcome(app, "/api/tenant") for _ in range(2)] == ["BYPASS", "BYPASS"]
