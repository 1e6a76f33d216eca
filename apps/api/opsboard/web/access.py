"""Access control: the token, the role, and the origin of a write by cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, Response, current_app, g, request

from opsboard.auth.identity import Role
from opsboard.errors import Forbidden, NotSignedIn
from opsboard.web.scopes import require_scope
from opsboard.web.services import services

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "opsboard_token"
DEVICE_COOKIE = "opsboard_device"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def open_to_all(view: View) -> View:
    """This view answers without a token."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def only_for(*roles: Role) -> Callable[[View], View]:
    """This view answers these roles; others get 403."""

    def mark(view: View) -> View:
        view.only_for = frozenset(role.value for role in roles)  # type: ignore[attr-defined]
        return view

    return mark


def for_operators(view: View) -> View:
    """This view is about the whole service, all its businesses: it answers the admins of those that run it."""
    view.for_operators = True  # type: ignore[attr-defined]
    return only_for(Role.ADMIN)(view)


def sign_in_only(view: View) -> View:
    """This view is about ways to sign in: it answers people who did, and no API token."""
    view.sign_in_only = True  # type: ignore[attr-defined]
    return view


def for_walls(view: View) -> View:
    """This view answers the link of a screen, too, which may read nothing else."""
    view.for_walls = True  # type: ignore[attr-defined]
    return view


def operational(view: View) -> View:
    """This view is about the state of the service: it waits for nothing that other requests wait for."""
    view.operational = True  # type: ignore[attr-defined]
    return view


def without_database(view: View) -> View:
    """This view says that the process is alive: it answers while nothing is known of the database."""
    view.without_database = True  # type: ignore[attr-defined]
    return view


def is_operational() -> bool:
    """Return True if the view of this request is such a one."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "operational", False)


def let_in() -> None:
    """Before every view: find out who asks. Raises NotSignedIn or Forbidden before anything else is looked at."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "open_to_all", False) or request.method == "OPTIONS":
        return
    token, by_cookie = find_token(request)
    if token is None:
        raise NotSignedIn()
    # The first caller of a process starts the thread: threads do not survive the fork of a preloaded app.
    reading = request.method in SAFE_METHODS
    if is_operational():
        services().change_feed.start()
        g.identity = services().sign_in.identify_operator(token, services().lookout, reading)
    else:
        services().change_feed.ensure_current()
        g.identity = services().sign_in.identify(token, reading)
    require_scope(g.identity)
    g.by_cookie = by_cookie
    roles = getattr(view, "only_for", None)
    if roles is not None and g.identity.role not in roles:
        raise Forbidden(f"This needs the role {' or '.join(sorted(roles))}.")
    if getattr(view, "for_operators", False):
        services().operators.require(g.identity.tenant_id)
    if by_cookie and request.method not in SAFE_METHODS and not same_origin(request):
        raise Forbidden("A write with the page's cookie must come from the page itself.")


def find_token(request: Request) -> tuple[str | None, bool]:
    """The token of a request, and whether it came by cookie. A header is stronger than the cookie."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn()
        return token.strip(), False
    return request.cookies.get(cookie_name(COOKIE)), True


def is_https() -> bool:
    """Return True if the browser uses https, also where COOKIE_SECURE says so because an unnamed proxy ends it."""
    return bool(services().config.cookie_secure or request.is_secure)


def cookie_name(name: str) -> str:
    """Over https a name that no other host can set: browsers take `__Host-` from this host and by https only."""
    return f"__Host-{name}" if is_https() else name


def same_origin(request: Request) -> bool:
    """Return True if a browser says that the request comes from our own page: the same scheme, host and port."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin == f"{'https' if is_https() else request.scheme}://{request.host}"
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(name), value, max_age=seconds, httponly=True, samesite="Strict", secure=is_https()
    )


def renew_cookie(response: Response) -> Response:
    """A sign-in by cookie is renewed by use: half way through the life of its token the page gets another one."""
    who = g.get("identity")
    if who is not None and g.get("by_cookie") and "Set-Cookie" not in response.headers:
        sign_in = services().sign_in
        if sign_in.renewal_due_in(who) <= 0:
            issued = sign_in.sessions.renew(who)
            sign_in.last_uses.note(issued.identity)
            set_cookie(response, COOKIE, issued.token, issued.lasts)
    return response
