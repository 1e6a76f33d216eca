"""The area of /api/health, and its queries: several modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("health", __name__, tag="Health")
sql = load_queries(__package__)
