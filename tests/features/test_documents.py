"""Documents: noted with who uploaded them, counted by type and month, worked with one at a time."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from tests.application import Application, run

NEW = {"title": "Drawing of a flange", "file_name": "flange.dwg", "document_type": "drawing", "size_bytes": 5}


def test_a_noted_document_is_at_its_location_and_in_the_audit_log(own_app: Application) -> None:
    client = own_app.client("operator")
    answer = client.post("/api/documents", json=NEW)
    assert answer.status_code == 201
    kept: dict[str, Any] = client.get(answer.headers["Location"]).json  # type: ignore[assignment]
    assert {name: kept[name] for name in NEW} == NEW
    assert kept["user"]["name"] == f"{own_app.alpha.canary} operator"
    newest = own_app.client().get("/api/audit?entity=document").json["items"][0]  # type: ignore[index]
    assert (newest["action"], newest["entity_id"]) == ("create", kept["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"file_name": "x" * 256},
        {"document_type": "poem"},
        {"size_bytes": -1},
        {"sha256": "abc"},
        {"media_type": "x" * 101},
    ],
)
def test_what_is_no_document_is_refused(app: Application, wrong: dict[str, Any]) -> None:
    assert app.client().post("/api/documents", json=NEW | wrong).status_code == 400


def test_analytics_are_what_counting_gives_and_follow_every_write(own_app: Application) -> None:
    client = own_app.client()
    for write in (
        "SELECT 1",
        "UPDATE documents SET document_type = 'report' WHERE document_type = 'drawing'",
        "UPDATE documents SET uploaded_at = uploaded_at - interval '70 days' WHERE id % 2 = 0",
        "DELETE FROM documents WHERE id % 5 = 0",
        "SELECT fold_rollups(1000000)",
        "INSERT INTO documents (tenant_id, title, file_name) SELECT tenant_id, 'n', 'n' FROM documents",
    ):
        run(own_app, write)
        own_app.services.store.clear()
        answer: dict[str, Any] = client.get("/api/documents/analytics?months=12").json  # type: ignore[assignment]
        documents = run(
            own_app,
            "SELECT document_type, to_char(uploaded_at AT TIME ZONE 'UTC', 'YYYY-MM') "
            "FROM documents WHERE tenant_id = %s",
            own_app.alpha.id,
        )
        types = Counter(kind for kind, _ in documents)
        assert {item["document_type"]: item["count"] for item in answer["types"] if item["count"]} == types
        assert answer["total"] == len(documents) > 0
        months = Counter(month for _, month in documents)
        assert len(answer["months"]) == 12
        for item in answer["months"]:
            assert item["count"] == months[item["month"]], write
            of_month = Counter(kind for kind, month in documents if month == item["month"])
            assert {kind: n for kind, n in item["types"].items() if n} == of_month
            assert client.get(item["link"]).json["total"] == item["count"]  # type: ignore[index]
        assert run(own_app, "SELECT d.* FROM rollup_differences(%s) AS d", own_app.alpha.id) == []


def test_a_truncated_table_counts_nothing(own_app: Application) -> None:
    # With CASCADE the users would go as well: they refer to documents.
    run(own_app, "ALTER TABLE users DROP CONSTRAINT users_active_document_fkey")
    run(own_app, "TRUNCATE documents")
    assert own_app.client().get("/api/documents/analytics").json["total"] == 0  # type: ignore[index]


def test_a_wrong_count_is_seen_and_mended(own_app: Application) -> None:
    run(own_app, "SELECT fold_rollups(1000000)")
    run(own_app, "UPDATE rollups SET n = n + 3 WHERE metric = 'documents' AND label = 'photo'")
    found = run(own_app, "SELECT metric, label, kept - counted FROM rollup_differences(%s)", own_app.alpha.id)
    assert found == [("documents", "photo", 3)]
    run(own_app, "DELETE FROM changes")
    assert run(own_app, "SELECT rebuild_rollups(%s)", own_app.alpha.id) == [(1,)]
    # Cached answers made from the wrong count are dropped.
    assert run(own_app, "SELECT c.tenant_id FROM changes AS c WHERE c.table_name = 'documents'") != []
    assert run(own_app, "SELECT metric FROM rollup_differences(%s)", own_app.alpha.id) == []


def test_analytics_are_kept_until_a_document_comes(own_app: Application) -> None:
    client = own_app.client()
    before = client.get("/api/documents/analytics")
    until = time.monotonic() + 10
    while (kept := client.get("/api/documents/analytics")).headers["X-Cache"] != "HIT":
        assert time.monotonic() < until, "it is never kept"
    assert kept.headers["X-Queries"] == "0"
    client.post("/api/documents", json=NEW)
    after = client.get("/api/documents/analytics")
    assert after.headers["X-Cache"] == "MISS"
    assert after.json["total"] == before.json["total"] + 1  # type: ignore[index]


def test_somebody_works_with_one_document_at_a_time(own_app: Application) -> None:
    client = own_app.client("operator")
    first, second = (client.get("/api/documents").json["items"][n]["id"] for n in (0, 1))  # type: ignore[index]
    for document in (first, second):
        assert client.post(f"/api/documents/{document}/activate").json["id"] == document  # type: ignore[index]
    name = f"{own_app.alpha.canary} operator"

    def readers(document: int) -> list[str]:
        kept: Any = client.get(f"/api/documents/{document}").json
        return [person["name"] for person in kept["active_for"]]

    assert name in readers(second)
    assert name not in readers(first)


def test_filters_narrow_and_combine(app: Application) -> None:
    client = app.client()
    everything: Any = client.get("/api/documents?page_size=100").json
    person = everything["items"][0]["user"]["id"]
    for query, keeps in (
        ("document_type=drawing", lambda item: item["document_type"] == "drawing"),
        (f"user_id={person}", lambda item: item["user"]["id"] == person),
        (
            f"user_id={person}&document_type=drawing",
            lambda item: (item["user"]["id"], item["document_type"]) == (person, "drawing"),
        ),
    ):
        found: Any = client.get(f"/api/documents?page_size=100&{query}").json
        assert found["total"] == len(found["items"]) == sum(map(keeps, everything["items"])) > 0


def test_people_come_with_their_documents_in_one_statement(own_app: Application) -> None:
    client, worker = own_app.client(), own_app.client("operator")
    first, second = (
        worker.post("/api/documents", json=NEW | {"title": title}).json for title in ("one", "two")
    )
    run(own_app, "UPDATE documents SET uploaded_at = '2020-01-01' WHERE id = %s", second["id"])  # type: ignore[index]
    run(own_app, "UPDATE documents SET uploaded_at = '2040-01-01' WHERE id = %s", first["id"])  # type: ignore[index]
    assert worker.post(f"/api/documents/{second['id']}/activate").status_code == 200  # type: ignore[index]
    answer = client.get("/api/documents/people?page_size=100")
    assert answer.headers["X-Queries"] == "1"
    people: list[dict[str, Any]] = answer.json["items"]  # type: ignore[index]
    counted = run(
        own_app, "SELECT user_id, count(*) FROM documents WHERE tenant_id = %s GROUP BY 1", own_app.alpha.id
    )
    assert {one["id"]: one["documents"] for one in people if one["documents"]} == {
        user: number for user, number in counted if user
    }
    mine = next(one for one in people if one["full_name"].endswith(" operator"))
    assert (mine["latest"]["title"], mine["active_document"]["title"]) == ("one", "two")
    assert answer.json["total"] == len(people) == len(own_app.client().get("/api/users").json["items"])  # type: ignore[index]
    assert worker.get("/api/documents/people").status_code == 403
    # Only what is asked for.
    only = client.get("/api/documents/people?fields=full_name,latest&q=canary").json["items"]  # type: ignore[index]
    assert all(list(one) == ["full_name", "latest"] for one in only)
