"""The shapes of the answers about documents."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named

DocumentType = Literal["contract", "drawing", "invoice", "photo", "quote", "report", "other"]


class Document(BaseModel):
    id: int
    document_type: DocumentType
    title: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str | None
    content_stored_at: dt.datetime | None
    user: Named | None
    uploaded_at: dt.datetime
    updated_at: dt.datetime


class DocumentWithReaders(Document):
    """`active_for`: the people whose active document it is."""

    active_for: list[Named]


class Documents(Envelope):
    items: list[Document]


class BriefDocument(BaseModel):
    id: int
    title: str
    document_type: DocumentType
    uploaded_at: dt.datetime


class PersonWithDocuments(BaseModel):
    """`documents`: the number of uploaded documents; `active_document`: the document the person works with."""

    id: int
    full_name: str
    is_active: bool
    documents: int
    latest: BriefDocument | None
    active_document: BriefDocument | None


class PeopleWithDocuments(Envelope):
    items: list[PersonWithDocuments]


class DocumentTypeCount(BaseModel):
    document_type: DocumentType
    count: int
    link: str


class DocumentMonth(BaseModel):
    """`types` has every type, also those with none."""

    month: str
    count: int
    types: dict[DocumentType, int]
    link: str


class DocumentAnalytics(BaseModel):
    total: int
    types: list[DocumentTypeCount]
    months: list[DocumentMonth]


class ActiveDocument(BaseModel):
    id: int
    user_id: int
