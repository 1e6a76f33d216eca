"""The members of an item are found in its SQL, whatever stands in their expressions."""

from __future__ import annotations

import pytest

from opsboard.db.members import item_members
from opsboard.db.queries import parse

LIST = """-- name: list_things
-- reads: things
-- from: things AS t
-- sort id: t.id | bigint
-- Things.
SELECT
    page.position,
    json_build_object(
        'id', t.id,
        'odd', CASE WHEN t.name IN ('a,(b', 'it''s') THEN json_build_object('x', 1, 'y', coalesce(t.y, 2)) END,
        -- a comma, and a parenthesis (
        'last', /* , */ (SELECT json_agg(json_build_object('z', u.z)) FROM uses AS u)
    ) AS item
FROM page
"""


def test_members_end_at_the_commas_of_their_own_level() -> None:
    members = parse("area", LIST)["list_things"].members
    assert list(members) == ["id", "odd", "last"]
    assert members["odd"].startswith("CASE WHEN t.name IN ('a,(b', 'it''s') THEN")
    assert members["last"].endswith("FROM uses AS u)")


def test_what_is_asked_for_is_shown_in_that_order_and_the_rest_is_gone() -> None:
    sql = parse("area", LIST)["list_things"].showing(["last", "id"])
    assert list(item_members(sql)[2]) == ["last", "id"]
    assert "coalesce" not in sql
    assert sql.endswith(") AS item\nFROM page")


@pytest.mark.parametrize(
    "item",
    ["to_json(t)", "json_build_object(t.name, t.id)", "json_build_object('id')", "row(json_build_object())"],
)
def test_an_item_without_names_written_out_is_refused_when_it_is_read(item: str) -> None:
    begin = LIST.index("json_build_object")
    text = f"{LIST[:begin]}{item} AS item\nFROM page\n"
    with pytest.raises(ValueError, match=r"area/queries.sql: list_things: .*written out|must be json_build"):
        parse("area", text)
