"""Runners, several at once and killed in between: no step twice, none lost, and a runaway stops at the cap.

The shape is that of a campaign that sent 11,500 mails to 100 contacts: a way that leads back to the mail, and
workers that are started again and again.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.application import SECRET, Application
from tests.features.journeys import (
    EDGES,
    NODES,
    add_customers,
    empty,
    enter,
    later,
    lose_the_proof,
    make_journey,
    node_of,
    one,
    rows,
    run_once,
)

CONTACTS = 100
CAP = 2
PATIENCE = 60


class Runners:
    """`opsboard journeys run` as real processes; a dead one is replaced by another."""

    def __init__(self, application: Application, count: int) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": application.database.app_url,
            "SECRET_KEY": SECRET,
            "LOG_LEVEL": "warning",
        }
        self.processes = [self._start() for _ in range(count)]
        self.killed = 0

    def kill_one(self) -> None:
        place = random.randrange(len(self.processes))
        self.processes[place].send_signal(signal.SIGKILL)
        self.processes[place].wait()
        self.killed += 1
        self.processes[place] = self._start()

    def stop(self) -> list[int]:
        """Stop them by SIGTERM, which takes effect after the current batch; return their exit codes."""
        for process in self.processes:
            process.terminate()
        return [process.wait(PATIENCE) for process in self.processes]

    def _start(self) -> subprocess.Popen[bytes]:
        # One contact in a transaction: as many moments as can be to be killed in.
        words = ["journeys", "run", "--batch", "1", "--every", "0.05"]
        return subprocess.Popen(
            [sys.executable, "-m", "opsboard.cli", *words], env=self._environment, cwd="/"
        )


def wait_until(true: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, what
        time.sleep(0.01)


def run_with_kills(application: Application, kills: int, steps: int) -> None:
    """Two runners, one of which is killed after every so many steps; until nothing is due."""

    def done() -> int:
        return int(one(application, "SELECT count(*) FROM journey_step_keys"))

    runners = Runners(application, 2)
    try:
        for number in range(kills):
            wait_until(
                lambda wanted=(number + 1) * steps // (kills + 1): done() >= wanted,  # type: ignore[misc]
                "the runners stand still",
            )
            runners.kill_one()
        due = "SELECT count(*) FROM journey_contacts WHERE status = 'active' AND due_at <= now()"
        wait_until(lambda: one(application, due) == 0, "somebody is due and nobody comes")
    finally:
        codes = runners.stop()
    # One that was started a moment ago may be stopped before it listens.
    assert set(codes) <= {0, -signal.SIGTERM}
    assert runners.killed == kills


def assert_consistent(application: Application) -> None:
    """Keys, executions, messages and contacts tell the same story, and no step is in it twice."""
    twice = (
        "SELECT count(*) FROM (SELECT FROM {} "
        "GROUP BY tenant_id, journey_contact_id, node_id, round HAVING count(*) > 1) AS t"
    )
    for table in ("journey_node_executions", "journey_messages"):
        assert one(application, twice.format(table)) == 0, f"duplicates in {table}"
    assert one(application, "SELECT count(*) FROM journey_step_keys") == one(
        application, "SELECT count(*) FROM journey_node_executions"
    )
    executed = (
        "SELECT count(*) FROM journey_node_executions AS e JOIN journey_nodes AS n ON n.id = e.node_id "
        "WHERE n.type = 'message' AND e.outcome = 'executed'"
    )
    assert one(application, executed) == one(application, "SELECT count(*) FROM journey_messages")


def runaway(application: Application, **columns: Any) -> None:
    """100 contacts at the start of a journey whose mail leads back to itself, which no proof let through."""
    empty(application)
    journey = lose_the_proof(application, "start>mail mail>again again>mail")
    for column, value in columns.items():
        rows(application, f"UPDATE journeys SET {column} = %(value)s", value=value)
    made: dict[str, Any] = application.client().get(f"/api/journeys/{journey}").json  # type: ignore[assignment]
    contacts = enter(application, made, add_customers(application, CONTACTS))
    assert len(contacts) == CONTACTS


def test_the_runaway_cannot_be_saved(own_app: Application) -> None:
    nodes = [NODES[0], {**NODES[1], "name": "mail"}, {**NODES[1], "name": "again"}, NODES[-1]]
    edges = [{"from": a, "to": b} for a, b in (("start", "mail"), ("mail", "again"), ("again", "mail"))]
    answer = own_app.client().post("/api/journeys", json={"name": "x", "nodes": nodes, "edges": edges})
    assert answer.status_code == 422
    assert ["mail", "again", "mail"] in [error["path"] for error in answer.json["errors"]]  # type: ignore[index]


def stop_at_the_cap(application: Application, kills: int) -> None:
    runaway(application, messages_per_hour=CAP)
    run_with_kills(application, kills, steps=CONTACTS * (1 + CAP))
    counts = "SELECT count(*), count(DISTINCT journey_contact_id) FROM journey_messages"
    assert rows(application, counts) == [(CONTACTS * CAP, CONTACTS)]
    worst = "SELECT max(n) FROM (SELECT count(*) AS n FROM journey_messages GROUP BY journey_contact_id) AS m"
    assert one(application, worst) == CAP
    assert_consistent(application)
    deferred = (
        "SELECT count(*) FROM journey_contacts AS c WHERE c.status = 'active' AND c.due_at = "
        "(SELECT min(m.created_at) FROM journey_messages AS m WHERE m.journey_contact_id = c.id) + interval '1 hour'"
    )
    assert one(application, deferred) == CONTACTS, "everybody waits for the window, nobody was lost"


def test_a_runaway_stops_at_the_cap_with_two_runners_that_are_killed(own_app: Application) -> None:
    stop_at_the_cap(own_app, kills=3)


@pytest.mark.slow
def test_a_runaway_stops_at_the_cap_with_two_runners_that_are_killed_fifty_times(
    own_app: Application,
) -> None:
    stop_at_the_cap(own_app, kills=50)


def test_a_runaway_without_a_cap_that_matters_is_cut_as_a_loop(own_app: Application) -> None:
    runaway(own_app, messages_per_hour=1000)
    run_once(own_app)
    counts = "SELECT failure, count(*) FROM journey_contacts GROUP BY failure"
    assert rows(own_app, counts) == [("loop", CONTACTS)]
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 6 * CONTACTS
    assert_consistent(own_app)


def test_a_runaway_that_is_slow_enough_for_cap_and_loop_ends_with_its_rounds(own_app: Application) -> None:
    """Hour after hour, as the 11,500 were: 115 for each contact, if nothing counted the rounds."""
    runaway(own_app, messages_per_hour=1, max_rounds=3)
    for _ in range(9):
        run_once(own_app, most=200)
        later(own_app, 3601)
    assert rows(own_app, "SELECT failure, count(*) FROM journey_contacts GROUP BY failure") == [
        ("rounds", CONTACTS)
    ]
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 6 * CONTACTS
    assert_consistent(own_app)


def test_a_sound_journey_is_finished_by_killed_runners_with_no_step_lost(own_app: Application) -> None:
    empty(own_app)
    nodes = [*NODES[:2], *NODES[4:]]
    ways = [("start", "hello"), ("hello", "tell"), ("tell", "exit")]
    journey = make_journey(own_app, nodes=nodes, edges=[{"from": a, "to": b} for a, b in ways])
    enter(own_app, journey, add_customers(own_app, 60))
    run_with_kills(own_app, kills=1, steps=60 * 4)
    assert rows(own_app, "SELECT status, count(*) FROM journey_contacts GROUP BY status") == [
        ("completed", 60)
    ]
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 60
    assert one(own_app, "SELECT count(*) FROM notifications WHERE kind = 'journey'") == 60
    assert one(own_app, "SELECT count(*) FROM journey_node_executions") == 240
    assert_consistent(own_app)


def test_callers_and_runners_at_the_same_contacts_do_each_step_once(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app)
    contacts = enter(own_app, journey, add_customers(own_app, 20))
    path = f"/api/journeys/{journey['id']}/nodes"
    wanted = [(contact, node_of(journey, node)) for contact in contacts for node in ("start", "hello")] * 4

    def ask(place: int) -> int:
        contact, node = wanted[place]
        body = {"contact_id": contact, "round": 1}
        return own_app.client("manager").post(f"{path}/{node}/execute", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(run_once, own_app, 3) for _ in range(2)]
        codes = set(pool.map(ask, range(len(wanted))))
        assert all(run.result() for run in runs)
    # 409: asked for the second node before anybody had done the first, or five were faster.
    assert codes <= {200, 409} and 200 in codes
    run_once(own_app)
    assert rows(own_app, "SELECT count(*), count(DISTINCT journey_contact_id) FROM journey_messages") == [
        (20, 20)
    ]
    assert one(own_app, "SELECT count(*) FROM journey_node_executions") == 60
    assert_consistent(own_app)


def test_one_run_serves_every_business(own_app: Application) -> None:
    empty(own_app)
    first = make_journey(own_app)
    body = {"name": "Theirs", "status": "active", "nodes": NODES, "edges": EDGES}
    theirs = own_app.client("manager", own_app.beta)
    second: dict[str, Any] = theirs.post("/api/journeys", json=body).json  # type: ignore[assignment]
    enter(own_app, first, add_customers(own_app, 1))
    customer = one(own_app, "SELECT min(id) FROM customers WHERE tenant_id = %(t)s", t=own_app.beta.id)
    theirs.post(f"/api/journeys/{second['id']}/contacts", json={"customer_ids": [customer]})
    assert run_once(own_app)["executed"] == 6
    assert rows(own_app, "SELECT tenant_id, count(*) FROM journey_messages GROUP BY 1 ORDER BY 1") == [
        (own_app.alpha.id, 1), (own_app.beta.id, 1),
    ]  # fmt: skip
