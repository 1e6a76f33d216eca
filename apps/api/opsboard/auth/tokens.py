"""Bearer tokens: signed, short-lived JSON Web Tokens (RFC 7519) and the memory of those already verified."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from hashlib import blake2b

import jwt
from cachetools import LRUCache

from opsboard.auth.identity import Identity, Role
from opsboard.errors import NotSignedIn

ALGORITHM = "HS256"
ISSUER = "opsboard"
LONGEST = 4096  # bytes; ours have about 300
LEEWAY = 5  # seconds; the clocks of machines that share SECRET_KEY may differ by this much
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti"]


class Tokens:
    """Issues and verifies tokens. `ttl` in seconds.

    Verified tokens are remembered by their digest, so that a poll costs a look-up and not a signature. What
    can change afterwards (expiry, revocation) is checked on every request, not remembered.
    """

    def __init__(
        self, key: str, ttl: int, clock: Callable[[], float] = time.time, remembered: int = 10_000
    ) -> None:
        self._key = key
        self.ttl = ttl
        self._clock = clock
        self._verified: LRUCache[bytes, Identity] = LRUCache(remembered)
        self._lock = threading.Lock()

    def issue(self, tenant_id: int, user_id: int, role: str, token_version: int) -> str:
        """A new token for a user whose password was right."""
        now = self._clock()
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": ISSUER,
                "sub": str(user_id),
                "tid": tenant_id,
                "role": role,
                "ver": token_version,
                "jti": secrets.token_urlsafe(12),
                "iat": int(now),
                "exp": int(now) + self.ttl,
            },
            self._key,
            algorithm=ALGORITHM,
        )

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
        return identity.expires_at - self._clock()

    def _decode(self, token: str) -> Identity:
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=ISSUER,
                issuer=ISSUER,
                leeway=LEEWAY,
                # Expiry is checked by verify() against the same clock that made the token.
                options={"require": REQUIRED, "verify_exp": False},
            )
            return Identity(
                tenant_id=positive(claims["tid"]),
                user_id=positive(int(claims["sub"])),
                role=Role(claims["role"]).value,
                token_id=str(claims["jti"]),
                token_version=positive(claims["ver"]),
                expires_at=float(positive(claims["exp"])),
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


def positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError("not a positive whole number")
    return value
