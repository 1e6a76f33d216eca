"""In production nothing is served before the database role has proved to be one that row security binds."""

from __future__ import annotations

import json

import structlog
from flask import Flask, current_app, request

from opsboard.db.row_security import role_dangers_of, sql
from opsboard.errors import OpsboardError
from opsboard.web.access import is_operational
from opsboard.web.services import Services

log = structlog.get_logger(__name__)


class UnsafeDatabaseRole(OpsboardError):
    """The role of DATABASE_URL could read every tenant's rows."""

    status = 503
    code = "unsafe_database_role"
    advice = "mend DATABASE_URL: opsboard doctor"
    title = "Not safe to serve"
    retry_after = 10
    default_detail = "The service refuses to run with its present database role; its log says why."


class RoleGuard:
    """Looks at the role at first contact with the database, then lets every request through.

    The start looks too, but the database may have been away then. While it is away, requests get its 503; when
    the role turns out unsafe they get another, until somebody mends the role.
    """

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._lookout = services.lookout
        self._proved = False
        self._reported: list[str] = []

    def __call__(self) -> None:
        if self._proved:
            return
        view = current_app.view_functions.get(request.endpoint or "")
        if not getattr(view, "without_database", False):
            self.prove()

    def prove(self) -> None:
        """Raise UnsafeDatabaseRole, or DatabaseUnavailable when nobody can tell."""
        ask = self._lookout if is_operational() else self._database
        row = ask.fetch_unbound(sql.role_facts)
        assert row is not None  # json_build_object always gives a row
        dangers = role_dangers_of(json.loads(row[0]))
        if dangers:
            if dangers != self._reported:
                log.critical("refusing to serve", setting="DATABASE_URL", reasons=dangers)
            self._reported = dangers
            raise UnsafeDatabaseRole()
        self._proved = True


def guard_role(app: Flask) -> None:
    """Put the guard in front of every request of a production application; a second call changes nothing."""
    services: Services = app.extensions["opsboard"]
    if services.config.production and "opsboard_role_guard" not in app.extensions:
        app.extensions["opsboard_role_guard"] = guard = RoleGuard(services)
        # After the request got its id, before anybody is let in.
        app.before_request_funcs.setdefault(None, []).insert(1, guard)
