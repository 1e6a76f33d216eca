"""An anonymised person is in no text of any table, and all counts stay as they are."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from tests.application import Application, run

NAME, EMAIL, PHONE = "Zelda Quuxmann", "zelda.quuxmann@quux.example", "+49 30 7771234"
OLD = {"name": "Zelma Quuxfeld", "email": "zelma@quux.example", "phone": "+49 30 7779999"}
TRACES = ("quux", "zelda", "zelma", "7771234", "777 1234", "777-12-34", "7779999")
TEXTS = """
    SELECT n.nspname, c.relname, a.attname
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE n.nspname IN ('public', 'partitions') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND t.typname IN ('text', '_text', 'varchar', 'json', 'jsonb', 'bytea', 'name')
"""


def places(application: Application) -> list[str]:
    """Every column of every table and partition that has a trace of the person."""
    found = []
    url = application.database.superuser_url
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(TEXTS)
        columns = cursor.fetchall()
        assert len(columns) > 150
        for schema, table, column in columns:
            cursor.execute(
                sql.SQL("SELECT count(*) FROM {}.{} WHERE {}::text ILIKE ANY(%s)").format(
                    *map(sql.Identifier, (schema, table, column))
                ),
                ([f"%{trace}%" for trace in TRACES],),
            )
            found += [f"{table}.{column}"] if cursor.fetchone() != (0,) else []
    return found


def spread(application: Application) -> None:
    """The person in free texts, lists of addresses, messages and the audit log of other records."""
    tenant = application.alpha.id
    text = f"Ask {NAME.upper()} ({EMAIL}, 030/777-12-34)"
    for statement in (
        "UPDATE jobs SET description = %s WHERE tenant_id = %s AND id = 1",
        "UPDATE jobs SET title = left(%s, 200) WHERE tenant_id = %s AND id = 2",
        "UPDATE notifications SET body = %s WHERE tenant_id = %s AND id = 1",
        "UPDATE call_log SET notes = %s WHERE tenant_id = %s AND id = 1",
        "UPDATE jobs SET own_fields = jsonb_build_object('by', %s, 'n', 49307771234) WHERE tenant_id = %s AND id = 3",
        "UPDATE audit_logs SET changes = jsonb_build_object('title', jsonb_build_array(NULL, %s)) "
        "WHERE tenant_id = %s AND id = 2",
        "INSERT INTO messages (conversation_id, direction, body, tenant_id, from_number) "
        "SELECT min(id), 'in', %s, %s, '+49 (0)30 7771234' FROM conversations",
    ):
        run(application, statement, text, tenant)
    run(application, "UPDATE messages SET created_at = now() - interval '40 days' WHERE body LIKE 'Ask%%'")
    for address in (EMAIL, "0049 30 777 1234"):
        run(
            application,
            "INSERT INTO suppressions (tenant_id, channel, address) VALUES (%s, 'phone', %s)",
            tenant,
            address,
        )
        run(
            application,
            "INSERT INTO campaign_recipients (tenant_id, campaign_id, address, name, external_id) "
            "SELECT %s, min(id), %s, %s, %s FROM campaigns WHERE tenant_id = %s",
            tenant,
            address,
            NAME,
            f"1/{address}/{EMAIL}",
            tenant,
        )


@pytest.mark.parametrize("area", ["customers", "contacts", "leads", "users"])
def test_nothing_of_a_person_is_left_in_any_table(own_app: Application, area: str) -> None:
    client = own_app.client()
    path = make(own_app, area)
    spread(own_app)
    assert len(places(own_app)) > 12
    counts: Any = client.get("/api/dashboard/stats").json
    refused = client.post(
        f"{path}/anonymise", json={"confirm": "anonymise", "name": "Zelda"}, headers={"Idempotency-Key": "k1"}
    )
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")  # type: ignore[index]
    answer = client.post(
        f"{path}/anonymise", json={"confirm": "anonymise", "name": NAME}, headers={"Idempotency-Key": "k2"}
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert places(own_app) == []
    assert run(own_app, "SELECT count(*) FROM rollup_differences(%s)", own_app.alpha.id) == [(0,)]
    own_app.poll_changes()
    after: Any = client.get("/api/dashboard/stats").json
    for moving in ("as_of", "campaigns"):  # the time of the answer, and of the last change of a recipient
        assert counts.pop(moving) is not None and after.pop(moving) is not None
    assert after == counts
    again = client.post(f"{path}/anonymise", json={"confirm": "anonymise", "name": NAME})
    assert (again.status_code, "has been anonymised" in again.get_data(as_text=True)) == (409, True)
    last: Any = client.get("/api/audit?page_size=1").json["items"][0]  # type: ignore[index]
    assert (last["action"], last["changes"]) == ("anonymise", {})
    # Others are as they were, and the texts around the name, too.
    assert run(own_app, "SELECT description FROM jobs WHERE id = 1 AND tenant_id = %s", own_app.alpha.id) == [
        ("Ask *** (***, ***)",)
    ]
    assert "canaryalpha" in client.get("/api/customers/1").get_data(as_text=True)


def make(application: Application, area: str) -> str:
    """The person, changed once, so that the audit log has their earlier name, too."""
    client = application.client()
    if area == "users":
        made: Any = client.post(
            "/api/users", json={"email": EMAIL, "full_name": OLD["name"], "role": "operator"}
        ).json
        change: dict[str, Any] = {"full_name": NAME, "is_active": False}
        run(
            application,
            "UPDATE audit_logs SET changes = changes || jsonb_build_object('phone', jsonb_build_array(%s, %s)) "
            "WHERE entity = 'user' AND entity_id = %s",
            OLD["phone"],
            PHONE,
            made["id"],
        )
    else:
        made = client.post(f"/api/{area}", json=OLD).json
        change = {"name": NAME, "email": EMAIL, "phone": PHONE}
    path = f"/api/{area}/{made['id']}"
    assert client.patch(path, json=change).status_code == 200
    return path


def test_only_an_inactive_user_is_anonymised_and_only_by_an_admin(own_app: Application) -> None:
    body = {"confirm": "anonymise"}
    (operator,) = run(
        own_app, "SELECT id FROM users WHERE tenant_id = %s AND role = 'operator' LIMIT 1", own_app.alpha.id
    )[0]
    path = f"/api/users/{operator}/anonymise"
    assert own_app.client("manager").post(path, json=body).status_code == 403
    answer = own_app.client().post(path, json=body)
    assert (answer.status_code, "Deactivate" in answer.get_data(as_text=True)) == (409, True)


def test_a_name_in_another_name_and_another_business_stay(own_app: Application) -> None:
    client, other = own_app.client(), own_app.client("admin", own_app.beta)
    made: Any = client.post("/api/customers", json={"name": "Ann"}).json
    for app in (client, other):
        assert app.post("/api/jobs", json={"title": "Annual plan for Ann"}).status_code == 201
    assert (
        client.post(f"/api/customers/{made['id']}/anonymise", json={"confirm": "anonymise"}).status_code
        == 200
    )
    titles = [app.get("/api/jobs?page_size=1").json["items"][0]["title"] for app in (client, other)]  # type: ignore[index]
    assert titles == ["Annual plan for ***", "Annual plan for Ann"]


def test_two_records_of_one_address_are_anonymised_one_after_the_other(own_app: Application) -> None:
    client = own_app.client()
    for name in ("Bo Vance", "Bo V. Vance"):
        assert (
            client.post("/api/customers", json={"name": name, "email": "bo@vance.example"}).status_code == 201
        )
    found: Any = client.get("/api/customers?q=vance&sort=name").json
    for item in reversed(found["items"]):
        body = {"confirm": "anonymise", "name": item["name"]}
        assert client.post(f"/api/customers/{item['id']}/anonymise", json=body).status_code == 200
