"""Workflow monitoring: what runs, what ran, and alerts that somebody sees once."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
from flask.testing import FlaskClient

from opsboard.db.list_statement import Page, compose
from opsboard.db.queries import load_queries
from tests.application import Application
from tests.contract.catalogue import VALUES
from tests.contract.test_every_query import explain, nodes, own_table

sql = load_queries("opsboard.features.workflow_monitoring")
PATH = "/api/workflow-monitoring"


def begin(client: FlaskClient, workflow: str = "nightly import") -> dict[str, Any]:
    answer = client.post(f"{PATH}/executions", json={"workflow": workflow, "step": "first"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    begun: dict[str, Any] = answer.json  # type: ignore[assignment]
    return begun


def ids(client: FlaskClient, path: str) -> list[int]:
    return [item["id"] for item in client.get(f"{PATH}/{path}").json["items"]]  # type: ignore[index]


def test_an_execution_is_active_until_it_ends_and_stays_in_the_history(own_app: Application) -> None:
    client = own_app.client()
    first, second = begin(client), begin(client)
    workflow = first["workflow"]["id"]
    assert second["workflow"]["id"] == workflow, "the same name is the same workflow"
    assert {first["id"], second["id"]} <= set(ids(client, "active?page_size=100"))
    client.patch(f"{PATH}/executions/{first['id']}", json={"step": "second"})
    ended = client.patch(f"{PATH}/executions/{first['id']}", json={"status": "completed"}).json
    assert ended["finished_at"] is not None and ended["step"] == "second"  # type: ignore[index]
    assert first["id"] not in ids(client, "active?page_size=100")
    assert ids(client, f"history?workflow_id={workflow}") == [second["id"], first["id"]]
    assert ids(client, f"history?workflow_id={workflow}&status=completed") == [first["id"]]
    late = client.patch(f"{PATH}/executions/{first['id']}", json={"status": "failed"})
    assert (late.status_code, late.json["detail"]) == (409, "This execution has ended: completed.")  # type: ignore[index]


def test_an_execution_that_fails_raises_one_alert_with_its_reason(own_app: Application) -> None:
    client = own_app.client()
    execution = begin(client)
    for _ in range(2):
        change = {"status": "failed", "error": "disk full"}
        client.patch(f"{PATH}/executions/{execution['id']}", json=change)
    workflow = execution["workflow"]["id"]
    (alert,) = client.get(f"{PATH}/alerts?status=open&workflow_id={workflow}").json["items"]  # type: ignore[index]
    assert (alert["message"], alert["execution_id"]) == ("disk full", execution["id"])
    seen = own_app.client("operator").post(f"{PATH}/alerts/{alert['id']}/acknowledge").json
    assert seen["acknowledged_by"]["name"] == f"{own_app.alpha.canary} operator"  # type: ignore[index]
    assert ids(client, f"alerts?status=open&workflow_id={workflow}") == []
    assert ids(client, f"alerts?status=acknowledged&workflow_id={workflow}") == [alert["id"]]
    late = client.post(f"{PATH}/alerts/{alert['id']}/acknowledge")
    assert late.status_code == 409
    assert late.json["detail"].startswith(f"Acknowledged already by {own_app.alpha.canary} operator at ")  # type: ignore[index]


def test_of_many_who_acknowledge_at_once_one_did(own_app: Application) -> None:
    clients = [own_app.client(role) for role in ("admin", "manager", "operator")]
    for alert in ids(clients[0], "alerts?status=open&page_size=5"):
        statuses: list[int] = []
        start = threading.Barrier(len(clients))

        def see(
            client: FlaskClient,
            alert: int = alert,
            start: threading.Barrier = start,
            into: list[int] = statuses,
        ) -> None:
            start.wait(30)
            into.append(client.post(f"{PATH}/alerts/{alert}/acknowledge").status_code)

        threads = [threading.Thread(target=see, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(statuses) == [200, 409, 409]


def test_watching_is_for_all_and_reporting_for_those_who_manage(own_app: Application) -> None:
    operator = own_app.client("operator")
    assert ids(operator, "active") and ids(operator, "alerts") and ids(operator, "workflows")
    assert operator.post(f"{PATH}/executions", json={"workflow": "x"}).status_code == 403


def test_the_number_of_executions_that_run_reads_as_few_rows_for_2000_as_for_200(
    own_app: Application,
) -> None:
    client, read = own_app.client(), []
    asked, given = compose(sql.list_active, {"active": "true"}, Page("started_at", False, 1))
    for more in (200, 1800):
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            if not read:
                cursor.execute("DELETE FROM workflow_execution_monitoring WHERE tenant_id = 1")
            cursor.execute(
                "INSERT INTO workflow_execution_monitoring (tenant_id, workflow_id, started_at) "
                "SELECT 1, (SELECT min(id) FROM workflows), now() - g * interval '1 second' "
                "FROM generate_series(1, %s) AS g",
                (more,),
            )
            cursor.execute("SELECT fold_rollups(1000000)")
            cursor.execute("VACUUM ANALYZE rollups, rollup_deltas, workflow_execution_monitoring")
        plan = explain(own_app, asked, VALUES | given | {"tenant_id": 1}, ", ANALYZE, TIMING OFF")
        tables = {"rollups", "rollup_deltas", "workflow_execution_monitoring"}
        read.append(
            sum(
                node["Actual Rows"] * node["Actual Loops"]
                for node in nodes(plan)
                if own_table(node) in tables
            )
        )
        own_app.poll_changes()
        total = client.get(f"{PATH}/active?page_size=1").json["total"]  # type: ignore[index]
        assert total == (200 if more == 200 else 2000)
    assert read[0] == read[1] <= 12
