"""/api/imports: look at files, and import them by a mapping; for admins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Literal

from flask import Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.db.businesses import Share
from opsboard.db.queries import load_queries
from opsboard.features.imports.receiving import Received
from opsboard.features.imports.running import Running, TooManyImports
from opsboard.observability import record
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day
from opsboard.web.exports import wait_for_reader
from opsboard.web.openapi import TYPES_OF_LINES, takes_files, takes_no_key
from opsboard.web.services import identity, services

area = Area("imports", __name__, tag="Imports")
sql = load_queries(__package__)

AT_ONCE = 2  # in one worker
SHARE = "opsboard.imports"


class FirstRow(BaseModel):
    """`damage` says what is wrong with a line that cannot be read."""

    line: int
    fields: list[str]
    damage: str


class ImportFile(BaseModel):
    """A file or a sheet of a workbook, as the mapping calls and reads it; `problem` says why it cannot be read."""

    name: str
    path: str
    sheet: str
    settings: dict[str, Any]
    columns: list[str]
    rows: list[FirstRow]
    problem: str


class ImportColumn(BaseModel):
    """`one_of`: the values it takes, where they are few."""

    name: str
    kind: str
    is_required: bool
    is_nullable: bool
    one_of: list[str]


class ImportParent(BaseModel):
    """Rows of another table, found by their outside key."""

    name: str
    table: str
    is_required: bool


class ImportTarget(BaseModel):
    table: str
    columns: list[ImportColumn]
    parents: list[ImportParent]


class ImportPreview(BaseModel):
    """`toml` is the guessed mapping, `mapping` the same as JSON; `detail` says why none could be guessed."""

    files: list[ImportFile]
    mapping: dict[str, Any]
    toml: str
    detail: str
    targets: list[ImportTarget]


class RunImport(Arguments):
    dry_run: Annotated[
        Literal["true"] | None, Field(description="Do everything, say what would be stored, store nothing.")
    ] = None
    as_of: Annotated[Day | None, Field(description="Look at the records as of the end of this day.")] = None


@area.post("/preview")
@area.output(ImportPreview)
@only_for(Role.ADMIN)
@takes_files(mapping=False)
@takes_no_key
def preview_import() -> Response:
    """The first rows of files, and the mapping that is guessed for them; nothing is stored.

    The body is a form with a part `file` for each CSV, Excel or JSON lines file.
    """
    received, running = begin({"action": "preview"})
    try:
        found = running.end()
    finally:
        received.close()
    if found["outcome"] != "preview":
        found = {"files": [], "mapping": {"files": {}, "tables": {}}, "toml": "", "targets": [], **found}
    return jsonify({name: found[name] for name in ImportPreview.model_fields})


@area.post("")
@area.input(RunImport, location="query", arg_name="options")
@area.output({})
@only_for(Role.ADMIN)
@takes_files(mapping=True)
@takes_no_key
def run_import(options: RunImport) -> Response:
    """Import files by a mapping: all of their rows or none. Sent again, it finds its rows by their outside keys.

    The answer is read while it runs: lines of JSON, each with an `event`. `mapping` has the mapping as the command
    takes it, `progress` says how far it is, and the last one, `end`, has the `outcome`: `stored` or `checked` with
    counts by table, `rejected` with each fault at its line and column, `unusable_mapping` or `failed`. Ending the
    request ends the import.
    """
    as_of: dt.date | None = options.as_of
    received, running = begin(
        {
            "action": "run",
            "dry_run": options.dry_run is not None,
            "as_of": as_of.isoformat() if as_of else None,
        }
    )
    wait_for_reader()

    def closed() -> None:
        running.close()
        received.close()

    media_type = request.accept_mimetypes.best_match(TYPES_OF_LINES) or TYPES_OF_LINES[0]
    response = Response(lines_of(running, received.close), mimetype=media_type)
    response.call_on_close(closed)
    response.headers["Cache-Control"] = "no-store"
    # A proxy must pass each line on as it comes.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def lines_of(running: Running, ended: Callable[[], None]) -> Iterator[bytes]:
    try:
        yield from running
    finally:
        ended()


def begin(task: dict[str, Any]) -> tuple[Received, Running]:
    """The files of this request, and the process that works on them. Raises TooManyImports."""
    who, share = identity(), current_app.extensions[SHARE]
    received = Received(services().config.import_max_bytes)
    try:
        row = services().database.fetch_row(sql.find_slug, who, {})
        current = record.current()
        task |= {
            "folder": str(received.folder),
            "mapping": received.mapping,
            "dsn": services().database.pool.dsn,
            "tenant": row[0] if row else "",
            "user_id": who.user_id,
            "request_id": current.request_id if current else None,
        }
        if not share.take(who.tenant_id):
            raise TooManyImports()
        return received, started(task, partial(share.give_back, who.tenant_id))
    except BaseException:
        received.close()
        raise


def started(task: dict[str, Any], ended: Callable[[], None]) -> Running:
    try:
        return Running(task, ended)
    except BaseException:
        ended()
        raise


@area.record_once
def make_share(state: BlueprintSetupState) -> None:
    businesses = state.app.extensions["opsboard"].businesses
    state.app.extensions[SHARE] = Share(AT_ONCE, 1, businesses)
