"""Stops of machines: reported once, ended once, and the machine follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.application import Application
from tests.features.test_work import run

PATH = "/api/stops"


@pytest.fixture
def machine(own_app: Application) -> int:
    """An active machine that has never stood still."""
    run(own_app, "DELETE FROM machine_stops")
    found = "SELECT min(id) FROM machines WHERE tenant_id = %s AND status = 'active'"
    return int(run(own_app, found, own_app.alpha.id)[0][0])


def report(app: Application, machine: int, expected: int = 201, **more: Any) -> Any:
    answer = app.client("operator").post(PATH, json={"machine_id": machine, "reason": "no material", **more})
    assert answer.status_code == expected, answer.get_data(as_text=True)
    return answer.json


def test_a_machine_stands_still_until_it_runs_again(own_app: Application, machine: int) -> None:
    client = own_app.client()
    before: Any = client.get("/api/dashboard/stats").json
    stop = report(own_app, machine)
    assert (stop["machine"]["status"], stop["ended_at"], stop["seconds"]) == ("maintenance", None, None)
    during: Any = client.get("/api/dashboard/stats").json
    assert during["machines"]["maintenance"] == before["machines"]["maintenance"] + 1
    assert client.get(f"{PATH}?open=true").json["total"] == 1  # type: ignore[index]
    paths = (f"/api/machines/{machine}", "/api/machines?status=maintenance&fields=id,stop")
    one, listed = (client.get(path).json for path in paths)
    assert one is not None and listed is not None
    told = {"id": stop["id"], "since": stop["started_at"], "reason": "no material"}
    assert one["stop"] == told
    assert [item["stop"] for item in listed["items"] if item["id"] == machine] == [told]
    ended: Any = (
        own_app.client("operator").post(f"{PATH}/{stop['id']}/end", json={"note": "came at noon"}).json
    )
    assert (ended["machine"]["status"], ended["note"]) == ("active", "came at noon")
    assert ended["seconds"] is not None and ended["ended_by"]
    after: Any = client.get("/api/dashboard/stats").json
    assert after["machines"] == before["machines"]
    assert client.get(paths[0]).json["stop"] is None  # type: ignore[index]
    again = own_app.client().post(f"{PATH}/{stop['id']}/end", json={})
    assert again.status_code == 409


def test_one_of_many_who_report_it_at_once_did(own_app: Application, machine: int) -> None:
    def post(_: int) -> int:
        return own_app.client().post(PATH, json={"machine_id": machine, "reason": "jam"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(post, range(4))) == [201, 409, 409, 409]


def test_what_is_out_of_use_does_not_stand_still(own_app: Application, machine: int) -> None:
    run(own_app, "UPDATE machines SET status = 'inactive' WHERE id = %s", machine)
    assert "inactive" in report(own_app, machine, expected=409)["detail"]
    report(own_app, 2**40, expected=404)
    assert run(own_app, "SELECT count(*) FROM machine_stops") == [(0,)]


def test_a_machine_taken_out_of_use_meanwhile_stays_so(own_app: Application, machine: int) -> None:
    stop = report(own_app, machine)
    run(own_app, "UPDATE machines SET status = 'inactive' WHERE id = %s", machine)
    ended: Any = own_app.client().post(f"{PATH}/{stop['id']}/end", json={}).json
    assert ended["machine"]["status"] == "inactive"
    early = {"ended_at": "2020-01-01T00:00:00Z"}
    run(own_app, "UPDATE machine_stops SET ended_at = NULL")
    assert own_app.client().post(f"{PATH}/{stop['id']}/end", json=early).status_code == 409
