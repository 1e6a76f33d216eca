"""Files that lie compressed are read as they are; one that is cut off or damaged is refused like any other damage."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from opsboard.imports.mapping_file import MappingError
from tests.imports.test_large import MEBIBYTES, PROGRAM
from tests.imports.test_made_up import MAPPING as LARGE
from tests.imports.workshop import ARTICLES, CLIENTS, FILES, MAPPING, OPERATIONS, ORDERS, Workshop


def zipped(**members: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, text in members.items():
            writing.writestr(name, text)
    return archive.getvalue()


def compressed(workshop: Workshop, **files: bytes) -> Workshop:
    """The workshop with files of these endings instead of its plain ones: orders_gz=..."""
    mapping = workshop.mapping
    for name, content in files.items():
        plain, _, ending = name.partition("_")
        path = next(path for path in FILES if path.startswith(plain))
        mapping = mapping.replace(f'path = "{path}"', f'path = "{path}.{ending}"')
        (workshop.folder / path).unlink(missing_ok=True)
        (workshop.folder / f"{path}.{ending}").write_bytes(content)
    return replace(workshop, mapping=mapping)


def test_compressed_files_give_the_rows_that_plain_ones_do(workshop: Workshop) -> None:
    plain = {one.table: one.inserted for one in workshop.run(dry_run=True).tables}
    packed = compressed(
        workshop,
        orders_gz=gzip.compress(ORDERS[:40].encode()) + gzip.compress(ORDERS[40:].encode()),
        operations_GZ=gzip.compress(OPERATIONS.encode()),
        clients_zip=zipped(clients=CLIENTS),
        articles_zip=zipped(**{"a/b/articles": ARTICLES, "__MACOSX/a": "x"}),
    )
    assert {one.table: one.inserted for one in packed.run().tables} == plain


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-20],
        lambda packed: packed[:-6] + b"\0\0" + packed[-4:],
        lambda packed: packed[: len(packed) // 2] + b"\xff" * 9 + packed[len(packed) // 2 + 9 :],
    ],
    ids=["cut off", "with another checksum", "with other bytes in it"],
)
def test_a_damaged_file_is_told_with_its_line_and_nothing_is_stored(
    workshop: Workshop, damage: object
) -> None:
    lines = "".join(f"{n}\tA\t{n}\t\t2024-03-01\t\t\n" for n in range(5000))
    packed = damage(gzip.compress(lines.encode()))  # type: ignore[operator]
    faults = compressed(workshop, orders_gz=packed).faults()
    last = [fault for fault in faults if "cannot be unpacked" in fault.reason]
    assert len(last) == 1
    assert (last[0].file, last[0].column) == ("orders.txt.gz", "")
    assert 1 <= last[0].line <= 5001


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"articles_zip": zipped(a=ARTICLES, b=ARTICLES)}, "has 2 files in it instead of one: a, b"),
        ({"articles_zip": zipped()}, "has 0 files in it instead of one: none"),
        ({"articles_zip": ARTICLES.encode()}, "is no ZIP archive that can be read: File is not a zip file"),
        (
            {"articles_gz": ARTICLES.encode()},
            "line 1 cannot be unpacked, nor what follows: Not a gzipped file",
        ),
        ({"articles_gz": b""}, "is empty"),
    ],
)
def test_what_cannot_be_opened_is_told_before_anything_is_read(
    workshop: Workshop, files: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(MappingError) as refused:
        compressed(workshop, **files).run()
    (fault,) = refused.value.faults
    assert reason in fault


def test_lines_at_the_beginning_are_passed_over(workshop: Workshop) -> None:
    mapping = MAPPING.replace('path = "articles.csv"', 'path = "articles.csv"\nskip = 2').replace(
        'path = "clients.csv"',
        'path = "clients.csv"\nskip = 1\ncolumns = ["ClientNo", "Name", "Mail", "Street", "Town"]',
    )
    workshop.write(articles="Our articles\n\n" + ARTICLES, clients=CLIENTS.replace("Name", "Mail"))
    replace(workshop, mapping=mapping).run()
    assert workshop.rows("SELECT name FROM customers ORDER BY id") == [("Fox, Ltd",), ('The "Old" Mill',)]
    assert workshop.rows("SELECT title FROM jobs ORDER BY id LIMIT 1") == [("Axle x 10",)]


@pytest.mark.parametrize("lines", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("ending", ["gz", "zip"])
def test_memory_does_not_grow_with_what_is_unpacked(workshop: Workshop, lines: int, ending: str) -> None:
    plain = workshop.folder / "orders.csv"
    with plain.open("w") as file:
        file.write("No,Title,Pieces,Due,Status\n")
        file.writelines(f"{n},Job number {n},5,2024-01-{n % 28 + 1:02},active\n" for n in range(lines))
    packed = Path(f"{plain}.{ending}")
    if ending == "gz":
        with gzip.open(packed, "wb") as writing, plain.open("rb") as reading:
            writing.writelines(reading)
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(plain)
    mapping = LARGE.replace('"orders.csv"', f'"orders.csv.{ending}"')
    assert mapping != LARGE
    arguments = [workshop.database.app_url, str(workshop.folder), mapping, str(workshop.report)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    faults, peak = map(int, done.stdout.split())
    assert (faults, workshop.counts()["jobs"]) == (0, lines)
    assert peak < MEBIBYTES
