"""Campaigns count people: one person is one recipient, events have keys of their own, nothing comes from the future."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.application import Application
from tests.features.test_campaigns import PATH, event, make, tell


def start(client: FlaskClient, channel: str = "email") -> int:
    answer: Any = client.post(PATH, json={"name": "One", "channel": channel, "status": "running"}).json
    number: int = answer["id"]
    return number


def add(client: FlaskClient, campaign: int, *addresses: str) -> Any:
    body = {"recipients": [{"address": address} for address in addresses]}
    answer = client.post(f"{PATH}/{campaign}/recipients", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def addresses(client: FlaskClient, campaign: int) -> list[str]:
    answer: Any = client.get(f"{PATH}/{campaign}/recipients").json
    return [item["address"] for item in answer["items"]]


def test_one_person_is_one_recipient_in_whatever_spelling(own_app: Application) -> None:
    client = own_app.client()
    campaign = start(client)
    answer = add(
        client, campaign, "Kim@X.example", "kim@x.example", "jose\u0301@x.example", "JOS\u00c9@x.example"
    )
    assert answer == {"added": 2, "known": [], "suppressed": [], "refused": []}
    # The first spelling stays, in composed characters and with the domain in lower case.
    assert sorted(addresses(client, campaign)) == ["Kim@x.example", "jos\u00e9@x.example"]
    again = add(client, campaign, "KIM@x.example", "jose@x.example")
    assert again["known"] == ["KIM@x.example"] and again["added"] == 1


@pytest.mark.parametrize(
    ("channel", "good", "bad"),
    [
        ("email", "a@x.example", ["notmail", "@x.example", "a@x.example;b@x.example", "a@x.de\u200b", "+49 30 5"]),
        ("whatsapp", "+49 (0)30 555", ["notmail", "a@x.example", "12", ""]),
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_channel_is_refused_alone(
    own_app: Application, channel: str, good: str, bad: list[str]
) -> None:
    client = own_app.client()
    campaign = start(client, channel)
    answer = add(client, campaign, good, *bad)
    assert answer["added"] == 1 and addresses(client, campaign) == [good]
    assert {one["address"] for one in answer["refused"]} == set(bad)
    assert all(one["message"].startswith("is ") for one in answer["refused"])


def test_a_number_is_one_with_spaces_country_code_and_zero_in_brackets(own_app: Application) -> None:
    client = own_app.client()
    campaign = start(client, "phone")
    assert add(client, campaign, "+49 (0)30 555-12", "0049 30 55512", "+49 30 555 12")["added"] == 1


def test_totals_count_people_and_events_count_events(own_app: Application) -> None:
    client = own_app.client()
    campaign, (first, second) = make(client, 2)
    opened = [event(f"o{n}", first, "opened") for n in range(3)]
    tell(client, campaign, [event("s1", first), event("s2", second), *opened])
    tell(
        client,
        campaign,
        [event("o9", first, "opened", at="2026-10-06T12:00:00Z"), event("c", first, "clicked")],
    )
    one: Any = client.get(f"{PATH}/{campaign}").json
    assert (one["totals"]["sent"], one["totals"]["opened"], one["totals"]["clicked"]) == (2, 1, 1)
    assert (one["events"]["sent"], one["events"]["opened"], one["events"]["clicked"]) == (2, 4, 1)
    for status, n in one["recipients"].items():
        listed: Any = client.get(f"{PATH}/{campaign}/recipients?status={status}").json
        assert listed["total"] == n
    metrics: Any = client.get(f"{PATH}/{campaign}/metrics?date_from=2026-10-06&date_to=2026-10-06").json
    # Opened for the first time the day before.
    assert (metrics["totals"]["opened"], metrics["events"]["opened"]) == (0, 1)


def test_events_are_numbered_in_each_campaign_by_itself(own_app: Application) -> None:
    client = own_app.client()
    for _ in range(2):
        campaign, (recipient,) = make(client, 1)
        assert tell(client, campaign, [event("1", recipient)])["accepted"] == 1
        assert tell(client, campaign, [event("1", recipient)])["duplicates"] == ["1"]


@pytest.mark.parametrize(("minutes", "status"), [(-1, 200), (2, 200), (20, 400), (60 * 24 * 400, 400)])
def test_an_event_of_the_future_is_refused(own_app: Application, minutes: int, status: int) -> None:
    client = own_app.client()
    campaign, (recipient,) = make(client, 1)
    at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()
    body = {"events": [event("e", recipient, at=at)]}
    answer: Any = client.post(f"{PATH}/{campaign}/events", json=body)
    assert answer.status_code == status
    if status == 400:
        assert "future" in answer.json["errors"][0]["message"]
        assert tell(client, campaign, [event("e", recipient)])["accepted"] == 1


@pytest.mark.parametrize(("path", "member", "more"), [
    ("/api/calls", "started_at", {"status": "missed"}), ("/api/leads", "scraped_at", {"name": "L"}),
])  # fmt: skip
def test_other_things_that_happened_are_not_in_the_future_either(
    own_app: Application, path: str, member: str, more: dict[str, str]
) -> None:
    assert own_app.client().post(path, json={member: "2099-01-01T00:00:00Z", **more}).status_code == 400
