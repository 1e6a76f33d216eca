"""What an answer depends on besides the data: for whom it is, which endpoint, which arguments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import NamedTuple
from uuid import UUID

Arguments = tuple[tuple[str, str], ...]


class Key(NamedTuple):
    """Two requests with equal keys get the same bytes, so whatever can change the bytes is in here.

    `user_id` is None where the answer is the same for everybody of that tenant and role.
    `arguments` are the checked ones, made by `canonical`: never the raw query string.
    """

    tenant_id: int
    role: str
    user_id: int | None
    endpoint: str
    arguments: Arguments = ()
    locale: str | None = None
    of_list: bool = False
    """A page of a list: there may be any number of them, so they have bounds of their own (see `Shares`)."""

    @property
    def size(self) -> int:
        """Bytes of the parts whose length a client has a say in."""
        return sum(len(name) + len(value) for name, value in self.arguments) * 4


def canonical(arguments: Mapping[str, object]) -> Arguments:
    """Arguments in one order and one spelling; one that is None is as good as not given."""
    return tuple(sorted((name, _spelled(value)) for name, value in arguments.items() if value is not None))


def _spelled(value: object) -> str:
    """The value as text that no value of another type shares (1, True and '1' are three things)."""
    if isinstance(value, Enum):
        return _spelled(value.value)
    if isinstance(value, str | int | float | date | time | Decimal | UUID):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_spelled, value))}]"
    # The repr of anything else may carry an address, which another object can have a minute later.
    raise TypeError(f"a {type(value).__name__} cannot be part of a cache key")


def answers_to(endpoint: str, prefix: str) -> bool:
    """Whether the endpoint is meant by the prefix, in our spelling or that of a view function.

    `dashboard.stats` answers to every prefix of `dashboard.stats`, of `dashboard_stats` and of
    `get_dashboard_stats`.
    """
    function = endpoint.replace(".", "_")
    return any(name.startswith(prefix) for name in (endpoint, function, f"get_{function}"))
