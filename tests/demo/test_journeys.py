"""The made-up journeys are as the runner would have left them, and it goes on from there."""

from __future__ import annotations

from opsboard.db.database import Database
from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from opsboard.demo.generate import generate
from opsboard.features.journeys.proof import Edge, Node, prove
from opsboard.features.journeys.runner import Runner
from tests.clusters import FreshDatabase, fresh_database
from tests.demo.conftest import MOMENT
from tests.demo.reading import rows, value


def test_each_journey_is_sound(generated: FreshDatabase) -> None:
    journeys = rows(generated, "SELECT id FROM journeys")
    assert len(journeys) == 4
    for (journey,) in journeys:
        nodes = rows(generated, "SELECT name, type FROM journey_nodes WHERE journey_id = %s", journey)
        edges = rows(
            generated,
            "SELECT f.name, t.name, e.branch FROM journey_edges AS e JOIN journey_nodes AS f ON f.id = e.from_node_id "
            "JOIN journey_nodes AS t ON t.id = e.to_node_id WHERE e.journey_id = %s",
            journey,
        )
        assert prove([Node(*node) for node in nodes], [Edge(*edge) for edge in edges]) == []


def test_contacts_are_everywhere_on_the_way_and_their_history_says_so(generated: FreshDatabase) -> None:
    places = rows(
        generated,
        "SELECT status, round, count(*) FROM journey_contacts WHERE tenant_id = 1 GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert [place[:2] for place in places] == [("active", 1), ("active", 2), ("completed", 2)]
    assert (
        value(
            generated,
            "SELECT count(*) FROM journey_contacts AS c WHERE c.steps <> "
            "(SELECT count(*) FROM journey_node_executions AS e WHERE e.journey_contact_id = c.id)",
        )
        == 0
    )
    latest = "SELECT greatest(max(created_at), max(executed_at)) FROM journey_node_executions"
    assert value(generated, latest) <= MOMENT


def test_the_runner_goes_on_from_there(cluster: Cluster, template: str) -> None:
    with fresh_database(cluster, template) as database:
        generate(database.owner_url, 300, MOMENT, lambda *_: None)
        resting = value(database, "SELECT count(*) FROM journey_contacts WHERE status = 'active'")
        pool = Pool(0, 1, database.app_url, timeout=10.0)
        try:
            done = Runner(Database(pool, 30.0), 4, 60.0, most=100).run_once()
        finally:
            pool.closeall()
        # The day of the demo is long past: everybody has rested enough.
        assert done["executed"] >= resting > 0
        assert (done["failed"], done["deferred"]) == (0, 0)
