"""Arrays of JSON whose items are rows, and numbers that are multiplied."""

from __future__ import annotations

import json

import pytest

from opsboard.imports.mapping_file import MappingError, parse_mapping
from tests.imports.sheet import PIECES, Sheet, sheet

__all__ = ["sheet"]

ORDERS = """
[tables.jobs]
file = "f"
external_id = "{id}"
columns = { job_number = "{id}", title = "Order {id}" }
[tables.job_steps]
file = "f"
items = "lines"
external_id = "{id}-{#n}"
numbered_by = "{id}"
parents = { job = "{id}" }
columns = { step_order = "{#n}", quantity_done = "{#item.pieces}", instructions = "{#item.article.name}" }
"""
STEPS = """
SELECT j.job_number, s.step_order, s.quantity_done, s.instructions
FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id ORDER BY 1, 2
"""


def order(number: int, *lines: dict[str, object]) -> str:
    return json.dumps({"id": number, "lines": list(lines)}) + "\n"


def test_each_item_of_an_array_is_a_row_in_its_order(sheet: Sheet) -> None:
    text = order(1, {"pieces": 5, "article": {"name": "Bolt"}}, {"pieces": 2, "article": {"name": "Axle"}})
    text += order(2) + order(3, {"pieces": 7, "article": None})
    sheet.run(text, ORDERS, path="orders.jsonl")
    expected = [("1", 1, 5, "Bolt"), ("1", 2, 2, "Axle"), ("3", 1, 7, None)]
    assert sheet.rows(STEPS) == expected
    again = sheet.run(text, ORDERS, path="orders.jsonl")
    assert not any(one.inserted or one.updated for one in again.tables)
    # In a cell of a CSV file too.
    sheet.rows("DELETE FROM jobs")
    cells = "".join(
        f'{one["id"]},"{json.dumps(one["lines"]).replace(chr(34), chr(34) * 2)}"\n'
        for one in map(json.loads, text.splitlines())
    )
    sheet.run("id,lines\n" + cells, ORDERS)
    assert sheet.rows(STEPS) == expected


def test_faults_of_items_name_the_column_and_the_line(sheet: Sheet) -> None:
    text = order(1, {"pieces": "many"}) + '{"id": 2, "lines": "5 bolts"}\n{"id": 3, "lines": null}\n'
    assert sheet.told(text, ORDERS, path="orders.jsonl") == [
        'orders.jsonl, line 1, lines: "many" is not a whole number (for job_steps.quantity_done)',
        'orders.jsonl, line 2, lines: "5 bolts" is not an array of JSON',
    ]


def test_an_item_is_known_only_with_items() -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(
            '[files.f]\npath = "f.csv"\n'
            + ORDERS.replace('items = "lines"\n', 'each = ["lines"]\nitems = "a"\n')
        )
    assert refused.value.faults == ["tables.job_steps.items: cannot go with each"]


HOURS = PIECES.replace('quantity = "{Pieces}"', 'quantity = { value = "{Pieces}", times = 60 }')


@pytest.mark.parametrize(
    ("text", "settings", "minutes"),
    [
        ("4.1000", "", 246),
        ("0.33", "", 20),
        ("2", "", 120),
        ("1,5", 'decimal = ","', 90),
        ("1.250,125", 'decimal = ","\nthousands = "."', 75008),
        ("1.250", 'decimal = "."', 75),
        (".5", "", None),
        ("0.5 h", 'units = ["h"]', 30),
        # A thousand or one and a quarter.
        ("1.250", "", None),
        ("1e3", "", None),
    ],
)
def test_a_number_is_multiplied_and_rounded(
    sheet: Sheet, text: str, settings: str, minutes: int | None
) -> None:
    content = f'No,Pieces\n1,"{text}"\n'
    if minutes is None:
        assert len(sheet.told(content, HOURS, settings)) == 1
    else:
        sheet.run(content, HOURS, settings)
        assert sheet.rows("SELECT quantity FROM jobs") == [(minutes,)]


def test_a_sum_is_of_the_multiplied_numbers(sheet: Sheet) -> None:
    tables = HOURS.replace('{ value = "{Pieces}"', '{ sum = "{Pieces}"').replace(
        'external_id = "{No}"', 'external_id = "{No}"\ndistinct = "first"'
    )
    sheet.run("No,Pieces\n1,0.5\n1,0.25\n2,3\n", tables)
    assert sheet.rows("SELECT quantity FROM jobs ORDER BY id") == [(45,), (180,)]
    [fault] = sheet.told("No,Pieces\n1,0.5\n1,half\n", tables)
    assert '"half" is not a whole number' in fault
    [fault] = sheet.told("No,Pieces\n1,999999999999\n", HOURS)
    assert "the range of quantity" in fault
