"""The use of each business is what its requests were: none is lost, none counted twice, none counted for another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import psycopg2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsboard.errors import OpsboardError
from tests.application import Application, running_application

TOKEN = "a token of the scraper"
LOCKED = "LOCK TABLE usage_by_day IN ACCESS EXCLUSIVE MODE"


@pytest.fixture
def app(own_app: Application) -> Iterator[Application]:
    database, alpha, beta = own_app.database, own_app.alpha, own_app.beta
    with running_application(database, alpha, beta, metrics_token=TOKEN) as application:
        yield application


def use_of(app: Application) -> dict[str, dict[str, Any]]:
    app.services.usage.write()
    told: Any = app.client().get("/api/health/usage").json
    return {each["slug"]: each for each in told["businesses"]}


def test_requests_and_bytes_of_each_business_are_what_was_sent(app: Application) -> None:
    alpha, beta = app.client(), app.client("admin", app.beta)
    before = use_of(app)
    sent = {"alpha": [1, 0], "beta": [0, 0]}  # the request of before is written with the next ones
    sent["alpha"][1] = len(alpha.get("/api/health/usage").data)
    sent["alpha"][0] += 1
    # Twice: the second comes from the cache before Flask runs, the third as 304, the fourth without a body.
    for name, client in (("alpha", alpha), ("beta", beta), ("beta", beta)):
        tag = ""
        for path in ("/api/dashboard/stats", "/api/dashboard/stats", "/api/jobs", "/api/jobs/999999999"):
            answer = client.get(path)
            sent[name][0] += 1
            sent[name][1] += len(answer.data)
            tag = answer.headers.get("ETag", tag)
        for answer in (
            client.get("/api/jobs", headers={"If-None-Match": tag}),
            client.head("/api/dashboard/stats"),
        ):
            sent[name][0] += 1
            assert answer.data == b""
    after = use_of(app)
    old = {name: before.get(name, {"requests": 0, "bytes": 0}) for name in sent}
    assert after["beta"]["requests"] - old["beta"]["requests"] == sent["beta"][0]
    assert after["beta"]["bytes"] - old["beta"]["bytes"] == sent["beta"][1]
    assert after["alpha"]["requests"] - old["alpha"]["requests"] == sent["alpha"][0]
    assert after["beta"]["seconds"] > 0


def test_a_streamed_file_counts_when_it_has_been_sent(app: Application) -> None:
    client = app.client("admin", app.beta)
    size = len(client.get("/api/jobs/export").data)
    assert size > 100
    assert use_of(app)["beta"]["bytes"] == size
    broken_off = client.get("/api/customers/export")
    first = next(broken_off.iter_encoded())
    broken_off.close()
    used = use_of(app)["beta"]
    assert (used["requests"], used["bytes"]) == (2, size + len(first))


def test_what_cannot_be_written_is_written_later_once(app: Application) -> None:
    client = app.client("admin", app.beta)
    with closing(psycopg2.connect(app.database.superuser_url)) as connection:
        connection.cursor().execute("ALTER TABLE usage_by_day RENAME TO usage_away")
        connection.commit()
        client.get("/api/jobs")
        with suppress(OpsboardError):
            app.services.usage.write()
            pytest.fail("it was written")
        connection.cursor().execute("ALTER TABLE usage_away RENAME TO usage_by_day")
        connection.commit()
    client.get("/api/jobs")
    assert use_of(app)["beta"]["requests"] == 2
    assert use_of(app)["beta"]["requests"] == 2


def test_metrics_of_the_month_are_behind_the_token(app: Application) -> None:
    app.client("admin", app.beta).get("/api/jobs")
    app.services.usage.write()
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        # Of the month before: not in the numbers of this one.
        connection.cursor().execute(
            "INSERT INTO usage_by_day VALUES (%s, date_trunc('month', now())::date - 1, 700, 70, 7)",
            (app.beta.id,),
        )
    scraper = app.flask.test_client()
    assert scraper.get("/metrics").status_code == 401
    text = scraper.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    samples = {
        (sample.name, sample.labels["business"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "business" in sample.labels
    }
    assert samples["opsboard_business_requests_total", "beta"] == 1
    assert samples["opsboard_business_sent_bytes_total", "beta"] > 0
    assert samples["opsboard_business_request_seconds_total", "beta"] > 0


def test_days_are_those_that_are_asked_for(app: Application) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        connection.cursor().execute(
            "INSERT INTO usage_by_day VALUES (%s, (now() AT TIME ZONE 'UTC')::date - 1, 7, 0.5, 70)",
            (app.beta.id,),
        )
    client = app.client()
    for days, expected in ((1, []), (2, [7])):
        told: Any = client.get(f"/api/health/usage?days={days}").json
        assert [b["requests"] for b in told["businesses"] if b["slug"] == "beta"] == expected
    assert client.get("/api/health/usage?days=0").status_code == 400
