"""Errors as RFC 9457 problem documents, one shape on every route."""

from __future__ import annotations

import json
from typing import Any

import structlog
from apiflask.exceptions import HTTPError
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from opsboard.errors import OpsboardError
from opsboard.observability import record

log = structlog.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
# HTTP's own errors: a code for programs. Others are called http_<status>.
CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
    431: "headers_too_large",
}
DETAILS = {404: "There is no such thing here.", 413: "The request body may have 1 MiB at most."}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    fields: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The one shape: {type, title, status, code, detail, request_id[, errors: [{field, message}]]}."""
    current = record.current()
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": current.request_id if current else None,
    }
    if fields:
        content["errors"] = fields
    response = Response(json.dumps(content), status=status, mimetype=PROBLEM_JSON)
    response.headers.update(headers or {})
    response.headers["Cache-Control"] = "no-store"
    return response


def register_problems(app: Flask) -> None:
    """Answer every error of the application with a problem document."""
    app.register_error_handler(OpsboardError, ours)
    app.register_error_handler(HTTPError, of_validation)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(RecursionError, too_deep)
    app.register_error_handler(Exception, unexpected)


def ours(error: OpsboardError) -> Response:
    if error.status >= 500:
        log.error("request failed", code=error.code, detail=error.detail, advice=error.advice)
    return problem(error.status, error.code, error.title, error.detail, error.fields, error.headers)


def of_validation(error: HTTPError) -> Response:
    """Arguments that do not fit their declaration: one entry per field."""
    detail = error.detail if isinstance(error.detail, dict) else {}
    fields = [
        {"field": name, "in": location, "message": message}
        for location, found in detail.items()
        for name, messages in found.items()
        for message in messages
    ]
    return problem(
        error.status_code, "invalid_input", "Invalid input", "The request has invalid values.", fields
    )


def of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 and error.response is None:  # a redirect that werkzeug raised
        return Response(status=status, headers=error.get_headers())
    detail = DETAILS.get(status) or error.description or error.name
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return problem(status, CODES.get(status, f"http_{status}"), error.name, detail, headers=headers)


def too_deep(error: RecursionError) -> Response:
    return problem(400, "bad_request", "Bad Request", "The JSON is nested too deeply.")


def unexpected(error: Exception) -> Response:
    log.exception("unexpected error", advice="this is a bug of ours; report it with these lines")
    return problem(500, OpsboardError.code, OpsboardError.title, OpsboardError.default_detail)
