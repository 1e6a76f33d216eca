"""The area of /api/dashboard, and its queries: two modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("dashboard", __name__, tag="Dashboard")
sql = load_queries(__package__)
