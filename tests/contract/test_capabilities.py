"""docs/features.md tells the truth: every endpoint, query, index and test it names is there."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.application import Application
from tests.capabilities import ANSWERED, PARTS, Capability, capabilities, document
from tests.contract.catalogue import all_queries
from tests.contract.test_large import declared_indexes
from tests.contract.test_tenancy import cursor
from tests.reference import ROOT, Project

ROWS = capabilities()
HOW = "python -m tests.capabilities docs/features.md"


@pytest.fixture(scope="module")
def project() -> Project:
    return Project()


def test_each_capability_is_there_exactly_once_and_in_order() -> None:
    wanted = [number for first, last in PARTS.values() for number in range(first, last + 1)]
    assert [row.number for row in ROWS] == wanted
    assert max(Counter(row.what for row in ROWS).values()) == 1


def test_the_document_is_what_its_source_makes() -> None:
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == document(), HOW


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_what_is_not_answered_says_so_and_the_rest_names_its_places(row: Capability) -> None:
    assert row.answered in ANSWERED
    assert row.note or row.answered == "yes", "say what is missing"
    assert bool(row.endpoints and row.queries and row.tests) == (row.answered != "no")
    assert row.indexes or row.note, "say how rows are found"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_everything_a_row_names_is_there(row: Capability, project: Project, app: Application) -> None:
    assert [place for place in (*row.endpoints, *row.tests) if not project.has(place)] == []
    assert set(row.queries) <= {query.name for query in all_queries()}
    with cursor(app.database.superuser_url) as cur:
        cur.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('i', 'I') AND relname = ANY(%s)",
            ([*row.indexes],),
        )
        assert {name for (name,) in cur.fetchall()} == set(row.indexes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_each_index_of_a_row_serves_one_of_its_queries(row: Capability) -> None:
    for index in row.indexes:
        served = re.findall(r"\b[a-z_]+\.[a-z_]+\b", declared_indexes()[index])
        assert set(served) & set(row.queries), f"{index} serves {served}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_each_endpoint_of_a_row_is_of_the_area_of_one_of_its_queries(row: Capability) -> None:
    areas = {query.partition(".")[0].replace("_", "-") for query in row.queries}
    for endpoint in row.endpoints:
        assert endpoint.split("/")[2] in areas, endpoint


@pytest.mark.parametrize(
    "place", ["GET /api/lead", "tests/contract/test_large.py::test_nothing", "DELETE /api/jobs/<id:job_id>"]
)
def test_what_is_not_there_would_be_seen(project: Project, place: str) -> None:
    assert not project.has(place)
