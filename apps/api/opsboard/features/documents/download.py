"""The stored bytes as an answer: a download under a safe name, never a page of this host."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import dump_options_header

from opsboard.web.exports import STALLED
from opsboard.web.representation import CACHE_CONTROL, VARY

PIECE = 64 << 10  # bytes
# Media types that a browser would run or draw with the rights of this host, were it ever to show them.
ACTIVE = re.compile(
    r"text/(html|css|javascript|xml|xsl)|.*[/+]xml|application/(x-)?(java|ecma)script|multipart/.*"
)
PLAIN = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# Separators of paths, control characters and marks that turn the direction of writing.
UNSAFE_IN_NAME = re.compile(
    r'[\x00-\x1f\x7f-\x9f\\/:*?"<>|\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]'
)
POLICY = "default-src 'none'; sandbox"


def etag_of(sha256: str) -> str:
    return f'"{sha256}"'


def download_headers(sha256: str, size: int, media_type: str, file_name: str) -> Response:
    """The answer without its body: 200, or 304 when If-None-Match names the content."""
    response = Response(status=200)
    response.headers["Content-Type"] = safe_media_type(media_type)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = disposition(safe_name(file_name))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["ETag"] = etag_of(sha256)
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.headers["Vary"] = VARY
    response.headers["X-Cache"] = "BYPASS"
    tags = request.if_none_match
    if tags and tags.contains_weak(sha256):
        response.status_code = 304
        for name in ("Content-Type", "Content-Length", "Content-Disposition"):
            response.headers.remove(name)
    return response


def stream(response: Response, content: IO[bytes]) -> Response:
    """Send the file a piece at a time; the thread waits for a client that reads slowly, as exports do."""
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        getattr(socket, "stream", socket.settimeout)(STALLED)
    response.response = pieces(content)
    response.call_on_close(content.close)
    return response


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(PIECE):
        yield piece


def safe_media_type(media_type: str) -> str:
    media_type = media_type.strip().lower()
    return media_type if MEDIA_TYPE.fullmatch(media_type) and not ACTIVE.fullmatch(media_type) else PLAIN


def disposition(name: str) -> str:
    """RFC 6266: the name as it is in UTF-8, and without accents for clients that know only ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    names = {"filename": plain or "document"}
    if plain != name:
        names["filename*"] = f"UTF-8''{quote(name, safe='')}"
    return dump_options_header("attachment", names)


def safe_name(file_name: str) -> str:
    """A name that any system can save: no path, nothing that does not show, no leading dot."""
    return UNSAFE_IN_NAME.sub("_", file_name).strip(" .") or "document"
