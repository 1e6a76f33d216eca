"""Secrets and signatures of webhooks, after the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable, Sequence

from opsboard.secret import derived_key

PREFIX = "whsec_"
VERSION = "v1"


class KeyGone(Exception):
    """The SECRET_KEY that a webhook's secret was derived from is no longer among those of the service."""


class WebhookSecrets:
    """Derives the secret of a webhook from SECRET_KEY and the id of the secret, so that none is stored.

    The id names the key it was derived from: while that is in SECRET_KEYS, a rotation of SECRET_KEY changes no secret.
    """

    def __init__(self, secret: str, accepted: Sequence[str] = ()) -> None:
        self._keys = {key_name(key): key for key in (*accepted, secret)}
        self._present = key_name(secret)

    def new_id(self) -> str:
        return f"{self._present}_{secrets.token_urlsafe(12)}"

    def is_derivable(self, secret_id: str) -> bool:
        return secret_id.partition("_")[0] in self._keys

    def secret_of(self, secret_id: str) -> str:
        """The secret as its receiver knows it. Raises KeyGone."""
        key = self._keys.get(secret_id.partition("_")[0])
        if key is None:
            raise KeyGone()
        raw = derived_key(key, f"opsboard webhook {secret_id}")
        return PREFIX + base64.b64encode(raw).decode()

    def headers(
        self, event_id: str, timestamp: int, body: bytes, secret_ids: Iterable[str]
    ) -> dict[str, str]:
        """The headers of a delivery: its id, its time, and a signature by each secret. Raises KeyGone for the first."""
        signatures = [
            sign(self.secret_of(secret_id), event_id, timestamp, body)
            for place, secret_id in enumerate(secret_ids)
            if place == 0 or self.is_derivable(secret_id)
        ]
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }


def key_name(key: str) -> str:
    """A name of a SECRET_KEY that says nothing about it."""
    return derived_key(key, "opsboard name of a key").hex()[:8]


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a delivery: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((event_id.encode(), str(timestamp).encode(), body))
    return f"{VERSION}," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
