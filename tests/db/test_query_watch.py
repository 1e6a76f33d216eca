"""A slow query is one line in the log that names it and the request, and nothing else; every query is counted."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from opsboard.db.query_watch import QueryWatch
from opsboard.observability import record
from opsboard.observability.logs import add_request
from tests.application import Application, running_application


def test_a_query_of_the_threshold_is_told_and_a_faster_one_is_not() -> None:
    watch = QueryWatch(slow_ms=1000)
    with capture_logs() as lines:
        watch.ran("jobs.list_jobs", 0.999)
        watch.ran("jobs.list_jobs", 1.0)
    assert lines == [{"event": "slow query", "query": "jobs.list_jobs", "ms": 1000.0, "log_level": "warning"}]
    (counted,) = watch.durations.report()
    assert (counted["name"], sum(counted["counts"]), counted["longest"]) == ("jobs.list_jobs", 2, 1.0)


def test_a_threshold_of_0_tells_of_none() -> None:
    with capture_logs() as lines:
        QueryWatch(slow_ms=0).ran("jobs.list_jobs", 100.0)
    assert lines == []


def test_the_line_says_which_request_it_was(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, slow_query_ms=1) as app:
        client = app.client()
        watch = app.services.database._watch
        monkeypatch.setattr(watch, "_slow", 0.0)
        with capture_logs(processors=[add_request]) as lines:
            answer = client.get("/api/jobs", headers={"X-Request-Id": "the-slow-one"})
        assert answer.status_code == 200
    (line,) = [line for line in lines if line.get("query") == "jobs.list_jobs"]
    assert (line["request_id"], line["endpoint"]) == ("the-slow-one", "jobs.list_jobs")
    assert line.keys() == {"event", "query", "ms", "log_level", "request_id", "endpoint", "business"}
    assert record.current() is None
