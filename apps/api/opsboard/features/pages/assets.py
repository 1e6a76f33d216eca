"""The page's files: which there are, their bytes, and how long a browser may keep them."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from flask import Response, request

from opsboard.cache.body import Body, matches
from opsboard.errors import NotFound

STATIC = Path(__file__).parent / "static"
# Only what is listed here is served: no path of a request ever reaches the disk.
FILES = {file.name: file for file in sorted(STATIC.iterdir())}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
VERSIONED = re.compile(r"(?P<version>[0-9a-f]{16})/(?P<name>.+)")


def asset_url(name: str) -> str:
    """Where the page finds a file. The version is a folder, so that modules import each other by relative paths."""
    return f"/static/{version()}/{name}"


def version() -> str:
    """One word for the bytes of all files together, equal on every worker."""
    digest = blake2b(digest_size=8)
    for name in FILES:
        digest.update(f"{name} {body_of(name).etag}".encode())
    return digest.hexdigest()


def serve(path: str) -> Response:
    """A file under /static. For good under its present version, otherwise to be asked for each time."""
    found = VERSIONED.fullmatch(path)
    name = found["name"] if found else path
    if name not in FILES:
        raise NotFound("There is no such file.")
    # An older page may ask for its version after an upgrade: it gets the present file, but does not keep it.
    keep = FOREVER if found and found["version"] == version() else ASK_EACH_TIME
    return answer(body_of(name), TYPES[FILES[name].suffix], keep)


def answer(body: Body, mimetype: str, cache_control: str) -> Response:
    """200 with the bytes, gzip'd when the client takes that, or 304."""
    zipped = body.gzipped is not None and request.accept_encodings.quality("gzip") > 0
    if matches(request.headers.get("If-None-Match"), body):
        response = Response(status=304)
        response.headers.remove("Content-Type")
    else:
        response = Response(
            body.gzipped if zipped else body.identity, content_type=f"{mimetype}; charset=utf-8"
        )
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = body.gzip_etag if zipped else body.etag
    response.headers["Cache-Control"] = cache_control
    response.headers["Vary"] = "Accept-Encoding"
    return response


def body_of(name: str) -> Body:
    return read(FILES[name], FILES[name].stat().st_mtime_ns)


@lru_cache(maxsize=128)
def read(file: Path, changed: int) -> Body:
    """A file's bytes, compressed once; `changed` is there so that an edited file is read again."""
    return Body(file.read_bytes())
