"""The suppression list: who is on it gets no message of a campaign or a journey."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.application import Application
from tests.features.test_campaign_people import add, start
from tests.features.test_campaigns import PATH as CAMPAIGNS
from tests.features.test_campaigns import event, make, run, tell

PATH = "/api/suppressions"


def put(client: FlaskClient, address: str, channel: str = "email", **more: str) -> Any:
    answer = client.post(PATH, json={"address": address, "channel": channel, **more})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def listed(client: FlaskClient, query: str = "") -> list[tuple[str, str]]:
    answer: Any = client.get(f"{PATH}?sort=address&page_size=100{query}").json
    return [
        (item["address"], item["reason"]) for item in answer["items"] if "seed" not in (item["note"] or "")
    ]


def test_who_is_on_the_list_is_not_taken_into_a_campaign_in_any_spelling(own_app: Application) -> None:
    client = own_app.client()
    entry = put(client, "Kim@x.example", note="called us")
    assert (entry["reason"], entry["campaign"]) == ("manual", None)
    campaign = start(client)
    answer = add(client, campaign, "kim@X.example", "other@x.example")
    assert answer["suppressed"] == [{"address": "kim@x.example", "reason": "manual"}] and answer["added"] == 1
    # Another channel and another business have lists of their own.
    assert add(client, start(client, "phone"), "+49 30 1234")["added"] == 1
    other = own_app.client("admin", own_app.beta)
    assert add(other, start(other), "kim@x.example")["added"] == 1
    assert client.delete(f"{PATH}/{entry['id']}").json["address"] == "Kim@x.example"  # type: ignore[index]
    assert add(client, campaign, "kim@x.example")["added"] == 1
    actions = run(
        own_app,
        "SELECT action FROM audit_logs WHERE entity = 'suppression' AND entity_id = %s ORDER BY id",
        entry["id"],
    )
    assert actions == [("create",), ("delete",)]


@pytest.mark.parametrize("kind", ["unsubscribed", "bounced"])
def test_who_unsubscribes_or_bounces_is_on_the_list_and_shown_in_other_campaigns(
    own_app: Application, kind: str
) -> None:
    client = own_app.client()
    first, (recipient, _) = make(client, 2)
    second, _ = make(client, 2)
    tell(client, first, [event("s", recipient), event("u", recipient, kind), event("v", recipient, kind)])
    answer: Any = client.get(f"{CAMPAIGNS}/{second}/recipients?sort=created_at").json
    shown = {item["address"]: item["suppressed"] for item in answer["items"]}
    address = client.get(f"{CAMPAIGNS}/{first}/recipients?status={kind}").json["items"][0]["address"]  # type: ignore[index]
    assert shown[address] == kind and sorted(map(str, shown.values())) == sorted(["None", kind])
    assert add(client, start(client), address)["suppressed"] == [{"address": address, "reason": kind}]
    ((entry, campaign),) = [
        (item["reason"], item["campaign"]["id"])
        for item in client.get(f"{PATH}?q={address}").json["items"]  # type: ignore[index]
    ]
    assert (entry, campaign) == (kind, first)
    # Removed, and told the same again: what was told before does not count again.
    number = client.get(f"{PATH}?q={address}").json["items"][0]["id"]  # type: ignore[index]
    client.delete(f"{PATH}/{number}")
    tell(client, first, [event("u", recipient, kind)])
    assert add(client, start(client), address)["added"] == 1


def test_unsubscribing_outweighs_a_bounce(own_app: Application) -> None:
    client = own_app.client()
    campaign, (recipient,) = make(client, 1)
    tell(client, campaign, [event("b", recipient, "bounced")])
    tell(client, campaign, [event("u", recipient, "unsubscribed")])
    assert listed(client, "&q=0@example.com") == [("0@example.com", "unsubscribed")]


def test_the_list_refuses_what_is_no_address_and_what_is_there(own_app: Application) -> None:
    client = own_app.client()
    put(client, "kim@x.example")
    assert client.post(PATH, json={"channel": "email", "address": "KIM@x.example"}).status_code == 409
    for channel, address in (("email", "notmail"), ("email", "+49 30 555"), ("phone", "kim@x.example")):
        assert client.post(PATH, json={"channel": channel, "address": address}).status_code == 400
    put(client, "+49 (0)30 777", "phone")
    assert listed(client, "&q=004930777") == [("+49 (0)30 777", "manual")]
    exported = client.get(f"{PATH}/export?channel=phone&q=4930777").get_data(as_text=True)
    assert exported.count("\n") == 2 and "30 777" in exported


def test_an_operator_neither_sees_nor_changes_the_list(own_app: Application) -> None:
    client = own_app.client("operator")
    assert client.get(PATH).status_code == 403
    assert client.post(PATH, json={"channel": "email", "address": "a@x.example"}).status_code == 403
