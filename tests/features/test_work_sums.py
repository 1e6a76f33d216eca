"""Sums of work: exact over midnight, clock changes, corrections and zones; numbers of the shop; rejects by reason."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.application import Application
from tests.features.test_work import NEW_STEP, begin, end, run, user
from tests.waiting import eventually

PATH = "/api/work"
# Of each the clock changes at another hour: at midnight too, by half an hour, by a whole day, and never.
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
    "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca", "Atlantic/Azores",
]  # fmt: skip
INSERT = """
INSERT INTO work_records (
    tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good, quantity_rejected, reject_reason
)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
KEPT = """
SELECT
    c.day,
    coalesce(sum(c.n) FILTER (WHERE c.label = 'microseconds'), 0),
    coalesce(sum(c.n) FILTER (WHERE c.label = 'good'), 0)
FROM rollup_counts(%s, ARRAY['work']) AS c
GROUP BY c.day
"""


@pytest.fixture
def app(own_app: Application) -> Application:
    run(own_app, "DELETE FROM work_records")
    return own_app


@pytest.fixture
def step(app: Application) -> int:
    ((step_id,),) = run(app, NEW_STEP, app.alpha.id)
    return int(step_id)


def days_of(zone: str, records: list[tuple[dt.datetime, dt.datetime, int]]) -> dict[dt.date, tuple[int, int]]:
    """Microseconds and pieces of each day, found by walking from second to second where days change."""
    of_days: dict[dt.date, list[int]] = {}
    clock = ZoneInfo(zone)
    for began, ended, good in records:
        moment = began
        while moment < ended:
            day = day_of(moment, clock)
            upto = min(ended, next_day(moment, day, clock))
            of_days.setdefault(day, [0, 0])[0] += round((upto - moment) / dt.timedelta(microseconds=1))
            moment = upto
        of_days.setdefault(day_of(ended, clock), [0, 0])[1] += good
    return {day: (spent, good) for day, (spent, good) in of_days.items() if spent or good}


def day_of(moment: dt.datetime, clock: ZoneInfo) -> dt.date:
    """The day of a moment: the last one whose beginning is not after it."""
    day = moment.astimezone(clock).date()
    return day if beginning(day, clock) <= moment else day - dt.timedelta(days=1)


def beginning(day: dt.date, clock: ZoneInfo) -> dt.datetime:
    """The midnight that Postgres takes: of two the later one; of none the moment of the clock change."""
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=clock)
    first, second = midnight.astimezone(dt.UTC), midnight.replace(fold=1).astimezone(dt.UTC)
    if first <= second:
        return second
    return second if second.astimezone(clock).date() >= day else first


def next_day(moment: dt.datetime, day: dt.date, clock: ZoneInfo) -> dt.datetime:
    for ahead in range(1, 4):
        if (midnight := beginning(day + dt.timedelta(days=ahead), clock)) > moment:
            return midnight
    raise AssertionError(moment)


def differences(app: Application) -> list[Any]:
    return run(app, "SELECT d.* FROM tenants AS t CROSS JOIN LATERAL rollup_differences(t.id) AS d")


def changes_of(zone: str) -> list[dt.datetime]:
    """Hours of 2010 to 2026 after which the clock of a zone has another offset."""
    clock, found = ZoneInfo(zone), []
    moment = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
    while moment.year < 2026:
        if (moment + dt.timedelta(days=1)).astimezone(clock).utcoffset() != moment.astimezone(
            clock
        ).utcoffset():
            found.append(moment)
        moment += dt.timedelta(days=1)
    return found or [dt.datetime(2026, 3, 1, 18, tzinfo=dt.UTC)]


def sums(app: Application) -> dict[Any, tuple[int, int]]:
    return {
        day: (int(spent), int(good)) for day, spent, good in run(app, KEPT, app.alpha.id) if spent or good
    }


def test_time_lies_on_the_days_it_was_worked_on(app: Application, step: int) -> None:
    """In each zone random records around midnights and clock changes, one corrected and one removed."""
    worker = user(app, "operator")
    for zone in ZONES:
        choose = random.Random(zone)
        run(app, "DELETE FROM work_records WHERE tenant_id = %s", app.alpha.id)
        run(app, "UPDATE tenants SET time_zone = %s WHERE id = %s", zone, app.alpha.id)
        kept: dict[int, tuple[dt.datetime, dt.datetime, int]] = {}
        for change in choose.sample(changes_of(zone) * 8, 8):
            began = change + dt.timedelta(
                seconds=choose.randint(-40 * 3600, 40 * 3600), microseconds=choose.randrange(10**6)
            )
            ended = began + dt.timedelta(seconds=choose.choice([0, 60, 5 * 3600, 30 * 3600, 6 * 86400]))
            good = choose.randint(0, 9)
            ((record,),) = run(app, INSERT, app.alpha.id, step, worker, None, began, ended, good, 0, None)
            kept[record] = (began, ended, good)
        corrected, removed = choose.sample(sorted(kept), 2)
        began, ended, good = kept[corrected]
        kept[corrected] = (began - dt.timedelta(hours=1), ended, good + 5)
        correction = (
            "UPDATE work_records SET started_at = %s, ended_at = %s, quantity_good = %s WHERE id = %s"
        )
        run(app, correction, *kept[corrected], corrected)
        run(app, "DELETE FROM work_records WHERE id = %s", removed)
        del kept[removed]
        expected = days_of(zone, list(kept.values()))
        assert sums(app) == expected, zone
        assert differences(app) == [], zone
        eventually("all is folded", lambda: run(app, "SELECT fold_rollups()") == [(0,)])
        assert sums(app) == expected, zone
        assert differences(app) == [], zone


def test_another_time_zone_moves_the_time_to_its_days(app: Application, step: int) -> None:
    run(app, "UPDATE tenants SET time_zone = 'UTC' WHERE id = %s", app.alpha.id)
    worker = user(app, "operator")
    run(app, INSERT, app.alpha.id, step, worker, None, "2026-03-02 20:00Z", "2026-03-02 23:30Z", 4, 0, None)
    run(app, "UPDATE tenants SET time_zone = 'Europe/Berlin' WHERE id = %s", app.alpha.id)
    half_hours = {day.day: (spent // 1_800_000_000, good) for day, (spent, good) in sums(app).items()}
    assert half_hours == {2: (6, 0), 3: (1, 4)}
    assert differences(app) == []


def test_the_numbers_of_some_days_are_those_of_the_records(app: Application, step: int) -> None:
    run(
        app,
        "UPDATE tenants SET time_zone = 'Europe/Berlin', as_of = '2026-03-06' WHERE id = %s",
        app.alpha.id,
    )
    run(app, "UPDATE machines SET status = 'inactive' WHERE tenant_id = %s", app.alpha.id)
    run(app, "UPDATE jobs SET status = 'active', completed_at = NULL WHERE tenant_id = %s", app.alpha.id)
    machines = "SELECT id FROM machines WHERE tenant_id = %s ORDER BY id LIMIT 2"
    first, second = (row[0] for row in run(app, machines, app.alpha.id))
    run(app, "UPDATE machines SET status = 'active' WHERE id IN (%s, %s)", first, second)
    worker = user(app, "operator")
    # Monday: four hours at a machine over midnight. Tuesday: one hour by hand at none.
    run(
        app,
        INSERT,
        app.alpha.id,
        step,
        worker,
        first,
        "2026-03-02 22:00+01",
        "2026-03-03 02:00+01",
        30,
        10,
        "burr",
    )
    run(
        app,
        INSERT,
        app.alpha.id,
        step,
        worker,
        None,
        "2026-03-03 08:00+01",
        "2026-03-03 09:00+01",
        10,
        0,
        None,
    )
    done = """
        UPDATE jobs SET status = 'completed', created_at = %s, completed_at = %s, due_date = %s
        WHERE id = (SELECT min(id) FROM jobs WHERE tenant_id = %s AND completed_at IS NULL)
    """
    run(app, done, "2026-03-01 12:00Z", "2026-03-03 12:00Z", "2026-03-03", app.alpha.id)
    run(app, done, "2026-02-27 12:00Z", "2026-03-03 12:00Z", "2026-03-02", app.alpha.id)
    answer: Any = app.client().get(f"{PATH}/numbers?date_from=2026-03-02&date_to=2026-03-08").json
    monday, tuesday = answer["items"][:2]
    assert (monday["machine_seconds"], monday["capacity_seconds"], monday["utilisation"]) == (
        7200,
        57600,
        0.125,
    )
    assert (monday["quantity_good"], monday["scrap_rate"]) == (0, None)
    assert (tuesday["quantity_good"], tuesday["quantity_rejected"], tuesday["scrap_rate"]) == (40, 10, 0.2)
    assert (tuesday["worked_seconds"], tuesday["machine_seconds"]) == (10800, 7200)
    assert (tuesday["jobs_completed"], tuesday["on_time_share"], tuesday["lead_time_days"]) == (2, 0.5, 3)
    # Five days of two machines until today, a Friday; none of the weekend.
    assert answer["all"]["capacity_seconds"] == 5 * 2 * 28800 and len(answer["items"]) == 7
    assert answer["all"]["worked_seconds"] == 5 * 3600
    weeks: Any = app.client().get(f"{PATH}/numbers?by=week&date_from=2026-03-02&date_to=2026-03-09").json
    assert [item["quantity_good"] for item in weeks["items"]] == [40, 0]
    assert weeks["items"][0] == answer["all"]
    for name, total in (("work", 2), ("rejects", 1), ("jobs_completed", 2)):
        assert app.client().get(tuesday["links"][name]).json["total"] == total  # type: ignore[index]
    last: Any = app.client().get(f"{PATH}/numbers").json
    assert [last["all"]["date_from"], last["all"]["date_to"]] == ["2026-02-21", "2026-03-06"]
    bad = app.client().get(f"{PATH}/numbers?date_from=2024-03-02&date_to=2026-03-01")
    assert bad.status_code == 400


def test_rejects_are_counted_by_reason_process_and_product(app: Application, step: int) -> None:
    process = "SELECT min(id) + %s FROM processes WHERE tenant_id = %s"
    milling, turning = (run(app, process, n, app.alpha.id)[0][0] for n in (0, 1))
    worker = user(app, "operator")
    day = "2026-03-02 09:00Z", "2026-03-02 10:00Z"
    for place, (pieces, word) in ((milling, (5, "burr")), (turning, (3, "Burr")), (turning, (4, "crack"))):
        run(app, "UPDATE job_steps SET process_id = %s WHERE id = %s", place, step)
        run(app, INSERT, app.alpha.id, step, worker, None, *day, 0, pieces, word)
    run(app, INSERT, app.alpha.id, step, worker, None, *day, 9, 2, None)
    path = f"{PATH}/rejects?date_from=2026-03-02&date_to=2026-03-02"
    found: Any = app.client().get(path).json
    assert [(each["name"], each["quantity_rejected"], each["records"]) for each in found["reasons"]] == [
        ("burr", 8, 2), ("crack", 4, 1), (None, 2, 1),
    ]  # fmt: skip
    assert [(each["id"], each["quantity_rejected"]) for each in found["processes"]] == [
        (turning, 9),
        (milling, 5),
    ]
    assert [(each["name"], each["quantity_rejected"]) for each in found["products"]] == [("w", 14)]
    for each in found["reasons"][:2] + found["processes"]:
        assert app.client().get(each["link"]).json["total"] == each["records"]  # type: ignore[index]
    assert app.client().get(found["link"]).json["total"] == 4  # type: ignore[index]
    narrowed: Any = app.client().get(f"{path}&process_id={milling}&product=w").json
    assert [each["quantity_rejected"] for each in narrowed["reasons"]] == [5]
    assert app.client().get(f"{path}&product=none").json["reasons"] == []  # type: ignore[index]


def test_estimates_stand_beside_the_time_that_was_worked(app: Application, step: int) -> None:
    worker = user(app, "operator")
    run(
        app, "UPDATE job_steps SET status = 'pending', completed_at = NULL WHERE tenant_id = %s", app.alpha.id
    )
    of_step = """
        UPDATE job_steps SET setup_minutes = 10, seconds_per_piece = 30, status = 'completed',
            completed_at = '2026-03-02 12:00Z', process_id = (SELECT min(id) FROM processes WHERE tenant_id = %s)
        WHERE id = %s
    """
    run(app, of_step, app.alpha.id, step)
    run(app, INSERT, app.alpha.id, step, worker, None, "2026-03-01 09:00Z", "2026-03-01 10:00Z", 0, 0, None)
    run(app, INSERT, app.alpha.id, step, worker, None, "2026-03-02 11:00Z", "2026-03-02 11:30Z", 0, 0, None)
    found: Any = app.client().get(f"{PATH}/estimates?date_from=2026-03-02&date_to=2026-03-02").json
    ((each),) = found["items"]
    assert (each["steps"], each["estimated_seconds"], each["worked_seconds"], each["ratio"]) == (
        1,
        3600,
        5400,
        1.5,
    )
    assert app.client().get(f"{PATH}/estimates?date_to=2026-03-01").json["items"] == []  # type: ignore[index]


def test_a_word_stands_for_one_reason_and_follows_its_name(app: Application, step: int) -> None:
    reason: Any = app.client("manager").post("/api/reasons", json={"kind": "reject", "name": "Burr"}).json
    first = end(app, begin(app, step)["id"], quantity_rejected=1, reject_reason="burr")
    assert (first["reject_reason_id"], first["reject_reason"]) == (reason["id"], "Burr")
    new = end(app, begin(app, step)["id"], quantity_rejected=1, reject_reason="Hole too large")
    assert new["reject_reason"] == "Hole too large"
    listed: Any = app.client().get("/api/reasons?kind=reject&q=hole").json
    assert [item["id"] for item in listed["items"]] == [new["reject_reason_id"]]
    history = run(
        app,
        "SELECT action FROM audit_logs WHERE entity = 'reason' AND entity_id = %s",
        new["reject_reason_id"],
    )
    assert history == [("create",)]
    manager = app.client("manager")
    manager.patch(f"/api/reasons/{reason['id']}", json={"name": "Burr at the edge"})
    assert manager.get(f"{PATH}/{first['id']}").json["reject_reason"] == "Burr at the edge"  # type: ignore[index]
    assert manager.delete(f"/api/reasons/{reason['id']}").status_code == 409
    assert manager.patch(f"/api/reasons/{reason['id']}", json={"kind": "hold"}).status_code == 409
    change = {"reject_reason": "hole too large", "correction": "another one"}
    corrected: Any = manager.patch(f"{PATH}/{first['id']}", json=change).json
    assert corrected["reject_reason_id"] == new["reject_reason_id"]
    assert manager.delete(f"/api/reasons/{reason['id']}").status_code == 200
    none: Any = manager.patch(
        f"{PATH}/{first['id']}", json={"reject_reason": None, "correction": "none"}
    ).json
    assert (none["reject_reason"], none["reject_reason_id"]) == (None, None)


def test_one_record_is_at_most_seven_days_long(app: Application, step: int) -> None:
    record = begin(app, step, started_at="2026-03-01T00:00:00Z")["id"]
    answer = end(app, record, "manager", expected=409, ended_at="2026-03-09T00:00:00Z")
    assert "7 days" in answer["detail"]
    end(app, record, "manager", ended_at="2026-03-08T00:00:00Z")
    change = {"ended_at": "2026-03-08T00:00:01Z", "correction": "longer"}
    refused: Any = app.client("manager").patch(f"{PATH}/{record}", json=change)
    assert refused.status_code == 409 and "7 days" in refused.json["detail"]
