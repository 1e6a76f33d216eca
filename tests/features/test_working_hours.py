"""Working hours and holidays by the API: who keeps them, what is refused, and their history."""

from __future__ import annotations

from typing import Any

from tests.application import Application
from tests.features.test_work import run

HOURS, HOLIDAYS = "/api/working-hours", "/api/holidays"
EARLY = {"weekday": 1, "starts_at": "06:00", "ends_at": "14:00"}


def add(app: Application, path: str, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = app.client("manager").post(path, json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def of_business(app: Application) -> list[tuple[int, str, str]]:
    app.poll_changes()
    found: Any = app.client().get(f"{HOURS}?of_business=true").json
    return [(shift["weekday"], shift["starts_at"], shift["ends_at"]) for shift in found["items"]]


def test_a_week_is_kept_by_managers_with_its_history(own_app: Application) -> None:
    app = own_app
    add(app, HOURS, {"weekday": 5, "starts_at": "22:00", "ends_at": "06:00"})
    early = add(app, HOURS, EARLY)
    assert of_business(app) == [(1, "06:00", "14:00"), (5, "22:00", "06:00")]
    path = f"{HOURS}/{early['id']}"
    for role, status in (("operator", 403), ("manager", 200)):
        assert app.client(role).patch(path, json={"ends_at": "24:00"}).status_code == status
    assert of_business(app)[0] == (1, "06:00", "24:00")
    assert app.client("operator").post(HOURS, json={**EARLY, "weekday": 2}).status_code == 403
    assert app.client("operator").delete(path).status_code == 403
    assert app.client("manager").delete(path).status_code == 200
    assert of_business(app) == [(5, "22:00", "06:00")]
    found: Any = app.client("manager").get(f"/api/audit?entity=shift&entity_id={early['id']}").json
    assert [entry["action"] for entry in found["items"]] == ["delete", "update", "create"]
    assert found["items"][1]["changes"]["ends_at"] == ["14:00:00", "24:00:00"]


def test_a_shift_that_overlaps_or_has_no_length_is_refused_in_words(own_app: Application) -> None:
    app = own_app
    early = add(app, HOURS, EARLY)
    machine = (
        early["id"] and run(app, "SELECT min(id) FROM machines WHERE tenant_id = %s", app.alpha.id)[0][0]
    )
    own = add(app, HOURS, {**EARLY, "machine_id": machine})
    assert own["machine"]["id"] == machine
    late = add(app, HOURS, {**EARLY, "starts_at": "14:00", "ends_at": "22:00"})
    overlap = "Another shift is at this time already; shifts of a week do not overlap."
    assert add(app, HOURS, {**EARLY, "starts_at": "21:59", "ends_at": "23:00"}, 409)["detail"] == overlap
    assert add(app, HOURS, {"weekday": 7, "starts_at": "23:00", "ends_at": "06:01"}, 409)["detail"] == overlap
    moved: Any = app.client("manager").patch(f"{HOURS}/{late['id']}", json={"starts_at": "13:00"})
    assert (moved.status_code, moved.json["detail"]) == (409, overlap)
    nothing = add(app, HOURS, {**EARLY, "starts_at": "23:00", "ends_at": "23:00"}, 400)
    assert nothing["detail"] == "A shift has a length; a whole day is from 00:00 to 24:00 (ends_at)."
    for wrong in ({"starts_at": "24:00"}, {"ends_at": "6:00"}, {"ends_at": "24:01"}, {"weekday": 0}):
        assert add(app, HOURS, {**EARLY, **wrong}, 400)["errors"]
    assert add(app, HOURS, {**EARLY, "machine_id": 2**40}, 409)["detail"] == (
        "There is no such machine (machine_id)."
    )


def test_a_week_has_at_most_a_hundred_shifts(own_app: Application) -> None:
    app = own_app
    fill = """
    INSERT INTO working_hours (tenant_id, weekday, starts_at, ends_at)
    SELECT %s, 2, make_time(n / 10, n %% 10 * 2, 0), make_time(n / 10, n %% 10 * 2 + 1, 0)
    FROM generate_series(1, 99) AS n
    """
    run(app, fill, app.alpha.id)
    add(app, HOURS, EARLY)
    assert add(app, HOURS, {**EARLY, "weekday": 3}, 409)["detail"] == "A week has at most 100 shifts."


def test_holidays_are_kept_in_the_order_of_their_days(own_app: Application) -> None:
    app = own_app
    closed = {"name": "Works holidays", "first_day": "2031-08-04", "last_day": "2031-08-15"}
    added = add(app, HOLIDAYS, closed)
    add(app, HOLIDAYS, {"name": "New Year", "first_day": "2031-01-01"})
    app.poll_changes()
    found: Any = app.client().get(f"{HOLIDAYS}?date_from=2031-01-01&date_to=2031-12-31").json
    assert [(day["name"], day["last_day"]) for day in found["items"]] == [
        ("New Year", None),
        ("Works holidays", "2031-08-15"),
    ]
    order = "A holiday does not end before it begins (last_day)."
    assert add(app, HOLIDAYS, {**closed, "last_day": "2031-08-03"}, 400)["detail"] == order
    length = "A holiday has at most 366 days (last_day)."
    assert add(app, HOLIDAYS, {**closed, "last_day": "2032-08-04"}, 400)["detail"] == length
    path = f"{HOLIDAYS}/{added['id']}"
    assert app.client("operator").patch(path, json={"name": "x"}).status_code == 403
    assert app.client("manager").patch(path, json={"last_day": None}).json["last_day"] is None  # type: ignore[index]
    assert app.client("manager").delete(path).status_code == 200
    assert app.client().get(path).status_code == 404
