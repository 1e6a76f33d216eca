"""Results of a run as tables between the markers of a document, and as plots beside it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from opsboard.errors import CommandError
from opsboard_bench.chart import svg
from opsboard_bench.page import BEGIN, END, markers, replaced, require_markers, write_document
from opsboard_bench.results import Column, Plot, Promise, Row, Run, Series, Table, as_json, from_json
from opsboard_bench.tables import markdown

pytest.importorskip("matplotlib", reason="plots come with opsboard[bench]")

DOCUMENT = f"# Speed\n\nBefore.\n\n{BEGIN}\nold figures\n{END}\n\nAfter, with a | and 0.95.\n"
BARS = Plot(
    "speed", "bars", "Requests", "ratio", "",
    [Series("Bare", [1.0], [0.0], [1.0], [1.0]), Series("Ours", [0.5], [0.0], [0.4], [0.6], ours=True)], 0.95,
)  # fmt: skip
LINES = Plot("growth", "lines", "Growth", "jobs", "ms", [Series("Ours", [10, 100], [1.0, 1.1])], log=True)
RUN = Run(
    {"Date": "2030-01-01", "Machine": "a machine"},
    [
        Table(
            name="speed",
            title="Speed",
            about="Of this and that.",
            columns=[Column("ratio", "÷ bare", spread=True, strong=True), Column("rate", "rate", ",.0f", "/s")],
            rows=[
                Row("Bare", {"ratio": [1, 1, 1], "rate": [1000, 2000, 4000]}),
                Row("Ours", {"ratio": [0.5, 0.45, 0.6], "rate": [500, 900, 2400]}, ours=True),
                Row("Theirs", missing="it is not installed"),
            ],
            notes=["A note."],
            promises=[Promise("Ours to bare", 0.95, [0.9, 0.99, 0.97], doubt="the machine was busy")],
            plots=[BARS, LINES],
            slower=["Ours makes 0.50 of the rate of: Bare."],
        )
    ],
)  # fmt: skip
GOLDEN = """\
|  |  |
| --- | --- |
| Date | 2030-01-01 |
| Machine | a machine |

### Promises

|  | promised | measured | lowest to highest | kept |
| --- | ---: | ---: | ---: | ---: |
| Ours to bare | at least 0.95 | **0.97** | 0.90 to 0.99 | yes, but undecided: the machine was busy |

### What is slower than a peer

- Ours makes 0.50 of the rate of: Bare.

### Speed

Of this and that.

|  | ÷ bare | lowest to highest | rate |
| --- | ---: | ---: | ---: |
| Bare | **1.00** | 1.00 to 1.00 | 2,000 /s |
| Ours | **0.50** | 0.45 to 0.60 | 900 /s |
| Theirs | not measured |  | not measured |

Not measured: Theirs: it is not installed.

A note.

![Requests](performance/speed.svg)

![Growth](performance/growth.svg)"""


def test_a_run_is_told_in_tables_with_medians_spread_promises_and_what_is_slower() -> None:
    pictures = {name: f"performance/{name}.svg" for name in ("speed", "growth")}
    assert markdown(RUN, pictures) == GOLDEN


def test_a_run_that_was_kept_as_json_is_told_the_same() -> None:
    assert markdown(from_json(json.loads(json.dumps(as_json(RUN))))) == markdown(RUN)


def test_figures_replace_what_stands_between_the_markers_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(DOCUMENT)
    for _ in range(2):  # again on its own result
        write_document(path, RUN)
    text = path.read_text()
    before, after = DOCUMENT.partition(BEGIN)[0], DOCUMENT.partition(END)[2]
    assert text == f"{before}{BEGIN}\n\n{GOLDEN}\n\n{END}{after}"
    assert sorted(file.name for file in (tmp_path / "performance").iterdir()) == ["growth.svg", "speed.svg"]


def test_plots_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(DOCUMENT)
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "old.svg").write_text("<svg/>")
    write_document(path, RUN)
    assert not (tmp_path / "performance" / "old.svg").exists()


ALONE_BEGIN, ALONE_END = markers("endpoints")
ALONE = Table(
    "endpoints-10", "Endpoints, 10 rows", "", [Column("ratio", "ratio")], [Row("One", {"ratio": [2]})]
)


def test_one_table_is_written_alone_and_the_other_figures_and_plots_stay(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(f"{DOCUMENT}{ALONE_BEGIN}\nold table\n{ALONE_END}\n")
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "old.svg").write_text("<svg/>")
    for _ in range(2):
        write_document(path, Run({"Date": "2030-02-02"}, [ALONE]), ["endpoints"])
    text = path.read_text()
    assert text.startswith(f"{DOCUMENT}{ALONE_BEGIN}\n\n|  |  |\n| --- | --- |\n| Date | 2030-02-02 |")
    assert "| One | 2.00 |" in text
    assert "old table" not in text
    assert (tmp_path / "performance" / "old.svg").exists()


def test_a_table_with_a_block_of_its_own_goes_there_in_a_whole_run_too(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    whole = Run(RUN.facts, [*RUN.tables, ALONE])
    path.write_text(DOCUMENT + ALONE_BEGIN + ALONE_END)
    write_document(path, whole)
    others, _, own = path.read_text().partition(ALONE_BEGIN)
    assert ("| One | 2.00 |" in others, "| One | 2.00 |" in own) == (False, True)
    assert "### Speed" in others
    path.write_text(DOCUMENT)  # without that block: among the others
    write_document(path, whole)
    assert "| One | 2.00 |" in path.read_text().partition(END)[0]


def test_a_table_that_was_not_measured_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(DOCUMENT + ALONE_BEGIN + ALONE_END)
    with pytest.raises(CommandError, match="no figures of endpoints"):
        write_document(path, RUN, ["endpoints"])
    path.write_text(DOCUMENT)
    with pytest.raises(CommandError, match="bench:endpoints:begin"):
        require_markers(path, ["endpoints"])


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_document_without_a_pair_of_markers_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="needs one line"):
        replaced(text, "new", tmp_path / "performance.md")


def test_a_document_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        require_markers(tmp_path / "none.md")


@pytest.mark.parametrize(
    ("values", "at_least", "doubt", "said"),
    [
        ([0.9, 1.0, 1.1], True, "", "| yes |"),
        ([0.9, 0.94, 0.96], True, "", "| **no** |"),
        ([0.9, 0.94, 0.96], True, "noise", "| **no**, but undecided: noise |"),
        ([0.9, 0.92, 0.94], True, "noise", "| **no** |"),
        ([0.9, 0.92, 0.94], False, "noise", "| yes |"),
        ([1.0, 1.2, 1.3], False, "", "| **no** |"),
    ],
)
def test_a_promise_is_judged_by_the_median_and_doubted_when_a_busy_machine_spreads_over_the_bar(
    values: list[float], at_least: bool, doubt: str, said: str
) -> None:
    table = Table("t", "T", "", [], [], promises=[Promise("it", 0.95, values, at_least, doubt)])
    assert said in markdown(Run({}, [table]))


def test_a_run_in_which_nothing_is_slower_says_so() -> None:
    assert "Nothing, in what this run compared." in markdown(Run({}, []))


@pytest.mark.parametrize("plot", [BARS, LINES])
def test_a_plot_is_an_svg_with_title_and_axes_for_light_and_dark_pages(plot: Plot) -> None:
    drawn = svg(plot)
    root = ET.fromstring(drawn)
    words = ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert plot.title in words
    assert plot.x in words
    assert "prefers-color-scheme:dark" in drawn
    assert "#0102" not in drawn, "a colour that no theme has set"
    assert drawn == svg(plot), "the same figures make the same file"
