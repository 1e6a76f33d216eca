"""GET /api/health/workers: each worker with its lag, answers and sign-ins; and who may see it in the page."""

from __future__ import annotations

from typing import Any

from tests.application import Application, running_application


def test_a_worker_says_how_fresh_it_is_and_what_it_answered(own_app: Application) -> None:
    own_app.sign_in(own_app.alpha.email("admin"), "wrong")
    client = own_app.client()
    client.get("/api/jobs")
    told: Any = client.get("/api/health/workers").json
    (worker,) = told["workers"]
    assert worker["id"] == told["answered_by"]
    assert told["sign_ins"]["sign_in_failed"] == worker["sign_ins"]["sign_in_failed"] == 1
    assert told["change_lag_seconds"] == worker["change_lag_seconds"] >= 0
    assert told["machines"] == 1
    assert told["answers"]["2xx"] >= 1
    assert worker["writes_paused"] is False


def test_a_slow_query_is_shown_with_its_endpoints_and_indexes(own_app: Application) -> None:
    client = own_app.client()
    client.get("/api/customers")
    told: Any = client.get("/api/health/queries").json
    (use,) = [use for use in told["queries"] if use["query"] == "customers.list_customers"]
    assert use["endpoints"] == ["GET /api/customers"]
    assert "idx_customers_name" in use["indexes"]


def test_me_says_who_runs_the_service(own_app: Application) -> None:
    app = own_app

    def told(application: Application, role: str, own: bool = True) -> bool:
        client = application.client(role) if own else application.client(role, app.beta)
        me: Any = client.get("/api/auth/me").json
        assert (client.get("/api/health/workers").status_code == 200) is me["runs_service"]
        return bool(me["runs_service"])

    assert [told(app, role) for role in ("admin", "manager", "operator")] == [True, False, False]
    with running_application(app.database, app.alpha, app.beta, operator_tenants=(app.alpha.id,)) as named:
        assert told(named, "admin")
        assert not told(named, "admin", own=False)
    with running_application(app.database, app.alpha, app.beta, opsboard_env="production") as several:
        assert not told(several, "admin")
