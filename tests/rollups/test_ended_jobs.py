"""Steps of jobs that have ended are no work that waits, whichever way a job ends or is reopened."""

from __future__ import annotations

import threading

import pytest

from tests.rollups.conftest import Books
from tests.seed import Business

OPEN = """
SELECT count(*)
FROM job_steps AS s
JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
WHERE s.tenant_id = %s
    AND s.status IN ('pending', 'in_progress')
    AND j.status NOT IN ('completed', 'cancelled')
"""
# Flags that are not what the step's job says.
WRONG = """
SELECT s.id
FROM job_steps AS s
JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
WHERE s.job_ended <> (s.status IN ('pending', 'in_progress') AND j.status IN ('completed', 'cancelled'))
"""
A_JOB = """
SELECT min(job_id)
FROM job_steps
WHERE tenant_id = %s AND status = 'pending' AND NOT job_ended
"""
NEW_STEPS = """
INSERT INTO job_steps (tenant_id, job_id, step_order, status)
SELECT j.tenant_id, j.id, 1000 + n, CASE n WHEN 1 THEN 'completed' ELSE 'pending' END
FROM jobs AS j
CROSS JOIN generate_series(1, %s) AS n
WHERE j.tenant_id = %s
    AND j.id = %s
"""


def check(books: Books, business: Business | None = None) -> None:
    ((counted,),) = books.run(OPEN, (business or books.alpha).id)
    assert books.count("open_steps") == counted
    assert books.run(WRONG) == []
    assert books.differences() == []


def a_job(books: Books) -> int:
    ((job_id,),) = books.run(A_JOB, books.alpha.id)
    return int(job_id)


def waiting(books: Books, job_id: int) -> int:
    ((number,),) = books.run(
        "SELECT count(*) FROM job_steps WHERE job_id = %s AND status IN ('pending', 'in_progress') AND NOT job_ended",
        job_id,
    )
    return int(number)


@pytest.mark.parametrize("status", ["cancelled", "completed"])
def test_an_ended_job_has_no_waiting_steps_and_a_reopened_one_has_them_again(
    books: Books, status: str
) -> None:
    check(books)
    job_id, before = a_job(books), books.count("open_steps")
    steps = waiting(books, job_id)
    assert steps > 0
    books.run("UPDATE jobs SET status = %s WHERE id = %s", status, job_id)
    assert waiting(books, job_id) == 0
    assert books.count("open_steps") == before - steps
    check(books)
    books.fold()
    books.run("UPDATE jobs SET status = 'on_hold' WHERE id = %s", job_id)
    assert books.count("open_steps") == before
    check(books)


def test_many_jobs_in_one_statement(books: Books) -> None:
    books.run("UPDATE jobs SET status = 'cancelled' WHERE tenant_id = %s", books.alpha.id)
    assert books.count("open_steps") == 0
    check(books)
    books.run("UPDATE jobs SET status = 'active'")
    check(books)
    assert books.count("open_steps") > 0


def test_steps_that_are_added_to_reopened_in_or_moved_to_an_ended_job(books: Books) -> None:
    job_id = a_job(books)
    books.run("UPDATE jobs SET status = 'cancelled' WHERE id = %s", job_id)
    books.run(NEW_STEPS, 5, books.alpha.id, job_id)
    check(books)
    books.run("UPDATE job_steps SET status = 'completed' WHERE job_id = %s", job_id)
    check(books)
    books.run("UPDATE job_steps SET status = 'pending' WHERE job_id = %s", job_id)
    check(books)
    assert waiting(books, job_id) == 0
    other = a_job(books)
    books.run(
        "UPDATE job_steps SET job_id = %s, step_order = step_order + 5000 WHERE job_id = %s", job_id, other
    )
    check(books)
    books.run("UPDATE job_steps SET job_id = %s WHERE job_id = %s AND step_order > 5000", other, job_id)
    check(books)
    # The flag is the job's to say, whatever somebody writes into it.
    books.run("UPDATE job_steps SET job_ended = NOT job_ended")
    check(books)


def test_a_step_keeps_the_time_it_was_last_changed_when_its_job_ends(books: Books) -> None:
    job_id = a_job(books)
    times = "SELECT id, updated_at FROM job_steps WHERE job_id = %s ORDER BY id"
    before = books.run(times, job_id)
    books.run("UPDATE jobs SET status = 'cancelled' WHERE id = %s", job_id)
    assert books.run(times, job_id) == before
    books.run("UPDATE job_steps SET quantity_done = 1 WHERE job_id = %s", job_id)
    assert all(new > old for (_, new), (_, old) in zip(books.run(times, job_id), before, strict=True))


@pytest.mark.parametrize("write", ["reopen", "add"])
@pytest.mark.parametrize("first", ["job", "step"])
def test_a_step_that_is_reopened_or_added_while_its_job_ends(books: Books, first: str, write: str) -> None:
    """The second writer waits for the first and sees its change."""
    job_id = a_job(books)
    books.run("UPDATE job_steps SET status = 'completed' WHERE job_id = %s", job_id)
    end = ("UPDATE jobs SET status = 'completed' WHERE id = %s", (job_id,))
    reopen = ("UPDATE job_steps SET status = 'pending' WHERE job_id = %s", (job_id,))
    add = (NEW_STEPS, (3, books.alpha.id, job_id))
    with books.session() as one, books.session() as two:
        step = reopen if write == "reopen" else add
        begins, follows = (end, step) if first == "job" else (step, end)
        with one.cursor() as cursor:
            cursor.execute(*begins)

        def follow() -> None:
            with two, two.cursor() as cursor:
                cursor.execute(*follows)

        thread = threading.Thread(target=follow)
        thread.start()
        while thread.is_alive() and not books.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            thread.join(0.01)
        assert thread.is_alive(), "nobody waited"
        one.commit()
        thread.join(10)
    check(books)
    assert waiting(books, job_id) == 0
