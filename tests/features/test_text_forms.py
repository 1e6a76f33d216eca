"""Text that looks the same is stored once, found and signed in with, whichever form it is sent in."""

from __future__ import annotations

import types
import typing
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from pydantic import AfterValidator

from opsboard.db.migrations import Migrator
from opsboard.errors import CommandError
from opsboard.tenants.adding import add_user
from opsboard.web.arguments import Arguments, stored
from tests.application import Application
from tests.clusters import FreshDatabase

NAME = "Jos\u00e9 Stra\u00dfe"
WRITES = [
    ("/api/customers", "name"), ("/api/contacts", "name"), ("/api/leads", "name"), ("/api/journeys", "name"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "member"), WRITES)
def test_what_is_sent_decomposed_is_stored_composed_and_found_in_all_spellings(
    own_app: Application, path: str, member: str
) -> None:
    client = own_app.client()
    sent = "\ufeff" + unicodedata.normalize("NFD", NAME) + " \u200b"
    made: Any = client.post(path, json={member: sent}).json
    assert made[member] == NAME
    for search in (NAME, sent, "JOSE\u0301 STRASSE", "jose", "\uff2aos"):
        found: Any = client.get(path, query_string={"q": search}).json
        assert [item["id"] for item in found["items"]] == [made["id"]], ascii(search)


def test_a_job_number_is_one_in_both_forms(own_app: Application) -> None:
    client = own_app.client()
    assert client.post("/api/jobs", json={"title": "a", "job_number": "\u00c9-1"}).status_code == 201
    for number in ("E\u0301-1", "\u00c9-\u200b1", "\u00c9-1\u200b"):
        assert client.post("/api/jobs", json={"title": "b", "job_number": number}).status_code == 409


@pytest.mark.parametrize("path", ["/api/customers", "/api/contacts", "/api/leads"])
def test_people_are_found_by_address_and_number_and_no_other_text_is_an_address(
    own_app: Application, path: str
) -> None:
    client = own_app.client()
    body = {"name": "Zz", "email": "Kim.Sand@Zz.example", "phone": "+49 (0)30 999 12-0"}
    number = client.post(path, json=body).json["id"]  # type: ignore[index]
    numbers = ("+49 (0)30 999", "+49 30 99912", "0049 30 999 12-0", "49 (0)30 9")
    for search in ("kim.sand@zz", "KIM.SAND@ZZ.EXAMPLE", *numbers):
        found: Any = client.get(path, query_string={"q": search}).json
        assert [item["id"] for item in found["items"]] == [number], search
    for wrong in ("a", "@b", "a@x.de\u200b", "a@x.de;b@x.de"):
        assert client.post(path, json={"name": "x", "email": wrong}).status_code == 400, wrong
        assert client.patch(f"{path}/{number}", json={"email": wrong}).status_code == 400, wrong


def test_settings_take_an_address_only(own_app: Application) -> None:
    client = own_app.client()
    body: Any = {**client.get("/api/settings").json}  # type: ignore[dict-item]
    body = {name: value for name, value in body.items() if name not in ("updated_at", "created_at")}
    assert client.put("/api/settings", json={**body, "contact_email": "a@b@c"}).status_code == 400


def test_sign_in_takes_both_forms_and_one_address_is_one_user(own_app: Application) -> None:
    url, slug = own_app.database.app_url, own_app.alpha.slug
    more = {"role": "operator", "full_name": ""}
    add_user(url, slug, email="jose\u0301@x.example", password="pa\u0308ssword-1", **more)
    with pytest.raises(CommandError, match="already"):
        add_user(url, slug, email="JOS\u00c9@x.example", password="another-one-1", **more)
    client = own_app.flask.test_client()
    for email in ("jos\u00e9@x.example", "Jose\u0301@X.example", "jos\u00e9@x.example\u200b"):
        for password in ("p\u00e4ssword-1", "pa\u0308ssword-1"):
            answer = client.post("/api/auth/login", json={"email": email, "password": password})
            assert answer.status_code == 200, (ascii(email), ascii(password))


def texts_of(model: type[Arguments]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield name, (field.annotation, field.metadata)


def is_bare_text(annotation: Any, metadata: list[Any]) -> bool:
    """Return True if it is a text that nothing brings into form or bounds to a pattern."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        return is_bare_text(inner, metadata + more)
    if origin in (typing.Union, types.UnionType, list):
        return any(is_bare_text(one, metadata) for one in typing.get_args(annotation))
    if annotation is not str:
        return False
    return not any(isinstance(one, AfterValidator) or getattr(one, "pattern", None) for one in metadata)


def subclasses(model: type[Arguments]) -> Iterator[type[Arguments]]:
    for child in model.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_text_of_every_request_comes_through_the_door(app: Application) -> None:
    bare = {
        f"{model.__qualname__}.{name}"
        for model in subclasses(Arguments)
        if model.__module__.startswith("opsboard")
        for name, (annotation, metadata) in texts_of(model)
        if is_bare_text(annotation, list(metadata))
    }
    # Checked against lists of their own; the addresses of a batch by the views that they lead to.
    assert {one for one in bare if not one.endswith((".sort", ".fields", "BatchArguments.paths"))} == set()
    assert stored("e\u0301") == "\u00e9"


def run(database: FreshDatabase, sql: str, *parameters: Any) -> list[Any]:
    with (
        closing(psycopg2.connect(database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


BEFORE = """
INSERT INTO tenants (slug, name) VALUES ('a', 'a'), ('b', 'b');
INSERT INTO users (tenant_id, email, full_name)
VALUES
    (1, U&'jose\\0301@x.example', 'one'), (1, U&'jos\\00e9@x.example', 'two'),
    (2, U&'jose\\0301@x.example', 'three');
INSERT INTO jobs (tenant_id, job_number, title, external_id)
VALUES (1, U&'e\\0301', U&'a\\0308', U&'k\\0301'), (1, U&'\\00e9', 'x', U&'\\1E31'), (1, U&'n\\0303', 'x', U&'n\\0303');
INSERT INTO campaigns (tenant_id, name) VALUES (1, 'c'), (1, 'd');
INSERT INTO campaign_recipients (tenant_id, campaign_id, address, status)
VALUES (1, 1, 'Kim@x.example', 'sent'), (1, 1, 'kim@x.example', 'unsubscribed'), (1, 2, 'kim@x.example', 'pending');
INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
VALUES (1, 1, '1', 'sent', '2026-10-01'), (1, 1, '2', 'sent', '2026-10-03'), (1, 3, '3', 'sent', '2026-10-03');
INSERT INTO campaign_event_keys (tenant_id, event_key) VALUES (1, '1'), (1, '2'), (1, '3');
INSERT INTO campaign_metrics (tenant_id, campaign_id, date, sent)
VALUES (1, 1, '2026-10-01', 1), (1, 1, '2026-10-03', 1), (1, 2, '2026-10-03', 1);
"""


def test_rows_of_before_come_into_form_and_what_collides_is_kept_and_reported(
    any_database: FreshDatabase,
) -> None:
    migrator = Migrator(any_database.owner_url, report=lambda _: None)
    migrator.down("0029_more_counts")
    run(any_database, BEFORE)
    migrator.up()
    users = run(any_database, "SELECT tenant_id, full_name, email, is_duplicate FROM users ORDER BY id")
    assert users == [
        (1, "one", "jose\u0301@x.example", False), (1, "two", "jos\u00e9@x.example", True),
        (2, "three", "jos\u00e9@x.example", False),
    ]  # fmt: skip
    jobs = run(any_database, "SELECT job_number, title, external_id, job_number_search FROM jobs ORDER BY id")
    assert jobs == [
        ("e\u0301", "\u00e4", "k\u0301", "e"), ("\u00e9", "x", "\u1e31", "e"), ("\u00f1", "x", "\u00f1", "n"),
    ]  # fmt: skip
    found = run(
        any_database, "SELECT table_name, column_name, row_id, other_id FROM text_collisions ORDER BY 1, 2"
    )
    assert found == [
        ("campaign_recipients", "address", 2, 1), ("jobs", "external_id", 1, 2), ("jobs", "job_number", 1, 2),
        ("users", "email", 2, 1),
    ]  # fmt: skip
    assert run(any_database, "SELECT campaign_id, event_key FROM campaign_event_keys ORDER BY 2") == [
        (1, "1"), (1, "2"), (2, "3"),
    ]  # fmt: skip
    assert run(any_database, "SELECT kinds FROM campaign_recipients ORDER BY id") == [
        (["sent"],),
        ([],),
        (["sent"],),
    ]
    people = run(any_database, "SELECT sent, sent_people FROM campaign_metrics ORDER BY campaign_id, date")
    assert people == [(1, 1), (1, 0), (1, 1)]
    assert run(any_database, "SELECT channel, address, reason FROM suppressions") == [
        ("email", "kim@x.example", "unsubscribed")
    ]
    migrator.down("0029_more_counts")
    assert run(any_database, "SELECT count(*), count(DISTINCT email_search) FROM users") == [(3, 2)]
    migrator.up()
