"""Cursors: where a list was left, opaque to the client and signed, so that it cannot be made up."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from opsboard.db.list_statement import Position
from opsboard.errors import InvalidInput

SIGNATURE = 16  # bytes of the HMAC-SHA256 that are kept


class Cursor(NamedTuple):
    """A position in a list that is sorted by `sort` (with `-` in front: descending)."""

    sort: str
    position: Position


def write_cursor(secret: str, context: str, cursor: Cursor) -> str:
    """The cursor as text for an URL. `context` names the list, its tenant and its filters: it fits no other."""
    payload = json.dumps([cursor.sort, *cursor.position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(sign(secret, context, payload) + payload).decode().rstrip("=")


def read_cursor(secret: str, context: str, text: str, accepted: Sequence[str] = ()) -> Cursor:
    """The cursor again. Raises InvalidInput for one that was changed or belongs to another list or filter."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise unusable() from None
    signature, payload = raw[:SIGNATURE], raw[SIGNATURE:]
    keys = (secret, *accepted)
    if not any(hmac.compare_digest(signature, sign(key, context, payload)) for key in keys):
        raise unusable()
    sort, key, row_id, backwards = json.loads(payload)
    return Cursor(sort, Position(key, row_id, backwards))


def sign(secret: str, context: str, payload: bytes) -> bytes:
    message = b"cursor\0" + context.encode() + b"\0" + payload
    return hmac.digest(secret.encode(), message, "sha256")[:SIGNATURE]


def unusable() -> InvalidInput:
    fields: list[dict[str, Any]] = [
        {"field": "cursor", "message": "is not a cursor of this list with these filters; begin without one"}
    ]
    return InvalidInput("The cursor cannot be used here.", fields=fields)
