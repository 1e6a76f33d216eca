"""A finished answer: its bytes, its gzip'd bytes and the ETags of both."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import blake2b

# In a shorter body the gzip header and the Content-Encoding line cost more than compression saves.
GZIP_FROM = 500
GZIP_MUST_SAVE = 0.1
GZIP_LEVEL = 6

# Memory beyond the bytes of a body: three object headers and two ETags (measured, rounded up).
OVERHEAD = 384

ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
ENTITY_TAGS = re.compile(rf"[\s,]*{ENTITY_TAG.pattern}(?:\s*,[\s,]*{ENTITY_TAG.pattern})*[\s,]*")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Body:
    """The bytes of an answer. Equal bytes have equal ETags on every worker."""

    identity: bytes
    tables: frozenset[str] = frozenset()
    """The tables it was read from; a change of one of them makes it invalid."""

    lasts: float = field(default=math.inf, compare=False)
    """Seconds after which the passage of time alone makes it invalid, such as at the end of the day."""

    gzipped: bytes | None = field(init=False)
    etag: str = field(init=False)
    gzip_etag: str = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        digest = blake2b(self.identity, digest_size=16).hexdigest()
        gzipped = _gzip(self.identity)
        # A strong ETag promises equal bytes, so the gzip'd bytes need a tag of their own.
        _set(self, "etag", f'"{digest}"')
        _set(self, "gzip_etag", f'"{digest}-gzip"')
        _set(self, "gzipped", gzipped)
        _set(self, "size", len(self.identity) + len(gzipped or b"") + OVERHEAD)


def matches(if_none_match: str | None, body: Body) -> bool:
    """Return True if If-None-Match names this body in either representation (weak comparison)."""
    if not if_none_match:
        return False
    tags = (body.etag, body.gzip_etag)
    if if_none_match in tags or if_none_match.strip() == "*":
        return True
    # A malformed header names no tag: a full answer is always correct.
    if not ENTITY_TAGS.fullmatch(if_none_match):
        return False
    return any(tag in tags for tag in ENTITY_TAG.findall(if_none_match))


def matches_strongly(if_match: str, present: Collection[str]) -> bool:
    """Return True if If-Match names one of the present ETags (strong comparison: a weak tag never matches)."""
    if not ENTITY_TAGS.fullmatch(if_match):
        return False
    return any(match[0] in present for match in ENTITY_TAG.finditer(if_match))


def _gzip(identity: bytes) -> bytes | None:
    """Return the compressed bytes if they are worth it. No timestamp, so that all workers make equal bytes."""
    if len(identity) < GZIP_FROM:
        return None
    gzipped = gzip.compress(identity, GZIP_LEVEL, mtime=0)
    return gzipped if len(gzipped) <= len(identity) * (1 - GZIP_MUST_SAVE) else None


_set = object.__setattr__
