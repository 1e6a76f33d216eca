"""Every alert that the service itself can tell fires once when its cause is there and clears once when it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from structlog.testing import capture_logs

from opsboard.errors import DatabaseUnavailable
from opsboard.features.health import alert_watch
from opsboard.features.health.alert_rules import BY_NAME, DATABASE_DOWN, RULES
from opsboard.features.health.alert_schemas import AlertState
from opsboard.features.health.alert_watch import AlertWatch
from opsboard.observability import faults
from opsboard.observability.logs import configure_logs
from opsboard.web.services import Services
from tests.application import Application, running_application
from tests.waiting import eventually

# Of Prometheus alone: a service that is down cannot tell, and the machine of the database is another one.
ELSEWHERE = {"OpsboardDown", "OpsboardDatabaseProcessors"}


# Alerts that a machine under load can cause by itself, and their subject where they are caused here.
OF_A_BUSY_MACHINE = {"OpsboardAnswersSlow", "OpsboardQuerySlow"}
SUBJECT = "jobs.list_jobs"


class Stage:
    """An application whose watch looks when the test says so, and whose alerts fire at once."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.services: Services = app.services
        rules = [replace(rule, lasts=0) for rule in RULES]
        self.watch = AlertWatch(self.services.lookout, lambda: self.services.change_feed.worker.id, rules)
        object.__setattr__(self.services, "alerts", self.watch)
        # The seed has jobs that are late, and steps of journeys that are due by the time they are looked at.
        self.execute("UPDATE journey_contacts SET due_at = now() + interval '1 day' WHERE due_at IS NOT NULL")
        self.execute("UPDATE jobs SET due_date = current_date + 100 WHERE due_date < current_date")
        self.services.change_feed.start()
        self.services.change_feed.pause()
        heartbeat = self.services.change_feed._heartbeat
        made = heartbeat._report
        # Nobody reads changes here.
        heartbeat._report = lambda: {**made(), "change_lag": 0.0}
        self.look()

    def look(self, rule: str = "") -> list[tuple[str, str]]:
        """Report, look, and return what the log was told: (`alert fires` or `alert cleared`, rule).

        Of alerts that a busy machine can cause by itself only those of `rule` and of the subject of the cause.
        """
        self.services.change_feed._heartbeat.send(0)
        with capture_logs() as lines:
            self.watch.check()
        return [
            (line["event"], line["alert"])
            for line in lines
            if "alert" in line
            and (
                line["alert"] not in OF_A_BUSY_MACHINE or (line["alert"], line["subject"]) == (rule, SUBJECT)
            )
        ]

    def execute(self, statement: str) -> None:
        with (
            closing(psycopg2.connect(self.app.database.superuser_url)) as connection,
            connection.cursor() as cur,
        ):
            connection.autocommit = True
            cur.execute(statement)

    def states(self) -> dict[str, dict[str, Any]]:
        answer = self.app.client().get("/api/health/alerts")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, dict[str, Any]] = {
            alert["rule"]: alert for alert in json.loads(answer.data)["alerts"]
        }
        return found


@pytest.fixture
def stage(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(faults, "_last", {})
    configure_logs("info", "text")
    yield Stage(own_app)
    configure_logs("warning", "text")


def report(stage: Stage, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change what this worker reports, as if it had happened to it."""
    heartbeat = stage.services.change_feed._heartbeat
    made = heartbeat._report

    def changed() -> dict[str, Any]:
        found = json.loads(json.dumps(made()))
        change(found)
        return found

    monkeypatch.setattr(heartbeat, "_report", changed)


Cause = Callable[[Stage, pytest.MonkeyPatch], Callable[[], Any]]


def reported(change: Callable[[dict[str, Any]], Any]) -> Cause:
    """A cause that is something in the report of a worker, and its end."""

    def cause(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
        with_cause = pytest.MonkeyPatch()
        report(stage, with_cause, change)
        return with_cause.undo

    return cause


def stored(statement: str, undo: str) -> Cause:
    """A cause that is something in the database, and its end."""

    def cause(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
        stage.execute(statement)
        return lambda: stage.execute(undo)

    return cause


def forget(stage: Stage) -> None:
    """Let the window of the rates pass."""
    stage.watch._lately._samples.clear()


def answers_with(status: int, seconds: float, endpoint: str = "jobs.list_jobs") -> Cause:
    def cause(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
        for _ in range(30):
            stage.services.tally.answered(endpoint, status, seconds)
        return lambda: forget(stage)

    return cause


def slow_query(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    stage.services.database._watch.ran("jobs.list_jobs", 0.3)
    return lambda: forget(stage)


def failed_sign_ins(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    for _ in range(51):
        stage.services.sign_in.journal.note("sign_in_failed", "nobody@example.com", "10.0.0.1")
    return lambda: forget(stage)


def refused_by_disk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    faults.note("disk_full")
    return lambda: faults._last.clear()


def missed_look_ups(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    end = reported(lambda report: report["cache"].update(hits=100, misses=5000))(stage, monkeypatch)

    def mend() -> None:
        end()
        forget(stage)

    return mend


SILENT = """
INSERT INTO workers (id, machine, pid, started_at, heard_at, report)
SELECT 'zzz', machine, 1, now(), now() - interval '1 minute', report || '{"slot": 99}' FROM workers
"""
DUE = """
UPDATE journeys SET status = 'active';
UPDATE journey_contacts SET status = 'active', due_at = now() - interval '1 hour'
"""
OVERDUE = """
INSERT INTO jobs (tenant_id, job_number, title, due_date)
SELECT 1, 'LATE-' || n, 'late', current_date - 10 FROM generate_series(1, 20) AS n
"""
CAUSES: dict[str, Cause] = {
    "OpsboardThreadsBusy": reported(lambda report: report["request_threads"].update(waiting=3)),
    "OpsboardErrors": answers_with(500, 0.01),
    "OpsboardAnswersSlow": answers_with(200, 0.15),
    "OpsboardQuerySlow": slow_query,
    "OpsboardPoolBusy": reported(
        lambda report: report["pool"].update(pool_max=10, pool_size=10, pool_available=1)
    ),
    "OpsboardNoConnection": reported(lambda report: report["pool"].update(requests_errors=5)),
    "OpsboardCacheMisses": missed_look_ups,
    "OpsboardChangesLate": reported(lambda report: report.update(change_lag=3.0)),
    "OpsboardWorkerSilent": stored(SILENT, "DELETE FROM workers WHERE id = 'zzz'"),
    "OpsboardDeliveriesLate": stored(
        "UPDATE deliveries SET created_at = now() - interval '2 hours' WHERE status = 'waiting'",
        "UPDATE deliveries SET created_at = now()",
    ),
    "OpsboardJourneysLate": stored(DUE, "UPDATE journey_contacts SET due_at = now() + interval '1 day'"),
    "OpsboardCountsWrong": stored(
        "INSERT INTO checks (name, value) VALUES ('rollups 1', 2)", "UPDATE checks SET value = 0"
    ),
    "OpsboardCountsUnfolded": stored(
        "INSERT INTO rollup_deltas (tenant_id, n, source) SELECT 1, 0, 'jobs' FROM generate_series(1, 50001)",
        "DELETE FROM rollup_deltas",
    ),
    "OpsboardDiskShort": reported(lambda report: report.update(disk_free=0.04)),
    "OpsboardDatabaseDiskFull": refused_by_disk,
    "OpsboardTransactionIds": stored(
        "UPDATE pg_database SET datfrozenxid = ((datfrozenxid::text::bigint + 3000000000) % 4294967296)::text::xid"
        " WHERE datname = current_database()",
        "UPDATE pg_database SET datfrozenxid = ((datfrozenxid::text::bigint + 1294967296) % 4294967296)::text::xid"
        " WHERE datname = current_database()",
    ),
    "OpsboardBackupOld": stored(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET opsboard.last_backup = %L', current_database(),"
        " to_char(now() - interval '60 hours', 'YYYY-MM-DD\"T\"HH24:MI:SSOF') || ' 1000'); END $$",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET opsboard.last_backup = %L', current_database(),"
        " to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SSOF') || ' 1000'); END $$",
    ),
    "OpsboardCertificateEnds": stored(
        "INSERT INTO checks (name, value) VALUES ('certificate', extract(epoch FROM now()) + 86400)",
        "UPDATE checks SET value = extract(epoch FROM now()) + 90 * 86400",
    ),
    "OpsboardSignInsFail": failed_sign_ins,
    "OpsboardJobsOverdue": stored(OVERDUE, "DELETE FROM jobs WHERE job_number LIKE 'LATE-%'"),
}


def test_every_alert_of_the_table_has_a_cause_here() -> None:
    assert CAUSES.keys() | ELSEWHERE | {DATABASE_DOWN} == BY_NAME.keys()
    assert {rule.name for rule in RULES if rule.measure} == CAUSES.keys()


@pytest.mark.parametrize("rule", CAUSES)
def test_an_alert_fires_once_for_its_cause_and_clears_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    assert rule not in stage.states()
    mend = CAUSES[rule](stage, monkeypatch)
    assert stage.look(rule) == [("alert fires", rule)]
    assert stage.look(rule) == [], "it is told once"
    state = stage.states()[rule]
    assert state["state"] == "firing" and state["since"] and state["fired_at"] and state["value"] is not None
    assert state["severity"] == BY_NAME[rule].severity and state["action"]
    assert "{" not in state["summary"]
    mend()
    assert stage.look(rule) == [("alert cleared", rule)]
    assert stage.look(rule) == []
    state = stage.states()[rule]
    assert (state["state"], state["value"]) == ("cleared", None) and state["cleared_at"]


def test_a_condition_that_does_not_last_is_pending_and_tells_nobody(stage: Stage) -> None:
    stage.watch.rules = RULES
    for _ in range(30):
        stage.services.tally.answered("jobs.list_jobs", 500, 0.01)
    assert stage.look() == [] and stage.states()["OpsboardErrors"]["state"] == "pending"
    stage.execute("UPDATE alerts SET began_at = began_at - interval '6 minutes'")
    assert stage.look() == [("alert fires", "OpsboardErrors")]
    assert stage.app.client().get("/api/health/alerts").json["status"] == "critical"  # type: ignore[index]


def test_of_two_workers_that_decide_at_once_one_tells(stage: Stage) -> None:
    other = AlertWatch(stage.services.lookout, stage.watch._worker_id, stage.watch.rules)
    stage.execute("INSERT INTO checks (name, value) VALUES ('rollups 1', 2)")
    assert stage.look() == [("alert fires", "OpsboardCountsWrong")]
    with capture_logs() as lines:
        other.check()
    assert [line for line in lines if line.get("alert")] == []
    stranger = AlertWatch(stage.services.lookout, lambda: "another worker", stage.watch.rules)
    stage.execute("UPDATE checks SET value = 0")
    with capture_logs() as lines:
        stranger.check()
    assert [line for line in lines if line.get("alert")] == [], "only one of the workers decides"
    assert stage.look() == [("alert cleared", "OpsboardCountsWrong")]


def test_acknowledging_and_silencing_are_kept_audited_and_end(stage: Stage) -> None:
    client, rule = stage.app.client(), {"rule": "OpsboardCountsWrong", "subject": "business 1"}
    assert client.post("/api/health/alerts/acknowledge", json=rule).status_code == 404, "it does not fire"
    silenced = client.post("/api/health/alerts/silence", json={**rule, "minutes": 60})
    assert silenced.status_code == 200 and silenced.json["silenced_until"]  # type: ignore[index]
    stage.execute("INSERT INTO checks (name, value) VALUES ('rollups 1', 2)")
    with capture_logs() as lines:
        stage.watch.check()
    assert [line["log_level"] for line in lines if line.get("alert")] == ["info"], "silenced: no warning"
    assert client.get("/api/health/alerts").json["status"] == "healthy"  # type: ignore[index]
    assert client.post("/api/health/alerts/silence", json={**rule, "minutes": 0}).status_code == 200
    assert client.get("/api/health/alerts").json["status"] == "critical"  # type: ignore[index]
    acknowledged = client.post("/api/health/alerts/acknowledge", json=rule)
    assert acknowledged.status_code == 200
    first = AlertState.model_validate(acknowledged.json)
    assert first.acknowledged_at and first.acknowledged_by
    again = stage.app.client("admin", stage.app.beta).post("/api/health/alerts/acknowledge", json=rule)
    assert AlertState.model_validate(again.json).acknowledged_by == first.acknowledged_by
    stage.execute("UPDATE checks SET value = 0")
    stage.look()
    assert stage.states()[rule["rule"]]["acknowledged_at"] is None
    with (
        closing(psycopg2.connect(stage.app.database.superuser_url)) as connection,
        connection.cursor() as cur,
    ):
        cur.execute("SELECT action FROM audit_logs WHERE entity = 'alert' ORDER BY id")
        assert [action for (action,) in cur.fetchall()] == [
            "silence",
            "silence",
            "acknowledge",
            "acknowledge",
        ]


def test_unknown_rules_are_refused_and_only_operators_see_alerts(app: Application) -> None:
    client = app.client()
    for path in ("acknowledge", "silence"):
        answer = client.post(f"/api/health/alerts/{path}", json={"rule": "Nothing", "minutes": 1})
        assert answer.status_code == 400
    for role in ("manager", "operator"):
        assert app.client(role).get("/api/health/alerts").status_code == 403


def test_a_database_that_does_not_answer_is_an_alert_that_needs_no_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable()

    with monkeypatch.context() as broken:
        broken.setattr(stage.services.lookout, "fetch_unbound", away)
        with capture_logs() as lines:
            stage.watch.check()
            assert stage.states()[DATABASE_DOWN]["state"] == "pending"
            broken.setattr(stage.watch, "_away_since", stage.watch._away_since - 31)  # type: ignore[operator]
            stage.watch.check()
            stage.watch.check()
        assert [(line["event"], line["alert"]) for line in lines if line.get("alert")] == [
            ("alert fires", DATABASE_DOWN)
        ]
        assert stage.states()[DATABASE_DOWN]["state"] == "firing"
    assert stage.look() == [("alert cleared", DATABASE_DOWN)]
    assert DATABASE_DOWN not in stage.states()


def test_a_worker_looks_by_itself(own_app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_watch, "EVERY", 0.01)
    services = own_app.services
    services.change_feed.start()
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection.cursor() as cur:
        connection.autocommit = True
        cur.execute("INSERT INTO checks (name, value) VALUES ('rollups 1', 2)")
        services.alerts.start()
        try:

            def fires() -> bool:
                cur.execute(
                    "SELECT count(*) FROM alerts WHERE rule = 'OpsboardCountsWrong' AND fired_at IS NOT NULL"
                )
                return cur.fetchone() == (1,)

            eventually("the alert is stored", fires)
        finally:
            services.alerts.stop()


def test_a_recount_by_the_api_decides_the_alert_about_counts(stage: Stage) -> None:
    stage.execute("SELECT fold_rollups(1000000)")
    stage.execute("UPDATE rollups SET n = n + 1 WHERE tenant_id = 1 AND metric = 'jobs'")
    assert stage.app.client().get("/api/health/rollups").json["status"] == "wrong"  # type: ignore[index]
    assert stage.look() == [] and stage.look() == [("alert fires", "OpsboardCountsWrong")]


@pytest.fixture
def scrapes(stage: Stage) -> Callable[[], str]:
    return lambda: stage.app.flask.test_client().get("/metrics").get_data(as_text=True)


def test_numbers_of_businesses_are_for_a_scrape_with_a_token(
    stage: Stage, scrapes: Callable[[], str]
) -> None:
    assert "opsboard_jobs{" not in scrapes() and "# HELP opsboard_jobs " in scrapes()
    app = stage.app
    with running_application(app.database, app.alpha, app.beta, metrics_token="a scraper's own") as open_shop:
        headers = {"Authorization": "Bearer a scraper's own"}
        text = open_shop.flask.test_client().get("/metrics", headers=headers).get_data(as_text=True)
    stats = stage.app.client().get("/api/dashboard/stats").json
    assert stats is not None
    for status in ("draft", "active", "completed"):
        line = f'opsboard_jobs{{business="alpha",status="{status}"}} '
        (found,) = [
            float(each.removeprefix(line)) for each in text.splitlines() if each.startswith(line)
        ] or [0.0]
        assert found == stats["jobs"][status], status
    assert 'opsboard_leads{business="alpha",status=' in text


def test_what_alerts_are_decided_by_is_in_the_metrics(stage: Stage, scrapes: Callable[[], str]) -> None:
    stage.execute("INSERT INTO checks (name, value) VALUES ('rollups 1', 2), ('rollups 2', 0)")
    stage.execute(
        "INSERT INTO checks (name, value) VALUES ('certificate', extract(epoch FROM now()) + 86400)"
    )
    CAUSES["OpsboardBackupOld"](stage, pytest.MonkeyPatch())
    text = scrapes()
    values = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("opsboard_") and "{" not in line
    )
    assert float(values["opsboard_rollup_differences"]) == 2
    assert 86_000 < float(values["opsboard_certificate_expires_seconds"]) <= 86_400
    assert 59 * 3600 < float(values["opsboard_backup_age_seconds"]) < 61 * 3600
    assert float(values["opsboard_unfolded_deltas"]) >= 0
    assert 0 <= float(values["opsboard_transaction_ids_used"]) < 0.5
    assert float(values["opsboard_database_disk_full"]) == 0


def test_a_worker_that_rests_and_does_not_decide_looks_less_often(stage: Stage) -> None:
    for is_resting, decides, pause in (
        (True, False, alert_watch.REST_EVERY),
        (True, True, alert_watch.EVERY),
        (False, False, alert_watch.EVERY),
    ):
        watch = AlertWatch(
            stage.services.lookout,
            stage.watch._worker_id if decides else lambda: "another worker",
            (),
            is_resting=lambda rests=is_resting: rests,  # type: ignore[misc]
        )
        watch.check()
        assert watch.pause() == pause, (is_resting, decides)
