"""fields= on every GET that answers with one thing: these members and no others, made without the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from opsboard.db.queries import Query
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries
from tests.contract.routes import Route, routes
from tests.contract.test_every_query import explain, nodes, own_table

BY_ID = re.compile(r"<id:\w+>$")


def details(app: Application) -> list[Route]:
    """Those of one thing by its id; what a link shows is one whole."""
    return [route for route in routes(app) if route.method == "GET" and BY_ID.search(route.rule)]


def documented(app: Application, route: Route) -> tuple[list[str], list[str]]:
    """The members of the answer, and those that may be asked for, as the OpenAPI document has them."""
    document: Any = app.spec
    operation = document["paths"][route.rule.replace("<id:", "{").replace(">", "}")]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    shape = document["components"]["schemas"][schema["anyOf"][0]["$ref"].rpartition("/")[2]]
    (fields,) = [found for found in operation["parameters"] if found["name"] == "fields"]
    assert fields["explode"] is False and fields["required"] is False
    return list(shape["properties"]), fields["schema"]["items"]["enum"]


def test_every_detail_answers_with_just_the_members_that_are_asked_for(app: Application) -> None:
    client = app.client()
    assert len(details(app)) >= 17
    for route in details(app):
        whole: Any = client.get(route.path).json
        names = list(whole)
        for asked in [[name] for name in names] + [names[::-1], names[1::2]]:
            answer = client.get(f"{route.path}?fields={','.join(asked)}")
            assert list(answer.json.items()) == [(name, whole[name]) for name in asked], route  # type: ignore[union-attr]
            assert int(answer.headers["X-Queries"]) <= 1


def test_every_detail_may_be_asked_for_all_members_of_its_documented_shape(app: Application) -> None:
    for route in details(app):
        members, allowed = documented(app, route)
        assert sorted(members) == sorted(allowed), route


def test_an_unknown_member_is_400_and_the_allowed_ones_are_named_as_on_lists(app: Application) -> None:
    client = app.client()
    for route in details(app):
        _, allowed = documented(app, route)
        for fields in ("id,password_hash", "", "ID", "id%3B"):
            answer = client.get(f"{route.path}?fields={fields}")
            assert answer.status_code == 400, route
            (error,) = answer.json["errors"]  # type: ignore[index]
            assert error["field"].startswith("fields")
            assert f"allowed are {', '.join(allowed)}" in error["message"]
        assert client.get(f"{route.path}?page=1").status_code == 400


def test_what_is_not_there_is_404_whatever_is_asked_for(app: Application) -> None:
    for route in details(app):
        missing = f"{route.path.rpartition('/')[0]}/999999999"
        name = documented(app, route)[1][0]
        assert app.client().get(f"{missing}?fields={name}").status_code == 404, route


def test_each_choice_is_kept_and_tagged_by_itself(app: Application) -> None:
    client, kept = app.client(), 0
    app.services.store.clear()
    for route in details(app):
        paths = [f"{route.path}{query}" for query in ("", "?fields=id", "?fields=id,name", "?fields=name,id")]
        if not {"id", "name"} <= set(documented(app, route)[1]):
            continue
        first = [client.get(path) for path in paths]
        again = [client.get(path) for path in paths]
        assert len({answer.headers["ETag"] for answer in first}) == 4
        assert [answer.data for answer in again] == [answer.data for answer in first], route
        if first[0].headers["X-Cache"] == "MISS":
            assert [answer.headers["X-Cache"] for answer in first + again] == ["MISS"] * 4 + ["HIT"] * 4
            kept += 1
    assert kept >= 2


@pytest.mark.parametrize(
    ("name", "fields", "left"),
    [
        ("jobs.get_job", ["id", "title"], {"jobs"}), ("jobs.get_job", ["steps"], {"jobs", "job_steps"}),
        ("customers.get_customer", ["name"], {"customers"}), ("leads.get_lead", ["status"], {"leads"}),
        ("workflow_approvals.get_approval", ["subject"], {"response_approvals"}),
        ("journeys.get_journey", ["nodes"], {"journeys", "journey_nodes"}),
    ],
)  # fmt: skip
def test_what_only_other_members_need_is_not_read(
    app: Application, name: str, fields: list[str], left: set[str]
) -> None:
    query: Query = next(query for query in all_queries() if query.name == name)

    def read(sql: str) -> set[str | None]:
        return {own_table(node) for node in nodes(explain(app, sql, VALUES)) if "Relation Name" in node}

    assert read(query.showing(fields)) - {"tenants", "processes", "machines", "users"} == left
    assert read(query.sql) > left
