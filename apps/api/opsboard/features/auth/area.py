"""The area of /api/auth: several modules add routes to it."""

from __future__ import annotations

from opsboard.web.area import Area

area = Area("auth", __name__, tag="Sign-in")
