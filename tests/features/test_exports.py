"""Exports: every list as CSV and as JSON lines, whole, escaped, noted, and never more of them than may be."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from opsboard.db.export_cursor import BATCH
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded
from opsboard.web.spreadsheet import FORMULAS
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.routes import routes
from tests.features.test_lists import EVERY_SORT, LISTS, pages
from tests.seed import Business

# Each list that belongs to a row -> a new parent, which has next to nothing in it.
EMPTY_PARENTS: dict[str, tuple[str, dict[str, object]]] = {
    "/api/jobs/<id:job_id>/status-links": ("/api/jobs", {"title": "No links"}),
    "/api/campaigns/<id:campaign_id>/recipients": ("/api/campaigns", {"name": "Nobody"}),
    "/api/conversations/<id:conversation_id>/messages": (
        "/api/conversations",
        {"contact_id": 1, "channel": "sms"},
    ),
    # These begin with the entry of their own creation.
    "/api/workflow-approvals/<id:approval_id>/history": ("/api/workflow-approvals", {"subject": "New"}),
    "/api/leads/<id:lead_id>/timeline": ("/api/leads", {"name": "New"}),
}


def exported(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def table(client: FlaskClient, path: str, **headers: str) -> list[list[str]]:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline=""), strict=True))


@contextmanager
def as_superuser(app: Application) -> Iterator[Any]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        yield cursor


@pytest.mark.parametrize(("path", "sort"), EVERY_SORT)
def test_every_list_in_every_sort_exports_the_rows_of_its_pages(
    app: Application, path: str, sort: str
) -> None:
    if path == "/api/audit":
        pytest.skip("an export adds to it; tested by itself")
    client = app.client()
    listed = [item for page in pages(client, f"{path}?sort={sort}&page_size=40") for item in page["items"]]
    assert exported(client, f"{path}/export?format=jsonl&sort={sort}") == listed


def test_filters_search_and_fields_are_those_of_the_list(app: Application) -> None:
    client = app.client()
    for path, query in (
        ("/api/jobs", "status=active,draft&priority=high"), ("/api/jobs", "overdue=true&fields=id,is_overdue"),
        ("/api/jobs", "q=canaryalpha-000&fields=title,id"), ("/api/customers", "q=555-01&fields=name"),
        ("/api/job-steps", "mine=true"), ("/api/users", "role=operator&is_active=true"),
        ("/api/notifications", "unread=true"), ("/api/audit", "entity=job&user_id=1"),
    ):  # fmt: skip
        listed: Any = client.get(f"{path}?{query}&page_size=100").json
        assert listed["items"], query
        assert exported(client, f"{path}/export?format=jsonl&{query}") == listed["items"]


def test_csv_has_a_column_for_each_member_and_for_those_of_objects(app: Application) -> None:
    client = app.client()
    found = table(client, "/api/jobs/export?fields=job_number,customer,progress,due_date&sort=job_number")
    listed: Any = client.get("/api/jobs?sort=job_number&page_size=100").json
    assert found[0] == [
        "job_number",
        "customer.id",
        "customer.name",
        "progress.steps",
        "progress.done",
        "due_date",
    ]
    assert found[1:] == [
        [
            job["job_number"], str(job["customer"]["id"]), job["customer"]["name"], str(job["progress"]["steps"]),
            str(job["progress"]["done"]), job["due_date"] or "",
        ]
        for job in listed["items"]
    ]  # fmt: skip


def test_formulas_are_escaped_and_everything_else_comes_back_as_it_was(own_app: Application) -> None:
    harmless = [
        'say "hi", twice',
        "two\nlines",
        "größe Ω 漢字 🔧",
        "a=1",
        " =1",
        "'quoted",
        "1,5",
        "NULL",
        "crlf\r\n;",
    ]
    formulas = [f"{sign}cmd|' /C calc'!A0" for sign in FORMULAS] + [
        "+49 30 1234",
        "-5",
        "@SUM(1)",
        '=HYPERLINK("x")',
    ]
    with as_superuser(own_app) as cursor:
        cursor.execute("DELETE FROM audit_logs; DELETE FROM job_steps; DELETE FROM jobs")
        for number, title in enumerate(harmless + formulas):
            cursor.execute(
                "INSERT INTO jobs (tenant_id, job_number, title, quantity) VALUES (%s, %s, %s, 7)",
                (own_app.alpha.id, f"N{number:04}", title),
            )
    found = table(own_app.client(), "/api/jobs/export?fields=title,quantity,customer&sort=job_number")
    assert [row[0] for row in found[1:]] == harmless + [f"'{formula}" for formula in formulas]
    assert {tuple(row[1:]) for row in found[1:]} == {("7", "", "")}
    lines = exported(own_app.client(), "/api/jobs/export?format=jsonl&fields=title&sort=job_number")
    assert [line["title"] for line in lines] == harmless + formulas


def test_it_is_a_file_with_a_name_in_utf8_and_a_mark_only_if_asked(app: Application) -> None:
    client = app.client()
    answer = client.get("/api/job-steps/export")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="job-steps-2')
    assert answer.headers["Content-Disposition"].endswith('Z.csv"')
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.data.startswith(b"id,") and b"\r\n" in answer.data
    assert client.get("/api/job-steps/export?bom=true").data.startswith(b"\xef\xbb\xbfid,")
    lines = client.get("/api/job-steps/export?format=jsonl&bom=true")
    assert lines.headers["Content-Type"].startswith("application/jsonl")
    assert lines.data.startswith(b"{")


def test_it_is_gzipped_for_those_who_take_that(app: Application) -> None:
    client = app.client()
    plain = client.get("/api/jobs/export?sort=job_number")
    packed = client.get("/api/jobs/export?sort=job_number", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data) / 2


def test_what_it_cannot_do_is_told_as_a_problem_before_anything_is_sent(app: Application) -> None:
    client = app.client()
    for query in (
        "page=1",
        "page_size=10",
        "cursor=",
        "format=xlsx",
        "fields=nothing",
        "sort=title",
        "surprise=1",
    ):
        answer = client.get(f"/api/jobs/export?{query}")
        assert answer.status_code == 400, query
        assert answer.json["errors"][0]["field"] == query.split("=")[0], query  # type: ignore[index]
    assert app.client("operator").get("/api/audit/export").status_code == 403
    assert app.client(None).get("/api/jobs/export").status_code == 401


# Its content has no name.
NAMELESS = {"/api/journeys/executions"}


def test_an_export_has_its_own_business_and_nothing_of_another(app: Application) -> None:
    for business, other in ((app.alpha, app.beta), (app.beta, app.alpha)):
        for path in LISTS:
            for form in ("csv", "jsonl"):
                text = (
                    app.client("admin", business).get(f"{path}/export?format={form}").get_data(as_text=True)
                )
                assert (business.canary in text.lower()) == (path not in NAMELESS), path
                assert other.canary not in text.lower(), path


def test_who_exported_what_is_in_the_audit_log(own_app: Application) -> None:
    client = own_app.client("operator")
    answer = client.get("/api/jobs/export?status=active&fields=id,title&format=jsonl")
    (entry,) = own_app.client().get("/api/audit?page_size=1").json["items"]  # type: ignore[index]
    assert (entry["action"], entry["entity"], entry["user"]["name"]) == (
        "export",
        "jobs",
        "canaryalpha operator",
    )
    assert entry["request_id"] == answer.headers["X-Request-Id"]
    assert entry["changes"] == {
        "status": [None, ["active"]], "fields": [None, ["id", "title"]], "format": [None, "jsonl"],
        "archived": [None, False],
    }  # fmt: skip


def test_more_rows_than_a_batch_come_once_each_and_from_one_snapshot(own_app: Application) -> None:
    with as_superuser(own_app) as cursor:
        cursor.execute(
            "INSERT INTO customers (tenant_id, name) SELECT %s, 'many ' || n FROM generate_series(1, %s) AS n",
            (own_app.alpha.id, 2 * BATCH),
        )
        answer = own_app.client().get(
            "/api/customers/export?format=jsonl&sort=created_at&fields=id", buffered=False
        )
        parts = iter(answer.response)
        begun = next(parts)
        cursor.execute("DELETE FROM customers WHERE name LIKE 'many %'")
        cursor.execute("INSERT INTO customers (tenant_id, name) VALUES (%s, 'late')", (own_app.alpha.id,))
        ids = [json.loads(line)["id"] for line in b"".join((begun, *parts)).splitlines()]
    assert len(ids) == len(set(ids)) == 2 * BATCH + 12
    assert ids == sorted(ids)


def lent(app: Application) -> int:
    return app.services.database.pool.get_stats()["pool_lent"]


def many(app: Application) -> None:
    with as_superuser(app) as cursor:
        cursor.execute(
            "INSERT INTO customers (tenant_id, name) SELECT %s, 'many ' || n FROM generate_series(1, %s) AS n",
            (app.alpha.id, 3 * BATCH),
        )


def test_a_reader_that_goes_away_gives_the_connection_back_at_once(own_app: Application) -> None:
    many(own_app)
    client = own_app.client()
    unread = client.get("/api/customers/export", buffered=False)
    begun = client.get("/api/customers/export", buffered=False)
    next(iter(begun.response))
    assert lent(own_app) == 2
    unread.close()
    assert lent(own_app) == 1
    begun.close()
    assert lent(own_app) == 0
    assert table(client, "/api/customers/export?fields=id")[0] == ["id"]


def test_exports_beyond_the_most_are_503_and_requests_still_find_connections(
    cluster: Any, seeded: tuple[str, Business, Business]
) -> None:
    name, alpha, beta = seeded
    settings = {"export_most": 5, "db_pool_max_connections": 4, "db_pool_timeout": 0.5}
    with (
        fresh_database(cluster, name) as database,
        running_application(database, alpha, beta, **settings) as app,
    ):
        many(app)
        client = app.client()
        open_ones = [client.get("/api/customers/export", buffered=False) for _ in range(2)]
        refused = client.get("/api/customers/export")
        assert (refused.status_code, refused.json["code"]) == (503, "too_many_exports")  # type: ignore[index]
        assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/api/customers").status_code == 200
        open_ones.pop().close()
        assert client.get("/api/jobs/export").status_code == 200
        open_ones.pop().close()


def test_an_error_in_the_middle_breaks_the_answer_off(own_app: Application) -> None:
    many(own_app)
    answer = own_app.client().get("/api/customers/export", buffered=False)
    parts = iter(answer.response)
    next(parts)
    with as_superuser(own_app) as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND datname = current_database()"
        )
    with pytest.raises(DatabaseUnavailable):
        list(parts)
    assert lent(own_app) == 0
    assert own_app.client().get("/api/customers/export").status_code == 200


def test_an_export_may_outlast_the_deadline_of_requests_but_not_its_own(
    cluster: Any, seeded: tuple[str, Business, Business]
) -> None:
    name, alpha, beta = seeded
    settings = {"request_deadline": 1.0, "export_deadline": 3.0}
    with (
        fresh_database(cluster, name) as database,
        running_application(database, alpha, beta, **settings) as app,
    ):
        many(app)
        app.client()
        answer = app.client().get("/api/customers/export?format=jsonl&fields=id", buffered=False)
        rows = 0

        def read_slowly() -> None:
            nonlocal rows
            with as_superuser(app) as cursor:
                for part in answer.response:
                    rows += part.count(b"\n")  # type: ignore[arg-type]
                    cursor.execute("SELECT pg_sleep(1.3)")

        with pytest.raises(DeadlineExceeded):
            read_slowly()
        assert BATCH < rows < 3 * BATCH
        assert lent(app) == 0


def test_the_export_of_a_sub_list_without_rows_is_an_empty_file(own_app: Application) -> None:
    client = own_app.client()
    lists = {
        route.rule.removesuffix("/export") for route in routes(own_app) if route.rule.endswith("/export")
    }
    sub_lists = {rule for rule in lists if "<id:" in rule}
    assert sub_lists == EMPTY_PARENTS.keys()
    empty = 0
    for rule, (path, body) in EMPTY_PARENTS.items():
        parent = client.post(path, json=body)
        assert parent.status_code == 201, parent.get_data(as_text=True)
        address = re.sub("<id:[a-z_]+>", str(parent.json["id"]), rule)  # type: ignore[index]
        items = client.get(address).json["items"]  # type: ignore[index]
        assert exported(client, f"{address}/export?format=jsonl") == items
        assert len(table(client, f"{address}/export")) == 1 + len(items)
        empty += items == []
        missing = re.sub("<id:[a-z_]+>", "987654321", rule)
        assert client.get(f"{missing}/export").status_code == 404
    assert empty >= 3


def test_exports_of_one_business_leave_one_to_another(
    cluster: Any, seeded: tuple[str, Business, Business]
) -> None:
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as app:
        many(app)
        other = app.client(business=beta)
        assert other.get("/api/customers/export").status_code == 200
        app.services.businesses.seen(beta.id)
        client = app.client()
        begun = client.get("/api/customers/export", buffered=False)
        assert client.get("/api/customers/export").status_code == 503
        assert other.get("/api/customers/export").status_code == 200
        begun.close()
        assert client.get("/api/customers/export").status_code == 200
