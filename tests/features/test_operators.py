"""Data of the whole service is shown to admins of the operating businesses, or of all if none is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from opsboard.config import load_config
from opsboard.errors import ConfigError, DatabaseUnavailable
from opsboard.tenants.adding import add_tenant
from tests.application import Application, running_application
from tests.contract.routes import Route, routes

# One's own counts, and whether the service answers at all.
NOT_OF_ALL = {"health.health", "health.ready", "health.rollups"}


def of_the_service(app: Application) -> list[Route]:
    return [
        route
        for route in routes(app)
        if "health." in route.endpoint and route.endpoint.replace("root_", "") not in NOT_OF_ALL
    ]


def statuses(app: Application, role: str, own: bool = True) -> set[int]:
    client = app.client(role) if own else app.client(role, app.beta)
    found = of_the_service(app)
    assert len({route.endpoint for route in found}) >= 7
    # 404: the session of the sample body does not exist, which only those hear who may end it.
    return {
        200
        if (status := client.open(route.path, method=route.method, json=route.body).status_code) == 404
        else status
        for route in found
    }


def test_admins_of_every_business_see_the_service_while_nobody_is_named(own_app: Application) -> None:
    assert statuses(own_app, "admin") == statuses(own_app, "admin", own=False) == {200}


def test_only_admins_of_those_who_run_it_see_the_service(own_app: Application) -> None:
    app = own_app
    with running_application(
        app.database, app.alpha, app.beta, operator_tenants=(app.alpha.id,)
    ) as run_by_alpha:
        assert statuses(run_by_alpha, "admin") == {200}
        assert statuses(run_by_alpha, "manager") == {403}
        assert statuses(run_by_alpha, "admin", own=False) == {403}
        stranger = run_by_alpha.client("admin", app.beta)
        told = stranger.get("/api/health/tables").json
        assert told is not None and "OPERATOR_TENANTS" in told["detail"]
        for path in ("/api/health", "/api/health/ready", "/api/health/rollups", "/api/jobs"):
            assert stranger.get(path).status_code == 200, path


@pytest.mark.parametrize("named", [False, True], ids=["nobody named", "all named"])
def test_in_production_nobody_sees_the_service_of_several_businesses_by_default(
    own_app: Application, named: bool
) -> None:
    app = own_app
    operators = (app.alpha.id, app.beta.id) if named else ()
    with running_application(
        app.database, app.alpha, app.beta, opsboard_env="production", operator_tenants=operators
    ) as live:
        expected = {200} if named else {403}
        assert statuses(live, "admin") == statuses(live, "admin", own=False) == expected
        if not named:
            told = live.client().get("/api/health/db").json
            assert told is not None and "set OPERATOR_TENANTS" in told["detail"]
        for path in ("/api/health", "/api/health/ready", "/api/health/rollups", "/api/jobs"):
            assert live.client().get(path).status_code == 200, path


def test_the_only_business_needs_no_name_until_there_is_another(lone_app: Application) -> None:
    client = lone_app.client()
    assert client.get("/api/health/db").status_code == 200
    assert client.get("/api/auth/me").json["runs_service"] is True  # type: ignore[index]
    add_tenant(lone_app.database.app_url, "second", "Second", "UTC")
    assert client.get("/api/health/db").status_code == 403
    assert client.get("/api/auth/me").json["runs_service"] is False  # type: ignore[index]


def test_while_nobody_can_tell_how_many_there_are_the_last_number_counts(
    lone_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, lookout = lone_app.client(), lone_app.services.lookout

    def silence(*_: object) -> None:
        raise DatabaseUnavailable()

    monkeypatch.setattr(lookout, "_wait", silence)
    assert client.get("/api/health/cache").status_code == 503
    monkeypatch.undo()
    assert client.get("/api/health/cache").status_code == 200
    monkeypatch.setattr(lookout, "_wait", silence)
    assert client.get("/api/health/cache").status_code == 200


@pytest.fixture
def lone_app(own_app: Application) -> Iterator[Application]:
    """A production service for one business."""
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM tenants WHERE id = %s", (own_app.beta.id,))
        with running_application(
            own_app.database, own_app.alpha, own_app.beta, opsboard_env="production"
        ) as live:
            yield live


@pytest.mark.parametrize("value", ["north", "1,", "1;2", "-1", "\u0661"])
def test_what_is_no_list_of_ids_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="OPERATOR_TENANTS must be ids"):
        load_config({"OPERATOR_TENANTS": value}, env_file=None)
