"""The area of /api/auth, and its own queries: several modules add routes to it."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("auth", __name__, tag="Sign-in")
own_sql = load_queries(__package__)
