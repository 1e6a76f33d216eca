"""What is told of the whole service: to admins of the businesses that run it, or of all when none is named."""

from __future__ import annotations

import pytest

from opsboard.config import load_config
from opsboard.errors import ConfigError
from tests.application import Application, running_application
from tests.contract.routes import Route, routes

# One's own counts, and whether the service answers at all.
NOT_OF_ALL = {"health.health", "health.ready", "health.rollups"}


def of_the_service(shop: Application) -> list[Route]:
    return [
        route
        for route in routes(shop)
        if "health." in route.endpoint and route.endpoint.replace("root_", "") not in NOT_OF_ALL
    ]


def statuses(shop: Application, role: str, own: bool = True) -> set[int]:
    client = shop.client(role) if own else shop.client(role, shop.beta)
    found = of_the_service(shop)
    assert len({route.endpoint for route in found}) >= 7
    return {client.open(route.path, method=route.method).status_code for route in found}


def test_admins_of_every_business_see_the_service_while_nobody_is_named(own_shop: Application) -> None:
    assert statuses(own_shop, "admin") == statuses(own_shop, "admin", own=False) == {200}


def test_only_admins_of_those_who_run_it_see_the_service(own_shop: Application) -> None:
    shop = own_shop
    with running_application(
        shop.database, shop.alpha, shop.beta, operator_tenants=(shop.alpha.id,)
    ) as run_by_alpha:
        assert statuses(run_by_alpha, "admin") == {200}
        assert statuses(run_by_alpha, "manager") == {403}
        assert statuses(run_by_alpha, "admin", own=False) == {403}
        stranger = run_by_alpha.client("admin", shop.beta)
        told = stranger.get("/api/health/tables").json
        assert told is not None and "OPERATOR_TENANTS" in told["detail"]
        for path in ("/api/health", "/api/health/ready", "/api/health/rollups", "/api/jobs"):
            assert stranger.get(path).status_code == 200, path


@pytest.mark.parametrize("value", ["north", "1,", "1;2", "-1", "\u0661"])
def test_what_is_no_list_of_ids_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="OPERATOR_TENANTS must be ids"):
        load_config({"OPERATOR_TENANTS": value}, env_file=None)
