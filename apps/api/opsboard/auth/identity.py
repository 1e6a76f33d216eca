"""The identity of a caller: the one object that makes the cache key, the row security and the SQL predicate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles: an operator works on steps, a manager plans, an admin also runs the service."""

    ADMIN = "admin"
    MANAGER = "manager"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Identity:
    """One signed-in user of one tenant, as a verified token says."""

    tenant_id: int
    user_id: int
    role: str
    token_id: str
    token_version: int
    expires_at: float  # seconds since 1970
    # A sign-in is renewed by use until then; 0: it is not.
    session_ends_at: float = 0.0
    # The scopes of an API token; None: a sign-in, which may do everything its role may.
    scopes: frozenset[str] | None = None
    # The areas of the wall that the link of a screen may read; None: it is none, and all may be read.
    areas: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody of one business who is no user: the holder of a link, or of a token that is being looked up."""

    tenant_id: int
    user_id: int = 0
    role: str = "link"
