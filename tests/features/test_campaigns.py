"""Campaigns: recipients with their last events in one statement, and numbers that count each event once."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.application import Application, run

PATH = "/api/campaigns"
KINDS = ("sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed")


def make(client: FlaskClient, recipients: int) -> tuple[int, list[int]]:
    """A campaign and the ids of its recipients."""
    campaign: int = client.post(PATH, json={"name": "Spring", "status": "running"}).json["id"]  # type: ignore[index]
    rows = [{"address": f"{number}@example.com"} for number in range(recipients)]
    added = client.post(f"{PATH}/{campaign}/recipients", json={"recipients": rows})
    assert added.json == {"added": recipients, "known": [], "suppressed": [], "refused": []}
    found: list[int] = []
    page = 1
    while len(found) < recipients:
        answer: Any = client.get(f"{PATH}/{campaign}/recipients?page_size=100&page={page}").json
        found += [item["id"] for item in answer["items"]]
        page += 1
    return campaign, found


def event(key: str, recipient: int, kind: str = "sent", at: str = "2026-10-05T12:00:00Z") -> dict[str, Any]:
    return {"key": key, "recipient_id": recipient, "kind": kind, "occurred_at": at}


def tell(client: FlaskClient, campaign: int, events: list[dict[str, Any]]) -> dict[str, Any]:
    answer = client.post(f"{PATH}/{campaign}/events", json={"events": events})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.json  # type: ignore[assignment]
    return told


def numbers(client: FlaskClient, campaign: int) -> dict[str, dict[str, int]]:
    """Day -> kind -> how many events, what is 0 left out."""
    answer: Any = client.get(f"{PATH}/{campaign}/metrics?date_from=2020-01-01&date_to=2040-01-01").json
    one: Any = client.get(f"{PATH}/{campaign}").json
    people = {kind: sum(day[kind] for day in answer["days"]) for kind in KINDS}
    assert answer["totals"] == people == one["totals"]
    days = {day["date"]: {kind: n for kind, n in day["events"].items() if n} for day in answer["days"]}
    events = {kind: sum(day.get(kind, 0) for day in days.values()) for kind in KINDS}
    assert answer["events"] == events == one["events"]
    return days


def test_an_event_counts_once_and_what_does_not_is_told(own_app: Application) -> None:
    client = own_app.client()
    campaign, (first, second) = make(client, 2)
    _, (stranger,) = make(client, 1)
    theirs = run(own_app, "SELECT min(id) FROM campaign_recipients WHERE tenant_id = %s", own_app.beta.id)[0][
        0
    ]
    events = [
        event("a", first),
        event("b", second),
        event("a", first),
        event("c", stranger),
        event("d", theirs),
    ]
    told = tell(client, campaign, events)
    assert told == {"accepted": 2, "duplicates": ["a"], "unknown_recipients": ["c", "d"]}
    # The same key at another time is the same event.
    again = tell(
        client, campaign, [event("b", second, at="2026-10-09T00:00:00Z"), event("e", second, "opened")]
    )
    assert again == {"accepted": 1, "duplicates": ["b"], "unknown_recipients": []}
    assert numbers(client, campaign) == {"2026-10-05": {"sent": 2, "opened": 1}}
    statuses = {
        item["id"]: item["status"] for item in client.get(f"{PATH}/{campaign}/recipients").json["items"]
    }  # type: ignore[index]
    assert statuses == {first: "sent", second: "opened"}


def test_a_recipients_status_is_the_furthest_event_in_whatever_order_they_are_told(
    own_app: Application,
) -> None:
    client = own_app.client()
    campaign, (recipient,) = make(client, 1)
    for step, (kind, status) in enumerate(
        [("opened", "opened"), ("sent", "opened"), ("clicked", "clicked"), ("delivered", "clicked")]
    ):
        tell(client, campaign, [event(f"k{step}", recipient, kind)])
        items: Any = client.get(f"{PATH}/{campaign}/recipients?status={status}").json["items"]  # type: ignore[index]
        assert [item["id"] for item in items] == [recipient]


def test_days_are_those_of_the_business(own_app: Application) -> None:
    for business, day in ((own_app.alpha, "2026-10-05"), (own_app.beta, "2026-10-06")):
        client = own_app.client("admin", business)
        campaign, (recipient,) = make(client, 1)
        tell(client, campaign, [event("late", recipient, at="2026-10-05T23:00:00Z")])
        assert list(numbers(client, campaign)) == [day]


def test_metrics_are_those_of_the_range_that_is_asked_for(own_app: Application) -> None:
    client = own_app.client()
    campaign, recipients = make(client, 28)
    days = [f"2026-10-{n:02}T12:00:00Z" for n in range(1, 29)]
    tell(client, campaign, [event(at, one, at=at) for at, one in zip(days, recipients, strict=True)])
    answer: Any = client.get(f"{PATH}/{campaign}/metrics?date_from=2026-10-10&date_to=2026-10-12").json
    assert [day["date"] for day in answer["days"]] == ["2026-10-10", "2026-10-11", "2026-10-12"]
    assert (answer["totals"]["sent"], answer["events"]["sent"], answer["date_from"]) == (3, 3, "2026-10-10")


@pytest.mark.parametrize("recipients", [50, 1000])
def test_recipients_come_with_their_last_events_in_one_statement(
    own_app: Application, recipients: int
) -> None:
    client = own_app.client()
    campaign, found = make(client, recipients)
    for hour in range(8):
        told = [event(f"{r}/{hour}", r, KINDS[hour % 4], f"2026-10-05T{hour:02}:00:00Z") for r in found]
        assert tell(client, campaign, told)["accepted"] == recipients
    seen = 0
    path = f"{PATH}/{campaign}/recipients?page_size=100&events=3&cursor="
    cursor = ""
    while cursor is not None:
        answer = client.get(path + cursor)
        assert answer.headers["X-Queries"] == "1"
        page: Any = answer.json
        for item in page["items"]:
            assert [one["occurred_at"][11:13] for one in item["events"]] == ["07", "06", "05"]
            assert item["campaign"] == {
                "id": campaign, "name": "Spring", "channel": "email", "status": "running",
            }  # fmt: skip
        seen += len(page["items"])
        cursor = page["next_cursor"]
    assert seen == recipients


@pytest.mark.parametrize("fields", ["campaign,events", "campaign", "events", "id"])
def test_a_recipients_campaign_and_events_can_be_asked_for(own_app: Application, fields: str) -> None:
    client = own_app.client()
    campaign, (recipient,) = make(client, 1)
    tell(client, campaign, [event("a", recipient, "sent", "2026-10-05T08:00:00Z")])
    answer = client.get(f"{PATH}/{campaign}/recipients?fields={fields}")
    (item,) = answer.json["items"]  # type: ignore[index]
    assert list(item) == fields.split(",")
    assert answer.headers["X-Queries"] == "1"
    assert item.get("campaign", {"name": "Spring"})["name"] == "Spring"
    assert len(item.get("events", [1])) == 1


def test_only_scheduled_and_running_campaigns_are_active(own_app: Application) -> None:
    client = own_app.client()
    campaign, _ = make(client, 1)
    active = client.get(f"{PATH}/active?page_size=100").json["items"]  # type: ignore[index]
    assert campaign in [item["id"] for item in active]
    assert {item["status"] for item in active} == {"scheduled", "running"}
    ended = client.patch(f"{PATH}/{campaign}", json={"status": "completed"}).json
    assert ended["completed_at"] is not None  # type: ignore[index]
    active = client.get(f"{PATH}/active?page_size=100").json["items"]  # type: ignore[index]
    assert campaign not in [item["id"] for item in active]


def test_addresses_that_a_campaign_has_already_are_told(own_app: Application) -> None:
    client = own_app.client()
    campaign, _ = make(client, 2)
    rows = [{"address": "1@example.com"}, {"address": "new@example.com"}, {"address": "new@example.com"}]
    added = client.post(f"{PATH}/{campaign}/recipients", json={"recipients": rows}).json
    assert added == {"added": 1, "known": ["1@example.com"], "suppressed": [], "refused": []}
    ((theirs,),) = run(own_app, "SELECT min(id) FROM leads WHERE tenant_id = %s", own_app.beta.id)
    foreign = {"recipients": [{"address": "x@example.com", "lead_id": theirs}]}
    assert client.post(f"{PATH}/{campaign}/recipients", json=foreign).status_code == 409


@pytest.mark.parametrize(("events", "senders"), [(60, 2), pytest.param(3000, 4, marks=pytest.mark.slow)])
def test_who_tells_the_same_at_once_is_counted_once(own_app: Application, events: int, senders: int) -> None:
    admin = own_app.client()
    campaign, recipients = make(admin, 10)
    choose = random.Random(11)
    told = [
        event(
            f"k{n}",
            choose.choice(recipients),
            choose.choice(KINDS),
            f"2026-10-{choose.randint(1, 9):02}T10:00:00Z",
        )
        for n in range(events)
    ]
    clients = [own_app.client() for _ in range(senders)]
    start = threading.Barrier(senders)
    accepted: list[int] = []

    def work(client: FlaskClient, order: int) -> None:
        mine = random.Random(order).sample(told, events)
        start.wait(30)
        for first in range(0, events, 20):
            accepted.append(tell(client, campaign, mine[first : first + 20])["accepted"])

    threads = [threading.Thread(target=work, args=(client, order)) for order, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert sum(accepted) == events
    wanted: dict[str, dict[str, int]] = {}
    for one in told:
        day = wanted.setdefault(one["occurred_at"][:10], {})
        day[one["kind"]] = day.get(one["kind"], 0) + 1
    assert numbers(admin, campaign) == wanted
    people = {kind: len({one["recipient_id"] for one in told if one["kind"] == kind}) for kind in KINDS}
    assert admin.get(f"{PATH}/{campaign}").json["totals"] == people  # type: ignore[index]
