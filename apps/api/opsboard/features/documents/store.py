"""Where the contents of documents are stored: a folder, or any address that fsspec knows, such as s3://bucket/prefix."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, Any, NamedTuple

from opsboard.errors import OpsboardError

PIECE = 256 << 10  # bytes
SHA256 = re.compile(r"[0-9a-f]{64}")
# A copy that was not finished; it gets its name by a rename.
UNFINISHED = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{8}\.part")


class DocumentStoreOff(OpsboardError):
    """DOCUMENT_STORE is empty."""

    status = 503
    code = "document_store_off"
    advice = "set DOCUMENT_STORE to a folder or an address"
    title = "Contents are not stored"
    default_detail = "This service does not store the content of documents (DOCUMENT_STORE is not set)."


class DocumentStoreUnavailable(OpsboardError):
    """The store cannot be read or written."""

    status = 503
    code = "document_store_unavailable"
    advice = "check the folder, rights and room of DOCUMENT_STORE"
    title = "The document store is unavailable"
    retry_after = 10
    default_detail = "The content of documents cannot be read or written at present; try again in a moment."


class ContentLost(DocumentStoreUnavailable):
    """A row names a file that the store does not have."""

    code = "document_content_lost"
    advice = "restore the file from a backup of DOCUMENT_STORE"
    title = "The content is missing"
    default_detail = (
        "The content of this document is missing from the store; upload it again or restore a backup."
    )


class StoredFile(NamedTuple):
    """A file of the store. `tenant_id` and `name` are parts of its path; `size` is in bytes."""

    tenant_id: int
    name: str
    size: int


class DocumentStore:
    """Files named by business and sha256: `<address>/<tenant id>/<sha256>`.

    A file appears under its name whole or not at all, and is never changed afterwards.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system and the root in it. Made at first use, in the worker: remote ones start a thread."""
        if not self._address:
            raise DocumentStoreOff()
        import fsspec  # type: ignore[import-untyped]

        with translated_errors():
            address = self._address if "://" in self._address else os.path.expanduser(self._address)
            fs, root = fsspec.core.url_to_fs(address)
            return fs, str(root).rstrip("/")

    @property
    def _is_local(self) -> bool:
        return "file" in self._opened[0].protocol

    def require(self) -> None:
        """Raise DocumentStoreOff where nothing is stored."""
        _ = self._opened

    def write(self, tenant_id: int, sha256: str, content: IO[bytes]) -> None:
        """Store the content of an open temporary file under its sha256, over a file of that name."""
        fs, path = self._opened[0], self._path(tenant_id, sha256)
        with translated_errors():
            if self._is_local:
                write_by_rename(path, content)
            else:
                # Object stores show an upload when it is complete. The temporary file has no name but this one.
                content.flush()
                fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                fs.put_file(f"/proc/self/fd/{content.fileno()}", path)

    def has(self, tenant_id: int, sha256: str) -> bool:
        with translated_errors():
            return bool(self._opened[0].exists(self._path(tenant_id, sha256)))

    def open(self, tenant_id: int, sha256: str) -> IO[bytes]:
        """The stored content. Raises ContentLost when there is none."""
        with translated_errors():
            try:
                found: IO[bytes] = self._opened[0].open(self._path(tenant_id, sha256), "rb")
            except FileNotFoundError as error:
                raise ContentLost() from error
            return found

    def files(self) -> Iterator[StoredFile]:
        """Every stored file and every unfinished copy; other files and folders are left out."""
        fs, root = self._opened
        with translated_errors():
            try:
                folders = fs.ls(root, detail=False, refresh=True)
            except FileNotFoundError:
                return
        for folder in folders:
            tenant = str(folder).rstrip("/").rpartition("/")[2]
            if not (tenant.isascii() and tenant.isdecimal()):
                continue
            with translated_errors():
                details = fs.ls(folder, detail=True, refresh=True)
            for entry in details:
                name = str(entry["name"]).rpartition("/")[2]
                if entry["type"] == "file" and (SHA256.fullmatch(name) or UNFINISHED.fullmatch(name)):
                    yield StoredFile(int(tenant), name, int(entry["size"]))

    def modified(self, tenant_id: int, name: str) -> datetime:
        """When a file was written; the present for one that has gone meanwhile."""
        with translated_errors():
            try:
                found: datetime = self._opened[0].modified(self._path(tenant_id, name))
            except FileNotFoundError:
                return datetime.now(UTC)
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def remove(self, tenant_id: int, name: str) -> None:
        with translated_errors(), suppress(FileNotFoundError):
            self._opened[0].rm_file(self._path(tenant_id, name))

    def _path(self, tenant_id: int, name: str) -> str:
        return f"{self._opened[1]}/{int(tenant_id)}/{name}"


def write_by_rename(path: str, content: IO[bytes]) -> None:
    """Copy to a file beside it and rename that, both on the disk before this returns."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o750, exist_ok=True)
    unfinished = f"{path}.{secrets.token_hex(4)}.part"
    try:
        content.seek(0)
        with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, 0o640)) as target:
            shutil.copyfileobj(content, target, PIECE)
            target.flush()
            os.fsync(target.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Errors of the file system, each library's own, become one that has an answer."""
    try:
        yield
    except (OpsboardError, GeneratorExit):
        raise
    except Exception as error:
        raise DocumentStoreUnavailable() from error
