"""The blueprint and the queries that the modules of routes and the deliverer share."""

from __future__ import annotations

from opsboard.db.queries import load_queries
from opsboard.web.area import Area

area = Area("webhooks", __name__, tag="Webhooks")
sql = load_queries(__package__)
