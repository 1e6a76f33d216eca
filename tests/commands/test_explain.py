"""opsboard explain shows the plan the service gets, and changes nothing."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from tests.application import Application
from tests.commands.conftest import Run
from tests.contract.catalogue import all_queries

VALUES = {
    "session_id": "1", "api_token_id": "1", "hint": "h", "token_hash": "t",
    "job_id": "1", "step_id": "1", "customer_id": "1", "machine_id": "1", "process_id": "1", "wanted_id": "1",
    "seen": "3:3:", "token_id": "t", "token_version": "1", "login_email": "admin@alpha.example", "order_id": "1",
    "lead_id": "1", "approval_id": "1", "campaign_id": "1",
    "contact_id": "1", "conversation_id": "1", "message_id": "1", "call_id": "1", "document_id": "1",
    "journey_id": "1", "node_id": "1", "idempotency_key": "k", "machine": "m", "silent_after": "2.0",
    "link_id": "1", "suppression_id": "1", "expires_at": "4000000000",
    "at_least": "1000", "prior": "10", "held_out": "0.25", "fewest": "40",
    "long": "1.0", "settings": "{fsync}", "days": "182", "kept_per_day": "18", "older": "500", "read_per_day": "200",
    "most_jobs": "100", "with_businesses": "true", "reason_id": "1", "routing_id": "1", "saved_view_id": "1",
    "most_read": "1000", "q": "canary", "stop_id": "1", "record_id": "1", "merge_id": "1",
    "shift_id": "1", "holiday_id": "1", "stuck_days": "7", "areas": "{jobs,late,machines,sell}",
    "after_id": "0", "problem_id": "1", "delivery_id": "1", "webhook_id": "1", "digest_hour": "7",
    "runs_service": "false", "by": "day", "product": "x",
    "process_ids": "{1,2}", "assigned_user_id": "1", "confidence": "0.8", "most": "10000",
}  # fmt: skip


@pytest.fixture
def settings(app: Application) -> dict[str, str]:
    return {"DATABASE_URL": app.database.app_url}


def test_without_a_name_all_queries_are_listed(run: Run) -> None:
    lines = run("explain").output.splitlines()
    assert {line.split()[0] for line in lines} == {query.name for query in all_queries()}


def test_the_plan_of_the_dashboard_is_bound_to_the_tenant(
    run: Run, settings: dict[str, str], app: Application
) -> None:
    result = run("explain", "dashboard.stats", "--tenant", "beta", "--analyze", **settings)
    assert result.exit_code == 0, result.output
    assert "Buffers: shared" in result.output
    assert "tenant_id = $1)" in result.output and f"Parameter $1: tenant_id = {app.beta.id}" in result.output
    assert "Planning Time" in result.output and "Prepared: generic plan" in result.output
    assert "(tenant_id = (InitPlan " in result.output, "row security is part of the plan"


def test_a_filter_that_is_planned_for_its_values_is_said_to_be(run: Run, settings: dict[str, str]) -> None:
    result = run("explain", "leads.list_leads", "--tenant", "beta", "--set", "category=none", **settings)
    assert result.exit_code == 0, result.output
    assert "Not prepared: planned for its values" in result.output
    assert "category = 'none'" in result.output, "the planner sees the value"


def test_a_list_takes_filters_and_a_sort(run: Run, settings: dict[str, str]) -> None:
    result = run(
        "explain",
        "jobs.list_jobs",
        "--tenant",
        "alpha",
        "--set",
        "status={active}",
        "--sort=-due_date",
        **settings,
    )
    assert result.exit_code == 0, result.output
    assert "due_date" in result.output
    assert "active" in result.output


# Of lists that belong to a row: it is asked for beside the query's own parameters.
OWNERS = {"job_id", "lead_id", "approval_id", "campaign_id", "conversation_id"}


@pytest.mark.parametrize("name", [query.name for query in all_queries() if not query.writes])
def test_every_read_can_be_run_and_explained(run: Run, settings: dict[str, str], name: str) -> None:
    query = next(query for query in all_queries() if query.name == name)
    given = [f"--set={key}={value}" for key, value in VALUES.items() if key in query.parameters | OWNERS]
    result = run("explain", name, "--tenant", "alpha", "--analyze", *given, **settings)
    assert result.exit_code == 0, result.output
    assert "Execution Time" in result.output


def test_a_write_is_explained_but_never_run(run: Run, settings: dict[str, str], app: Application) -> None:
    given = [
        f"--set={name}="
        for name in (
            "job_number",
            "description",
            "customer_id",
            "due_date",
            "request_id",
            "copy_of_id",
            "routing_id",
            "steps",
        )
    ]
    given += ["--set=title=t", "--set=status=draft", "--set=priority=normal", "--set=quantity=1"]
    refused = run("explain", "jobs.create_job", "--tenant", "alpha", "--analyze", *given, **settings)
    assert (refused.exit_code, "leave out --analyze" in str(refused.exception)) == (1, True)
    result = run("explain", "jobs.create_job", "--tenant", "alpha", *given, **settings)
    assert result.exit_code == 0, str(result.exception)
    assert "Insert on" in result.output
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jobs WHERE title = 't'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["dashboard.stat"], "There is no query dashboard.stat. Do you mean dashboard.stats"),
        (["list_jobs"], "jobs.list_jobs"),
        (["jobs.get_job", "--tenant", "alpha"], "jobs.get_job needs --set job_id=..."),
        (["dashboard.stats", "--tenant", "nobody"], "There is no business nobody"),
        (
            ["dashboard.stats", "--tenant", "alpha", "--user", "x@y.example"],
            "There is no user x@y.example at alpha",
        ),
        (["jobs.list_jobs", "--tenant", "alpha", "--sort", "colour"], "jobs.list_jobs sorts by "),
        (["jobs.get_job", "--tenant", "alpha", "--set", "job_id"], "--set takes NAME=VALUE"),
        (["jobs.get_job", "--tenant", "alpha", "--set", "job_id=x"], "The database says: "),
    ],
)
def test_what_is_wrong_is_told(run: Run, settings: dict[str, str], words: list[str], told: str) -> None:
    result = run("explain", *words, **settings)
    assert told in str(result.exception)
