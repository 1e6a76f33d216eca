"""Access to data of the whole service: admins of OPERATOR_TENANTS, or of the only business."""

from __future__ import annotations

from opsboard.config import Config
from opsboard.db.lookout import Lookout
from opsboard.db.queries import load_queries
from opsboard.errors import Forbidden

sql = load_queries("opsboard.db")

NOT_YOURS = "This is about the whole service, for admins of those who run it (OPERATOR_TENANTS)."
NOBODY_NAMED = (
    "This is about the whole service, and there are several businesses: "
    "set OPERATOR_TENANTS to the ids of those who run it."
)


class Operators:
    """Decides by OPERATOR_TENANTS. Empty in production, it means the only business, so the number of them counts."""

    def __init__(self, config: Config, lookout: Lookout) -> None:
        self._named = config.operator_tenants
        self._production = config.production
        self._lookout = lookout
        self._are_several = False

    def require(self, tenant_id: int) -> None:
        """Raise Forbidden for a business that does not run the service; DatabaseUnavailable when nobody can tell."""
        if self._named:
            if tenant_id not in self._named:
                raise Forbidden(NOT_YOURS)
        elif self._production and self._has_several():
            raise Forbidden(NOBODY_NAMED)

    def runs_service(self, tenant_id: int) -> bool | None:
        """Return whether a business runs the service; None: it does if it is the only one."""
        if self._named:
            return tenant_id in self._named
        return None if self._production else True

    def _has_several(self) -> bool:
        # Businesses are added at any time and removed by nobody, so only "one" is asked for again.
        if not self._are_several:
            row = self._lookout.ask(sql.list_businesses).row
            assert row is not None  # an aggregate always has its row
            self._are_several = len(row[0]) > 1
        return self._are_several
