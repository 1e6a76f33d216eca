"""The load of machines and people: hours, weeks, working hours, and the order of a queue."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from typing import Any

import pytest

from tests.application import Application
from tests.features.test_work import run

LOAD, QUEUE = "/api/dashboard/load", "/api/dashboard/queue"
EMPTY = """
UPDATE job_steps SET status = 'completed', completed_at = now() WHERE status IN ('pending', 'in_progress');
DELETE FROM working_hours;
DELETE FROM holidays;
DELETE FROM machine_stops
"""
KEYS = ("pending", "in_progress", "overdue", "without_times", "seconds", "this_week", "next_week")


@pytest.fixture
def app(own_app: Application) -> Application:
    """A business of which no step is open, at any hours."""
    run(own_app, EMPTY)
    return own_app


def read(app: Application, path: str = LOAD, role: str = "manager") -> Any:
    app.poll_changes()
    answer = app.client(role).get(path)
    assert answer.status_code == 200, answer.json
    return answer.json


def ids(app: Application, table: str, condition: str = "true") -> list[int]:
    sql = f"SELECT id FROM {table} WHERE tenant_id = %s AND {condition} ORDER BY id LIMIT 3"
    return [found for (found,) in run(app, sql, app.alpha.id)]


def machines(app: Application) -> list[int]:
    return ids(app, "machines", "status = 'active'")


def add_job(app: Application, steps: list[dict[str, Any]], **members: Any) -> Any:
    process = ids(app, "processes", "is_active")[0]
    planned = [{"process_id": process, **step} for step in steps]
    sent = {"title": "Load", "status": "active", "steps": planned, **members}
    made = app.client().post("/api/jobs", json=sent)
    assert made.status_code == 201, made.json
    return app.client().get(made.headers["Location"]).json


def numbers(rows: list[Any]) -> dict[int | None, tuple[int, ...]]:
    """Of each machine or person with work: its numbers, in the order of KEYS."""
    return {
        row["id"]: tuple(row[key]["due_seconds"] if key.endswith("week") else row[key] for key in KEYS)
        for row in rows
        if row["pending"] or row["in_progress"]
    }


def test_hours_are_those_that_one_counts_and_the_heaviest_is_first(app: Application) -> None:
    found = read(app)
    assert numbers(found["machines"]) == numbers(found["people"]) == {}
    today, monday = (dt.date.fromisoformat(found[key]) for key in ("today", "next_week_from"))
    assert monday.isoweekday() == 1 and 1 <= (monday - today).days <= 7
    places = {
        "machine_id": [*machines(app), None],
        "assigned_user_id": [*ids(app, "users", "is_active"), None],
    }
    counted: dict[str, Any] = {name: defaultdict(lambda: [0] * len(KEYS)) for name in places}
    dice = random.Random(7)
    for _ in range(12):
        due = dice.choice([None, *(today + dt.timedelta(days=days) for days in (-3, 0, 5, 9, 13, 40))])
        quantity = dice.randint(1, 50)
        steps = [
            {name: dice.choice(chosen) for name, chosen in places.items()}
            | {"setup_minutes": dice.choice([None, 15]), "seconds_per_piece": dice.choice([None, 0, 77])}
            for _ in range(dice.randint(1, 3))
        ]
        job = add_job(app, steps, quantity=quantity, due_date=due and due.isoformat())
        started = dice.randint(0, 1)
        if started:
            done = dice.randint(0, quantity)
            change = {"status": "in_progress", "quantity_done": done}
            assert (
                app.client().patch(f"/api/job-steps/{job['steps'][0]['id']}", json=change).status_code == 200
            )
        for place, step in enumerate(steps):
            is_begun = place == 0 and bool(started)
            setup, piece = step["setup_minutes"], step["seconds_per_piece"]
            left = quantity - done if is_begun else quantity
            seconds = (0 if is_begun else (setup or 0) * 60) + (piece or 0) * left
            has_times = setup is not None or piece is not None
            week = due is not None and (0 if due < monday else 1 if due < monday + dt.timedelta(7) else None)
            for name in places:
                sums = counted[name][step[name]]
                values = [
                    not is_begun, is_begun, due is not None and due < today, not has_times, seconds,
                    seconds if due is not None and week == 0 else 0, seconds if week == 1 else 0,
                ]  # fmt: skip
                counted[name][step[name]] = [a + int(b) for a, b in zip(sums, values, strict=True)]
    found = read(app)
    for rows, name in ((found["machines"], "machine_id"), (found["people"], "assigned_user_id")):
        assert numbers(rows) == {place: tuple(sums) for place, sums in counted[name].items()}
        order = [(-row["seconds"], -row["pending"] - row["in_progress"]) for row in rows]
        assert order == sorted(order)
        for row in rows:
            if row["link"]:
                listed = read(app, row["link"])
                assert listed["total"] == row["pending"] + row["in_progress"]


def test_a_week_has_the_working_hours_of_the_machine_or_the_business(app: Application) -> None:
    first, second = machines(app)[:2]

    def capacities() -> tuple[Any, Any, Any]:
        found = read(app)
        rows = {row["id"]: row for row in found["machines"]}
        weeks = [
            (row["this_week"]["capacity_seconds"], row["next_week"]["capacity_seconds"])
            for row in (rows[first], rows[second], found["people"][0])
        ]
        return weeks[0], weeks[1], weeks[2]

    assert capacities() == ((None, None),) * 3
    monday = dt.date.fromisoformat(read(app)["next_week_from"])
    for weekday in range(1, 8):
        shift = {"weekday": weekday, "starts_at": "08:00", "ends_at": "16:00"}
        assert app.client().post("/api/working-hours", json=shift).status_code == 201
    own = {"weekday": 3, "starts_at": "00:00", "ends_at": "24:00", "machine_id": first}
    assert app.client().post("/api/working-hours", json=own).status_code == 201
    (_, of_first), (left, of_second), (left_of_people, of_people) = capacities()
    assert (of_first, of_second, of_people) == (24 * 3600, 56 * 3600, 56 * 3600)
    now = dt.datetime.now(dt.UTC)
    days = [dt.datetime.combine(now.date(), dt.time(8), dt.UTC) + dt.timedelta(days=n) for n in range(8)]
    hours = dt.timedelta(hours=8)
    expected = sum(
        max(dt.timedelta(0), day + hours - max(now, day)).total_seconds()
        for day in days
        if day.date() < monday
    )
    assert left == left_of_people == pytest.approx(expected, abs=900)
    holiday = {
        "name": "Day off",
        "first_day": monday.isoformat(),
        "last_day": (monday + dt.timedelta(2)).isoformat(),
    }
    assert app.client().post("/api/holidays", json=holiday).status_code == 201
    assert [next_week for _, next_week in capacities()] == [0, 32 * 3600, 32 * 3600]


def test_a_queue_is_in_the_order_of_its_work(app: Application) -> None:
    machine, other = machines(app)[:2]
    here, there = {"machine_id": machine, "seconds_per_piece": 60}, {"machine_id": other}
    undated = add_job(app, [here])
    late = add_job(app, [here], due_date="2026-01-02", quantity=5)
    urgent = add_job(app, [here], priority="urgent")
    waits = add_job(app, [there, here], due_date="2026-01-01")
    begun = add_job(app, [here])
    draft = add_job(app, [here], status="draft", due_date="2025-12-31")
    change = {"status": "in_progress"}
    assert app.client().patch(f"/api/job-steps/{begun['steps'][0]['id']}", json=change).status_code == 200
    found = read(app, f"{QUEUE}?machine_id={machine}")
    jobs = [begun, late, urgent, undated, draft, waits]
    assert [item["job"]["id"] for item in found["items"]] == [job["id"] for job in jobs]
    assert (found["total"], found["name"]) == (6, late["steps"][0]["machine"]["name"])
    assert [item["seconds"] for item in found["items"]][1:3] == [300, 60]
    assert found["items"][1]["is_overdue"] and not found["items"][2]["is_overdue"]
    assert found["items"][-1]["waits_for"] == waits["steps"][0]["process"]["name"]
    assert read(app, f"{QUEUE}?machine_id={machine}&limit=2")["items"] == found["items"][:2]
    person = ids(app, "users", "is_active")[0]
    give = {"assigned_user_id": person}
    assert app.client().patch(f"/api/job-steps/{late['steps'][0]['id']}", json=give).status_code == 200
    assert [item["job"]["id"] for item in read(app, f"{QUEUE}?assigned_user_id={person}")["items"]] == [
        late["id"]
    ]


def test_it_is_for_managers_and_of_their_business(app: Application) -> None:
    for path in (LOAD, QUEUE):
        assert app.client("operator").get(path).status_code == 403
    ((foreign,),) = run(app, "SELECT min(id) FROM machines WHERE tenant_id <> %s", app.alpha.id)
    assert read(app, f"{QUEUE}?machine_id={foreign}") == {"total": 0, "name": None, "items": []}
    assert app.client().get(f"{QUEUE}?machine_id=1&assigned_user_id=1").status_code == 400
    assert foreign not in [row["id"] for row in read(app)["machines"]]
