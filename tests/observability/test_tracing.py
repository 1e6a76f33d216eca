"""Traces: a span for each request and statement, as part of the caller's trace, with names and never a value."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from opsboard import application
from opsboard.application import make_app
from opsboard.config import load_config
from opsboard.errors import ConfigError
from opsboard.observability import record
from opsboard.observability.tracing import Traces
from opsboard.web.access import open_to_all
from tests.application import SECRET, Application, running_application
from tests.contract.routes import routes

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(
    own_app: Application, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Application]:
    """The application with TRACES on, whose spans stay in memory."""
    monkeypatch.setattr(
        application, "Traces", lambda version: Traces(version, processor=SimpleSpanProcessor(spans))
    )
    with running_application(own_app.database, own_app.alpha, own_app.beta, traces=True) as traced:
        yield traced


def taken(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    found = list(spans.get_finished_spans())
    spans.clear()
    return found


def test_a_request_and_its_statement_are_part_of_the_callers_trace(
    traced: Application, spans: InMemorySpanExporter
) -> None:
    answer = traced.client().get("/api/jobs?q=canaryalpha", headers={"traceparent": SAMPLED})
    assert answer.status_code == 200
    found = taken(spans)
    (request,) = [span for span in found if span.name == "GET /api/jobs"]
    statements = [span for span in found if span is not request]
    assert request.parent is not None and f"{request.parent.span_id:016x}" == PARENT
    assert {f"{span.context.trace_id:032x}" for span in found} == {TRACE}
    assert [span.name for span in statements] == ["jobs.list_jobs"]
    assert statements[0].parent is not None and statements[0].parent.span_id == request.context.span_id
    assert statements[0].start_time <= statements[0].end_time  # type: ignore[operator]
    attributes = dict(request.attributes or {})
    assert attributes["http.response.status_code"] == 200
    assert attributes["opsboard.endpoint"] == "jobs.list_jobs"
    assert (attributes["opsboard.cache"], attributes["opsboard.queries"]) == ("MISS", 1)
    assert attributes["opsboard.business"] == traced.alpha.id


def test_without_a_parent_a_request_begins_a_trace_and_an_unsampled_one_is_not_recorded(
    traced: Application, spans: InMemorySpanExporter
) -> None:
    client = traced.client()
    client.get("/api/machines")
    request = next(span for span in taken(spans) if span.name == "GET /api/machines")
    assert request.parent is None and request.context.trace_id
    client.get("/api/customers", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    client.get("/api/leads", headers={"traceparent": "no trace"})
    assert [span.name for span in taken(spans) if span.parent is None] == ["GET /api/leads"]


def test_work_elsewhere_gets_the_trace_of_its_request(
    traced: Application, spans: InMemorySpanExporter
) -> None:
    @open_to_all
    def passing_on() -> str:
        current = record.current()
        assert current is not None and current.trace is not None
        return current.trace.traceparent

    traced.flask.add_url_rule("/passing-on", view_func=passing_on)
    told = traced.flask.test_client().get("/passing-on", headers={"traceparent": SAMPLED}).text
    (request,) = taken(spans)
    assert told == f"00-{TRACE}-{request.context.span_id:016x}-01"


def test_a_failed_request_is_an_error_and_its_statement_is_there(
    traced: Application, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(traced.flask.view_functions, "jobs.list_jobs", open_to_all(fails))
    assert traced.client().get("/api/jobs").status_code == 500
    (request,) = taken(spans)
    assert request.status.status_code == StatusCode.ERROR
    assert (request.attributes or {})["http.response.status_code"] == 500


def test_no_span_of_any_route_has_a_value_of_a_business(
    traced: Application, spans: InMemorySpanExporter
) -> None:
    client = traced.client()
    for route in routes(traced):
        if route.method == "GET":
            client.get(route.path, headers={"X-Request-Id": "request-4711"})
    found = taken(spans)
    assert len(found) > 100
    texts = {str(value) for span in found for value in (span.name, *(span.attributes or {}).values())}
    told = " ".join(texts)
    assert "canary" not in told and "@" not in told and "SELECT" not in told and "?" not in told
    # An address has names in place of ids.
    assert not any(part.isdigit() for text in texts if text.startswith("GET ") for part in text.split("/"))


def test_off_by_default_nothing_is_imported_and_no_request_has_a_trace(app: Application) -> None:
    assert app.services.traces is None
    code = (
        "import sys, opsboard; opsboard.create_app(); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environ = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
        "SECRET_KEY": SECRET,
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_the_packages_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "missing_packages", lambda: True)
    config = load_config({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "SECRET_KEY": SECRET}, None)
    with pytest.raises(ConfigError, match=r"opsboard\[traces\]"):
        make_app(config.with_values(traces=True))
