"""Which scope an API token needs for a route: a table made of the route map when the application starts."""

from __future__ import annotations

from typing import Literal, get_args

from flask import Flask, current_app, request

from opsboard.auth.identity import Identity
from opsboard.errors import Forbidden

Scope = Literal["read", "write", "health", "metrics", "wall"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Routes that look at no token, and those for people who signed in.
OPEN = "open"
SIGN_IN = "sign-in"
HEALTH = {"health", "root_health"}
METRICS = "metrics"
WALL = "wall"
TABLE = "opsboard.scopes"


def scopes_of(app: Flask) -> dict[tuple[str, str], str]:
    """Endpoint and method -> scope, OPEN or SIGN_IN, for every route there is."""
    return {
        (rule.endpoint, method): scope_of(app, rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def scope_of(app: Flask, endpoint: str, method: str) -> str:
    view, area = app.view_functions[endpoint], endpoint.partition(".")[0]
    if area == METRICS:
        return METRICS
    if getattr(view, "open_to_all", False):
        return OPEN
    if getattr(view, "sign_in_only", False):
        return SIGN_IN
    if getattr(view, "for_walls", False):
        return WALL
    if method not in SAFE_METHODS:
        return "write"
    return "health" if area in HEALTH else "read"


def assign_scopes(app: Flask) -> None:
    """Make the table; called once all routes are there."""
    app.extensions[TABLE] = scopes_of(app)


def require_scope(identity: Identity) -> None:
    """Raise Forbidden when the caller sent an API token without the scope of this route."""
    if identity.scopes is None:
        return
    needed = current_app.extensions[TABLE].get((request.endpoint or "", request.method), SIGN_IN)
    if needed == SIGN_IN:
        raise Forbidden("This is for people who signed in; no API token may do it.")
    # A screen shows a part of what `read` covers.
    if needed not in identity.scopes and not (needed == WALL and "read" in identity.scopes):
        raise Forbidden(f"This API token lacks the scope {needed}.")
