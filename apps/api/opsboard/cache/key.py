"""The cache key: everything an answer depends on besides the data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import NamedTuple
from uuid import UUID

Arguments = tuple[tuple[str, str], ...]


class Key(NamedTuple):
    """Requests with equal keys get equal bytes, so everything that can change the bytes is in here.

    `user_id` is None if the answer is the same for all users of that tenant and role. `arguments` are the validated
    ones, made by `canonical`, never the raw query string.
    """

    tenant_id: int
    role: str
    user_id: int | None
    endpoint: str
    arguments: Arguments = ()
    locale: str | None = None
    of_list: bool = False
    """True for a page of a list: their number is unbounded, so they have limits of their own (see `Shares`)."""

    @property
    def size(self) -> int:
        """Bytes of the parts whose length a client controls."""
        return sum(len(name) + len(value) for name, value in self.arguments) * 4


def canonical(arguments: Mapping[str, object]) -> Arguments:
    """Return the arguments in one order and one spelling. None counts as absent."""
    return tuple(sorted((name, _spelled(value)) for name, value in arguments.items() if value is not None))


def _spelled(value: object) -> str:
    """Return the value as text; values of different types never share a text (1, True, '1')."""
    if isinstance(value, Enum):
        return _spelled(value.value)
    if isinstance(value, str | int | float | date | time | Decimal | UUID):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_spelled, value))}]"
    # The repr of other types may contain an address, which another object can have later.
    raise TypeError(f"a {type(value).__name__} cannot be part of a cache key")


def matches_prefix(endpoint: str, prefix: str) -> bool:
    """Return True if the prefix selects the endpoint, in our spelling or that of a view function.

    `dashboard.stats` matches every prefix of `dashboard.stats`, of `dashboard_stats` and of
    `get_dashboard_stats`.
    """
    function = endpoint.replace(".", "_")
    return any(name.startswith(prefix) for name in (endpoint, function, f"get_{function}"))
