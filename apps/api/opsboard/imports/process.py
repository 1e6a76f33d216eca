"""An import for the service: a process of its own, with little priority and bounded memory.

`python -m opsboard.imports.process` reads one task as JSON from standard input and answers in lines of JSON. So a file
takes neither the interpreter nor the memory of a worker, however large or malformed it is. When the worker goes away, a
line that cannot be written ends the process, and with its connection the database takes everything back.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import psycopg2
import tomli_w

from opsboard.errors import CommandError
from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping import ImportMapping
from opsboard.imports.mapping_file import MappingError, mapping_of, parse_mapping
from opsboard.imports.preview import preview
from opsboard.imports.progress import Progress
from opsboard.imports.run import Author, Summary, run_import

MEMORY = 768 << 20  # bytes
NICENESS = 10
SAID_AGAIN_AFTER = 5.0  # seconds; a proxy gives up an answer that is silent for half a minute
TOO_LARGE = (
    f"This needs more than {MEMORY >> 20} MiB of memory; nothing was stored. Split the file, save a workbook as CSV, "
    "or use the command line."
)
LEAST_BETWEEN = 0.2  # seconds between two lines about what was read


class Lines(Progress):
    """Progress as lines of JSON. The last one is said again while nothing new happens."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._state = {"event": "progress", "words": "opening the files", "read": 0, "total": 0}
        self._said_at = 0.0

    def expect(self, total: int) -> None:
        self._state["total"] = total

    def advance(self, read: int) -> None:
        self._state["read"] += read  # type: ignore[operator]  # a number
        if time.monotonic() - self._said_at >= LEAST_BETWEEN:
            self.write(self._state)

    def say(self, words: str) -> None:
        self._state["words"] = words
        self.write(self._state)

    def stored(self) -> None:
        self.write({"event": "stored"})

    def write(self, event: dict[str, Any]) -> None:
        """Write one line. Ends the process when nobody reads any more."""
        with self._lock:
            self._said_at = time.monotonic()
            try:
                self._stream.write(json.dumps(event, ensure_ascii=False) + "\n")
                self._stream.flush()
            except OSError:
                os._exit(1)

    def repeat(self) -> None:
        """Say the last state again and again, in a thread of its own."""
        while True:
            time.sleep(SAID_AGAIN_AFTER)
            if time.monotonic() - self._said_at >= SAID_AGAIN_AFTER:
                self.write(self._state)


def main() -> None:
    """Do the task of standard input."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    task = json.load(sys.stdin)
    lines = Lines(sys.stdout)
    threading.Thread(target=lines.repeat, daemon=True).start()
    folder = Path(task["folder"])
    try:
        outcome = preview(folder) if task["action"] == "preview" else run(task, folder, lines)
    except MappingError as error:
        faults = [fault.replace(f"{folder}/", "") for fault in error.faults]
        outcome = {"outcome": "unusable_mapping", "detail": "The mapping does not fit.", "faults": faults}
    except ImportRejected as error:
        outcome = rejected(error)
    except CommandError as error:
        outcome = {"outcome": "failed", "detail": words_of(error).replace(f"{folder}/", "")}
    except MemoryError:
        outcome = {"outcome": "failed", "detail": TOO_LARGE}
    lines.write({"event": "end", **outcome})


def run(task: dict[str, Any], folder: Path, lines: Lines) -> dict[str, Any]:
    """Import the folder, or try to, by the mapping of the task."""
    mapping, text = read_mapping(task["mapping"])
    lines.write({"event": "mapping", "toml": text})
    as_of = date.fromisoformat(task["as_of"]) if task["as_of"] else None
    author = Author(task["user_id"], task["request_id"])
    summary = run_import(
        task["dsn"], folder, mapping, task["tenant"], as_of, task["dry_run"], None, lines, author
    )
    return told(summary)


def read_mapping(text: str) -> tuple[ImportMapping, str]:
    """The mapping that was sent as TOML or as JSON, and the TOML that `opsboard import` takes. Raises MappingError."""
    if not text.lstrip().startswith("{"):
        return parse_mapping(text), text
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise MappingError("mapping", [f"is not JSON: {error}"]) from error
    mapping = mapping_of(tree)
    return mapping, tomli_w.dumps(tree)


def told(summary: Summary) -> dict[str, Any]:
    return {
        "outcome": "checked" if summary.dry_run else "stored",
        "tables": [
            {
                "table": one.table,
                "inserted": one.inserted,
                "updated": one.updated,
                "unchanged": one.unchanged,
            }
            for one in summary.tables
        ],
        "remarks": [str(remark) for remark in summary.remarks],
    }


def rejected(error: ImportRejected) -> dict[str, Any]:
    """Every fault at its place, as many as are kept."""
    rejection = error.rejection
    return {
        "outcome": "rejected",
        "detail": f"{rejection.lines:,} lines have faults; nothing was stored.",
        "fault_count": rejection.faults,
        "faults": [fault._asdict() for fault in rejection.first],
        "remarks": list(rejection.of_files),
    }


def words_of(error: CommandError) -> str:
    """What to tell; of a connection that failed not the address, which the driver's words have."""
    cause = error.__cause__
    if isinstance(cause, psycopg2.OperationalError) and not cause.pgcode:
        return "The database cannot be reached; nothing was stored."
    return str(error)


if __name__ == "__main__":
    main()
