"""Ids of requests differ on all threads and in all processes."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from structlog.testing import capture_logs

from opsboard.observability import record
from opsboard.observability.logs import add_request
from opsboard.web.request_ids import REQUEST_ID, request_id, trace_id
from tests.application import Application


def test_32_threads_never_make_the_same_id() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(32) as threads:
            ids = [
                one
                for many in threads.map(lambda _: [request_id(None) for _ in range(500)], range(64))
                for one in many
            ]
    finally:
        sys.setswitchinterval(usual)
    assert len(set(ids)) == len(ids) == 32_000
    assert all(REQUEST_ID.fullmatch(one) for one in ids)


def test_a_forked_worker_does_not_repeat_its_parents_ids() -> None:
    before = request_id(None)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, request_id(None).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        of_the_child = pipe.read()
    os.waitpid(child, 0)
    assert of_the_child[:12] != before[:12] == request_id(None)[:12]


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "malformed",
    [
        f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}",
        f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE[1:]}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-more", "",
        "x" * 5000,
    ],
)  # fmt: skip
def test_a_malformed_traceparent_names_no_trace(malformed: str) -> None:
    assert trace_id(malformed) == ""
    assert request_id(None, malformed) != request_id(None, malformed)


def test_a_trace_becomes_the_request_id_and_is_in_the_log(own_app: Application) -> None:
    assert trace_id(f"00-{TRACE}-{PARENT}-01") == trace_id(f"01-{TRACE}-{PARENT}-01-more") == TRACE
    client = own_app.client()
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    with capture_logs(processors=[add_request]) as lines:
        missing = client.get("/api/jobs/999999", headers=headers)
        structlog.get_logger().warning("outside of a request")
    assert missing.headers["X-Request-Id"] == missing.json["request_id"] == TRACE  # type: ignore[index]
    assert "trace_id" not in lines[-1]
    # An answer of the fast path has it too, and the caller's own id is stronger.
    for _ in range(3):
        assert client.get("/api/dashboard/stats", headers=headers).headers["X-Request-Id"] == TRACE
    both = client.get("/api/dashboard/stats", headers={**headers, "X-Request-Id": "my-own-id"})
    assert both.headers["X-Request-Id"] == "my-own-id"
    with (
        record.recording(record.Record(request_id=TRACE, trace_id=TRACE)),
        capture_logs([add_request]) as lines,
    ):
        structlog.get_logger().warning("inside")
    assert lines[0]["trace_id"] == TRACE
