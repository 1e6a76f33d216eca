"""Steps around every request: id and record, admission, headers, log line."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from flask import Flask, Response, current_app, g, request

from opsboard.errors import NotFound
from opsboard.observability import record
from opsboard.observability.performance import QueryCounter
from opsboard.web.access import is_operational, let_in, renew_cookie
from opsboard.web.arguments import refuse_undeclared
from opsboard.web.maintenance_mode import refuse_paused_writes
from opsboard.web.request_ids import request_id, trace_id
from opsboard.web.services import services
from opsboard.web.usage import count_answer

log = structlog.get_logger(__name__)

# Everything comes from this host; nothing is inline.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DATA_POLICY = "default-src 'none'"
HSTS = "max-age=31536000"
# A path segment longer than any name of ours may be a token, which grants access without sign-in.
TOKEN = re.compile(r"[^/]{33,}")


def watch_requests(app: Flask, before_arguments: Callable[[], None]) -> None:
    """Hook the steps below around every request of the application.

    `before_arguments` comes when the caller is known and the query string not yet checked.
    """
    app.before_request(begin)
    app.before_request(refuse_second_slash)
    app.before_request(let_in)
    app.before_request(refuse_paused_writes)
    app.before_request(before_arguments)
    app.before_request(check_query_string)
    app.after_request(finish)
    app.after_request(renew_cookie)
    app.teardown_request(end)


def begin() -> None:
    given, traceparent = request.headers.get("X-Request-Id"), request.headers.get("traceparent")
    g.record = record.Record(
        endpoint=request.endpoint or "",
        request_id=request_id(given, traceparent),
        trace_id=trace_id(traceparent),
    )
    if traces := services().traces:
        route = request.url_rule.rule if request.url_rule else ""
        g.record.trace = traces.begin(request.method, route, request.endpoint or "", traceparent or "")
    record.begin(g.record)


def end(_: BaseException | None) -> None:
    """Nothing of a request is left on its thread: neither its record nor a connection somebody forgot."""
    services().database.pool.reclaim()
    current = record.current()
    if current and current.trace:
        who = g.get("identity")
        current.trace.end(current.cache, current.queries, who.tenant_id if who else None)
    record.end()


def refuse_second_slash() -> None:
    """`//api/jobs` is no address; Flask itself would read it as `/api/jobs`."""
    if request.environ.get("PATH_INFO", "").startswith("//"):
        raise NotFound()


def check_query_string() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None:
        refuse_undeclared(request, view)


def finish(response: Response) -> Response:
    current: record.Record | None = g.get("record")
    seconds = current.elapsed_ms / 1000 if current else 0.0
    count_answer(response, seconds)
    headers = response.headers
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault(
        "Content-Security-Policy", PAGE_POLICY if response.mimetype == "text/html" else DATA_POLICY
    )
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", HSTS)
    if request.path.startswith(("/api", "/health")):
        headers.setdefault("Cache-Control", "no-store")
    if current is None:
        return response
    if current.trace:
        current.trace.status = response.status_code
    headers["X-Request-Id"] = current.request_id
    repeated = warn_of_repeats(current)
    # A number and, where there is something to mend, the names (RFC 9651: an item with a parameter).
    headers["X-Queries"] = (
        f'{current.queries};repeated="{" ".join(repeated)}"' if repeated else str(current.queries)
    )
    headers["Server-Timing"] = server_timing(
        headers.get("X-Cache", "BYPASS"),
        current.wait_ms,
        current.query_ms,
        current.elapsed_ms,
        current.shared_ms,
    )
    # A hit costs less than a line about it would.
    if current.cache != "HIT":
        log.info(
            "request",
            method=request.method,
            path=TOKEN.sub("...", request.path),
            status=response.status_code,
            ms=round(current.elapsed_ms, 1),
            queries=current.queries,
            cache=current.cache,
        )
    return response


def warn_of_repeats(current: record.Record) -> dict[str, int]:
    """Warn of a request that ran a query more than once, or very many; returns how often each was repeated.

    Health answers may ask again until something has come true.
    """
    counter = QueryCounter(of=current)
    if is_operational():
        return {}
    repeated = counter.repeated
    if counter.count > counter.threshold:
        counter.check()
    elif repeated:
        log.warning("repeated queries", repeated=repeated, advice="fetch the rows of all in one statement")
    return repeated


def server_timing(
    outcome: str, wait_ms: float, query_ms: float, total_ms: float, shared_ms: float = 0.0
) -> str:
    """`shared` is there only when the second level of the cache was asked."""
    shared = f"shared;dur={shared_ms:.1f}, " if shared_ms else ""
    return f"cache;desc={outcome}, {shared}wait;dur={wait_ms:.1f}, db;dur={query_ms:.1f}, total;dur={total_ms:.1f}"
