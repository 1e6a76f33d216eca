"""/api/documents: list, look at, note and count documents."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from flask import Response, current_app
from flask.blueprints import BlueprintSetupState
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import Conflict, Forbidden, NotFound
from opsboard.features.documents.download import download_headers, etag_of, stream
from opsboard.features.documents.schemas import (
    ActiveDocument,
    Document,
    DocumentAnalytics,
    Documents,
    DocumentType,
    DocumentWithReaders,
    PeopleWithDocuments,
)
from opsboard.features.documents.store import DocumentStore
from opsboard.features.documents.upload import received_upload
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Id, Line, Search, Text
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList, ListArguments
from opsboard.web.openapi import gives_bytes, takes_bytes
from opsboard.web.services import identity, services

area = Area("documents", __name__, tag="Documents")
sql = load_queries(__package__)


@area.list("", Documents)
class ListDocuments(ListArguments, query=sql.list_documents, default_sort="-uploaded_at"):
    """Documents by type and day, newest first."""

    document_type: DocumentType | None = None
    by_user_id: Annotated[Id | None, Field(alias="user_id", description="The user who uploaded it.")] = None
    uploaded_from: Day | None = None
    uploaded_to: Day | None = None


@area.list("/people", PeopleWithDocuments, roles=(Role.ADMIN, Role.MANAGER))
class ListPeople(ArchivableList, query=sql.list_people, default_sort="full_name"):
    """People by name, with the number of documents they uploaded, the latest one and their active document."""

    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class HowManyMonths(Arguments):
    months: Annotated[int, Field(ge=1, le=36, description="Months to show, including the current one.")] = 12


class ContentRow(NamedTuple):
    """A row of the query get_content."""

    stored_sha256: str | None
    sha256: str | None
    size_bytes: int
    media_type: str
    file_name: str
    may_change: bool


class NewDocument(Arguments):
    """The metadata of a file; send its content to `PUT /api/documents/{id}/content`."""

    title: Line
    file_name: Annotated[Text, Field(min_length=1, max_length=255)]
    document_type: DocumentType = "other"
    media_type: Annotated[Text, Field(max_length=100)] = "application/octet-stream"
    size_bytes: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None


@area.get("/analytics")
@area.input(HowManyMonths, location="query", arg_name="wanted")
@area.output(DocumentAnalytics)
@cache_route(ttl="cache_ttl_document_analytics")
def analytics(wanted: HowManyMonths) -> Body:
    """Documents by type, in all and by month of the business's time zone."""
    return document(sql.analytics, months=wanted.months)


@area.get("/<id:document_id>")
@area.input(detail(sql.get_document), location="query", arg_name="wanted")
@area.output(DocumentWithReaders)
@fresh
def get_document(document_id: int, wanted: Detail) -> Body:
    """One document, and the people who work with it."""
    return wanted.document(document_id=document_id)


@area.post("")
@area.input(NewDocument, arg_name="new")
@area.output(Document, status_code=201)
def create_document(new: NewDocument) -> Response:
    """Note a document that you have uploaded."""
    return command(sql.create_document, new.model_dump(), status=201, location="/api/documents/{id}")


@area.put("/<id:document_id>/content")
@area.output(Document)
@takes_bytes
def put_content(document_id: int) -> Response:
    """Store the content of a document: the body is the bytes of the file.

    `Content-Digest: sha-256=:...:` is compared with what arrived. A sha256 that was noted with the document must fit
    the first content. Operators store the content of documents that they noted.
    """
    who, config = identity(), services().config
    store = document_store()
    store.require()
    before = content_row(document_id)
    if not before.may_change:
        raise Forbidden("Operators store the content of documents that they noted themselves.")
    with received_upload(config.document_max_bytes) as upload:
        if before.stored_sha256 is None and before.sha256 not in (None, upload.sha256):
            raise Conflict("The document was noted with another sha256 than this content has.")
        store.write(who.tenant_id, upload.sha256, upload.content)
        answer = command(
            sql.put_content,
            {
                "document_id": document_id,
                "sha256": upload.sha256,
                "size_bytes": upload.size,
                "media_type": upload.media_type,
            },
            current=sql.get_content,
            tags_of=lambda row: (etag_of(row[0]),) if row[0] else (),
            body=f"{upload.media_type} {upload.sha256}".encode(),
        )
        # A sweep may have removed an older file of this name while the row did not name it yet.
        if not store.has(who.tenant_id, upload.sha256):
            store.write(who.tenant_id, upload.sha256, upload.content)
    return answer


@area.get("/<id:document_id>/content")
@gives_bytes
def get_content(document_id: int) -> Response:
    """The stored content of a document, as a download; 404 when none is stored."""
    found = content_row(document_id)
    if found.stored_sha256 is None:
        raise NotFound("The content of this document is not stored.")
    response = download_headers(found.stored_sha256, found.size_bytes, found.media_type, found.file_name)
    if response.status_code == 304:
        return response
    return stream(response, document_store().open(identity().tenant_id, found.stored_sha256))


def content_row(document_id: int) -> ContentRow:
    row = services().database.fetch_row(sql.get_content, identity(), {"document_id": document_id})
    if row is None:
        raise NotFound()
    return ContentRow(*row)


def document_store() -> DocumentStore:
    found: DocumentStore = current_app.extensions["opsboard_document_store"]
    return found


@area.post("/<id:document_id>/activate")
@area.output(ActiveDocument)
def activate_document(document_id: int) -> Response:
    """Make a document your active document."""
    return command(sql.activate_document, {"document_id": document_id})


@area.record_once
def open_store(state: BlueprintSetupState) -> None:
    config = state.app.extensions["opsboard"].config
    state.app.extensions["opsboard_document_store"] = DocumentStore(config.document_store)
