"""/ the page, /docs the API in a page for each area, /design its parts, /static their files; no other host is asked."""

from __future__ import annotations

import threading
from typing import Any, cast

from apiflask import APIFlask
from flask import Response, abort, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from opsboard.cache.body import Body
from opsboard.features.pages.assets import ASK_EACH_TIME, answer, asset_url, serve, version
from opsboard.features.pages.reference import Group, Reference, read_reference
from opsboard.features.pages.schemas import filled
from opsboard.observability.build import version_and_commit
from opsboard.web.access import COOKIE, cookie_name, open_to_all
from opsboard.web.area import Area
from opsboard.web.lifecycle import PAGE_POLICY
from opsboard.web.problems import PROBLEM_JSON, of_http

area = Area("pages", __name__, tag="Pages", url_prefix="", enable_openapi=False, template_folder="templates")

# Addresses of programs, whose errors are problem documents whatever a browser asks for.
FOR_PROGRAMS = ("/api", "/health", "/metrics", "/static")
area.add_app_template_global(asset_url, "asset")
MAKING = threading.Lock()
KEPT = 8  # names of the host, each with its pages of the documentation


@area.get("/")
@open_to_all
def page() -> Response:
    """The page; it signs in and polls by itself."""
    # Only who brings a cookie is asked for: a question answered with 401 would stand in the browser's console.
    known = cookie_name(COOKIE) in request.cookies
    return respond(Body(render_template("page.html", known=known, running=version_and_commit()).encode()))


@area.get("/docs")
@open_to_all
def docs() -> Response:
    """The documentation's first page: how to begin, and the areas with their operations."""
    return respond(docs_page("docs_index.html"))


@area.get("/docs/<name>")
@open_to_all
def docs_of_area(name: str) -> Response:
    """The operations of one area."""
    groups = {group.anchor: group for group in reference_of(cast(APIFlask, current_app)).groups}
    if name not in groups:
        abort(404)
    return respond(docs_page("docs_area.html", groups[name]))


def docs_page(template: str, group: Group | None = None) -> Body:
    """Return a page of the documentation. It is kept, since the lines on it name the host that was asked."""
    kept: dict[tuple[str, str], dict[str, Body]] = current_app.extensions.setdefault("opsboard.docs", {})
    host, name = (request.host_url, version()), group.anchor if group else ""
    body = kept.get(host, {}).get(name)
    if body is None:
        html = render_template(
            template,
            reference=reference_of(cast(APIFlask, current_app)),
            area=group,
            host=request.host_url.rstrip("/"),
            filled=filled,
        )
        body = Body(html.encode())
        if host in kept or len(kept) < KEPT:  # the name of the host is the client's word: only a few are kept
            kept.setdefault(host, {})[name] = body
    return body


def reference_of(app: APIFlask) -> Reference:
    """Return the content of the pages, computed once per process: it takes seconds, and the pages are public."""
    with MAKING:
        if "opsboard.reference" not in app.extensions:
            app.extensions["opsboard.reference"] = read_reference(cast(dict[str, Any], app.spec))
        return cast(Reference, app.extensions["opsboard.reference"])


@area.get("/wall")
@open_to_all
def wall() -> Response:
    """The board of a screen that nobody touches; it signs in by the cookie of its browser."""
    return respond(Body(render_template("wall.html").encode()))


@area.get("/design")
@open_to_all
def design() -> Response:
    """The parts that pages are made of, for people who make or change a page."""
    return respond(Body(render_template("design.html").encode()))


@area.get("/set-password")
@open_to_all
def set_password() -> Response:
    """The page behind an invitation or a reset link; the token stands behind # and is not sent with the address."""
    return respond(Body(render_template("set_password.html").encode()))


@area.get("/static/<path:name>")
@open_to_all
def static(name: str) -> Response:
    """A file of the pages."""
    return serve(name)


@area.app_errorhandler(404)
def not_found(error: HTTPException) -> Response:
    """An unknown address: a page with a way home for people, a problem document for programs."""
    is_page = not request.path.startswith(FOR_PROGRAMS)
    if not is_page or request.accept_mimetypes.best_match((PROBLEM_JSON, "text/html")) != "text/html":
        return of_http(error)
    response = Response(render_template("not_found.html"), status=404, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def respond(body: Body) -> Response:
    response = answer(body, "text/html", ASK_EACH_TIME, vary="Accept-Encoding, Cookie")
    # On a 304 too: a browser replaces the headers it has kept, and this one would shut the page.
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
