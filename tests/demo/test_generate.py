"""Generating: the same again, all or nothing, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.demo.generate import generate
from opsboard.errors import CommandError
from tests.clusters import FreshDatabase, fresh_database
from tests.demo.conftest import JOBS, MOMENT
from tests.demo.reading import contents, rows, schema, value


def silent(stage: str, done: int, total: int) -> None:
    pass


def test_the_same_number_on_the_same_day_makes_the_same_rows(
    generated: FreshDatabase, cluster: Cluster, template: str
) -> None:
    with fresh_database(cluster, template) as again:
        # A migration tried and undone before must leave no trace.
        with closing(psycopg2.connect(again.owner_url)) as connection:
            connection.cursor().execute("SELECT nextval('jobs_id_seq'), nextval('users_id_seq')")
            connection.commit()
        assert generate(again.owner_url, JOBS, MOMENT, silent)
        found, wanted = contents(again), contents(generated)
    assert found == wanted
    assert all(count > 0 for count, _ in found.values())


def test_another_hour_of_the_day_changes_only_times_of_today(
    generated: FreshDatabase, cluster: Cluster, template: str
) -> None:
    before_today = """
        SELECT id, job_number, title, status, due_date, started_at, completed_at, created_at
        FROM jobs WHERE greatest(created_at, started_at, completed_at) < '2026-03-09' ORDER BY tenant_id, id
    """
    counts = """
        SELECT tenant_id, status, due_date, completed_at::date, count(*)
        FROM jobs
        GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4
    """
    with fresh_database(cluster, template) as later:
        generate(later.owner_url, JOBS, MOMENT + timedelta(hours=3), silent)
        assert rows(later, before_today) == rows(generated, before_today)
        assert rows(later, counts) == rows(generated, counts)
        assert value(later, "SELECT max(created_at) FROM jobs") > MOMENT


@pytest.mark.parametrize(
    "moment", ["2026-03-29T22:00Z", "2026-03-29T00:30Z", "2026-10-25T04:00Z", "2028-02-29T23:59Z"]
)
def test_any_moment_is_a_good_one(database: FreshDatabase, moment: str) -> None:
    """Midnight in Berlin, the nights clocks change, a leap day."""
    now = datetime.fromisoformat(moment)
    assert generate(database.owner_url, 300, now, silent)
    assert value(database, "SELECT count(*) FROM jobs") == 300
    latest = value(
        database, "SELECT greatest(max(created_at), max(updated_at), max(completed_at)) FROM job_steps"
    )
    assert latest <= now


def test_jobs_are_noted_for_the_search(database: FreshDatabase) -> None:
    assert generate(database.owner_url, 60, MOMENT, silent)
    noted = "SELECT sum(cardinality(row_ids)) FROM search_pending WHERE source = 'jobs'"
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(noted)
        assert cursor.fetchone() == (60,)
        cursor.execute("SELECT fold_words(1000000)")
        cursor.execute("SELECT count(DISTINCT row_id) FROM search_words WHERE source = 'jobs'")
        assert cursor.fetchone() == (60,)
        cursor.execute("SELECT count(*) FROM tenants AS t CROSS JOIN LATERAL word_differences(t.id) AS d")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_very_few_jobs_can_be_made(database: FreshDatabase, jobs: int) -> None:
    assert generate(database.owner_url, jobs, MOMENT, silent)
    assert value(database, "SELECT count(*) FROM jobs") == jobs
    assert value(database, "SELECT count(*) FROM tenants") == 2


def test_progress_rises_to_the_number_of_jobs(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsboard.demo.generate.BATCH", 200)
    told: list[tuple[str, int, int]] = []
    generate(database.owner_url, 450, MOMENT, lambda *step: told.append(step))
    assert [done for stage, done, _ in told if stage == "jobs"] == [200, 270, 450]
    assert {total for stage, _, total in told if stage == "jobs"} == {450}
    for stage in dict.fromkeys(stage for stage, _, _ in told):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


def test_a_database_with_any_business_is_left_alone(database: FreshDatabase) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        connection.cursor().execute("INSERT INTO tenants (slug, name) VALUES ('mine', 'Mine')")
        connection.commit()
    before = schema(database), contents(database)
    assert not generate(database.owner_url, 100, MOMENT, silent)
    assert (schema(database), contents(database)) == before


def test_two_at_once_make_it_once(database: FreshDatabase) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: generate(database.owner_url, 500, MOMENT, silent), range(2)))
    assert sorted(made) == [False, True]
    assert value(database, "SELECT count(*) FROM jobs") == 500


def test_what_breaks_the_schema_stores_nothing(database: FreshDatabase) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection:
        cursor = connection.cursor()
        # Somebody else's idea of a job: no generated one is as large.
        cursor.execute("ALTER TABLE jobs ADD CHECK (quantity > 1000)")
        connection.commit()
    before = schema(database)
    with pytest.raises(CommandError, match=r"The database says: .*quantity"):
        generate(database.owner_url, 100, MOMENT, silent)
    assert schema(database) == before
    assert value(database, "SELECT count(*) FROM tenants") == 0


CHILD = """
import sys
from datetime import datetime
from opsboard.demo.generate import generate
generate(sys.argv[1], 3000, datetime.fromisoformat(sys.argv[2]), lambda *step: (print(*step, flush=True), input()))
"""


@pytest.mark.parametrize(
    "moment", ["jobs 1800", "jobs 3000", "indexes and foreign keys 0", "indexes and foreign keys 30"]
)
def test_a_kill_midway_leaves_an_empty_database(database: FreshDatabase, moment: str) -> None:
    before = schema(database)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, database.owner_url, MOMENT.isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as child:
        assert child.stdin and child.stdout
        for line in child.stdout:
            if line.startswith(moment + " "):
                os.kill(child.pid, signal.SIGKILL)
                break
            child.stdin.write("\n")
        else:
            pytest.fail("it never got there")
    # The second run waits for the first one's backend to notice.
    assert generate(database.owner_url, 200, MOMENT, silent)
    assert value(database, "SELECT count(*) FROM jobs") == 200
    assert schema(database) == before
    assert value(database, "SELECT max(id) FROM jobs") == 200
