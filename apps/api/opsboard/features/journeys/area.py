"""The area of /api/journeys, and its queries: several modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.visibility import Addresses

area = Area("journeys", __name__, tag="Journeys", addresses=Addresses(("recipient",)))
sql = load_queries(__package__)
