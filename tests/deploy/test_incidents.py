"""Every line of the incident table is true: its cause is made, its line is run by a shell, its words are found."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
import pytest
from werkzeug.serving import make_server

from opsboard.features.health import advice
from opsboard.features.webhooks.signing import WebhookSecrets
from opsboard.observability import faults
from tests.application import SECRET, Application, running_application
from tests.features.receivers import deliverer
from tests.features.test_health_meanwhile import finish_connecting
from tests.features.test_journey_health import let_steps_wait
from tests.waiting import eventually

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
TABLE = re.compile(r"<!-- incidents:begin -->\n(.*)<!-- incidents:end -->", re.DOTALL)
AUTH = """
auth() { printf 'header = "Authorization: Bearer %s"\\n' "$TOKEN" | curl -s --config - "$@"; }
"""


class Incident(NamedTuple):
    symptom: str
    line: str
    words: str
    remedy: str


def incidents() -> list[Incident]:
    found = TABLE.search(DOCUMENT.read_text(encoding="utf-8"))
    assert found
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].strip().splitlines()[2:]]
    return [
        Incident(symptom, line.strip("`"), words.strip("`"), remedy) for symptom, line, words, remedy in rows
    ]


class Scene:
    """The application behind a port, and what is to be undone at the end."""

    def __init__(self, app: Application, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.stack = stack
        self.monkeypatch = monkeypatch
        # The seed has steps of journeys that are due by the time they are looked at.
        self.execute("UPDATE journey_contacts SET due_at = now() + interval '1 day' WHERE due_at IS NOT NULL")
        self.token = app.token()
        self.url = stack.enter_context(served(app))

    def run(self, line: str) -> str:
        """The output of a line of the table, run by a shell, without the blanks of JSON."""
        done = subprocess.run(
            ["bash", "-c", AUTH + line], capture_output=True, text=True, check=True, timeout=60,
            env={"URL": self.url, "TOKEN": self.token, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        return re.sub(r'(":|,|\[) (?=["\[{\d])', r"\1", done.stdout)

    def execute(self, statement: str, database: str | None = None) -> None:
        url = self.app.database.superuser_url
        with closing(psycopg2.connect(url, **named(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def session(self, *statements: str) -> Any:
        """A session of a superuser that has run statements and stays in their transaction."""
        connection = self.stack.enter_context(closing(psycopg2.connect(self.app.database.superuser_url)))
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return connection


def named(database: str | None) -> dict[str, str]:
    return {} if database is None else {"dbname": database}


@contextmanager
def served(app: Application) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app.flask, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Cause = Callable[[Scene], object]


def refused_webhook(scene: Scene) -> None:
    secret_id = WebhookSecrets(SECRET).new_id()
    scene.execute(f"UPDATE webhooks SET url = 'http://127.0.0.1:1/', secret_id = '{secret_id}'")
    scene.execute("UPDATE deliveries SET due_at = now() WHERE status = 'waiting'")
    assert deliverer(scene.app, DIGEST_HOUR="23").run_once()["waiting"] >= 1


def locked_table(scene: Scene) -> None:
    scene.session("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
    waiting = scene.stack.enter_context(closing(psycopg2.connect(scene.app.database.app_url, async_=1)))
    finish_connecting(waiting)
    waiting.cursor().execute("SELECT count(*) FROM jobs")
    scene.monkeypatch.setattr(advice, "BLOCKED", 0.0)


def forgotten_transaction(scene: Scene) -> None:
    scene.monkeypatch.setattr(advice, "OLD_TRANSACTION", 0.0)
    connection = scene.stack.enter_context(closing(psycopg2.connect(scene.app.database.app_url)))
    connection.cursor().execute("SELECT 1")


def full_pool(scene: Scene) -> None:
    pool = scene.app.services.database.pool
    for _ in range(scene.app.services.config.db_pool_max_connections):
        scene.stack.enter_context(pool.connection())


def busy_threads(scene: Scene) -> None:
    use = scene.app.services.threads
    use.most, use.busy, use.waiting = 8, 8, 9


def database_away(scene: Scene) -> None:
    name = scene.app.database.name
    scene.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', "postgres")
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    scene.stack.callback(scene.execute, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true', "postgres")
    scene.execute(end, "postgres")


def slow_page(scene: Scene) -> None:
    scene.app.services.database._watch.ran("jobs.list_jobs", 3.0)


def wrong_count(scene: Scene) -> None:
    scene.execute("SELECT fold_rollups(1000000)")
    scene.execute("UPDATE rollups SET n = n + 1 WHERE metric = 'jobs'")


SILENT = """
INSERT INTO workers (id, machine, pid, started_at, heard_at, report)
SELECT 'zzz', machine, 1, now(), now() - interval '1 minute', report FROM workers LIMIT 1
"""
BACKUP = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET opsboard.last_backup = %L', current_database(),
to_char(now() - interval '60 hours', 'YYYY-MM-DD"T"HH24:MI:SSOF') || ' 1000'); END $$
"""
FIRING = """
INSERT INTO alerts (rule, subject, lasts, began_at, fired_at) VALUES ('OpsboardBackupOld', '', 0, now(), now())
"""


def sql(statement: str) -> Cause:
    return lambda scene: scene.execute(statement)


def used_up_sequence(scene: Scene) -> None:
    with closing(psycopg2.connect(scene.app.database.owner_url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE small (id integer); CREATE SEQUENCE small_id_seq OWNED BY small.id")
        cursor.execute("SELECT setval('small_id_seq', 2000000000)")
        connection.commit()


def silent_worker(scene: Scene) -> None:
    scene.app.services.change_feed.start()
    scene.execute(SILENT)


def unnamed_operators(scene: Scene) -> None:
    app = scene.app
    other = scene.stack.enter_context(
        running_application(app.database, app.alpha, app.beta, operator_tenants=(app.beta.id,))
    )
    scene.url = scene.stack.enter_context(served(other))


CAUSES: dict[str, Cause] = {
    "requests hang, then 504": locked_table,
    "writes to some records hang, reads go on": lambda scene: scene.session("LOCK TABLE jobs IN SHARE MODE"),
    "counts and lists get slower, tables grow": forgotten_transaction,
    "503 `pool_timeout`": full_pool,
    "everything but cached answers hangs": busy_threads,
    "every answer is 503 `database_unavailable` or STALE": database_away,
    "every answer is 503 `schema_missing` after a release": sql("DELETE FROM schema_migrations"),
    "writes fail with 503 `disk_full`": lambda _: faults.note("disk_full"),
    "a number differs from its list": wrong_count,
    "one page is slow": slow_page,
    "one list became slow": sql("DROP INDEX idx_jobs_priority"),
    "journeys send nothing": lambda scene: let_steps_wait(scene.app, scene.app.alpha, minutes=10),
    "webhooks or mail do not arrive": refused_webhook,
    "a worker is gone": silent_worker,
    "ids of new rows are refused": used_up_sequence,
    "an old backup": sql(BACKUP),
    "somebody was called at night": sql(FIRING),
    "nobody may see health": unnamed_operators,
}


@pytest.fixture
def scene(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(faults, "_last", {})
    with ExitStack() as stack:
        yield Scene(own_app, stack, monkeypatch)


def test_every_line_has_a_cause_here_and_a_remedy() -> None:
    assert [incident.symptom for incident in incidents()] == list(CAUSES)
    assert all(incident.remedy and incident.words for incident in incidents())


@pytest.mark.parametrize("incident", incidents(), ids=lambda incident: incident.symptom)
def test_a_line_says_what_is_the_matter_when_it_is_and_not_before(scene: Scene, incident: Incident) -> None:
    assert incident.words not in scene.run(incident.line), "before its cause"
    CAUSES[incident.symptom](scene)
    eventually(incident.words, lambda: incident.words in scene.run(incident.line))
