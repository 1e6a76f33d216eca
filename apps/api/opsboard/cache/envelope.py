"""Seals bodies for a store that others can write to: authenticated, bound to their name, never executable."""

from __future__ import annotations

import hmac
import json
import zlib
from typing import Any

from opsboard.cache.body import Body
from opsboard.cache.horizon import Watermark
from opsboard.cache.key import Key

SEAL = 32  # bytes of HMAC-SHA256
LENGTH = 4  # bytes that say how long the head is
# A larger body costs more to fetch than it saves. No more than this is ever read.
LARGEST = 1 << 20  # bytes
LARGEST_CONTENT = 16 << 20  # bytes, unpacked


class Refused(Exception):
    """The value was not stored under this name by a worker with our secret."""


class Envelope:
    """Makes names, seals bodies and opens them; `secret` is used for nothing else."""

    def __init__(self, secret: bytes, namespace: str) -> None:
        """`namespace`: the version of the code that makes bodies; those of another version are never found."""
        self._secret = secret
        self._namespace = namespace

    def name(self, key: Key, epoch: str) -> bytes:
        """Return a name that reveals nothing about the key and cannot be made without the secret."""
        words = json.dumps([self._namespace, epoch, key])
        return b"opsboard:1:" + hmac.digest(self._secret, b"name" + words.encode(), "sha256").hex().encode()

    def seal(self, name: bytes, watermark: Watermark, body: Body, tables: frozenset[str]) -> bytes | None:
        """Return the sealed bytes, or None if they are too large."""
        if len(body.identity) > LARGEST_CONTENT:
            return None
        head = json.dumps({"watermark": watermark, "tables": sorted(tables)}).encode()
        content = len(head).to_bytes(LENGTH) + head + zlib.compress(body.identity, 1)
        return self._seal_of(name, content) + content if len(content) + SEAL <= LARGEST else None

    def open(self, name: bytes, value: bytes) -> tuple[Watermark, Body]:
        """Return the watermark and the body. Raises Refused."""
        content = value[SEAL:]
        if not hmac.compare_digest(value[:SEAL], self._seal_of(name, content)):
            raise Refused
        start = LENGTH + int.from_bytes(content[:LENGTH])
        head: dict[str, Any] = json.loads(content[LENGTH:start])
        identity = zlib.decompressobj().decompress(content[start:], LARGEST_CONTENT)
        return Watermark(*head["watermark"]), Body(identity, frozenset(head["tables"]))

    def _seal_of(self, name: bytes, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"body" + name + content, "sha256")
