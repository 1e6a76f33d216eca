"""The bytes of an upload: measured and hashed while they are read, and what their headers say of them."""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from opsboard.errors import InvalidInput, OpsboardError

PIECE = 256 << 10  # bytes
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
LONGEST_MEDIA_TYPE = 100
# The content type that `curl --data-binary` sends for any file.
SAYS_NOTHING = "application/x-www-form-urlencoded"
# RFC 9530: Content-Digest: sha-256=:<base64>:
DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")


class DocumentTooLarge(OpsboardError):
    """The content is larger than DOCUMENT_MAX_BYTES."""

    status = 413
    code = "body_too_large"
    title = "Request Entity Too Large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The content of a document may have {most} bytes at most.")


class Upload(NamedTuple):
    """`content` is an open temporary file; `media_type` is None where the request names none."""

    content: IO[bytes]
    sha256: str
    size: int
    media_type: str | None


@contextmanager
def received_upload(most: int) -> Iterator[Upload]:
    """The body of this request in a temporary file that ends with the block.

    Raises DocumentTooLarge above `most` bytes, and InvalidInput when the digest that was sent is another one.
    """
    media_type, digest = sent_media_type(), sent_digest()
    # Of this request only; the limit of all others stays.
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise DocumentTooLarge(most)
    with tempfile.TemporaryFile(prefix="opsboard-upload-") as content:
        sha256, size = hashlib.sha256(), 0
        try:
            while piece := request.stream.read(PIECE):
                size += len(piece)
                if size > most:
                    raise DocumentTooLarge(most)
                sha256.update(piece)
                content.write(piece)
        except RequestEntityTooLarge as error:
            raise DocumentTooLarge(most) from error
        if digest is not None and digest != sha256.digest():
            raise InvalidInput(
                fields=[header_fault("Content-Digest", "the body has another sha-256; send it again")]
            )
        content.flush()
        content.seek(0)
        yield Upload(content, sha256.hexdigest(), size, media_type)


def sent_media_type() -> str | None:
    """The media type of the content, without parameters. Raises InvalidInput for what is none."""
    media_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if not media_type or media_type == SAYS_NOTHING:
        return None
    if media_type == "multipart/form-data":
        message = "send the bytes of the file as the body, not a form"
        raise InvalidInput(fields=[header_fault("Content-Type", message)])
    if len(media_type) > LONGEST_MEDIA_TYPE or not MEDIA_TYPE.fullmatch(media_type):
        raise InvalidInput(fields=[header_fault("Content-Type", "must be like application/pdf")])
    return media_type


def sent_digest() -> bytes | None:
    """The sha-256 of Content-Digest; None when it names none. Raises InvalidInput for what is no digest."""
    text = request.headers.get("Content-Digest")
    if text is None or "sha-256=" not in text:
        return None
    found = DIGEST.search(text)
    if not found:
        raise InvalidInput(fields=[header_fault("Content-Digest", "must be like sha-256=:<base64>:")])
    return base64.b64decode(found[1])


def header_fault(name: str, message: str) -> dict[str, str]:
    return {"field": name, "in": "headers", "message": message}
