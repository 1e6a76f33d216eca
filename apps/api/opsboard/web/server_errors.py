"""Errors that are answered before Flask hears of a request, in the one shape of all errors."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn import util

from opsboard.web.problems import CODES, PROBLEM_JSON
from opsboard.web.request_ids import request_id

log = structlog.get_logger(__name__)

DETAILS = {
    400: "The request is not valid HTTP.",
    408: "The request did not arrive in time.",
    413: "The request body may have 1 MiB at most.",
    414: "The address is too long.",
    431: "The request's headers are too large.",
    503: "Too many requests are arriving; try again in a moment.",
}


def refusal(status: int, detail: str = "", title: str = "") -> bytes:
    """A whole answer that ends the connection."""
    made_id = request_id(None)
    title = title or HTTPStatus(status).phrase
    detail = detail or DETAILS.get(status, title)
    content = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": CODES.get(status, f"http_{status}"),
        "detail": detail,
        "request_id": made_id,
    }
    log.warning("request refused by the server", status=status, detail=detail, request_id=made_id)
    body = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: {PROBLEM_JSON}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"X-Request-Id: {made_id}\r\n"
    )
    if status == 401:
        head += "WWW-Authenticate: Bearer\r\n"
    if status == 503:
        head += "Retry-After: 2\r\n"
    return f"{head}\r\n".encode("latin-1") + body


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """Takes the place of gunicorn's own, which writes HTML with what the client sent in it."""
    sock.sendall(refusal(status_int, title=reason))


def answer_with_problems() -> None:
    """From now on gunicorn's own errors in this process are problem documents."""
    util.write_error = write_error
