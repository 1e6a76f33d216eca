"""Requests whose body is a file: larger than others, and kept on the disk while they arrive."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any, NamedTuple

from gunicorn.http.unreader import SocketUnreader

from opsboard.web.fair_threads import business_of_request

PIECE = 256 << 10  # bytes
UPLOAD = re.compile(rb"PUT /api/documents/[0-9]{1,19}/content HTTP/")
IMPORT = re.compile(rb"POST /api/imports(?:/preview)?(?:\?[^ ]*)? HTTP/")
# Bytes of a form that are not of its files: the mapping, and the lines between.
BESIDE_FILES = 1 << 20
# Uploads of the largest size that may be arriving in one worker.
MOST_AT_ONCE = 16


class Uploads(NamedTuple):
    """Most bytes of a body: `largest` of a document's content, `largest_import` of the files of an import.

    `is_signed_in` reads the token of a connection's request, without a statement.
    """

    largest: int
    is_signed_in: Callable[[Any], bool]
    largest_import: int = 0

    def limit(self, start: bytes | bytearray) -> int:
        """Most bytes of the body of a request that begins like this; 0: it has the limit of all requests."""
        if UPLOAD.match(start):
            return self.largest
        return self.largest_import + BESIDE_FILES if IMPORT.match(start) else 0

    def too_large(self, start: bytes | bytearray) -> str:
        if IMPORT.match(start):
            return f"The files of an import may have {self.largest_import} bytes at most."
        return (
            f"The content of a document may have {self.largest} bytes at most." if UPLOAD.match(start) else ""
        )

    def refusal(self, conn: Any, waiting: Iterable[Any]) -> tuple[int, str] | None:
        """Why a large upload that begins is refused: the disk is for those who are signed in, and it has an end."""
        if not self.is_signed_in(conn):
            return 401, "Sign in: this needs a valid token."
        arriving = sum(other.arriving.spool.length for other in waiting if other.arriving.spool)
        return None if arriving <= MOST_AT_ONCE * max(self.largest, self.largest_import) else (503, "")


NO_UPLOADS = Uploads(0, lambda _: False)


def uploads_of(worker: Any) -> Uploads:
    """As the application of this worker accepts them."""
    services = getattr(worker.wsgi, "extensions", {}).get("opsboard")
    if services is None:
        return NO_UPLOADS
    business_of = business_of_request(services.sign_in)
    config = services.config
    return Uploads(config.document_max_bytes, lambda conn: business_of(conn) > 0, config.import_max_bytes)


class Spool:
    """The body of a request on the disk, in a file without a name: it ends with the process at the latest."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="opsboard-arriving-")  # noqa: SIM115  # see close
        self._written = 0

    def add(self, piece: bytes) -> bytes:
        """Write what belongs to the body; what comes behind it is given back."""
        own = piece[: self.length - self._written]
        self.file.write(own)
        self._written += len(own)
        return piece[len(own) :]

    @property
    def is_whole(self) -> bool:
        return self._written == self.length

    def close(self) -> None:
        self.file.close()


class SpooledUnreader(SocketUnreader):
    """gunicorn reads the head from its buffer, the body from the spool and the next request from the socket."""

    def __init__(self, sock: Any, spool: Spool, behind: bytes) -> None:
        super().__init__(sock)
        self._spool: Spool | None = spool
        self._behind = behind
        spool.file.seek(0)

    def chunk(self, size_hint: int | None = None) -> bytes:
        if self._spool is not None:
            if piece := self._spool.file.read(PIECE):
                return piece
            self._spool.close()
            self._spool = None
        if self._behind:
            behind, self._behind = self._behind, b""
            return behind
        return bytes(super().chunk(size_hint))  # type: ignore[call-arg]  # newer than its stubs

    def take_buffered(self) -> bytes:
        behind, self._behind = self._behind, b""
        return bytes(super().take_buffered()) + behind
