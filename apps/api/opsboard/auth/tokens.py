"""Bearer tokens: signed, short-lived JSON Web Tokens (RFC 7519) and the memory of those already verified."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from typing import Any, NamedTuple

import jwt
from cachetools import LRUCache

from opsboard.auth.identity import Identity, Role
from opsboard.errors import NotSignedIn

ALGORITHM = "HS256"
ISSUER = "opsboard"
LONGEST = 4096  # bytes; ours have about 300
LEEWAY = 5  # seconds; the clocks of machines that share SECRET_KEY may differ by this much
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti"]
SESSION_LONGEST = 2_592_000  # seconds


class Issued(NamedTuple):
    """A new token, how many seconds it lasts, and the identity it gives."""

    token: str
    lasts: int
    identity: Identity


class Tokens:
    """Issues and verifies tokens. `ttl` in seconds; `session_longest`: how long a sign-in may be renewed, in seconds.

    Verified tokens are remembered by their digest, so that a poll costs a look-up and not a signature. What
    can change afterwards (expiry, revocation) is checked on every request, not remembered.
    """

    def __init__(
        self,
        key: str,
        ttl: int,
        clock: Callable[[], float] = time.time,
        remembered: int = 10_000,
        session_longest: int = SESSION_LONGEST,
        accepted: Sequence[str] = (),
    ) -> None:
        """`accepted`: other keys whose tokens are valid, while the key is being changed."""
        self._key = key
        self._keys = (key, *accepted)
        self.ttl = ttl
        self._session_longest = session_longest
        self.clock = clock
        self._verified: LRUCache[bytes, Identity] = LRUCache(remembered)
        self._lock = threading.Lock()

    def issue(self, tenant_id: int, user_id: int, role: str, token_version: int) -> str:
        """A new token for a user whose password was right."""
        return self.begin(tenant_id, user_id, role, token_version).token

    def begin(self, tenant_id: int, user_id: int, role: str, token_version: int) -> Issued:
        """The first token of a new session."""
        ends_at = int(self.clock()) + self._session_longest
        return self._issue(
            Identity(tenant_id, user_id, role, secrets.token_urlsafe(12), token_version, 0.0, ends_at)
        )

    def renew(self, identity: Identity, token_version: int) -> Issued:
        """Another token of the same session: it has the same id, so what ends one of them ends them all."""
        ends_at = identity.session_ends_at or identity.expires_at
        return self._issue(replace(identity, token_version=token_version, session_ends_at=ends_at))

    def renewal_due_in(self, identity: Identity) -> float:
        """Seconds until a sign-in should get a new token: when half the life of its present one is over."""
        if identity.expires_at >= identity.session_ends_at:
            return math.inf
        return self.seconds_left(identity) - self.ttl / 2

    def _issue(self, identity: Identity) -> Issued:
        now = int(self.clock())
        ends_at = int(identity.session_ends_at)
        expires_at = min(now + self.ttl, ends_at)
        token = jwt.encode(
            {
                "iss": ISSUER,
                "aud": ISSUER,
                "sub": str(identity.user_id),
                "tid": identity.tenant_id,
                "role": identity.role,
                "ver": identity.token_version,
                "jti": identity.token_id,
                "iat": now,
                "exp": expires_at,
                "end": ends_at,
            },
            self._key,
            algorithm=ALGORITHM,
        )
        return Issued(token, expires_at - now, replace(identity, expires_at=float(expires_at)))

    def verify(self, token: str) -> Identity:
        """Return the identity of a token. Raises NotSignedIn. The caller checks revocation."""
        if not token or len(token) > LONGEST:
            raise NotSignedIn()
        digest = blake2b(
            token.encode(errors="surrogateescape"), digest_size=16, key=b"opsboard token"
        ).digest()
        with self._lock:
            identity = self._verified.get(digest)
        if identity is None:
            identity = self._decode(token)
            with self._lock:
                self._verified[digest] = identity
        if self.has_expired(identity):
            raise NotSignedIn("The token has expired; sign in again.")
        return identity

    def has_expired(self, identity: Identity) -> bool:
        return self.seconds_left(identity) <= 0

    def seconds_left(self, identity: Identity) -> float:
        return identity.expires_at - self.clock()

    def _decode(self, token: str) -> Identity:
        try:
            claims = self._claims(token)
            return Identity(
                tenant_id=positive(claims["tid"]),
                user_id=positive(int(claims["sub"])),
                role=Role(claims["role"]).value,
                token_id=str(claims["jti"]),
                token_version=positive(claims["ver"]),
                expires_at=float(positive(claims["exp"])),
                # Not in tokens that were issued before sign-ins were renewed.
                session_ends_at=float(positive(claims["end"])) if "end" in claims else 0.0,
            )
        except (
            jwt.InvalidTokenError,
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            raise NotSignedIn("The token is not valid; sign in again.") from error

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that any of our keys signed. Raises jwt.InvalidTokenError."""
        for key in self._keys:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode(
                    token,
                    key,
                    algorithms=[ALGORITHM],
                    audience=ISSUER,
                    issuer=ISSUER,
                    leeway=LEEWAY,
                    # Expiry is checked by verify() against the same clock that made the token.
                    options={"require": REQUIRED, "verify_exp": False},
                )
        raise jwt.InvalidSignatureError


def positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError("not a positive whole number")
    return value
