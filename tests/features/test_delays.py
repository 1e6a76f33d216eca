"""The step that takes an open job longest, by queues worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters import FreshDatabase
from tests.features.past_jobs import Shop, past_shop


@pytest.fixture
def app(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database) as app:
        yield app


def delays(app: Shop, query: str = "") -> list[tuple[int, float | None, bool | None, str, float | None]]:
    return [
        (one["id"], one["days"], one["ends_late"], one["longest"]["process"]["name"], one["longest"]["days"])
        for one in app.get(f"/api/jobs/delays{query}")["items"]
    ]


def open_job(app: Shop, due: str | None, *processes: int) -> int:
    job = app.job(due, "2026-03-20 12:00+00", steps=(None,) * len(processes))
    for place, process in enumerate(processes, 1):
        app.write(
            "UPDATE job_steps SET process_id = %s WHERE job_id = %s AND step_order = %s RETURNING 1",
            process, job, place,
        )  # fmt: skip
    return job


def test_the_queue_that_takes_a_job_longest_is_told_in_days(app: Shop) -> None:
    saw, weld = app.process("Sawing"), app.process("Welding")
    # In four weeks half a step a day at Sawing, and one a day at Welding.
    app.add_jobs([(10, 1, [saw])] * 14 + [(10, 1, [weld])] * 28)
    second = open_job(app, "2026-04-10", saw, weld)
    first = open_job(app, "2026-04-01", saw, weld)
    undue = open_job(app, None, weld)
    late = open_job(app, "2026-03-30", weld)
    # The late one is welded first, then the one due on no day, as nothing else has come from Sawing yet.
    assert delays(app) == [(first, 3, True, "Sawing", 2), (second, 5, False, "Sawing", 4)]
    assert delays(app, f"?job_ids={undue},{late}") == [
        (late, 1, None, "Welding", 1), (undue, 2, None, "Welding", 2),
    ]  # fmt: skip
    found = app.get(f"/api/jobs/delays?job_ids={second}")["items"]
    assert (found[0]["days_left"], found[0]["longest"]["step_order"]) == (10, 1)
    # Urgent work goes first, and what is held, done or not added yet takes no turn.
    app.write("UPDATE jobs SET priority = 'urgent' WHERE id = %s RETURNING 1", second)
    assert delays(app)[1][:2] == (second, 3)
    app.write("UPDATE jobs SET status = 'on_hold' WHERE id = %s RETURNING 1", second)
    app.add_jobs([(-2, None, [saw])] * 5)
    assert delays(app) == [(first, 3, True, "Sawing", 2)]


def test_a_process_that_finished_nothing_lately_has_no_days(app: Shop) -> None:
    saw, weld = app.process("Sawing"), app.process("Welding")
    app.add_jobs([(10, 1, [saw])] * 28)
    job = open_job(app, "2026-04-10", saw, weld, saw)
    assert delays(app) == [(job, None, True, "Welding", None)]
    assert app.get("/api/jobs/delays")["items"][0]["longest"]["step_order"] == 2


def test_jobs_without_open_steps_and_those_of_others_have_no_item(app: Shop) -> None:
    saw = app.process("Sawing")
    own = open_job(app, "2026-04-10", saw)
    empty = open_job(app, "2026-04-10")
    other = app.write("INSERT INTO tenants (slug, name) VALUES ('other', 'Other') RETURNING id")
    app.write("UPDATE tenants SET as_of = '2026-03-31' WHERE id = %s RETURNING 1", other)
    foreign = app.write(
        "INSERT INTO jobs (tenant_id, job_number, title, created_at) VALUES (%s, 'X', 'x', '2026-03-01') RETURNING id",
        other,
    )
    assert [one[0] for one in delays(app, f"?job_ids={own},{empty},{foreign}")] == [own]
    app.get("/api/jobs/delays?job_ids=0", 400)
    app.get("/api/jobs/delays?job_ids=" + ",".join(["1"] * 101), 400)


def test_late_jobs_tell_the_step_queue_machine_and_person_that_they_wait_for(app: Shop) -> None:
    saw, weld = app.process("Sawing"), app.process("Welding")
    app.add_jobs([(10, 1, [saw])] * 28 + [(10, 1, [weld])] * 28)
    late = open_job(app, "2026-03-28", saw, weld)
    later = open_job(app, "2026-03-20", weld)
    undue = open_job(app, None, weld)
    ahead = open_job(app, "2026-04-02", weld)
    held = app.job("2026-03-01", "2026-03-02 12:00+00", status="on_hold")
    machine = app.write(
        "INSERT INTO machines (tenant_id, name) VALUES (%s, 'Robot') RETURNING id", app.id
    )  # fmt: skip
    app.write("UPDATE users SET full_name = 'Anna' WHERE tenant_id = %s RETURNING 1", app.id)
    app.write(
        "UPDATE job_steps SET machine_id = %s, status = 'in_progress', started_at = '2026-03-29 08:00+00', "
        "assigned_user_id = (SELECT id FROM users WHERE tenant_id = %s) WHERE job_id = %s RETURNING 1",
        machine, app.id, later,
    )  # fmt: skip
    app.write(
        "INSERT INTO machine_stops (tenant_id, machine_id, reason, started_at) "
        "VALUES (%s, %s, 'Bearing', '2026-03-30 06:00+00') RETURNING 1",
        app.id, machine,
    )  # fmt: skip
    app.write(
        "UPDATE job_steps SET status = 'completed', completed_at = '2026-03-25 09:00+00' "
        "WHERE job_id = %s AND step_order = 1 RETURNING 1",
        late,
    )
    found = app.get("/api/jobs/late")
    assert [(job["id"], job["days_late"], job["risk"]) for job in found["overdue"]] == [
        (held, 30, 1), (later, 11, 1), (late, 3, 1),
    ]  # fmt: skip
    assert [(job["id"], job["days_left"], job["days_late"]) for job in found["at_risk"]] == [(ahead, 2, None)]
    # Begun at noon of the 20th: 11 days without a move, while the two others moved 2 and 6 days ago.
    assert [(job["id"], job["idle_days"]) for job in found["stuck"]] == [(undue, 11), (ahead, 11)]
    assert [job["id"] for job in app.get("/api/jobs/late?stuck_days=6")["stuck"]] == [undue, ahead, late]
    assert app.get("/api/jobs/late?stuck_days=12")["stuck"] == []
    assert [job["id"] for job in app.get("/api/jobs/late?limit=1")["overdue"]] == [held]
    first = found["overdue"][0]
    assert (first["waits_at"], first["delay"], first["machine_stop"]) == (None, None, None)
    running, waiting = found["overdue"][1:]
    assert running["machine_stop"]["reason"] == "Bearing"
    names = {key: running["waits_at"][key]["name"] for key in ("process", "machine", "person")}
    assert names == {"process": "Welding", "machine": "Robot", "person": "Anna"}
    assert running["waits_at"]["since"].startswith("2026-03-29T08:00")
    assert waiting["waits_at"]["status"] == "pending"
    assert waiting["waits_at"]["since"].startswith("2026-03-25T09:00")
    # One step a day: the first is welded before it, and the delay is that of /api/jobs/delays.
    (delay,) = app.get(f"/api/jobs/delays?job_ids={late}")["items"]
    assert waiting["delay"] == {"days": 2, "longest": delay["longest"]}
    # The lists and the job's own answer say the same.
    (listed,) = [job for job in app.get("/api/jobs?overdue=true")["items"] if job["id"] == late]
    one = app.get(f"/api/jobs/{late}")
    for answer in (listed, one):
        assert (answer["days_late"], answer["waits_at"]) == (3, waiting["waits_at"])
    (at_risk,) = app.get("/api/jobs/at-risk")["items"]
    assert at_risk["waits_at"] == found["at_risk"][0]["waits_at"]


def test_jobs_at_risk_come_in_the_order_of_their_risk(app: Shop) -> None:
    # Those that began late ended late: the risk is higher with few days left.
    app.add_jobs([(20, 1, [app.process("Sawing")])] * 30)
    for late in range(20):
        app.job(f"2026-03-{late % 9 + 10}", f"2026-03-{late % 9 + 8} 12:00+00", "2026-03-25 12:00+00")
        app.job(f"2026-03-{late % 9 + 10}", "2026-02-01 12:00+00", "2026-02-20 12:00+00")
    jobs = [app.job(f"2026-04-{day:02}", "2026-03-30 12:00+00") for day in (1, 2, 9, 20)]
    found = app.get("/api/jobs/late")["at_risk"]
    assert {job["id"] for job in found} == set(jobs)
    risks = [(-job["risk"], job["due_date"]) for job in found]
    assert risks == sorted(risks)
    listed = app.get("/api/jobs/at-risk")["items"]
    assert {job["id"]: job["risk"] for job in found} == {job["id"]: job["risk"] for job in listed}
