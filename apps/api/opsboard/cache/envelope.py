"""A body as it lies in a place that others can write to: sealed, bound to its name, and nothing that can run."""

from __future__ import annotations

import hmac
import json
import zlib
from typing import Any

from opsboard.cache.body import Body
from opsboard.cache.horizon import Label
from opsboard.cache.key import Key

SEAL = 32  # bytes of HMAC-SHA256
LENGTH = 4  # bytes that say how long the head is
# A larger body costs more to fetch than it saves, and what lies there is never read further than this.
LARGEST = 1 << 20  # bytes
LARGEST_CONTENT = 16 << 20  # bytes, unpacked


class Refused(Exception):
    """What was found is not what a worker with our secret put under this name."""


class Envelope:
    """Names, seals and opens; `secret` is of this purpose alone."""

    def __init__(self, secret: bytes, namespace: str) -> None:
        """`namespace`: bodies of another one are never found; for the version of the code that makes them."""
        self._secret = secret
        self._namespace = namespace

    def name(self, key: Key, epoch: str) -> bytes:
        """A name that tells nothing of the key, and that nobody without the secret can make."""
        words = json.dumps([self._namespace, epoch, key])
        return b"opsboard:1:" + hmac.digest(self._secret, b"name" + words.encode(), "sha256").hex().encode()

    def seal(self, name: bytes, label: Label, body: Body, tables: frozenset[str]) -> bytes | None:
        """None when it is too large."""
        if len(body.identity) > LARGEST_CONTENT:
            return None
        head = json.dumps({"label": label, "tables": sorted(tables)}).encode()
        content = len(head).to_bytes(LENGTH) + head + zlib.compress(body.identity, 1)
        return self._seal_of(name, content) + content if len(content) + SEAL <= LARGEST else None

    def open(self, name: bytes, value: bytes) -> tuple[Label, Body]:
        """Raises Refused."""
        content = value[SEAL:]
        if not hmac.compare_digest(value[:SEAL], self._seal_of(name, content)):
            raise Refused
        start = LENGTH + int.from_bytes(content[:LENGTH])
        head: dict[str, Any] = json.loads(content[LENGTH:start])
        identity = zlib.decompressobj().decompress(content[start:], LARGEST_CONTENT)
        return Label(*head["label"]), Body(identity, frozenset(head["tables"]))

    def _seal_of(self, name: bytes, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"body" + name + content, "sha256")
