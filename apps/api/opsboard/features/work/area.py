"""The area of /api/work, and its queries: two modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("work", __name__, tag="Work")
sql = load_queries(__package__)
