"""API tokens: `opsb_`, the business, a random part, and a signature; only a hash of the whole is stored."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cachetools import LRUCache
from itsdangerous import BadSignature, Signer

from opsboard.auth.identity import Holder, Identity, Role
from opsboard.auth.revocations import Revocations
from opsboard.db.database import Row
from opsboard.db.queries import Query, load_queries
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, NotSignedIn, PoolTimeout

sql = load_queries(__package__)

PREFIX = "opsb_"  # secret scanners find a leaked token by it
SHAPE = re.compile(r"opsb_([1-9][0-9]{0,18})_[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{43}", re.ASCII)
SALT = "opsboard api token"
REMEMBERED = 10_000
# A token that is in use is looked up again after this long. Shorter than the 8 days for which the end of a user's
# tokens stays in `revocations`, so that no worker remembers a user who has changed since.
LOOK_UP_AGAIN = 86_400.0  # seconds
ENDED = "This API token is not valid: it has expired, was revoked, or its user is inactive."

Ask = Callable[[Query, Mapping[str, Any], Holder], Row | None]


class ApiTokens:
    """Makes and recognises API tokens.

    A token that is not ours is refused by its signature, without a statement. One that is ours is looked up once and
    remembered like a sign-in; each request asks only the memory of revocations. A change of its user ends what is
    remembered, and the token is looked up again with the user's present role.
    """

    def __init__(
        self,
        secret: str,
        revocations: Revocations,
        clock: Callable[[], float] = time.time,
        accepted: Sequence[str] = (),
    ) -> None:
        # The last key signs; the signatures of all are valid.
        self._signer = Signer(
            [*accepted, secret], salt=SALT, key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._revocations = revocations
        self.clock = clock
        self._known: LRUCache[str, Identity] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()

    def new_hint(self, tenant_id: int) -> str:
        """The public part of a new token."""
        return f"{PREFIX}{tenant_id}_{secrets.token_urlsafe(12)}"

    def token_of(self, hint: str) -> str:
        """The token of a public part: always the same one."""
        return self._signer.sign(hint).decode()

    def business_of(self, token: str) -> int:
        """The business a token was made for. Raises NotSignedIn for one that we did not make."""
        shape = SHAPE.fullmatch(token)
        try:
            if shape is None:
                raise NotSignedIn(ENDED)
            self._signer.unsign(token)
        except BadSignature:
            raise NotSignedIn(ENDED) from None
        return int(shape[1])

    def identify(self, token: str, reading: bool, ask: Ask) -> Identity:
        """The user a token speaks for. Raises NotSignedIn. `ask` runs a statement when the token must be looked up."""
        key = hash_of(token)
        with self._lock:
            known = self._known.get(key)
        tenant_id = known.tenant_id if known else self.business_of(token)
        hint = token.rpartition(".")[0]
        if self._revocations.has_ended(hint):
            raise NotSignedIn(ENDED)
        revoked = None
        if known is not None and known.expires_at > self.clock():
            revoked = self._revocations.is_revoked(known)
            if revoked is False:
                self._revocations.record_admitted(known)
                return known
        else:
            known = None
        try:
            row = ask(sql.find_api_token, {"hint": hint, "token_hash": key}, Holder(tenant_id))
        except (DatabaseUnavailable, DeadlineExceeded, PoolTimeout):
            if known and reading and revoked is None and self._revocations.was_admitted(known):
                return known
            raise
        return self._remember(key, tenant_id, hint, row)

    def _remember(self, key: str, tenant_id: int, hint: str, row: Row | None) -> Identity:
        if row is None:
            with self._lock:
                self._known.pop(key, None)
            raise NotSignedIn(ENDED)
        user_id, role, token_version, scopes, expires_at, areas = row
        identity = Identity(
            tenant_id,
            user_id,
            Role(role).value,
            hint,
            token_version,
            min(expires_at, self.clock() + LOOK_UP_AGAIN),
            scopes=frozenset(scopes),
            areas=None if areas is None or "read" in scopes else frozenset(areas),
        )
        with self._lock:
            self._known[key] = identity
        self._revocations.record_admitted(identity)
        return identity


def hash_of(token: str) -> str:
    """Return the stored hash of a token. A token is random, so it needs neither salt nor a slow hash."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
