"""A body that is cut off or badly framed is the client's mistake: 400, and nothing of it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import BadRequest

Environ = dict[str, Any]

CUT_OFF = "The request body ended before it was whole."
MALFORMED = "The request body is not framed as it should be (chunked transfer coding)."


def check_bodies(app: Callable[[Environ, Any], Iterable[bytes]]) -> Callable[[Environ, Any], Iterable[bytes]]:
    """WSGI middleware: errors of reading a body become errors that have an answer."""

    def checked(environ: Environ, start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = CheckedInput(environ["wsgi.input"], None)
        elif length.isascii() and length.isdecimal() and length.strip("0"):
            environ["wsgi.input"] = CheckedInput(environ["wsgi.input"], int(length))
        return app(environ, start_response)

    return checked


class CheckedInput:
    """Stands for `wsgi.input`. `length`: of the body, None when it comes in chunks, which know their own end."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1) -> bytes:
        return self._checked(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._checked(self._stream.readline, size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _checked(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(size)
        except ParseException as error:
            raise BadRequest(CUT_OFF if isinstance(error, NoMoreData) else MALFORMED) from error
        except OSError as error:
            raise BadRequest(CUT_OFF) from error
        if self._left is not None:
            self._left -= len(data)
            # Less than was asked for is the end of what came.
            if self._left > 0 and (not data if size > 0 else size < 0):
                raise BadRequest(CUT_OFF)
        return data
