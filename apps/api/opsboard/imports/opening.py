"""Opens a file of records as it lies there: plain, compressed with gzip, or the only one in a ZIP archive."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

# Errors of reading a compressed file that is truncated, damaged or, for zipfile's NotImplementedError,
# packed in a way it does not know.
DAMAGE = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError)
BUFFER = 1 << 18


class CannotOpen(Exception):
    """Why a file cannot be read, in words."""


def open_file(path: Path, until: ExitStack) -> tuple[BinaryIO, int]:
    """A file's own bytes, and about how many they are; it is never unpacked as a whole.

    Raises CannotOpen.
    """
    try:
        stream = until.enter_context(path.open("rb", buffering=BUFFER))
        if path.suffix.lower() == ".gz":
            return _gzip(stream, until)
        if path.suffix.lower() == ".zip":
            return _only_one_in(stream, until)
    except OSError as error:
        raise CannotOpen(error.strerror or str(error)) from error
    return stream, os.fstat(stream.fileno()).st_size


def _gzip(stream: BinaryIO, until: ExitStack) -> tuple[BinaryIO, int]:
    # The last four bytes tell the size, modulo 4 GiB and of the last part only: enough to show how far one is.
    size = stream.seek(0, os.SEEK_END)
    if size >= 18:
        stream.seek(-4, os.SEEK_END)
        (size,) = struct.unpack("<I", stream.read(4))
    stream.seek(0)
    return cast(BinaryIO, until.enter_context(gzip.GzipFile(fileobj=stream))), size


def _only_one_in(stream: BinaryIO, until: ExitStack) -> tuple[BinaryIO, int]:
    try:
        archive = until.enter_context(zipfile.ZipFile(stream))
        inside = [one for one in archive.infolist() if not one.is_dir() and not _is_of_macos(one.filename)]
        if len(inside) != 1:
            names = ", ".join(one.filename for one in inside[:5]) or "none"
            raise CannotOpen(f"has {len(inside)} files in it instead of one: {names}")
        member = until.enter_context(archive.open(inside[0]))
        # Its own way of reading lines is several times as slow.
        return io.BufferedReader(cast(io.RawIOBase, member), BUFFER), inside[0].file_size
    except DAMAGE as error:
        raise CannotOpen(f"is no ZIP archive that can be read: {error}") from error
    except RuntimeError as error:
        # So zipfile says that it wants a password.
        raise CannotOpen("is locked with a password") from error


def _is_of_macos(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.endswith(".DS_Store")
