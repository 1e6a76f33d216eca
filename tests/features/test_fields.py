"""fields= on every list: these members and no others, made without the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations, pairwise
from typing import Any

import pytest

from opsboard.db.list_statement import Page, compose
from tests.application import Application
from tests.contract.catalogue import VALUES
from tests.contract.test_every_query import explain, nodes, own_table
from tests.features.test_lists import LISTS, list_query, pages

Pairs = Callable[[list[str]], Iterable[tuple[str, str]]]


def neighbours(names: list[str]) -> Iterable[tuple[str, str]]:
    """Each member with the next one, and the last with the first."""
    return pairwise([*names, names[0]])


def all_pairs(names: list[str]) -> Iterable[tuple[str, str]]:
    return combinations(names, 2)


@pytest.mark.parametrize("pairs", [neighbours, pytest.param(all_pairs, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("path", "area"), LISTS.items())
def test_every_pair_of_members_can_be_asked_for_on_every_list(
    app: Application, path: str, area: str, pairs: Pairs
) -> None:
    client = app.client()
    whole: dict[str, Any] = client.get(f"{path}?page_size=3").json  # type: ignore[assignment]
    names = list(list_query(area).members)
    assert names == list(whole["items"][0])
    for pair in pairs(names[::-1]):
        answer = client.get(f"{path}?page_size=3&fields={','.join(pair)}")
        assert answer.headers["X-Queries"] == "1"
        part: dict[str, Any] = answer.json  # type: ignore[assignment]
        assert [list(item) for item in part["items"]] == [list(pair)] * len(whole["items"])
        assert part["items"] == [{name: item[name] for name in pair} for item in whole["items"]]
        assert part["total"] == whole["total"]


def test_cursors_hold_with_fields_and_may_change_them_on_the_way(app: Application) -> None:
    client = app.client()
    whole = [
        item["title"]
        for page in pages(client, "/api/jobs?page_size=7&sort=due_date")
        for item in page["items"]
    ]
    some = [
        item
        for page in pages(client, "/api/jobs?page_size=7&sort=due_date&fields=title")
        for item in page["items"]
    ]
    assert some == [{"title": title} for title in whole]
    first: dict[str, Any] = client.get("/api/jobs?page_size=7&fields=id").json  # type: ignore[assignment]
    second: dict[str, Any] = client.get(  # type: ignore[assignment]
        f"/api/jobs?page_size=7&fields=title&cursor={first['next_cursor']}"
    ).json
    assert [list(item) for item in second["items"]] == [["title"]] * 7


def test_an_unknown_field_is_400_and_the_allowed_ones_are_named(app: Application) -> None:
    for fields in ("id,password_hash", "", "ID", "id%3B"):
        answer = app.client().get(f"/api/users?fields={fields}")
        assert answer.status_code == 400
        (error,) = answer.json["errors"]  # type: ignore[index]
        assert error["field"].startswith("fields")
        assert (
            "allowed are id, email, full_name, role, is_active, is_service, has_password, password_link, work_left, "
            "own_fields, archived_at, created_at, updated_at, load" in error["message"]
        )


def test_a_field_given_twice_counts_once(app: Application) -> None:
    answer: dict[str, Any] = app.client().get("/api/jobs?fields=id,id,title,id").json  # type: ignore[assignment]
    assert list(answer["items"][0]) == ["id", "title"]


def test_each_choice_of_fields_has_its_own_etag(app: Application) -> None:
    client = app.client()
    tags = [
        client.get(f"/api/jobs{query}").headers["ETag"] for query in ("", "?fields=id", "?fields=id,title")
    ]
    assert len(set(tags)) == 3
    assert client.get("/api/jobs?fields=id", headers={"If-None-Match": tags[1]}).status_code == 304
    assert client.get("/api/jobs?fields=id", headers={"If-None-Match": tags[0]}).status_code == 200


@pytest.mark.parametrize(
    ("area", "fields", "left"),
    [
        ("jobs", ("id", "title"), {"jobs"}), ("jobs", ("progress",), {"jobs", "job_steps"}),
        ("jobs", ("customer",), {"jobs", "customers"}), ("job_steps", ("id", "machine"), {"job_steps", "machines"}),
        ("machines", ("name",), {"machines"}), ("processes", ("name",), {"processes"}),
        ("audit", ("action",), {"audit_logs"}),
    ],
)  # fmt: skip
def test_what_only_other_members_need_is_not_read(
    app: Application, area: str, fields: tuple[str, ...], left: set[str]
) -> None:
    query = list_query(area)
    page = Page(next(iter(query.sorts)), True, 10, counted=False, fields=fields)
    sql, params = compose(query, {}, page)
    plan = explain(app, sql, {**VALUES, **params})
    read = {own_table(node) for node in nodes(plan) if "Relation Name" in node}
    # A step is shown with its job or not at all, so the job is looked up whatever is asked for.
    assert read - {"tenants", "jobs"} | (read & left) == left


def test_openapi_names_the_fields_of_each_list(app: Application) -> None:
    paths: Any = app.spec["paths"]  # type: ignore[index]
    for path, area in LISTS.items():
        (fields,) = [found for found in paths[path]["get"]["parameters"] if found["name"] == "fields"]
        assert fields["schema"]["items"]["enum"] == list(list_query(area).members)
        assert fields["explode"] is False
