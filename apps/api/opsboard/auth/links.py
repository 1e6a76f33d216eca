"""Signed links: a token in an address gives its holder access to one resource of one business, until it expires."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from opsboard.errors import NotFound

# The purpose of a token; a token for one purpose is invalid for another.
JOB_STATUS = "opsboard job status link"
PASSWORD = "opsboard password link"
# A payload of three numbers, a dot, 32 bytes of signature.
SHAPE = re.compile(r"[A-Za-z0-9_-]{1,100}\.[A-Za-z0-9_-]{43}", re.ASCII)


class Link(NamedTuple):
    """The content of a token: business, link and expiry (seconds since 1970)."""

    tenant_id: int
    link_id: int
    expires_at: int


def write_token(secret: str, link: Link, purpose: str = JOB_STATUS) -> str:
    """The token of a link, always the same one: nothing of it needs to be stored."""
    token = serializer(secret, purpose).dumps(list(link))
    return token if isinstance(token, str) else token.decode()


def read_token(secret: str, token: str, purpose: str = JOB_STATUS, accepted: Sequence[str] = ()) -> Link:
    """Return the content of a token. Raises NotFound if the signature is wrong; revocation is not checked here.

    `accepted`: other keys whose signatures are valid.
    """
    if not SHAPE.fullmatch(token):
        raise NotFound()
    for key in (secret, *accepted):
        with suppress(BadData):
            link = Link(*serializer(key, purpose).loads(token))
            # Base64 can spell the last bits of a signature in more than one way; a link has one address.
            if write_token(key, link, purpose) == token:
                return link
    raise NotFound()


def serializer(secret: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret, salt=purpose, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )
