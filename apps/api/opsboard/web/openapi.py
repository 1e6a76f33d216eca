"""The OpenAPI 3.1 document: what APIFlask derives from the routes, plus what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apiflask import APIFlask

from opsboard.web.idempotency import HEADER, LONGEST
from opsboard.web.openapi_schemas import add_examples, allow_selections, rename_schemas
from opsboard.web.services import Services

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457). `code` is for programs, `detail` for people.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["not_found"]},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "in": {"type": "string"},
                    "message": {"type": "string"},
                    "path": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}
PROBLEMS = {
    "400": "An argument is wrong, unknown or given twice.",
    "401": "No valid token.",
    "403": "The role does not allow this.",
    "404": "There is no such thing, or it is not yours.",
    "409": "The change does not fit the present state.",
    "410": "The link has expired or was revoked.",
    "412": "If-Match does not match the current ETag.",
    "413": "The request body is too large.",
    "414": "The address is too long.",
    "422": "The Idempotency-Key belongs to another request{more}.",
    "429": "Too many sign-in attempts.",
    "503": "The database is busy or away; try again after Retry-After seconds.",
    "504": "It took longer than REQUEST_DEADLINE.",
}

KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A request repeated with the same key is executed once and gets the same answer; kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST},
}
MATCH_PARAMETER = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer that was read; the write is done if that is still the present state.",
    "schema": {"type": "string"},
}
EXPORTED: dict[str, Any] = {
    "description": "All rows as a file, streamed as they are read; a file that is cut off ends without the last chunk.",
    "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
    "content": {name: {"schema": {"type": "string"}} for name in ("text/csv", "application/jsonl")},
}

# As text for those who cannot name lines of JSON: generated clients among them.
TYPES_OF_LINES = ("application/jsonl", "text/plain")
LINES: dict[str, Any] = {
    "description": "Lines of JSON, sent while the work goes on; the last one has the outcome.",
    "content": {name: {"schema": {"type": "string"}} for name in TYPES_OF_LINES},
}
BYTES: dict[str, Any] = {
    "description": "The bytes of a file, with its media type.",
    "schema": {"type": "string", "format": "binary"},
}
OCTETS = "application/octet-stream"
DIGEST_PARAMETER = {
    "name": "Content-Digest",
    "in": "header",
    "required": False,
    "description": "`sha-256=:<base64>:` of the body (RFC 9530); a body that does not match is not stored.",
    "schema": {"type": "string"},
}
View = TypeVar("View", bound=Callable[..., Any])


def problems(*statuses: int, others: bool = True, more: str = "") -> Callable[[View], View]:
    """This view can answer with these errors, beside those of every view unless `others` is False.

    `more`: what the description of 422 says of this view.
    """

    def mark(view: View) -> View:
        view.problems = {str(status) for status in statuses}  # type: ignore[attr-defined]
        view.has_other_problems = others  # type: ignore[attr-defined]
        view.more = more  # type: ignore[attr-defined]
        return view

    return mark


def takes_no_key(view: View) -> View:
    """This write has no Idempotency-Key: repeating it does no harm, or its answer must not be kept."""
    view.takes_no_key = True  # type: ignore[attr-defined]
    return view


def takes_bytes(view: View) -> View:
    """The body of this view's request is a file."""
    view.takes_bytes = True  # type: ignore[attr-defined]
    return view


def takes_files(mapping: bool) -> Callable[[View], View]:
    """The body of this view's request is a form with files, and with a mapping if there is one; see describe_bytes."""

    def mark(view: View) -> View:
        view.takes_files = True  # type: ignore[attr-defined]
        view.takes_mapping = mapping  # type: ignore[attr-defined]
        return view

    return mark


def gives_bytes(view: View) -> View:
    """The body of this view's answer is a file."""
    view.gives_bytes = True  # type: ignore[attr-defined]
    return view


def describe_api(app: APIFlask, describe_more: Callable[[dict[str, Any]], None]) -> None:
    """Settings of the document, and the processing it goes through before it is served.

    `describe_more` adds what is no route, such as requests that the service itself sends.
    """
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        VALIDATION_ERROR_STATUS_CODE=400,
        INFO={"description": "Numbers, lists and writes of the shop, and the health of the service."},
        SECURITY_SCHEMES={
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, or an API token (opsb_...)"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "opsboard_token"},
        },
    )

    services: Services = app.extensions["opsboard"]

    @app.spec_processor
    def complete(document: Any) -> Any:
        document["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        # /health/... is the same tree as /api/health/...: described once.
        document["paths"] = {
            path: item
            for path, item in document["paths"].items()
            if path.startswith("/api/") or path == "/metrics"
        }
        document["tags"] = [{"name": name} for name in dict.fromkeys(tag["name"] for tag in document["tags"])]
        document["servers"] = [{"url": services.config.public_url or "/"}]
        rename_schemas(document)
        for item in document["paths"].values():
            for method, operation in item.items():
                complete_operation(app, method, operation)
                allow_selections(document, operation)
                add_examples(document, operation)
        describe_more(document)
        return document


def complete_operation(app: APIFlask, method: str, operation: dict[str, Any]) -> None:
    """Add security, errors and id parameters to an operation."""
    endpoint = endpoint_of(app, operation["operationId"])
    view = app.view_functions.get(endpoint)
    is_open = getattr(view, "open_to_all", False)
    operation["security"] = [] if is_open else [{"token": []}, {"cookie": []}]
    possible = {"400", "414", "503", "504"} | (set() if is_open else {"401", "403", "404"})
    if "requestBody" in operation:
        operation["requestBody"]["required"] = not getattr(view, "has_optional_body", False)
    if method != "get":
        possible |= {"409", "413"}
    if method != "get" and not getattr(view, "takes_no_key", False):
        possible.add("422")
        operation["parameters"].append(KEY_PARAMETER)
    if method in ("put", "patch", "delete"):
        possible.add("412")
        operation["parameters"].append(MATCH_PARAMETER)
    if not getattr(view, "has_other_problems", True):
        possible = set()
    possible |= getattr(view, "problems", set())
    for status in sorted(possible):
        operation["responses"][status] = {
            "description": PROBLEMS[status].format(more=getattr(view, "more", "")),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if getattr(view, "exports", False):
        operation["responses"]["200"] = EXPORTED
    elif "200" in operation["responses"] and method == "get" and not is_open:
        operation["responses"]["304"] = {"description": "The body that If-None-Match names still holds."}
    describe_bytes(view, operation)
    for parameter in operation["parameters"]:
        if parameter["in"] == "path" and parameter["name"] != "token":
            parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        elif "array" in [
            kind.get("type") for kind in (parameter["schema"], *parameter["schema"].get("anyOf", ()))
        ]:
            parameter |= {"style": "form", "explode": False}  # a,b and not twice the name


def describe_bytes(view: Any, operation: dict[str, Any]) -> None:
    """Bodies that are files, of any media type."""
    if getattr(view, "takes_bytes", False):
        operation["parameters"].append(DIGEST_PARAMETER)
        operation["requestBody"] = {
            "required": True,
            "description": "Any media type is taken; that of the document is given back.",
            "content": {OCTETS: {"schema": BYTES["schema"]}},
        }
    if getattr(view, "takes_files", False):
        operation["requestBody"] = form_of_files(view.takes_mapping)
    if getattr(view, "takes_mapping", False):
        operation["responses"]["200"] = LINES
    if getattr(view, "gives_bytes", False):
        operation["responses"]["200"] = {
            "description": BYTES["description"],
            "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
            # Generators know the first; what comes is the media type of the document.
            "content": {name: {"schema": BYTES["schema"]} for name in (OCTETS, "*/*")},
        }


def form_of_files(mapping: bool) -> dict[str, Any]:
    """A form as curl's -F sends it."""
    parts: dict[str, Any] = {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}}
    if mapping:
        parts["mapping"] = {"type": "string", "description": "The mapping, as TOML or as JSON."}
    schema = {"type": "object", "required": list(parts), "properties": parts}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def endpoint_of(app: APIFlask, operation_id: str) -> str:
    """APIFlask makes `get_jobs_list_jobs` of GET and `jobs.list_jobs`; the way back."""
    wanted = operation_id.partition("_")[2]
    return next((name for name in app.view_functions if name.replace(".", "_") == wanted), "")
