"""The area of /api/jobs, and its queries: several modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("jobs", __name__, tag="Jobs")
sql = load_queries(__package__)
