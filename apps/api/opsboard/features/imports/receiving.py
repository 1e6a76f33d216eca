"""The files and the mapping of a request: a form, whose files go to the disk while they are read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import secure_filename

from opsboard.errors import InvalidInput, OpsboardError
from opsboard.web.uploads import BESIDE_FILES

MOST_FILES = 20
LONGEST_NAME = 100
LARGEST_MAPPING = 500_000  # bytes


class FilesTooLarge(OpsboardError):
    """The files are larger than IMPORT_MAX_BYTES."""

    status = 413
    code = "body_too_large"
    title = "Request Entity Too Large"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The files of an import may have {most} bytes at most; the command line takes larger ones."
        )


class Received:
    """A folder with the files of this request; `close` removes it."""

    def __init__(self, most: int) -> None:
        """Raises FilesTooLarge above `most` bytes, and InvalidInput for what is no form with files."""
        self._folder = TemporaryDirectory(prefix="opsboard-import-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name, "files")
        try:
            self.folder.mkdir()
            self.mapping = self._read(most)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._folder.cleanup()

    def _read(self, most: int) -> str:
        if request.mimetype != "multipart/form-data":
            raise refused(
                "Content-Type", "send the files as multipart/form-data, each as a part named file", "headers"
            )
        # Of this request only; the limits of all others stay.
        request.max_content_length, request.max_form_memory_size = most + BESIDE_FILES, LARGEST_MAPPING
        try:
            files, mapping = request.files, request.form.get("mapping", "")
            unknown = {*files, *request.form} - {"file", "mapping"}
            if "mapping" in files:
                mapping = files["mapping"].read(LARGEST_MAPPING).decode("utf-8-sig", "replace")
        except RequestEntityTooLarge as error:
            raise FilesTooLarge(most) from error
        if unknown:
            raise refused(min(unknown), "is not a part of this form; there are file and mapping")
        sent = files.getlist("file")
        if not 1 <= len(sent) <= MOST_FILES:
            raise refused("file", f"1 to {MOST_FILES} files are needed")
        for file in sent:
            path = self.folder / file_name(file.filename or "")
            if path.exists():
                raise refused("file", f"{path.name} is sent twice")
            file.save(path)
        if sum(path.stat().st_size for path in self.folder.iterdir()) > most:
            raise FilesTooLarge(most)
        return mapping


def file_name(sent: str) -> str:
    """The name a file gets in the folder: its own, without folders. Raises InvalidInput for one that hides."""
    name = sent.replace("\\", "/").rpartition("/")[2].strip()
    if (
        not secure_filename(name)
        or name.startswith((".", "~"))
        or not name.isprintable()
        or len(name) > LONGEST_NAME
    ):
        raise refused("file", f"needs a file name of at most {LONGEST_NAME} characters, such as jobs.csv")
    return name


def refused(field: str, message: str, place: str = "form") -> InvalidInput:
    return InvalidInput(fields=[{"field": field, "in": place, "message": message}])
