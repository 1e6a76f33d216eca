"""/api/search: what begins with the words that are asked for, in groups, the best of each first."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Text
from opsboard.web.document import document
from opsboard.web.endpoint import fresh

area = Area("search", __name__, tag="Search")
sql = load_queries(__package__)

# Rows of one word that are looked at for the other words of a search.
MOST_READ = 1000
Kind = Literal["jobs", "customers", "contacts", "leads", "machines", "users", "documents"]


class SearchArguments(Arguments):
    q: Annotated[
        Text,
        Field(
            max_length=100,
            description=(
                "Words in any order; each finds the words that begin with it, without regard to case and accents. "
                "Numbers without leading zeros, telephone numbers by their last digits, too."
            ),
            examples=["11999"],
        ),
    ] = ""
    limit: Annotated[int, Field(ge=1, le=20, description="Items of each group.")] = 5


class FoundItem(BaseModel):
    id: int
    title: str
    detail: str | None
    link: str


class FoundGroup(BaseModel):
    kind: Kind
    items: list[FoundItem]
    has_more: bool
    is_complete: Annotated[
        bool,
        Field(
            description=(
                "False: each word is in so many records that only some were looked at. The list of the group, with the "
                "same q, looks at all."
            )
        ),
    ]


class Found(BaseModel):
    groups: list[FoundGroup]


@area.get("")
@area.input(SearchArguments, location="query", arg_name="asked")
@area.output(Found)
@fresh
def search(asked: SearchArguments) -> Body:
    """Records with all the words, in groups: first those with a word that is just as it was typed, then the newest."""
    return document(sql.search, q=asked.q, limit=asked.limit, most_read=MOST_READ)
