"""A search reads a bounded number of rows for any words, and docs/performance.md has the figures of the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsboard.features.search.routes import MOST_READ
from tests.application import Application
from tests.search_figures import (
    BEGIN,
    CUSTOMERS,
    END,
    JOBS,
    Figure,
    make_up,
    measure,
    own_database,
    store,
    with_table,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
# Of one word those shown, one more, and each a second time for a further word of the record that begins like it.
MOST_OF_ONE = 100
# Of several, the candidates with the rarest of the words, and so many of each word as tell which is the rarest.
MOST_OF_SEVERAL = 5 * MOST_READ
# Tables of a few rows are rightly read whole.
MOST_IN_VAIN = 100


def check(figures: list[Figure]) -> dict[str, bool]:
    """The kinds of which every search found something."""
    for figure in figures:
        several = figure.kind.startswith(("two", "three"))
        assert max(figure.read) <= (MOST_OF_SEVERAL if several else MOST_OF_ONE), figure
        assert max(figure.in_vain) <= MOST_IN_VAIN, figure
    found = {figure.kind: all(figure.found) for figure in figures}
    assert found["a word of a record"]
    assert found["a job number without prefix and zeros"] and found["the last six digits of a phone number"]
    assert not found["a word that no record has"]
    return found


def test_a_search_reads_few_rows_for_any_words(own_app: Application) -> None:
    content = make_up(600, 60)
    found = check(measure(own_app.database, store(own_app.database, content), content, each=3))
    assert found["two words of a record, in any order"] and found["three words of a record, in any order"]


@pytest.mark.slow
def test_a_search_reads_as_few_rows_of_a_million_jobs() -> None:
    with own_database() as database:
        content = make_up(JOBS, CUSTOMERS)
        check(measure(database, store(database, content), content))


def test_the_document_has_the_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    figures = text.partition(BEGIN)[2].partition(END)[0]
    assert with_table(text, []).count(BEGIN) == 1
    assert "| a word of a record | 40 of 40 |" in figures
    shown = with_table(text, [Figure("a", [True, False], [3, 5], [0, 0], [1.25, 2.0], [3.0, 4.0])])
    assert "| a | 1 of 2 | 4 | 5 | 0 | 1.6 ms | 2.0 ms | 3.5 ms |" in shown
