"""Words are written after the records, and a search finds the records at any moment between."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from tests.application import Application, run
from tests.features.test_search import found

DIFFERENCES = "SELECT t.slug, d.* FROM tenants AS t CROSS JOIN LATERAL word_differences(t.id) AS d"
PENDING = "SELECT count(*) FROM search_pending"
JOBS = (
    "INSERT INTO jobs (tenant_id, job_number, title) "
    "SELECT %s, 'B-' || n, 'bulkword ' || n FROM generate_series(1, %s) AS n"
)


def fold(application: Application, most: int = 1_000_000) -> Any:
    ((folded,),) = run(application, "SELECT fold_words(%s)", most)
    return folded


@contextmanager
def another_folding(application: Application) -> Iterator[Any]:
    """A session that has folded and not committed yet."""
    with closing(psycopg2.connect(application.database.app_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT fold_words(1000000)")
        yield connection


def test_a_record_is_found_before_and_after_its_words_are_written(own_app: Application) -> None:
    fold(own_app)
    client: Any = own_app.client()
    job = client.post("/api/jobs", json={"job_number": "J-424242", "title": "Flywheel"}).json["id"]
    assert run(own_app, PENDING) == [(1,)]
    for _ in ("pending", "written"):
        assert found(own_app, "flyw") == {"jobs": ["J-424242"]}
        assert client.get("/api/jobs?q=flyw").json["total"] == 1
        fold(own_app)
    client.patch(f"/api/jobs/{job}", json={"title": "Gearwheel"})
    for _ in ("pending", "written"):
        assert found(own_app, "flywheel") == {} and found(own_app, "gearwheel") == {"jobs": ["J-424242"]}
        assert client.get("/api/jobs?q=flywheel").json["total"] == 0
        assert client.get("/api/jobs?q=gearwheel").json["total"] == 1
        fold(own_app)
    run(own_app, "DELETE FROM jobs WHERE tenant_id = %s AND id = %s", own_app.alpha.id, job)
    for _ in ("pending", "written"):
        assert found(own_app, "gearwheel") == {}
        fold(own_app)
    assert (run(own_app, PENDING), run(own_app, DIFFERENCES)) == ([(0,)], [])
    assert run(own_app, "SELECT count(*) FROM search_words WHERE word = 'gearwheel'") == [(0,)]


def test_what_is_archived_has_no_words_and_is_found_in_its_list(own_app: Application) -> None:
    client: Any = own_app.client()
    path = client.post("/api/customers", json={"name": "Quillworks Ltd", "email": "q@quill.example"}).headers[
        "Location"
    ]
    assert client.post(f"{path}/archive").status_code == 200
    for _ in ("pending", "written"):
        assert found(own_app, "quillworks") == {}
        assert client.get("/api/customers?q=quillworks").json["total"] == 0
        assert client.get("/api/customers?q=quillw&archived=true").json["total"] == 1
        assert client.get("/api/customers?q=q@quill&archived=true").json["total"] == 1
        fold(own_app)
    assert client.post(f"{path}/restore").status_code == 200
    for _ in ("pending", "written"):
        assert found(own_app, "quillworks") == {"customers": ["Quillworks Ltd"]}
        fold(own_app)
    assert run(own_app, DIFFERENCES) == []


def test_a_pending_address_stays_hidden_from_operators(own_app: Application) -> None:
    client: Any = own_app.client()
    assert (
        client.post("/api/customers", json={"name": "Works", "email": "zoe@quay.example"}).status_code == 201
    )
    assert run(own_app, PENDING) != [(0,)]
    assert found(own_app, "zoe", "manager") == {"customers": ["Works"]}
    assert found(own_app, "zoe", "operator") == {} and found(own_app, "works zoe", "operator") == {}
    assert own_app.client("operator").get("/api/customers?q=zoe").json["items"] == []  # type: ignore[index]
    assert client.get("/api/customers?q=zoe").json["total"] == 1


def test_after_a_bulk_statement_a_search_says_that_it_is_not_complete(own_app: Application) -> None:
    """And a cached answer that lacks some records ends when their words are written."""
    fold(own_app)
    client: Any = own_app.client()
    run(own_app, JOBS, own_app.alpha.id, 700)
    own_app.poll_changes()
    before = client.get("/api/jobs?q=bulkword").json["total"]
    assert 0 < before < 700
    (group,) = client.get("/api/search?q=bulkword").json["groups"]
    assert (group["kind"], group["is_complete"]) == ("jobs", False)
    while fold(own_app, 30):
        own_app.poll_changes()
    assert client.get("/api/jobs?q=bulkword").json["total"] == 700
    (group,) = client.get("/api/search?q=bulkword").json["groups"]
    assert group["is_complete"]
    assert run(own_app, DIFFERENCES) == []


def test_a_bulk_statement_leaves_a_row_for_ten_records(own_app: Application) -> None:
    fold(own_app)
    run(own_app, JOBS, own_app.alpha.id, 1)
    assert run(own_app, PENDING) == [(1,)]
    run(
        own_app,
        "INSERT INTO machines (tenant_id, name) SELECT t.id, 'm' FROM tenants AS t, generate_series(1, 51)",
    )
    pending = run(own_app, "SELECT tenant_id, row_ids FROM search_pending WHERE source = 'machines'")
    assert len(pending) == 2 + 10 and max(len(ids) for _, ids in pending) == 10
    assert sorted(id for _, ids in pending for id in ids) == [
        id for (id,) in run(own_app, "SELECT id FROM machines WHERE name = 'm' ORDER BY id")
    ]


def test_a_search_reads_a_bounded_number_of_pending_records(own_app: Application) -> None:
    fold(own_app)
    run(own_app, JOBS, own_app.alpha.id, 2_000)
    ((read,),) = run(own_app, "SELECT count(*) FROM unfolded_rows(%s, 'jobs')", own_app.alpha.id)
    assert 0 < read <= 500


def test_one_session_writes_words_at_a_time_and_no_writer_waits(own_app: Application) -> None:
    with another_folding(own_app) as connection:
        assert fold(own_app) is None
        assert own_app.client().post("/api/jobs", json={"title": "meanwhile"}).status_code == 201
        assert len(found(own_app, "meanwhile")["jobs"]) == 1
        connection.commit()
    assert fold(own_app) == 1
    assert run(own_app, DIFFERENCES) == []


def test_an_anonymised_person_has_no_words_from_that_moment_on(own_app: Application) -> None:
    """Although another session was writing them while it happened."""
    client: Any = own_app.client()
    person = client.post("/api/customers", json={"name": "Zelda Quuxmann"}).json["id"]
    answers: list[Any] = []
    with another_folding(own_app) as connection:
        thread = threading.Thread(
            target=lambda: answers.append(
                own_app.client().post(
                    f"/api/customers/{person}/anonymise",
                    json={"confirm": "anonymise", "name": "Zelda Quuxmann"},
                )
            )
        )
        thread.start()
        thread.join(0.3)
        connection.commit()
        thread.join(20)
    assert [answer.status_code for answer in answers] == [200]
    assert run(own_app, "SELECT count(*) FROM search_words WHERE words LIKE '%%quuxmann%%'") == [(0,)]
    assert found(own_app, "quuxmann") == {}
    assert len(found(own_app, f"anonymised {person}")["customers"]) == 1


WRITES = (
    "INSERT INTO jobs (tenant_id, job_number, title) SELECT %(t)s, 'H-' || %(n)s || '-' || g, 'made ' || %(n)s "
    "FROM generate_series(1, %(k)s) AS g",
    "UPDATE jobs SET title = 'other ' || %(n)s WHERE tenant_id = %(t)s AND id %% 5 = %(k)s %% 5",
    "UPDATE jobs SET status = 'active' WHERE tenant_id = %(t)s AND id %% 7 = %(k)s %% 7",
    "UPDATE jobs SET archived_at = CASE WHEN id %% 2 = 0 THEN now() END "
    "WHERE tenant_id = %(t)s AND id %% 11 = %(k)s %% 11",
    "DELETE FROM jobs WHERE tenant_id = %(t)s AND title LIKE 'made%%' AND id %% 9 = %(k)s %% 9",
    "INSERT INTO customers (tenant_id, name, phone) SELECT %(t)s, 'c ' || g, '030 55' || %(n)s "
    "FROM generate_series(1, %(k)s) AS g",
    "UPDATE customers SET email = 'e' || %(n)s || '@x.example' WHERE tenant_id = %(t)s AND name LIKE 'c %%'",
    "UPDATE customers SET tenant_id = %(u)s WHERE tenant_id = %(t)s AND name LIKE 'c %%' AND id %% 3 = %(k)s %% 3",
    "DELETE FROM customers WHERE tenant_id = %(t)s AND name LIKE 'c %%' AND id %% 4 = %(k)s %% 4",
    "UPDATE machines SET location = 'hall ' || %(n)s WHERE tenant_id = %(t)s",
    "TRUNCATE documents CASCADE",
    "INSERT INTO documents (tenant_id, title, file_name) SELECT %(t)s, 'd ' || %(n)s, 'f.pdf' "
    "FROM generate_series(1, %(k)s) AS g",
)
LENGTHS = [pytest.param(60, id="short"), pytest.param(1_500, id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize("writes", LENGTHS)
def test_after_any_history_the_words_are_those_of_the_records(own_app: Application, writes: int) -> None:
    seed = random.randrange(10**6)
    choose = random.Random(seed)
    tenants = [own_app.alpha.id, own_app.beta.id]
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        for number in range(writes):
            for _ in range(choose.randint(1, 3)):
                t, u = choose.sample(tenants, 2)
                values = {"t": t, "u": u, "n": number * 10 + choose.randint(0, 9), "k": choose.randint(1, 25)}
                cursor.execute("SAVEPOINT one")
                try:
                    cursor.execute(choose.choice(WRITES), values)
                except psycopg2.IntegrityError:  # a key that is taken, or a record that others refer to
                    cursor.execute("ROLLBACK TO one")
            if choose.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()
            if choose.random() < 0.5:
                cursor.execute("SELECT fold_words(%s)", (choose.choice([1, 3, 500]),))
                connection.commit()
            if number % 10 == 9:
                cursor.execute(DIFFERENCES)
                assert cursor.fetchall() == [], f"seed {seed}, write {number}"
                connection.commit()
    fold(own_app)
    assert (run(own_app, PENDING), run(own_app, DIFFERENCES)) == ([(0,)], []), f"seed {seed}"
