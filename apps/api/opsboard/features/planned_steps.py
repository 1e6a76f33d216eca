"""The work of a step as it is planned, in routings, new jobs and changes of steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from opsboard.web.arguments import Arguments, Id, Text

MOST_STEPS = 200  # of a job or a routing

SetupMinutes = Annotated[int, Field(ge=0, le=1_000_000, description="Minutes before the first piece.")]
SecondsPerPiece = Annotated[int, Field(ge=0, le=100_000_000, description="Seconds for each piece.")]
Instructions = Annotated[Text, Field(max_length=10_000)]


class PlannedStep(Arguments):
    """The process of a step, its machine (null: any), and the work it is."""

    process_id: Id
    machine_id: Id | None = None
    setup_minutes: SetupMinutes | None = None
    seconds_per_piece: SecondsPerPiece | None = None
    instructions: Instructions | None = None


class NewStep(PlannedStep):
    """A step of a job, which may have its person already."""

    assigned_user_id: Id | None = None
