"""If-Match, on every write of something that has an ETag: done if it is still what was read, or 412."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.contract.catalogue import all_queries
from tests.contract.routes import Route, routes

# Of these nothing can be read at their address, so there is no ETag that could be sent.
WITHOUT_TAG = {"journeys.change_contacts", "workflow_monitoring.update_execution"}


def changed(application: Application) -> list[Route]:
    return [
        route
        for route in routes(application)
        if route.method in ("PUT", "PATCH", "DELETE") and route.endpoint not in WITHOUT_TAG
    ]


def send(application: Application, route: Route, **headers: str) -> Any:
    return application.client().open(route.path, method=route.method, json=route.body, headers=headers)


def test_every_write_of_what_has_an_etag_obeys_if_match(own_app: Application) -> None:
    found = changed(own_app)
    assert len(found) >= 14
    for route in found:
        before = own_app.client().get(route.path)
        assert before.status_code == 200, route
        tag = before.headers["ETag"]
        for other in ('"another"', f"W/{tag}", "no tag at all", '"a", "b"'):
            refused = send(own_app, route, **{"If-Match": other})
            assert (refused.status_code, refused.json["code"]) == (412, "precondition_failed"), (route, other)
        assert own_app.client().get(route.path).data == before.data, route
        zipped = own_app.client().get(route.path, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
        done = send(own_app, route, **{"If-Match": f'"another", {zipped}'})
        assert done.status_code == 200, (route, done.json)
        after = own_app.client().get(route.path)
        if after.status_code == 200 and after.headers["ETag"] != tag:
            assert send(own_app, route, **{"If-Match": tag}).status_code == 412, route


def test_most_of_these_writes_really_change_the_etag(own_app: Application) -> None:
    """Or the test above would show nothing of a tag that has been used up."""
    kept = []
    for route in changed(own_app):
        tag = own_app.client().get(route.path).headers["ETag"]
        assert send(own_app, route, **{"If-Match": tag}).status_code == 200
        after = own_app.client().get(route.path)
        if after.status_code == 200 and after.headers["ETag"] == tag:
            kept.append(route.endpoint)
    assert kept == []


def test_a_star_asks_for_nothing_but_that_it_is_there(own_app: Application) -> None:
    for route in changed(own_app):
        assert send(own_app, route, **{"If-Match": "*"}).status_code == 200, route
    gone = own_app.client().patch("/api/jobs/999999", json={"title": "x"}, headers={"If-Match": "*"})
    assert gone.status_code == 404


def test_what_has_no_etag_refuses_if_match_rather_than_pass_it_over(own_app: Application) -> None:
    for route in routes(own_app):
        if route.endpoint in WITHOUT_TAG:
            assert send(own_app, route, **{"If-Match": '"x"'}).status_code == 412
    made = own_app.client().post("/api/jobs", json={"title": "x"}, headers={"If-Match": '"x"'})
    assert made.status_code == 412


def test_every_lock_holds_one_row_of_its_business() -> None:
    locked = [query for query in all_queries() if query.locks]
    assert len(locked) >= 13
    for query in locked:
        assert "%(tenant_id)s" in query.lock, query.name
        assert query.lock.endswith("FOR NO KEY UPDATE")


@pytest.mark.parametrize("key", [False, True])
def test_of_two_at_once_with_one_etag_one_wins(own_app: Application, key: bool) -> None:
    path = changed_path(own_app)
    for number in range(4):
        tag = own_app.client().get(path).headers["ETag"]
        answers: list[int] = []
        start = threading.Barrier(3)

        def write(
            title: str, tag: str = tag, start: threading.Barrier = start, answers: list[int] = answers
        ) -> None:
            client, headers = own_app.client(), {"If-Match": tag}
            if key:
                headers["Idempotency-Key"] = title
            start.wait()
            answers.append(client.patch(path, json={"title": title}, headers=headers).status_code)

        threads = [threading.Thread(target=write, args=(f"{number} of {who}",)) for who in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 412, 412]


def test_it_is_compared_under_the_lock_of_the_row(own_app: Application) -> None:
    """A write that waits for another one compares with what that one left, not with what was there when it began."""
    path = changed_path(own_app)
    tag = own_app.client().get(path).headers["ETag"]
    answers: list[Any] = []
    with closing(psycopg2.connect(own_app.database.superuser_url)) as other, other.cursor() as cursor:
        cursor.execute("UPDATE jobs SET title = 'first' WHERE id = %s", (path.rpartition("/")[2],))
        thread = threading.Thread(
            target=lambda: answers.append(
                own_app.client().patch(path, json={"title": "second"}, headers={"If-Match": tag})
            )
        )
        thread.start()
        with closing(psycopg2.connect(own_app.database.superuser_url)) as watch, watch.cursor() as watching:
            while thread.is_alive():
                watch.rollback()
                watching.execute(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if watching.fetchone() == (1,):
                    break
        assert thread.is_alive(), "it did not wait"
        other.commit()
        thread.join()
    assert answers[0].status_code == 412
    assert own_app.client().get(path).json["title"] == "first"  # type: ignore[index]


def test_a_refusal_is_repeated_for_its_key_and_another_tag_is_another_request(own_app: Application) -> None:
    path, client = changed_path(own_app), own_app.client()
    tag = client.get(path).headers["ETag"]

    def patch(tag: str) -> Any:
        return client.patch(path, json={"title": "x"}, headers={"Idempotency-Key": "k", "If-Match": tag})

    assert [patch('"old"').status_code for _ in range(2)] == [412, 412]
    assert patch(tag).status_code == 422
    # A write that was done is answered again, although its tag has been used up by itself.
    done = {"Idempotency-Key": "k2", "If-Match": tag}
    answers = [client.patch(path, json={"title": "y"}, headers=done) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def changed_path(application: Application) -> str:
    (path,) = {route.path for route in changed(application) if route.endpoint == "jobs.update_job"}
    return path
