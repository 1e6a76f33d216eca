"""opsboard rollups finds what is wrong in every business, says it in words, and makes it right."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from opsboard.commands import rollups
from opsboard.errors import CommandError
from tests.application import Application
from tests.clusters import FreshDatabase
from tests.commands.conftest import Run


def spoil(application: Application, sql: str) -> None:
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT fold_rollups(1000000)")
        cursor.execute(sql)


def addresses(application: Application) -> dict[str, str]:
    return {
        "DATABASE_URL": application.database.app_url,
        "DATABASE_OWNER_URL": application.database.owner_url,
    }


def test_verify_finds_nothing_in_right_counts(own_app: Application, run: Run) -> None:
    result = run("rollups", "verify", **addresses(own_app))
    assert (result.exit_code, result.output) == (0, "2 businesses, 0 differences\n")


def test_verify_names_each_difference_and_rebuild_mends_it(own_app: Application, run: Run) -> None:
    spoil(
        own_app,
        """
        UPDATE rollups SET n = n + 1 WHERE tenant_id = 2 AND metric = 'jobs' AND label = 'draft';
        DELETE FROM rollups WHERE tenant_id = 2 AND metric = 'steps' AND subject > 0 AND label = 'in_progress';
        INSERT INTO rollups VALUES (2, 'jobs_created', '2001-02-03', 0, '', 9);
        """,
    )
    found = run("rollups", "verify", **addresses(own_app))
    assert found.exit_code == 1
    assert "beta: jobs draft: kept 7, counted 6\n" in found.output
    assert "beta: jobs_created on 2001-02-03: kept 9, counted 0\n" in found.output
    assert "beta: steps in_progress of user " in found.output and "alpha" not in found.output
    assert run("rollups", "verify", "--tenant", "alpha", **addresses(own_app)).exit_code == 0
    mended = run("rollups", "rebuild", **addresses(own_app))
    assert "alpha: 0 counts corrected\nbeta: " in mended.output and mended.exit_code == 0
    assert run("rollups", "verify", **addresses(own_app)).exit_code == 0


def test_words_of_the_search_are_verified_and_mended_too(own_app: Application, run: Run) -> None:
    spoil(
        own_app,
        """
        SELECT fold_words(1000000);
        DELETE FROM search_words AS w
        WHERE w.tenant_id = 2 AND w.source = 'jobs' AND w.row_id = (SELECT min(id) FROM jobs WHERE tenant_id = 2);
        INSERT INTO search_words VALUES (2, 'customers', false, 'nobody', 999999, ' nobody');
        """,
    )
    found = run("rollups", "verify", **addresses(own_app))
    assert found.exit_code == 1 and "alpha" not in found.output
    assert "beta: customers 999999: the word nobody is left over or outdated\n" in found.output
    assert "is missing\n" in found.output
    assert "beta: words of 2 records corrected\n" in run("rollups", "rebuild", **addresses(own_app)).output
    assert run("rollups", "verify", **addresses(own_app)).exit_code == 0


def test_a_business_that_does_not_exist_is_told(own_app: Application, run: Run) -> None:
    result = run("rollups", "verify", "--tenant", "gamma", **addresses(own_app))
    assert result.exit_code != 0 and "gamma" in str(result.exception)


def test_of_very_many_wrong_words_the_first_are_listed(
    own_app: Application, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "SHOWN_WORDS", 2)
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT fold_words(1000000); DELETE FROM search_words WHERE tenant_id = 2")
        missing = cursor.rowcount
    found = run("rollups", "verify", **addresses(own_app))
    assert found.exit_code == 1 and found.output.count(" is missing\n") == 2
    assert f"beta: {missing - 2:,} more words are wrong\n" in found.output


def test_words_are_compared_by_joins_however_many_records_wait(own_app: Application) -> None:
    """A subplan that does not fit into work_mem is run again for each word."""
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'word_differences'")
        ((source,),) = cursor.fetchall()
        statement = source.split("$f$")[1].replace("%s", "jobs").replace("$1", "1").replace("$2", "'jobs'")
        cursor.execute("SET work_mem = '64kB'")
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Anti Join" in plan and "SubPlan" not in plan, plan


@pytest.mark.parametrize("words", [("verify",), ("rebuild",), ("verify", "--tenant", "alpha")])
def test_a_role_that_sees_no_business_is_refused_instead_of_finding_nothing_wrong(
    own_app: Application, run: Run, words: tuple[str, ...]
) -> None:
    result = run("rollups", *words, DATABASE_URL=own_app.database.app_url)
    assert isinstance(result.exception, CommandError), result.output
    assert "opsboard_app cannot see all businesses; set DATABASE_OWNER_URL" in str(result.exception)


@pytest.mark.parametrize("word", ["verify", "rebuild"])
def test_nothing_to_look_at_is_not_all_well(database: FreshDatabase, run: Run, word: str) -> None:
    result = run("rollups", word, DATABASE_URL=database.owner_url)
    assert isinstance(result.exception, CommandError) and "no business" in str(result.exception)


def test_health_shows_the_caller_the_differences_of_their_business(own_app: Application) -> None:
    client = own_app.client("admin")
    answer = client.get("/api/health/rollups").json
    assert answer is not None
    assert (answer["status"], answer["differences"]) == ("ok", [])
    assert answer["not_folded"] > 0
    spoil(own_app, "UPDATE rollups SET n = n + 1 WHERE metric = 'jobs' AND label = 'draft'")
    answer = client.get("/api/health/rollups").json
    assert answer is not None
    assert answer["status"] == "wrong" and answer["not_folded"] == 0 and answer["folded"] > 0
    assert answer["differences"] == [
        {"metric": "jobs", "label": "draft", "user_id": None, "day": None, "kept": 7, "counted": 6}
    ]
    assert own_app.client("manager").get("/api/health/rollups").status_code == 403
