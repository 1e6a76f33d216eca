"""True if OPERATOR_TENANTS fits the businesses there are."""

from __future__ import annotations

from opsboard.config import Config
from opsboard.db.addresses import service_url
from opsboard.db.queries import load_queries
from opsboard.db.session import Cursor, connected
from opsboard.errors import CommandError

sql = load_queries("opsboard.db")


def operator_faults(config: Config) -> list[str]:
    """Return the faults of OPERATOR_TENANTS as messages, as far as the database can be asked."""
    try:
        with connected(service_url(config), "check") as connection, connection.cursor() as cursor:
            return find_operator_faults(config, cursor)
    except CommandError:
        return []


def find_operator_faults(config: Config, cursor: Cursor) -> list[str]:
    """As `operator_faults`, over an open connection. Raises psycopg2.Error before the first migration."""
    cursor.execute(sql.list_businesses.sql)
    ((businesses,),) = cursor.fetchall()
    if unknown := [tenant_id for tenant_id in config.operator_tenants if tenant_id not in businesses]:
        return [f"OPERATOR_TENANTS names no business: {', '.join(map(str, unknown))}"]
    if config.production and len(businesses) > 1 and not config.operator_tenants:
        return [
            f"OPERATOR_TENANTS is empty and there are {len(businesses)} businesses: "
            "nobody may see what belongs to the whole service, such as /api/health/db"
        ]
    return []
