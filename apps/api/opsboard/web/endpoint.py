"""Decorators of views that answer with a body: kept per user, kept per tenant and role, or made each time."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from pydantic import BaseModel

from opsboard.cache.body import Body
from opsboard.cache.key import Key, canonical
from opsboard.config import SettingTypes
from opsboard.web.document import respond
from opsboard.web.remembered_requests import REMEMBER, RememberedRequest
from opsboard.web.services import deadline, identity, services

View = Callable[..., Body]


def cache_route_with_user(ttl: float | str) -> Callable[[View], Callable[..., Response]]:
    """Keep a view's body per user for `ttl` seconds, or for the seconds in the setting of that name.

    The key is made of tenant, role, user, endpoint and the checked arguments. A change in one of the tables
    the body was read from ends it sooner.
    """
    return cached(ttl, per_user=True)


def cache_route(ttl: float | str, max_entries: str = "") -> Callable[[View], Callable[..., Response]]:
    """The same for a body that is equal for everybody of a tenant with the same role.

    `max_entries`: the setting that says how many bodies of this view one worker keeps at most.
    """
    return cached(ttl, per_user=False, max_entries=max_entries)


def cache_list(view: View) -> Callable[..., Response]:
    """Keep a page of a list per user and arguments, for the seconds of CACHE_TTL_LISTS.

    A change in one of the tables it was read from ends it sooner, and so does the end of the business's day where it
    shows or filters by today.
    """
    return cached("cache_ttl_lists", per_user=True, of_list=True)(view)


def fresh(view: View) -> Callable[..., Response]:
    """Make the body at each request; ETag and 304 all the same."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        return respond(view(*args, **kwargs), "BYPASS")

    return answer


def cached(
    ttl: float | str, per_user: bool, of_list: bool = False, max_entries: str = ""
) -> Callable[[View], Callable[..., Response]]:
    for setting in (ttl, max_entries):
        # At the start of the program, not at the first request.
        if isinstance(setting, str) and setting and setting not in SettingTypes.__annotations__:
            raise AttributeError(f"there is no setting {setting}")

    def decorate(view: View) -> Callable[..., Response]:
        # The tables of the view, known since its first body: with them a caller after a write does not join a load that
        # is out of date already.
        reads: frozenset[str] = frozenset()

        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Response:
            nonlocal reads
            config = services().config
            seconds = getattr(config, ttl) if isinstance(ttl, str) else ttl
            if not config.cache_enabled or seconds <= 0:
                return respond(view(*args, **kwargs), "BYPASS")
            key = make_key(per_user, kwargs)._replace(of_list=of_list)
            found = services().store.get_or_load(
                key,
                seconds,
                reads,
                lambda: view(*args, **kwargs),
                deadline=deadline(),
            )
            if not found.body.tables <= reads:
                reads |= found.body.tables
            who = identity()
            request.environ[REMEMBER] = RememberedRequest(who, key, services().sign_in.last_uses.of(who))
            return respond(found.body, found.outcome, found.age)

        answer.cached_per_user = per_user  # type: ignore[attr-defined]
        answer.of_list = of_list  # type: ignore[attr-defined]
        answer.max_entries = max_entries  # type: ignore[attr-defined]
        return answer

    return decorate


def make_key(per_user: bool, arguments: dict[str, Any]) -> Key:
    """The key of this request. Its identity is the one that row security and the predicates use."""
    who = identity()
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        flat |= value.model_dump() if isinstance(value, BaseModel) else {name: value}
    return Key(
        tenant_id=who.tenant_id,
        role=who.role,
        user_id=who.user_id if per_user else None,
        endpoint=request.endpoint or "",
        arguments=canonical(flat),
    )
