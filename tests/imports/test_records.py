"""The reader: whatever a file has in it, each record has its line and each damage is told."""

from __future__ import annotations

import csv
import io
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.imports.copying import Copying, copy_line
from opsboard.imports.file_mapping import File
from opsboard.imports.lines import LONGEST_LINE
from opsboard.imports.records import Record, Records

# Any character of a value; a lone carriage return or a NUL is damage.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)
# A row of separators only is passed over.
ROW = st.lists(TEXT, min_size=3, max_size=3).filter(lambda row: any(text.strip() for text in row))
ROWS = st.lists(ROW, max_size=8)


def read(content: bytes, **layout: object) -> list[Record]:
    file = File.model_validate({"path": "f", "columns": ["a", "b", "c"], **layout})
    return list(Records(io.BytesIO(content), file))


def written(rows: list[list[str]], ending: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator=ending).writerows(rows)
    return out.getvalue()


@given(ROWS, st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200, deadline=None)
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], ending: str) -> None:
    records = read(written(rows, ending).encode())
    assert [record.fields for record in records] == rows
    assert not any(record.damage for record in records)
    lines = [1 + written(rows[:i], ending).count("\n") for i in range(len(rows))]
    assert [record.line for record in records] == lines


@given(
    ROWS, st.lists(st.sampled_from([b"x\xff,y,z", b"a\0,b,c", b"1,2", b"1,2,3,4", b'"x"y,b,c']), min_size=1)
)
@settings(max_examples=200, deadline=None)
def test_damaged_lines_are_told_and_no_others(rows: list[list[str]], damage: list[bytes]) -> None:
    # One good record after each bad line, as long as there are any.
    pieces: list[bytes] = []
    bad_lines: list[int] = []
    line = 1
    for number in range(max(len(rows), len(damage))):
        if number < len(damage):
            pieces.append(damage[number] + b"\n")
            bad_lines.append(line)
            line += 1
        if number < len(rows):
            pieces.append(written([rows[number]], "\n").encode())
            line += pieces[-1].count(b"\n")
    records = read(b"".join(pieces))
    assert [record.line for record in records if record.damage] == bad_lines
    assert [record.fields for record in records if not record.damage] == rows


@given(st.binary(max_size=60), st.sampled_from([",", "\t"]), st.sampled_from(['"', ""]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_can_be_read(content: bytes, delimiter: str, quote: str) -> None:
    for record in read(content, delimiter=delimiter, quote=quote):
        assert record.damage or len(record.fields) == 3
        assert 1 <= record.line <= content.count(b"\n") + 1
        # The result can be sent to COPY.
        assert copy_line(record.fields).count(b"\n") == 1
        assert b"\0" not in copy_line(record.fields)


def test_reasons_are_in_words() -> None:
    records = read(b'1,"2,3\n1,2\n\xff,2,3\n1,2,\0\n"1"x,2,3\n1,2\r2,3\n')
    assert [(record.line, record.field, record.damage) for record in records] == [
        (1, None, "a quote is opened and never closed"),
        (2, None, "has 2 columns instead of 3"),
        (3, 0, "byte 0xff (character 1) is not utf-8"),
        (4, 2, "has a NUL character (character 5)"),
        (5, None, "has text after a closing quote"),
        (6, None, "has a carriage return in the middle"),
    ]
    assert read(b'1,2,"3\n')[0].damage == "a quote is opened and never closed"


def test_a_quote_inside_a_value_is_a_character() -> None:
    assert read(b'1,5" pipe,3\n')[0].fields == ["1", '5" pipe', "3"]
    assert read(b'1,"5",3\n', quote="")[0].fields == ["1", '"5"', "3"]


def test_an_endless_line_is_one_fault() -> None:
    endless = b"x" * (3 * LONGEST_LINE)
    records = read(b"1,2,3\n" + endless + b"\n4,5,6\n")
    assert [(record.line, bool(record.damage)) for record in records] == [(1, False), (2, True), (3, False)]
    assert sum(map(len, records[1].fields)) <= 200


def test_a_file_is_read_in_bounded_memory() -> None:
    row = b"1,two,three and some more text\n" * 50 + b'bad\n"open,\n'
    content = io.BytesIO(row * 2000)  # 100,000 lines, 3 MB, of which 4,000 damaged
    records = Records(content, File(path="f", columns=["a", "b", "c"]))
    copying = Copying(copy_line(record.fields) for record in records)
    tracemalloc.start()
    try:
        total = 0
        while piece := copying.read(8192):
            total += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total > 3_000_000
    # A fraction of what all its rows would take. Other threads of this process are counted, too.
    assert peak < 2_500_000
