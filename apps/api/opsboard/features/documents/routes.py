"""/api/documents: list, look at, note and count documents."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.documents.documents import (
    ActiveDocument,
    Document,
    DocumentAnalytics,
    Documents,
    DocumentType,
    DocumentWithReaders,
    PeopleWithDocuments,
)
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments, Day, Id, Line, Search, Text
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import cache_list, cache_route, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("documents", __name__, url_prefix="/api/documents", tag="Documents")
sql = load_queries(__package__)


class ListDocuments(ListArguments, query=sql.list_documents, default_sort="-uploaded_at"):
    document_type: DocumentType | None = None
    by_user_id: Annotated[Id | None, Field(alias="user_id", description="Who uploaded it.")] = None
    uploaded_from: Day | None = None
    uploaded_to: Day | None = None


class ListPeople(ListArguments, query=sql.list_people, default_sort="full_name"):
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class HowManyMonths(Arguments):
    months: Annotated[int, Field(ge=1, le=36, description="Months to show, this one included.")] = 12


class NewDocument(Arguments):
    """What is known of a file that lies elsewhere; its content is not sent here."""

    title: Line
    file_name: Annotated[Text, Field(min_length=1, max_length=255)]
    document_type: DocumentType = "other"
    media_type: Annotated[Text, Field(max_length=100)] = "application/octet-stream"
    size_bytes: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None


@bp.get("")
@bp.input(ListDocuments, location="query", arg_name="wanted")
@bp.output(Documents)
@cache_list
def list_documents(wanted: ListDocuments) -> Body:
    """Documents by type and day, newest first."""
    return listing(wanted)


@bp.get("/people")
@bp.input(ListPeople, location="query", arg_name="wanted")
@bp.output(PeopleWithDocuments)
@only_for(Role.ADMIN, Role.MANAGER)
@cache_list
def list_people(wanted: ListPeople) -> Body:
    """People by name, with how many documents they uploaded, the latest of them and the one they work with."""
    return listing(wanted)


@bp.get("/analytics")
@bp.input(HowManyMonths, location="query", arg_name="wanted")
@bp.output(DocumentAnalytics)
@cache_route(ttl="cache_ttl_document_analytics")
def analytics(wanted: HowManyMonths) -> Body:
    """Documents by type, in all and by month of the business's time zone."""
    return document(sql.analytics, months=wanted.months)


@bp.get("/<id:document_id>")
@bp.input(detail(sql.get_document), location="query", arg_name="wanted")
@bp.output(DocumentWithReaders)
@fresh
def get_document(document_id: int, wanted: Detail) -> Body:
    """One document, and who works with it."""
    return wanted.document(document_id=document_id)


@bp.post("")
@bp.input(NewDocument, arg_name="new")
@bp.output(Document, status_code=201)
def create_document(new: NewDocument) -> Response:
    """Note a document that you have uploaded."""
    return command(sql.create_document, new.model_dump(), status=201, location="/api/documents/{id}")


@bp.post("/<id:document_id>/activate")
@bp.output(ActiveDocument)
def activate_document(document_id: int) -> Response:
    """Make a document the one you work with."""
    return command(sql.activate_document, {"document_id": document_id})


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)
