"""Several reads in one request: each as if it had been asked for alone, and one 304 for all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.application import Application

PATHS = [
    "/api/dashboard/stats",
    "/api/jobs?status=active%2Cdraft&page_size=3&cursor=",
    "/api/notifications/unread",
]


def ask(app: Application, paths: list[str], role: str = "admin", etag: str | None = None) -> Any:
    headers = {"If-None-Match": etag} if etag else {}
    return app.client(role).get("/api/batch", query_string={"paths": " ".join(paths)}, headers=headers)


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_each_part_is_the_answer_of_its_address_alone(app: Application, role: str) -> None:
    answers = ask(app, PATHS, role).json["answers"]
    assert [part["path"] for part in answers] == PATHS
    for part in answers:
        alone = app.client(role).get(part["path"])
        assert (part["status"], part["body"]) == (200, alone.json)
        again = app.client(role).get(part["path"], headers={"If-None-Match": part["etag"]})
        assert again.status_code == 304


def test_unchanged_it_is_one_304_without_a_statement_and_changed_only_some_parts_are_new(
    own_app: Application,
) -> None:
    first = ask(own_app, PATHS)
    before = own_app.services.database.pool.get_stats()
    assert ask(own_app, PATHS, etag=first.headers["ETag"]).status_code == 304
    assert own_app.services.database.pool.get_stats()["requests_num"] == before["requests_num"]
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
