"""/api/wall: the areas of the wall in one answer."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.errors import Forbidden
from opsboard.features.shapes import WALL_AREAS, WallArea
from opsboard.features.wall.schemas import Wall
from opsboard.web.access import for_walls
from opsboard.web.area import Area
from opsboard.web.arguments import SPLIT, Arguments
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route
from opsboard.web.services import identity

area = Area("wall", __name__, tag="Wall")
sql = load_queries(__package__)


class ChosenAreas(Arguments):
    areas: Annotated[
        list[WallArea] | None,
        SPLIT,
        Field(description="Areas, separated by commas; without it all, or those of the link.", min_length=1),
    ] = None

    @model_validator(mode="after")
    def areas_of_the_link(self) -> Self:
        """Put the areas into the cache key; those of another link are refused before the cache is asked."""
        allowed = identity().areas
        areas = set(self.areas or allowed or WALL_AREAS)
        if allowed is not None and not areas <= allowed:
            raise Forbidden(f"This link shows only: {', '.join(sorted(allowed))}.")
        self.areas = [name for name in WALL_AREAS if name in areas]
        return self


@area.get("")
@area.input(ChosenAreas, location="query", arg_name="chosen")
@area.output(Wall)
@for_walls
@cache_route(ttl="cache_ttl_stats")
def get_wall(chosen: ChosenAreas) -> Body:
    """Counts of jobs, overdue jobs, machines, leads and approvals, as a screen in the hall shows them."""
    return document(sql.get_wall, areas=chosen.areas)
