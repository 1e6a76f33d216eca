"""`/export` of every list: all its rows as a file, streamed in constant memory."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Literal, cast, get_args

import structlog
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from opsboard.db.export_cursor import Asked, Export
from opsboard.db.list_statement import Page
from opsboard.db.queries import load_queries
from opsboard.observability import events, record
from opsboard.observability.performance import memory_tracker
from opsboard.web.listing import ListArguments, show_choices
from opsboard.web.representation import VARY, accepts_gzip
from opsboard.web.schemas import Envelope
from opsboard.web.services import identity, services
from opsboard.web.spreadsheet import columns, header, rows

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
PIECE = 64 << 10  # bytes
# A reader that takes no piece for so long is gone, or as good as gone.
STALLED = 30.0  # seconds
PAGED = ("page", "page_size", "cursor")


def show_no_pages(schema: dict[str, Any], model: type) -> None:
    show_choices(schema, model)
    for name in PAGED:
        schema["properties"].pop(name, None)


class ExportArguments(ListArguments):
    """Arguments of an export besides the filters, the sort and the fields of its list."""

    # Built when the first export is asked for: of 35 lists it would be half of what the application takes to start.
    model_config = ConfigDict(json_schema_extra=show_no_pages, defer_build=True)

    beside_filters: ClassVar[frozenset[str]] = frozenset({"format", "bom", "headings"})

    format: Annotated[Literal["csv", "jsonl"], Field(description="CSV, or one JSON object per line.")] = "csv"
    bom: Annotated[
        Literal["true"] | None,
        Field(description="Begin CSV with a byte order mark, which Excel wants for UTF-8."),
    ] = None

    headings: Annotated[
        Literal["words"] | None,
        Field(description="Names the columns of CSV in words, not as the API does."),
    ] = None

    @field_validator(*PAGED, mode="before")
    @classmethod
    def has_no_pages(cls, value: object) -> object:
        raise ValueError("is not used with an export, which has all rows")


def export_arguments(arguments: type[ListArguments]) -> type[ExportArguments]:
    """The arguments of a list's export: the list's without its paging, and those of every export."""
    made: Any = create_model(f"Export{arguments.__name__}", __base__=(arguments, ExportArguments))
    return cast(type[ExportArguments], made)


def export_file(
    arguments: ExportArguments, filters: dict[str, Any], filename: str, output: type[Envelope]
) -> Response:
    """All rows of a list as a file named `filename`-<time>; the columns of CSV are those of the output's items."""
    sort = arguments.sort or arguments.default_sort
    fields = arguments.fields or tuple(arguments.query.members)
    page = Page(sort.removeprefix("-"), sort.startswith("-"), size=0, fields=arguments.fields)
    current = record.current()
    asked = arguments.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(PAGED))
    noted = {
        "exported": arguments.query.base.split()[0],
        "export": json.dumps({name: [None, value] for name, value in asked.items()}),
        "request_id": current.request_id if current else None,
    }
    who = identity()
    export = services().exports.begin(Asked(arguments.query, filters, page, sql.note_export, noted), who)
    services().store.bump(who.tenant_id, sql.note_export.writes)
    begin: str = ""
    made: Callable[[list[str]], str] = json_lines
    if arguments.format == "csv":
        paths = columns(item_of(output), fields)
        begin, made = (
            ("\ufeff" if arguments.bom else "") + header(paths, arguments.headings == "words"),
            rows(paths),
        )
    return sent(export, begin, made, arguments, filename)


def item_of(output: type[Envelope]) -> type[BaseModel]:
    """The model of an item of a list."""
    (item,) = get_args(output.model_fields["items"].annotation)
    return cast(type[BaseModel], item)


def sent(
    export: Export, begin: str, made: Callable[[list[str]], str], arguments: ExportArguments, filename: str
) -> Response:
    """The response whose body is read from the export as it is sent."""
    zipped = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    name = f"{filename}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.{arguments.format}"
    # The body is read when the request's context is over: what it needs of it is taken here.
    current = record.current()
    wait_for_reader()
    request_id = current.request_id if current else ""
    watched = watched_pieces(export, begin, made, arguments.query.name, request_id)
    response = Response(gzipped(watched) if zipped else watched)
    # An answer that nobody begins to read is closed all the same.
    response.call_on_close(export.close)
    response.headers["Content-Type"] = MEDIA_TYPES[arguments.format]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = VARY
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    return response


def wait_for_reader() -> None:
    """Let the thread of this request wait for the client to read each piece of a streamed answer."""
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        # The server sets it again for the next request.
        getattr(socket, "stream", socket.settimeout)(STALLED)


def watched_pieces(
    export: Export, begin: str, made: Callable[[list[str]], str], name: str, request_id: str
) -> Iterator[bytes]:
    """The file in pieces. An error goes on to the server, which breaks the connection off: no file looks whole."""
    began, sent_bytes, outcome = time.monotonic(), 0, "broken off"
    try:
        with memory_tracker(f"export of {name}"):
            for piece in pieces(export, begin, made):
                sent_bytes += len(piece)
                yield piece
        outcome = "whole"
    finally:
        export.close()
        events.note("exports", outcome.replace(" ", "_"))
        log.info(
            "export",
            list=name,
            outcome=outcome,
            rows=export.rows,
            bytes=sent_bytes,
            ms=round((time.monotonic() - began) * 1000),
            request_id=request_id,
        )


def pieces(export: Export, begin: str, made: Callable[[list[str]], str]) -> Iterator[bytes]:
    yield begin.encode()
    for batch in export:
        content = made(batch).encode()
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]


def gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(4, wbits=31)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def json_lines(items: list[str]) -> str:
    """Postgres puts line breaks between the elements of an array; inside of texts there are none."""
    return "".join(f"{item.replace(chr(10), ' ')}\n" for item in items)
