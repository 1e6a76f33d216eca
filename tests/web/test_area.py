"""Declarations of an area: a list with its export, and a change with the fields of the new model."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from apiflask import APIFlask
from pydantic import BaseModel, Field, ValidationError

from opsboard.auth.identity import Role
from opsboard.db.queries import load_queries
from opsboard.errors import InvalidInput
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, OneOrMore, Patch
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope

sql = load_queries("opsboard.features.customers")


class Thing(BaseModel):
    id: int


class Things(Envelope):
    items: list[Thing]


class NewThing(Arguments):
    name: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(description="In millimetres.")] = 1
    parent_id: Id | None = None
    key: str = "k"


class ChangeThing(Patch, of=NewThing, without={"key"}):
    size: Annotated[int, Field(ge=5)]
    note: str | None


def declared() -> APIFlask:
    area = Area("kits", __name__, tag="Kits")

    @area.list("/<int:case_id>/open", Things, roles=(Role.ADMIN,), always={"open": "true"})
    class ListThings(ListArguments, query=sql.list_customers, default_sort="name"):
        """Things by name."""

        status: OneOrMore[str] = None

    assert area.lists["list_customers"].arguments is ListThings
    app = APIFlask(__name__)
    app.register_blueprint(area)
    return app


def test_a_list_registers_its_pages_and_its_export() -> None:
    app = declared()
    rules = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    assert rules["kits.list_customers"] == "/api/kits/<int:case_id>/open"
    assert rules["kits.export_customers"] == "/api/kits/<int:case_id>/open/export"
    page, export = app.view_functions["kits.list_customers"], app.view_functions["kits.export_customers"]
    for view in (page, export):
        assert vars(view)["only_for"] == {"admin"}
    assert page.__doc__ == "Things by name."
    assert vars(page)["of_list"] and vars(export)["exports"]


def test_ids_in_the_address_and_fixed_filters_go_beside_what_the_caller_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("opsboard.web.area.list_page", lambda arguments, filters: seen.append(filters))
    monkeypatch.setattr("opsboard.web.area.export_file", lambda arguments, filters, *_: seen.append(filters))
    monkeypatch.setattr("opsboard.web.area.cache_list", lambda view: view)
    area = Area("kits", __name__, tag="Kits")

    @area.list("/<int:case_id>/open", Things, always={"open": "true"})
    class ListThings(ListArguments, query=sql.list_customers, default_sort="name"):
        status: OneOrMore[str] = None

    declaration = area.lists["list_customers"]
    arguments = ListThings.model_validate({"status": "a,b", "page": 2})
    declaration.page_view()(arguments, case_id=7)
    declaration.export_view()(arguments, case_id=7)
    assert seen == [{"status": ["a", "b"], "case_id": 7, "open": "true"}] * 2


def test_a_change_has_the_fields_of_what_is_new_and_requires_none() -> None:
    assert set(ChangeThing.model_fields) == {"name", "size", "parent_id", "note"}
    assert ChangeThing.model_validate({"size": 5}).patch() == '{"size":5}'
    assert ChangeThing.model_validate({"parent_id": None}).patch() == '{"parent_id":null}'
    schema = ChangeThing.model_json_schema()
    assert "required" not in schema and not any("default" in each for each in schema["properties"].values())
    with pytest.raises(InvalidInput):
        ChangeThing.model_validate({}).patch()


@pytest.mark.parametrize("sent", [{"name": ""}, {"name": None}, {"size": 4}, {"key": "k"}, {"parent_id": 0}])
def test_a_change_is_checked_as_what_is_new_is(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChangeThing.model_validate(sent)
