"""N+1 in an area is warned of and fails its test; a slow query's plan is logged without values; operators profile."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from opsboard.db.database import Database
from opsboard.db.plan_samples import EVERY, SAME_EVERY, PlanSamples, Sample
from opsboard.db.query_watch import QueryWatch
from opsboard.errors import DatabaseUnavailable
from opsboard.features.customers.routes import sql as customers
from opsboard.web.services import identity, services
from tests.application import Application, running_application
from tests.queries_once import no_repeats
from tests.web.ways import Ways, bearer

LIST = "customers.list_customers"
SECRET_TITLE = "a title that no log may have"


def plant(app: Application, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """One statement for each row, in the view of an area."""

    def planted(customer_id: int, **_: Any) -> str:
        for _row in range(rows):
            services().database.fetch_json(customers.get_customer, identity(), {"customer_id": customer_id})
        return "done"

    monkeypatch.setitem(app.flask.view_functions, "customers.get_customer", planted)


@pytest.mark.repeats_queries
@pytest.mark.parametrize(("rows", "event"), [(2, "repeated queries"), (11, "N+1 queries")])
def test_n_plus_1_in_an_area_is_in_the_log_and_the_header_and_red(
    app: Application, monkeypatch: pytest.MonkeyPatch, rows: int, event: str
) -> None:
    plant(app, monkeypatch, rows)
    with capture_logs() as lines, pytest.raises(pytest.fail.Exception) as red, no_repeats():
        answer = app.client().get("/api/customers/1")
    assert answer.headers["X-Queries"] == f'{rows};repeated="customers.get_customer"'
    (line,) = [line for line in lines if line["event"] == event]
    assert (line["log_level"], line["repeated"]) == ("warning", {"customers.get_customer": rows})
    assert "customers.get_customer: {'customers.get_customer':" in str(red.value)


def test_one_statement_is_no_repeat(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(app, monkeypatch, 1)
    with no_repeats():
        assert app.client().get("/api/customers/1").headers["X-Queries"] == "1"


def test_a_slow_query_names_business_and_endpoint_and_its_plan_has_no_value(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, slow_query_ms=1) as app:
        watch: QueryWatch = app.services.database._watch
        watch._slow = 0.0
        samples = watch.samples
        assert samples is not None
        lines = logged(app, samples)
    slow = [
        line
        for line in lines
        if line["event"] == "slow query" and line["query"] == "customers.list_customers"
    ]
    assert slow and slow[0]["business"] == own_app.alpha.id
    assert slow[0]["endpoint"] == "customers.list_customers"
    (plan,) = [line for line in lines if line["event"] == "plan of a slow query"]
    assert plan["query"] == "customers.list_customers"
    assert any("customers" in step and "rows" in step for step in plan["plan"])
    assert SECRET_TITLE not in str(lines)


def logged(app: Application, samples: PlanSamples) -> list[Any]:
    """The lines of a slow request with a value, and of its plan."""
    before = structlog.get_config()
    lines: list[Any] = []

    def keep(_: Any, __: str, event: Any) -> Any:
        lines.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[*before["processors"][:2], keep])
    try:
        client = app.client()
        offer = samples.offer
        # All queries are slow here, those of other threads as well.
        samples.offer = lambda sample: offer(sample) if sample.name == LIST else None  # type: ignore[method-assign]
        samples._sample, samples._taken_at = None, -EVERY
        assert client.get("/api/customers", query_string={"q": SECRET_TITLE}).status_code == 200
        app.services.maintenance.run_once()
    finally:
        structlog.configure(**before)
    return lines


class Explains:
    """A database whose plans are all the same."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False

    def explain(self, name: str, *_: Any) -> Any:
        self.asked.append(name)
        if self.is_away:
            raise DatabaseUnavailable()
        return [
            {"Plan": {"Node Type": "Seq Scan", "Relation Name": "jobs", "Plan Rows": 3, "Total Cost": 1.0}}
        ]


def test_plans_are_rare_and_one_that_fails_is_no_error() -> None:
    now, database = [0.0], Explains()
    samples = PlanSamples(database, lambda: now[0])

    def offer(name: str) -> None:
        samples.offer(Sample(name, "SELECT 1", "", {}))
        samples.explain_if_due()

    with capture_logs():
        for name in ("a.a", "a.a", "a.b"):
            offer(name)
        assert database.asked == ["a.a"], "one a minute"
        now[0] += EVERY
        offer("a.a")
        offer("a.b")
        assert database.asked == ["a.a", "a.b"], "and one of each query in ten minutes"
        now[0] += SAME_EVERY
        database.is_away = True
        offer("a.a")
    assert database.asked == ["a.a", "a.b", "a.a"]


def test_a_write_is_explained_and_not_done(own_app: Application) -> None:
    database: Database = own_app.services.database
    plan = database.explain(
        "test.update",
        "UPDATE customers SET name = 'none' WHERE tenant_id = %(tenant_id)s",
        "",
        {"tenant_id": 1},
    )
    assert "ModifyTable" in str(plan)
    assert own_app.client().get("/api/customers/1").json["name"] != "none"  # type: ignore[index]


def test_an_operator_gets_the_profile_of_a_request_and_nothing_of_it_is_kept(own_app: Application) -> None:
    ways = Ways(own_app)
    headers = bearer(own_app.token())
    for path in ("/api/customers?profile=1&page_size=5", "/api/dashboard/stats?profile=1"):
        for _ in range(2):
            answer = ways.ask(path, headers=headers)
            text = answer.get_data(as_text=True)
            assert (answer.status_code, answer.mimetype) == (200, "text/plain"), text
            assert "cumulative" in text and "endpoint.py" in text
    assert ways.ask("/api/customers?page_size=5", headers=headers).mimetype == "application/json"


def test_others_get_no_profile(own_app: Application) -> None:
    for role in ("manager", "operator"):
        answer = own_app.client(role).get("/api/dashboard/stats?profile=1")
        assert answer.status_code == 400
    client = own_app.client()
    assert client.get("/api/dashboard/stats?profile=2").status_code == 400
    assert client.post("/api/jobs?profile=1", json={"title": "A job"}).status_code == 400
    settings = {"operator_tenants": (own_app.alpha.id,)}
    with running_application(own_app.database, own_app.alpha, own_app.beta, **settings) as app:
        stranger = app.client("admin", own_app.beta)
        assert stranger.get("/api/dashboard/stats?profile=1").status_code == 403
