"""Conversations: unread messages counted exactly while many write and read, and no writer waits for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from opsboard.db.queries import load_queries
from tests.application import Application, run
from tests.contract.catalogue import VALUES
from tests.contract.test_every_query import explain, nodes

sql = load_queries("opsboard.features.conversations")


def vacuum(app: Application) -> None:
    """Vacuum the folded deltas, as autovacuum does in time."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE rollups, rollup_deltas, messages, conversations, contacts")


def begin(client: FlaskClient, name: str = "Grace") -> int:
    """A new conversation with a new contact."""
    contact: Any = client.post("/api/contacts", json={"name": name, "phone": "(0)30-77"}).json
    answer = client.post("/api/conversations", json={"contact_id": contact["id"]})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return int(answer.json["id"])  # type: ignore[index]


def add(client: FlaskClient, conversation: int, direction: str = "in", body: str = "Hello") -> dict[str, Any]:
    answer = client.post(
        f"/api/conversations/{conversation}/messages", json={"body": body, "direction": direction}
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def unread(client: FlaskClient, conversation: int) -> int:
    return int(client.get(f"/api/conversations/{conversation}").json["unread"])  # type: ignore[index]


def test_what_is_received_is_unread_until_somebody_marks_it_read(own_app: Application) -> None:
    client = own_app.client()
    conversation = begin(client)
    assert unread(client, conversation) == 0
    for _ in range(3):
        add(client, conversation)
    add(client, conversation, "out")
    assert unread(client, conversation) == 3
    assert client.post(f"/api/conversations/{conversation}/read").json["read"] == 3  # type: ignore[index]
    assert unread(client, conversation) == 0
    add(client, conversation)
    run(own_app, "SELECT fold_rollups(1000000)")
    assert unread(client, conversation) == 1
    listed: Any = client.get("/api/conversations").json["items"][0]  # type: ignore[index]
    assert (listed["id"], listed["unread"], listed["last_message"]["body"]) == (conversation, 1, "Hello")


def test_messages_come_newest_first_page_by_page_each_once(own_app: Application) -> None:
    client = own_app.client()
    conversation = begin(client)
    sent = [add(client, conversation, body=f"message {n}")["id"] for n in range(11)]
    path = f"/api/conversations/{conversation}/messages"
    answer: Any = client.get(f"{path}?page_size=4").json
    assert answer["total"] == 11
    seen = [item["id"] for item in answer["items"]]
    while answer["next_cursor"]:
        # Messages that arrive meanwhile do not move the pages.
        add(client, conversation, "out")
        answer = client.get(f"{path}?page_size=4&cursor={answer['next_cursor']}").json
        seen += [item["id"] for item in answer["items"]]
    assert seen == sorted(sent, reverse=True)
    assert client.get("/api/conversations/999999/messages").status_code == 404


def test_numbers_are_those_of_the_business_and_the_contact(own_app: Application) -> None:
    client = own_app.client()
    run(own_app, "UPDATE business_settings SET whatsapp_number = '+49 1'")
    conversation = begin(client)
    received, sent = add(client, conversation), add(client, conversation, "out")
    assert (received["from_number"], received["to_number"], received["sent_by"]) == (
        "(0)30-77",
        "+49 1",
        None,
    )
    assert (sent["from_number"], sent["to_number"]) == ("+49 1", "(0)30-77")
    assert sent["sent_by"]["name"] == f"{own_app.alpha.canary} admin"
    found: Any = client.get("/api/conversations/messages?to_number=(0)30-77").json
    assert [item["id"] for item in found["items"]] == [sent["id"]]


def test_there_is_one_conversation_for_a_contact_and_channel(own_app: Application) -> None:
    client = own_app.client()
    begin(client)
    contact = client.get("/api/contacts").json["items"][0]["id"]  # type: ignore[index]
    answer = client.post("/api/conversations", json={"contact_id": contact})
    assert (answer.status_code, answer.json["detail"]) == (  # type: ignore[index]
        409, "There is a conversation with this contact on this channel already.",
    )  # fmt: skip
    assert (
        client.post("/api/conversations", json={"contact_id": contact, "channel": "sms"}).status_code == 201
    )
    kept: Any = client.get(f"/api/contacts/{contact}").json
    assert [one["channel"] for one in kept["conversations"]] == ["sms", "whatsapp"]


def test_a_writer_waits_for_no_other_that_has_not_committed(own_app: Application) -> None:
    client = own_app.client()
    conversation = begin(client)
    parameters = VALUES | {
        "tenant_id": own_app.alpha.id, "conversation_id": conversation, "direction": "in", "body": "slow",
    }  # fmt: skip
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        # One that holds the row, and one that marks read, neither committed.
        cursor.execute(sql.add_message.sql, parameters)
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as other,
            other.cursor() as second,
        ):
            second.execute("SET lock_timeout = '500ms'")
            second.execute(sql.mark_read.sql, parameters)
            second.execute(sql.add_message.sql, parameters)
            assert unread(client, conversation) == 0
            other.commit()
        assert unread(client, conversation) == 1
        connection.commit()
    assert unread(client, conversation) == 2


@pytest.mark.parametrize(
    "writers",
    [
        pytest.param(8, id="8 writers"),
        pytest.param(60, id="60 writers", marks=pytest.mark.slow),
    ],
)
def test_unread_is_exact_under_many_writers_and_readers(own_app: Application, writers: int) -> None:
    """Each answer is checked against a recount in the same snapshot; in the end all agree."""
    clients = [own_app.client(role) for role in ("admin", "manager", "operator")]
    conversations = [begin(clients[0], f"c{n}") for n in range(2)]
    done = threading.Event()
    wrong: list[Any] = []

    def write(number: int) -> None:
        for turn in range(12):
            add(clients[number % 3], conversations[turn % 2], "in" if turn % 4 else "out")

    def mark() -> None:
        while not done.is_set():
            for conversation in conversations:
                clients[1].post(f"/api/conversations/{conversation}/read")

    def check() -> None:
        while not done.is_set():
            wrong.extend(run(own_app, DIFFERING))
            run(own_app, "SELECT fold_rollups(50)")

    others = [threading.Thread(target=mark), threading.Thread(target=check)]
    for thread in others:
        thread.start()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    done.set()
    for thread in others:
        thread.join()
    assert wrong == []
    assert run(own_app, DIFFERING) == []
    for conversation in conversations:
        received, read = run(
            own_app,
            "SELECT count(*), (SELECT r.read_count FROM conversation_reads AS r WHERE r.conversation_id = %s) "
            "FROM messages AS m WHERE m.conversation_id = %s AND m.direction = 'in'",
            conversation, conversation,
        )[0]  # fmt: skip
        assert received == writers * (3 if conversation == conversations[0] else 6)
        assert unread(clients[0], conversation) == received - read >= 0
        clients[0].post(f"/api/conversations/{conversation}/read")
        assert unread(clients[0], conversation) == 0


# Kept counts that are not those of the messages, and reads of more than was ever received; in one snapshot.
DIFFERING = """
SELECT d.metric, d.subject, d.kept, d.counted
FROM tenants AS t
CROSS JOIN LATERAL rollup_differences(t.id) AS d
UNION ALL
SELECT 'read', r.conversation_id, r.read_count, count(m.id)
FROM conversation_reads AS r
LEFT JOIN messages AS m ON m.conversation_id = r.conversation_id AND m.direction = 'in'
GROUP BY r.conversation_id, r.read_count
HAVING r.read_count > count(m.id)
"""


def test_an_unread_count_reads_as_few_rows_for_5000_messages_as_for_5(own_app: Application) -> None:
    client = own_app.client()
    # Enough others, or a look through all counts is rightly the cheapest.
    for statement in (
        "INSERT INTO contacts (tenant_id, name) SELECT %s, 'one of many' FROM generate_series(1, 4000)",
        "INSERT INTO conversations (tenant_id, contact_id) "
        "SELECT k.tenant_id, k.id FROM contacts AS k WHERE k.tenant_id = %s AND k.name = 'one of many'",
        "INSERT INTO messages (tenant_id, conversation_id, direction, body) "
        "SELECT v.tenant_id, v.id, 'in', 'x' FROM conversations AS v WHERE v.tenant_id = %s",
    ):
        run(own_app, statement, own_app.alpha.id)
    read = []
    for many in (5, 5000):
        conversation = begin(client, f"of {many}")
        run(
            own_app,
            "INSERT INTO messages (tenant_id, conversation_id, direction, body) "
            "SELECT %s, %s, 'in', 'x' FROM generate_series(1, %s)",
            own_app.alpha.id, conversation, many,
        )  # fmt: skip
        run(own_app, "SELECT fold_rollups(1000000)")
        vacuum(own_app)
        assert unread(client, conversation) == many
        parameters = VALUES | {"tenant_id": own_app.alpha.id, "conversation_id": conversation}
        plan = explain(own_app, sql.get_conversation.sql, parameters, ", ANALYZE, TIMING OFF")
        read.append(sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan)))
    assert read[0] == read[1] < 40
