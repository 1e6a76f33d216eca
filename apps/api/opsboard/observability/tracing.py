"""Traces of requests by OpenTelemetry, if TRACES is on: a span for each request, one below it for each statement.

Spans have names of views and queries, numbers and ids of businesses; never a value, a statement or an address with ids.
The packages are those of the extra `traces`; nothing here is imported while it is off.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanProcessor

NAME = "opsboard"
NANO = 1_000_000_000


class RequestTrace:
    """The span of one request. `status` is that of its answer, set before it ends."""

    status = 0

    def __init__(self, tracer: Any, span: Any, context: Any) -> None:
        self._tracer = tracer
        self._span = span
        self._context = context

    @property
    def traceparent(self) -> str:
        """The header that makes work elsewhere part of this request."""
        found = self._span.get_span_context()
        return f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags):02x}"

    def query(self, name: str, ms: float) -> None:
        """A statement has ended that took so long."""
        if not self._span.is_recording():
            return
        from opentelemetry.trace import SpanKind

        ended = time.time_ns()
        span = self._tracer.start_span(
            name,
            self._context,
            SpanKind.CLIENT,
            {"db.system.name": "postgresql", "db.query.summary": name},
            start_time=ended - int(ms * NANO / 1000),
        )
        span.end(ended)

    def end(self, cache: str, queries: int, business: int | None) -> None:
        """The answer is made. An answer of 500 or above is an error of the span."""
        from opentelemetry.trace import StatusCode

        numbers: dict[str, Any] = {
            "http.response.status_code": self.status, "opsboard.cache": cache, "opsboard.queries": queries,
        }  # fmt: skip
        if business is not None:
            numbers["opsboard.business"] = business
        self._span.set_attributes(numbers)
        if self.status >= 500:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Traces:
    """Begins the trace of each request; as part of the caller's where it sends a `traceparent` (W3C Trace Context)."""

    def __init__(self, version: str, processor: SpanProcessor | None = None) -> None:
        """Without a processor spans go to where OTEL_EXPORTER_OTLP_ENDPOINT says, in the background."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource.create({"service.name": NAME, "service.version": version})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(processor or to_collector())
        self._tracer = self._provider.get_tracer(NAME, version)

    def begin(self, method: str, route: str, endpoint: str, traceparent: str) -> RequestTrace:
        """`traceparent`: the header of the caller, or empty; `route`: the address with names in place of ids."""
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
        attributes = {"http.request.method": method, "http.route": route, "opsboard.endpoint": endpoint}
        span = self._tracer.start_span(f"{method} {route}".strip(), parent, SpanKind.SERVER, attributes)
        return RequestTrace(self._tracer, span, set_span_in_context(span, parent))

    def stop(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()


def to_collector() -> SpanProcessor:
    """Spans in batches by OTLP over HTTP; the standard variables OTEL_EXPORTER_OTLP_... say where and how."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


def missing_packages() -> bool:
    """Return True if the extra `traces` is not installed."""
    from importlib.util import find_spec

    try:
        return find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter.otlp") is None
    except ModuleNotFoundError:
        return True
