"""Several reads in one request: each as if it had been asked for alone, and one 304 for all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.application import Application
from tests.waiting import eventually

PATHS = [
    "/api/dashboard/stats",
    "/api/jobs?status=active%2Cdraft&page_size=3&cursor=",
    "/api/notifications/unread",
]


def ask(
    app: Application, paths: list[str], role: str = "admin", etag: str | None = None, client: Any = None
) -> Any:
    headers = {"If-None-Match": etag} if etag else {}
    return (client or app.client(role)).get(
        "/api/batch", query_string={"paths": " ".join(paths)}, headers=headers
    )


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_each_part_is_the_answer_of_its_address_alone(app: Application, role: str) -> None:
    answers = ask(app, PATHS, role).json["answers"]
    assert [part["path"] for part in answers] == PATHS
    for part in answers:
        alone = app.client(role).get(part["path"])
        assert (part["status"], part["body"]) == (200, alone.json)
        again = app.client(role).get(part["path"], headers={"If-None-Match": part["etag"]})
        assert again.status_code == 304


def test_unchanged_it_is_one_304_without_a_connection(app: Application) -> None:
    client = app.client()
    pool = app.services.database.pool
    kept = [*PATHS[:2], "/api/dashboard/chart/jobs-by-status"]

    def costs_nothing() -> bool:
        etag = ask(app, kept, client=client).headers["ETag"]
        before = pool.get_stats()["requests_num"]
        assert ask(app, kept, etag=etag, client=client).status_code == 304
        return bool(pool.get_stats()["requests_num"] == before)

    # Answers are kept from the moment when the worker hears of changes.
    eventually("a poll costs no connection", costs_nothing)


def test_after_a_change_the_parts_that_changed_have_new_tags(own_app: Application) -> None:
    first = ask(own_app, PATHS)
    assert own_app.client().post("/api/jobs", json={"title": "One more"}).status_code == 201
    second = ask(own_app, PATHS, etag=first.headers["ETag"])
    assert second.status_code == 200
    tags = [[part["etag"] for part in answer.json["answers"]] for answer in (first, second)]
    assert [old == new for old, new in zip(*tags, strict=True)] == [False, False, True]


def test_an_error_of_one_part_is_its_own(app: Application) -> None:
    paths = ["/api/jobs/0", "/api/users", "/api/jobs?sort=colour", PATHS[0]]
    answers = ask(app, paths, "operator").json["answers"]
    assert [part["status"] for part in answers] == [404, 403, 400, 200]
    assert [part["body"]["code"] for part in answers[:3]] == ["not_found", "forbidden", "invalid_input"]
    assert [part["etag"] for part in answers[:3]] == [None, None, None]


@pytest.mark.parametrize(
    "paths",
    [
        ["/api/batch"],
        ["/api/batch?paths=/api/jobs"],
        ["/api/jobs/export"],
        ["/docs"],
        ["//api/jobs"],
        ["https://example.com/api/jobs"],
        ["/api/jobs"] * 31,
    ],
)
def test_other_addresses_are_refused(app: Application, paths: list[str]) -> None:
    answer = ask(app, paths)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")


def test_the_parts_are_the_caller_s(app: Application) -> None:
    for role in ("admin", "operator"):
        (answer,) = ask(app, ["/api/auth/me"], role).json["answers"]
        assert answer["body"]["email"] == app.alpha.email(role)
    assert app.client(None).get("/api/batch", query_string={"paths": PATHS[0]}).status_code == 401
