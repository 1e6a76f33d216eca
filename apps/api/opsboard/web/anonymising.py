"""Anonymising a person: what must be sent, and the answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from opsboard.web.arguments import Arguments, Text


class Anonymise(Arguments):
    confirm: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=200,
            description="The name of the record, as it is now: what is removed does not come back.",
            examples=["Kim Sand"],
        ),
    ]


class Anonymised(BaseModel):
    id: int
    anonymised_at: dt.datetime
