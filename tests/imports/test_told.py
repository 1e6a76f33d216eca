"""Remarks on whole files: encoding, a condition that matches nothing."""

from __future__ import annotations

import pytest

from opsboard.imports.encodings import encoding_of
from tests.imports.sheet import PIECES, Sheet, sheet

__all__ = ["sheet"]

GERMAN = "No;Pieces\nSchäfer & Söhne;1\nGröße 5 €;2\nGut;3\n"
POLISH = "No;Pieces\nŁódź;1\nŻółć;2\nczęść;3\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (POLISH, "cp1250"), (GERMAN.replace("€", ""), "cp850"), (GERMAN, "utf-16-le")],
)
def test_the_encoding_that_fits_is_told_first(sheet: Sheet, text: str, encoding: str) -> None:
    told = sheet.told(text.encode(encoding), PIECES, 'delimiter = ";"') if encoding != "utf-16-le" else None
    if told:
        assert told[0] == f'data.csv is not in utf-8; encoding = "{encoding}" in files.f reads it'
        sheet.run(text.encode(encoding), PIECES, f'delimiter = ";"\nencoding = "{encoding}"')
        assert sheet.rows("SELECT external_id FROM jobs ORDER BY id LIMIT 1") == [
            (text.split("\n")[1].split(";")[0],)
        ]
    assert encoding_of(text.encode(encoding)) == encoding


def test_a_condition_that_fits_nothing_is_told(sheet: Sheet) -> None:
    where = PIECES.replace('external_id = "{No}"', 'external_id = "{No}"\nwhere = { Kind = "Order" }')
    summary = sheet.run("No,Kind,Pieces\n1,order,5\n2,order,6\n", where)
    assert [str(remark) for remark in summary.remarks] == [
        "tables.jobs.where fits none of the 2 lines of data.csv"
    ]
    assert sheet.run("No,Kind,Pieces\n1,Order,5\n", where).remarks == []


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ('where_not = { Kind = "o*" }', "tables.jobs.where_not leaves none of the 2 lines of data.csv"),
        (
            'where = { Kind = "order" }\nwhere_not = { No = ["1", "2"] }',
            "tables.jobs.where with where_not leaves none of the 2 lines of data.csv",
        ),
    ],
)
def test_conditions_that_leave_nothing_are_told(sheet: Sheet, conditions: str, told: str) -> None:
    where = PIECES.replace('external_id = "{No}"', f'external_id = "{{No}}"\n{conditions}')
    summary = sheet.run("No,Kind,Pieces\n1,order,5\n2,order,6\n", where)
    assert [str(remark) for remark in summary.remarks] == [told]
    assert sheet.run("No,Kind,Pieces\n1,order,5\n2,x,6\n3,order,6\n", where).remarks == []


@pytest.mark.parametrize(
    ("is_in", "declared"),
    [
        ("utf-8", "cp1252"),
        ("utf-8", "iso8859-1"),
        ("utf-8", "cp850"),
        ("utf-8", "cp1250"),
        ("cp1252", "iso8859-1"),
        ("cp1252", "iso8859-15"),
    ],
)
def test_text_that_another_encoding_can_read_is_told(sheet: Sheet, is_in: str, declared: str) -> None:
    settings = f'delimiter = ";"\nencoding = "{declared}"'
    told = sheet.told(GERMAN.encode(is_in), PIECES, settings)
    assert told[0] == f'data.csv is not in {declared}; encoding = "{is_in}" in files.f reads it'
    assert told[1].startswith("data.csv, line 2: ")
    assert told[1].endswith(f" can be read, but is in another encoding than {declared}")


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15", "cp1250"])
def test_text_in_the_encoding_of_the_mapping_is_read(sheet: Sheet, encoding: str) -> None:
    text = "No;Pieces\nSchäfer & Söhne;1\nGröße 5;2\nÖ;3\n"
    sheet.run(text.encode(encoding), PIECES, f'delimiter = ";"\nencoding = "{encoding}"')
    assert sheet.rows("SELECT external_id FROM jobs ORDER BY id")[0] == ("Schäfer & Söhne",)
