"""Logs: one event a line, as text for people or as JSON for machines."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from opsboard.observability import record


def configure_logs(level: str, form: str) -> None:
    """Set up structlog once per process; `form` is text or json."""
    last: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            add_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger().handlers = [
        handler for handler in logging.getLogger().handlers if not isinstance(handler, StandardError)
    ]
    logging.getLogger().addHandler(StandardError(last))


class StandardError(logging.Handler):
    """Writes what libraries and our database layer tell `logging` in the form of all other lines."""

    def __init__(self, last: Any) -> None:
        super().__init__()
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[
                    add_request,
                    structlog.stdlib.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.format_exc_info,
                ],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def add_request(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say which request an event belongs to."""
    current = record.current()
    if current is not None and current.request_id:
        event.setdefault("request_id", current.request_id)
        event.setdefault("endpoint", current.endpoint)
        if current.trace_id:
            event.setdefault("trace_id", current.trace_id)
    return event
