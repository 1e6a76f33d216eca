"""Bind a statement to the tenant it runs for, in the same round trip.

`set_config(..., true)` lasts to the end of the transaction. Sent in front of a query in one simple-query
message, it shares that message's implicit transaction: nothing stays on the connection, so this also holds
behind a pooler in transaction mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from opsboard.errors import Forbidden


class Identity(Protocol):
    """The identity a statement runs for. The same object makes the cache key, the row security and the predicate."""

    @property
    def tenant_id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def role(self) -> str: ...


BIND = (
    "SELECT set_config('app.tenant_id', %(tenant_id)s::text, true), "
    "set_config('statement_timeout', %(statement_timeout)s, true);\n"
)
# Before anybody is known, sign-in may see the accounts of one e-mail address and the business of one slug.
BIND_SIGN_IN = (
    "SELECT set_config('app.login_email', %(login_email)s, true), "
    "set_config('app.tenant_slug', %(tenant_slug)s, true), "
    "set_config('statement_timeout', %(statement_timeout)s, true);\n"
)


def bound(name: str, sql: str, bind: str = BIND) -> str:
    """The text sent to the server: the binding, then the query under its name (seen in pg_stat_activity)."""
    return f"/* {name} */ {bind}/* {name} */ {sql}"


def parameters(identity: Identity, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a statement. Its own can never replace those of the identity.

    Refuses an identity without a tenant before any SQL is sent.
    """
    if not identity.tenant_id:
        raise Forbidden("This sign-in belongs to no business.")
    caller = {"tenant_id": identity.tenant_id, "user_id": identity.user_id, "role": identity.role}
    if taken := caller.keys() & params.keys():
        raise ValueError(f"a query's own parameters must not be named {', '.join(sorted(taken))}")
    return {**params, **caller}
