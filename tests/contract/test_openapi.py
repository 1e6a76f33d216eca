"""The OpenAPI document tells the truth: it is valid, complete, and every answer has the shape it gives."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.application import Application, running_application
from tests.contract.routes import Route, routes


@pytest.fixture(scope="module")
def document(app: Application) -> dict[str, Any]:
    answer = app.flask.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def path_of(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)


def validator(
    document: dict[str, Any], operation: dict[str, Any], status: str, whole: bool = True
) -> Draft202012Validator:
    """`whole`: of the answer with all members, where some of them can be asked for."""
    content = operation["responses"][status]["content"]["application/json"]["schema"]
    if whole and "anyOf" in content:
        content = content["anyOf"][0]
    return Draft202012Validator({**content, "components": document["components"]})


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_described(app: Application, document: dict[str, Any]) -> None:
    for route in routes(app):
        if route.rule.startswith("/api/") and route.rule != "/api/openapi.json":
            path = path_of(route)
            operation = document["paths"][path][route.method.lower()]
            assert operation["summary"].endswith("."), route
            assert (operation["security"] == []) == route.open_to_all, route
            assert "400" in operation["responses"]


def test_every_get_answers_in_the_shape_it_promises(app: Application, document: dict[str, Any]) -> None:
    client = app.client()
    checked = 0
    for route in routes(app):
        if route.method != "GET" or not route.rule.startswith("/api/") or route.rule == "/api/openapi.json":
            continue
        operation = document["paths"][path_of(route)]["get"]
        answer = client.get(route.path)
        if route.rule.endswith("/export"):
            assert answer.mimetype in operation["responses"]["200"]["content"], route
            continue
        if "application/octet-stream" in operation["responses"]["200"]["content"]:  # the bytes of a file
            assert answer.status_code == 200 and answer.headers["Content-Disposition"], route
            continue
        errors = list(validator(document, operation, "200").iter_errors(answer.json))
        assert not errors, f"{route}: {errors[0].json_path}: {errors[0].message}"
        checked += 1
    assert checked > 20


def test_every_list_has_an_export_with_its_filters(app: Application, document: dict[str, Any]) -> None:
    lists = 0
    for path, item in document["paths"].items():
        named = {parameter["name"] for parameter in item.get("get", {}).get("parameters", [])}
        if "cursor" not in named:
            continue
        lists += 1
        export = document["paths"][f"{path}/export"]["get"]
        assert {parameter["name"] for parameter in export["parameters"]} == named - {
            "page", "page_size", "cursor",
        } | {"format", "bom", "headings"}  # fmt: skip
        assert export["tags"] == item["get"]["tags"]
    assert lists >= 8


# Writes about what is there for a moment, such as a session of the database: their own tests check the shape.
OF_THE_MOMENT = {"health.cancel", "health.acknowledge"}


def test_every_write_answers_in_the_shape_it_promises(own_app: Application, document: dict[str, Any]) -> None:
    client = own_app.client()
    checked = 0
    for route in routes(own_app):
        if route.method == "GET" or route.endpoint.startswith(("auth", "root_health")):
            continue
        if route.endpoint in OF_THE_MOMENT:
            continue
        operation = document["paths"][path_of(route)][route.method.lower()]
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
            continue  # files: tests/features/test_imports.py
        answer = client.open(route.path, method=route.method, json=route.body)
        assert answer.status_code in (200, 201), f"{route}: {answer.get_data(as_text=True)}"
        errors = list(validator(document, operation, str(answer.status_code)).iter_errors(answer.json))
        assert not errors, f"{route}: {errors[0].json_path}: {errors[0].message}"
        if answer.status_code == 201:
            assert client.get(answer.headers["Location"]).json["id"] == answer.json["id"]  # type: ignore[index]
        checked += 1
    assert checked > 8


def test_the_shapes_are_strict_enough_to_see_a_missing_member(
    app: Application, document: dict[str, Any]
) -> None:
    stats = app.client().get("/api/dashboard/stats").json
    assert isinstance(stats, dict)
    check = validator(document, document["paths"]["/api/dashboard/stats"]["get"], "200")
    assert not list(check.iter_errors(stats))
    for member in ("jobs", "tasks", "machines", "today", "as_of"):
        assert list(check.iter_errors({name: value for name, value in stats.items() if name != member})), (
            member
        )
    assert list(check.iter_errors({**stats, "jobs": {**stats["jobs"], "total": "90"}}))


def test_a_body_is_required_where_the_view_needs_one_and_414_is_told(app: Application) -> None:
    document = app.client().get("/api/openapi.json").json
    optional = set()
    for path, item in document["paths"].items():  # type: ignore[index]
        for method, operation in item.items():
            assert "414" in operation["responses"] or path == "/metrics", path
            if "requestBody" in operation and not operation["requestBody"]["required"]:
                optional.add(f"{method} {path}")
    assert optional == {
        "post /api/health/cache/clear", "post /api/jobs/{job_id}/status-links", "post /api/work/{record_id}/end",
        "post /api/problems/{problem_id}/close",
        "post /api/stops/{stop_id}/end",
        "post /api/webhooks/{webhook_id}/rotate-secret",
    }  # fmt: skip


def selecting(app: Application, document: dict[str, Any]) -> list[tuple[Route, dict[str, Any], list[str]]]:
    """Each route that takes `fields`, with its operation and the members there are; exports are files."""
    found = []
    for route in routes(app):
        if route.method == "GET" and route.rule.startswith("/api/") and not route.rule.endswith("/export"):
            operation = document["paths"].get(path_of(route), {}).get("get", {"parameters": []})
            for parameter in operation["parameters"]:
                if parameter["name"] == "fields":
                    found.append((route, operation, parameter["schema"]["items"]["enum"]))
    return found


def test_an_answer_with_some_members_has_a_shape_that_is_promised(
    app: Application, document: dict[str, Any]
) -> None:
    client = app.client()
    checked = selecting(app, document)
    for route, operation, members in checked:
        answer = client.get(f"{route.path}?fields={members[-1]}").json
        assert validator(document, operation, "200", whole=False).is_valid(answer), route
        # A member that is sent has its type all the same.
        broken = {**answer, "items": [{members[-1]: object}]} if "items" in answer else {members[-1]: object}  # type: ignore[dict-item,operator,arg-type]
        assert not validator(document, operation, "200", whole=False).is_valid(broken), route
    assert len(checked) > 40


def test_every_address_has_one_name(app: Application, document: dict[str, Any]) -> None:
    for paths in (document["paths"], {rule.rule: rule for rule in app.flask.url_map.iter_rules()}):
        shapes = [re.sub(r"\{[^}]*\}|<[^>]*>", "*", path) for path in paths]
        twice = {shape for shape in shapes if shapes.count(shape) > 1}
        assert not twice


def test_every_schema_has_a_name_that_generators_can_use(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) and schema.get("title", name) == name, name
    assert len({name.lower() for name in schemas}) == len(schemas)
    refs = set(re.findall(r"#/components/schemas/([^\"]*)", json.dumps(document)))
    assert refs <= schemas.keys()
    # A model that several answers share is one schema.
    assert [name for name in schemas if name.endswith("CustomerName")] == ["CustomerName"]


def test_the_document_says_where_it_is_served(app: Application, document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "/"}]
    public = "https://ops.example.com"
    with running_application(app.database, app.alpha, app.beta, public_url=public) as elsewhere:
        told = elsewhere.flask.test_client().get("/api/openapi.json").json
    assert told is not None and told["servers"] == [{"url": public}]


def test_every_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    bodies = [
        (path, operation["requestBody"]["content"]["application/json"])
        for path, item in document["paths"].items()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    for path, body in bodies:
        check = Draft202012Validator({**body["schema"], "components": document["components"]})
        assert not list(check.iter_errors(body["example"])), path
    assert len(bodies) > 40
