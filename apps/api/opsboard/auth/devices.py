"""Known devices: a signed cookie says on which device an account has signed in before."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import BadData, URLSafeTimedSerializer

from opsboard.auth.attempts import digest

SALT = "opsboard device"
LASTS = 180 * 24 * 3600  # seconds
MOST = 8  # accounts that share a device
LONGEST = 1000  # characters


class Devices:
    """Reads and writes the cookie. It signs nobody in: a device with it only has a count of attempts of its own."""

    def __init__(self, secret: str, accepted: Sequence[str] = ()) -> None:
        self._serializer = URLSafeTimedSerializer(
            # The last key signs; the signatures of all are valid.
            [*accepted, secret],
            salt=SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def known(self, cookie: str, email: str) -> str | None:
        """The id of the device, if this account has signed in on it before."""
        device, accounts = self._read(cookie)
        return device if digest("account", email) in accounts else None

    def remember(self, cookie: str, email: str) -> str:
        """The cookie with this account in it, the latest first."""
        device, accounts = self._read(cookie)
        mine = digest("account", email)
        kept = [mine, *(account for account in accounts if account != mine)][:MOST]
        written = self._serializer.dumps([device or secrets.token_urlsafe(12), *kept])
        return written if isinstance(written, str) else written.decode()

    def _read(self, cookie: str) -> tuple[str | None, list[str]]:
        if not cookie or len(cookie) > LONGEST:
            return None, []
        try:
            device, *accounts = self._serializer.loads(cookie, max_age=LASTS)
        except (BadData, ValueError, TypeError):
            return None, []
        return str(device), [str(account) for account in accounts]
