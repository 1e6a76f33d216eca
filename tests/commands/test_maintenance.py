"""Maintenance mode refuses writes on every worker, and reads go on; migrate --check finds what does not run."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.features.journeys.runner import Runner
from tests.application import Application
from tests.clusters import FreshDatabase
from tests.commands.conftest import Run
from tests.deploy.servers import running_gunicorn
from tests.seed import PASSWORD


def urls(database: FreshDatabase) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url}


def execute(database: FreshDatabase, statement: str) -> None:
    with closing(psycopg2.connect(database.owner_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)


def test_writes_are_refused_while_people_read_and_sign_in(own_app: Application, run: Run) -> None:
    client, database = own_app.client(), own_app.database
    done = run("maintenance", "on", "--retry-after", "300", "--reason", "Until 18:00.", **urls(database))
    assert (done.exit_code, done.output) == (0, "writes are paused: 0 of 0 live workers have heard of it\n")
    own_app.services.maintenance.run_once()
    answer: Any = client.post("/api/jobs", json={"title": "No"})
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (
        503,
        "maintenance",
        "300",
    )
    assert answer.json["detail"].endswith("reading goes on. Until 18:00.")
    for method, path in (
        ("PATCH", "/api/jobs/1"),
        ("PATCH", "/api/customers/1"),
        ("POST", "/api/leads/claim"),
    ):
        assert client.open(path, method=method, json={}).status_code == 503, path
    assert own_app.client(None).post("/api/jobs", json={}).status_code == 401
    assert client.get("/api/jobs").status_code == 200
    assert client.post("/api/health/cache/clear").status_code == 200
    assert own_app.sign_in(own_app.alpha.email("admin"), PASSWORD).status_code == 200
    assert client.post("/api/auth/logout").status_code == 204
    status = run("maintenance", "status", **urls(database))
    assert status.exit_code == 1 and "paused (try again after 300 s) Until 18:00." in status.output
    # Not by the command, which would wait for this application to report: no thread of it looks here.
    execute(database, "DELETE FROM write_pauses")
    own_app.services.write_pause.look()
    assert own_app.client().post("/api/jobs", json={"title": "Yes"}).status_code == 201
    status = run("maintenance", "status", **urls(database))
    assert status.exit_code == 0 and status.output.startswith("writes go on; ")


def test_every_worker_has_heard_when_the_command_ends(own_app: Application, run: Run) -> None:
    token, body = own_app.token(), {"title": "One"}
    with running_gunicorn("tests.deploy.probe_app:app()", DATABASE_URL=own_app.database.app_url) as server:
        for word, status in (("on", 503), ("off", 201)):
            done = run("maintenance", word, **urls(own_app.database))
            assert done.exit_code == 0 and ": 2 of 2 live workers" in done.output, done.output
            # A connection of its own each time, so that both workers are asked.
            for _ in range(8):
                with closing(server.client(token)) as client:
                    assert client.post("/api/jobs", body).status == status
                    assert client.get("/api/jobs").status == 200


def test_journeys_wait(own_app: Application, run: Run) -> None:
    pool = Pool(0, 1, own_app.database.app_url)
    runner = Runner(Database(pool, 30.0), 4, 60.0, 200)
    try:
        assert run("maintenance", "on", **urls(own_app.database)).exit_code == 0
        assert sum(runner.run_once().values()) == 0
        assert run("maintenance", "off", **urls(own_app.database)).exit_code == 0
        assert runner.run_once()["taken"] > 0
    finally:
        pool.closeall()


def test_check_lists_the_statements_that_the_schema_lacks_something_for(
    own_app: Application, run: Run
) -> None:
    well = run("migrate", "--check", **urls(own_app.database))
    assert well.exit_code == 0 and "pending: nothing" in well.output and ", 0 do not" in well.output, (
        well.output
    )
    assert int(well.output.split(" statements")[0].split()[-1]) > 150
    execute(own_app.database, "ALTER TABLE machines RENAME COLUMN location TO place")
    wrong = run("migrate", "--check", **urls(own_app.database))
    assert wrong.exit_code == 1 and "does not run: machines.list_machines: column " in wrong.output, (
        wrong.output
    )
