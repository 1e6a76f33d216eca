"""The document: what stands between its markers is the tool's, the rest its author's; the tables and the chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from opsboard.bench.chart import svg
from opsboard.bench.document import BEGIN, END, replaced, require_markers, write_document
from opsboard.bench.processors import Cores
from opsboard.bench.rounds import Row
from opsboard.bench.run import Outcome, Section, Wanted
from opsboard.bench.scenarios import SCENARIOS, chosen
from opsboard.bench.tables import markdown
from opsboard.errors import CommandError

DOCUMENT = f"# Speed\n\nBefore.\n\n{BEGIN}\nold figures\n{END}\n\nAfter, with a | and 0.95.\n"


def outcome(
    hit: list[float], bare: Sequence[float] = (1000, 2000, 4000), scenarios: tuple[str, ...] = ("hit",)
) -> Outcome:
    """Three rounds in which the bare callable and the cached hit made so many a second."""
    reference, row = (Row(scenario) for scenario in chosen(scenarios))
    reference.rates, reference.cpu, reference.busy = [*bare], [100, 100, 100], [0.1, 0.2, 0.3]
    row.rates, row.cpu, row.busy = hit, [400, 300, 500], [0.1, 0.1, 0.1]
    reference.latencies = row.latencies = [1_000_000, 2_000_000, 3_000_000]
    made = Outcome(Wanted(SCENARIOS, (1,), 3, 2.0, 20_000), 8, True, 0.5, "18.4")
    made.stats = {"jobs": {"total": 12_000}, "users": {"total": 34}}
    made.sections = [Section(1, 8, Cores([0], [1]), [reference, row], [9000, 8000, 10_000])]
    return made


def test_figures_replace_what_stands_between_the_markers_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(DOCUMENT)
    for _ in range(2):  # again on its own result
        write_document(path, outcome([500, 900, 2400]))
    text = path.read_text()
    before, after = DOCUMENT.partition(BEGIN)[0], DOCUMENT.partition(END)[2]
    assert text.startswith(before + BEGIN)
    assert text.endswith(END + after)
    assert "old figures" not in text
    assert text.count("| Opsboard, cached hit |") == 2
    assert (tmp_path / "images" / "performance-ratios.svg").exists()


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_document_without_a_pair_of_markers_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="needs one line"):
        replaced(text, "new", tmp_path / "performance.md")


def test_a_document_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        require_markers(tmp_path / "none.md")


def test_a_row_has_its_median_ratio_its_spread_and_its_processor_time() -> None:
    text = markdown(outcome([500, 900, 2400]))
    assert "| Opsboard, cached hit | **0.50** | 0.45 to 0.60 | 0.25 | 900 | 400 µs |" in text
    assert "| Bare WSGI callable | **1.00** | 1.00 to 1.00 | 1.00 | 2,000 | 100 µs |" in text
    assert "| Opsboard, cached hit | 2.00 ms | 3.00 ms | 3.00 ms | 3 |" in text
    assert "9,000 requests/s (8,000 to 10,000), 4.5 times" in text
    assert "working 20% of the time (10% to 30%)" in text


def test_the_promise_is_judged_by_the_median() -> None:
    steady = [1000, 1100, 1200]
    assert "Measured: 0.90 (0.50 to 0.95): **not kept** by" in markdown(
        outcome([900, 1045, 600], bare=steady)
    )
    assert "Measured: 0.95 (0.50 to 0.95): **kept** by" in markdown(outcome([950, 1045, 600], bare=steady))
    assert "Promised" not in markdown(outcome([1, 2, 3], scenarios=("flask",)))


def test_on_a_busy_machine_nothing_is_decided_and_the_reader_is_told() -> None:
    text = markdown(outcome([990, 1200, 990], bare=[1000, 1260, 1000]))
    assert "**undecided**" in text
    assert "**The machine was busy**: the bare callable itself made 1,000 to 1,260 requests/s" in text
    assert "busy**" not in markdown(outcome([990, 1200, 990], bare=[1000, 1250, 1000]))


def test_the_chart_has_a_bar_for_each_row_as_long_as_its_ratio() -> None:
    root = ET.fromstring(svg(outcome([500, 900, 2400]).sections[0]))
    reference, hit = (float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect"))
    assert hit / reference == pytest.approx(0.5, abs=0.01)


def test_rows_are_chosen_by_name_and_always_with_what_they_are_compared_with() -> None:
    assert [scenario.name for scenario in chosen(("miss",))] == ["wsgi", "miss"]
    assert chosen(()) == SCENARIOS
