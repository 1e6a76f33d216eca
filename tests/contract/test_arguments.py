"""Arguments of every route: numbers that are not plain, reversed ranges and second spellings are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsboard.errors import InvalidInput
from opsboard.web.arguments import LARGEST_ID, Arguments, number_fields
from tests.application import Application
from tests.contract.routes import routes
from tests.contract.test_every_route import assert_problem

NOT_PLAIN = ["1_0", "+1", " 1", "\uff11", "\u0663", "1e1", "0x1", "", "1.", ".5", True, False]


def all_arguments(model: type[Arguments] = Arguments) -> Iterator[type[Arguments]]:
    for child in model.__subclasses__():
        yield child
        yield from all_arguments(child)


def test_every_number_is_written_with_plain_digits(app: Application) -> None:
    checked = 0
    for model in all_arguments():
        for field in number_fields(model):
            for value in NOT_PLAIN:
                with pytest.raises(InvalidInput) as caught:
                    model.model_validate({field: value})
                assert caught.value.fields[0]["field"] == field
                checked += 1
    assert checked > 300


@pytest.mark.parametrize("ids", [[True], ["1_0"], ["\uff11"]])
def test_numbers_in_a_list_are_plain_too(app: Application, ids: list[object]) -> None:
    answer = app.client().post("/api/jobs/bulk-status", json={"ids": ids, "status": "active"})
    assert_problem(answer, 400, "invalid_input")
    assert_problem(app.client().get("/api/jobs/promise-date?process_ids=1_0"), 400, "invalid_input")


def test_a_range_in_reverse_is_400_on_every_list_that_has_one(app: Application) -> None:
    client, checked = app.client(), 0
    document = client.get("/api/openapi.json").json
    paths = {route.rule.replace("<id:", "{").replace(">", "}"): route.path for route in routes(app)}
    for path, item in document["paths"].items():  # type: ignore[index]
        names = {parameter["name"] for parameter in item.get("get", {}).get("parameters", ())}
        for first in (name for name in names if name.endswith("_from")):
            last = first.replace("_from", "_to")
            assert last in names
            answer = client.get(f"{paths[path]}?{first}=2026-02-02&{last}=2026-02-01")
            assert_problem(answer, 400, "invalid_input")
            assert answer.json["errors"][0]["field"] == first  # type: ignore[index]
            assert client.get(f"{paths[path]}?{first}=2026-02-01&{last}=2026-02-01").status_code == 200
            checked += 1
    assert checked >= 10


def test_an_id_beyond_bigint_is_404_with_every_method_and_digits_are_ascii(app: Application) -> None:
    client, checked = app.client(), 0
    for route in routes(app):
        if "<id:" not in route.rule:
            continue
        for wrong in (str(LARGEST_ID + 1), "0", "\uff11"):
            path = "/".join(
                wrong if part.startswith("<id:") else given
                for part, given in zip(route.rule.split("/"), route.path.split("/"), strict=True)
            )
            assert_problem(client.open(path, method=route.method, json=route.body), 404, "not_found")
            checked += 1
    assert checked > 60


@pytest.mark.parametrize("path", ["/api//jobs", "/api/jobs//", "/static//x", "/api/jobs/", "//api/jobs"])
def test_an_address_has_one_spelling(app: Application, path: str) -> None:
    answer = app.client().get("/", environ_overrides={"PATH_INFO": path})
    assert_problem(answer, 404, "not_found")


def test_a_reversed_range_names_the_argument() -> None:
    from opsboard.features.jobs.routes import ListJobs

    with pytest.raises(InvalidInput) as caught:
        ListJobs.model_validate({"due_from": "2026-02-02", "due_to": "2026-02-01"})
    assert caught.value.fields == [{"field": "due_from", "message": "must not be after due_to"}]
