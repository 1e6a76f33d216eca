"""The page's files: which there are, their bytes, and how long a browser may keep them."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from flask import Response, request

from opsboard.cache.body import Body
from opsboard.errors import NotFound
from opsboard.features.pages.bundles import Stamps, bundles
from opsboard.web.representation import represent, to_response

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
    return version_of(stamps())


@lru_cache(maxsize=4)
def version_of(files: Stamps) -> str:
    digest = blake2b(digest_size=8)
    for name in (*FILES, *bundles(files)):
        digest.update(f"{name} {body_of(name).etag}".encode())
    return digest.hexdigest()


def stamps() -> Stamps:
    """An edited file is seen at once: its time of change is part of every key."""
    return tuple((name, file, file.stat().st_mtime_ns) for name, file in FILES.items())


def serve(path: str) -> Response:
    """A file under /static. For good under its present version, otherwise to be asked for each time."""
    found = VERSIONED.fullmatch(path)
    name = found["name"] if found else path
    if name not in FILES and name not in bundles(stamps()):
        raise NotFound("There is no such file.")
    # An older page may ask for its version after an upgrade: it gets the present file, but does not keep it.
    keep = FOREVER if found and found["version"] == version() else ASK_EACH_TIME
    return answer(body_of(name), TYPES[Path(name).suffix], keep)


def answer(body: Body, mimetype: str, cache_control: str, vary: str = "Accept-Encoding") -> Response:
    """A file or a page, in the representation that the client accepts."""
    sent, content_type = request.headers, f"{mimetype}; charset=utf-8"
    accepted, known = sent.get("Accept-Encoding"), sent.get("If-None-Match")
    return to_response(represent(body, accepted, known, content_type, cache_control, vary))


def body_of(name: str) -> Body:
    """A file, or several joined."""
    if name in FILES:
        return read(FILES[name], FILES[name].stat().st_mtime_ns)
    return compressed(bundles(stamps())[name])


@lru_cache(maxsize=128)
def read(file: Path, changed: int) -> Body:
    """A file's bytes, compressed once; `changed` is there so that an edited file is read again."""
    return Body(file.read_bytes())


@lru_cache(maxsize=64)
def compressed(text: str) -> Body:
    return Body(text.encode())
