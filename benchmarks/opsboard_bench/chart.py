"""Draws the plots as SVG that fits light and dark pages."""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from opsboard.errors import CommandError
from opsboard_bench.results import Plot, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, LINE = 7.9, 3.9, 0.36  # inches
# Stand-ins, replaced by what the page's theme says: matplotlib knows no themes.
TEXT, GRID, OURS = "#010203", "#010204", "#010205"
OTHERS = ("#010206", "#010207", "#010208", "#010209", "#01020a")
COLOURS = {
    TEXT: ("#1f2328", "#e6edf3"),
    GRID: ("#d1d9e0", "#3d444d"),
    OURS: ("#0969da", "#4493f8"),
    OTHERS[0]: ("#8c959f", "#7d8590"),
    OTHERS[1]: ("#bc4c00", "#f0883e"),
    OTHERS[2]: ("#1a7f37", "#3fb950"),
    OTHERS[3]: ("#8250df", "#bc8cff"),
    OTHERS[4]: ("#bf3989", "#ff80c8"),
}


def require_library() -> None:
    """Raise CommandError now rather than after minutes of measuring."""
    if not find_spec("matplotlib"):
        raise CommandError("The plots need matplotlib: pip install opsboard[bench].")


def svg(plot: Plot) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": plot.name,  # the same figures make the same file
        "font.family": ["sans-serif"],
        "font.size": 10,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), TEXT),
        "axes.edgecolor": GRID,
    }
    with matplotlib.rc_context(style):
        height = HEIGHT if plot.kind == "lines" else 1.2 + LINE * len(plot.series)
        drawn = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = drawn.add_subplot()
        (draw_lines if plot.kind == "lines" else draw_bars)(axes, plot)
        axes.set_title(plot.title, loc="left", fontsize=11, pad=18 if plot.bar is not None else 8)
        axes.set_xlabel(plot.x)
        axes.set_ylabel(plot.y)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        file = io.StringIO()
        drawn.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return themed(file.getvalue(), plot.title)


def draw_bars(axes: Axes, plot: Plot) -> None:
    """One bar a series from top to bottom, its value beside it."""
    places = range(len(plot.series))
    for place, series in zip(places, plot.series, strict=True):
        axes.barh(place, series.x[0], height=0.62, color=OURS if series.ours else OTHERS[0])
        end = series.x[0]
        if series.low:
            errors = [[series.x[0] - series.low[0]], [series.high[0] - series.x[0]]]
            axes.errorbar(series.x[0], place, xerr=errors, color=TEXT, capsize=3, linewidth=1.2)
            end = max(end, series.high[0])
        axes.annotate(
            f"{series.x[0]:,.3g}", (end, place), (5, 0), textcoords="offset points", va="center", color=TEXT
        )
    axes.set_yticks(list(places), [series.label.replace("`", "") for series in plot.series])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(axis="x", color=GRID)
    mark(axes, plot)


def draw_lines(axes: Axes, plot: Plot) -> None:
    from matplotlib.ticker import LogFormatter

    others = iter(OTHERS * len(plot.series))
    for series in plot.series:
        colour = OURS if series.ours else next(others)
        marker: dict[str, Any] = {"marker": "o", "markersize": 4} if len(series.x) <= 12 else {}
        label = series.label.replace("`", "")
        axes.plot(
            series.x, series.y, color=colour, label=label, linewidth=2.4 if series.ours else 1.5, **marker
        )
        shade(axes, series, colour)
    if plot.log:
        axes.set_xscale("log")
        axes.set_yscale("log")
        # Numbers as they are read, not as powers of ten.
        axes.xaxis.set_minor_formatter("")
        axes.yaxis.set_minor_formatter(LogFormatter())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:,.10g}")
    axes.grid(color=GRID)
    mark(axes, plot)
    axes.legend(frameon=False, fontsize=9, loc="best")


def shade(axes: Axes, series: Series, colour: str) -> None:
    if series.low:
        axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0)


def mark(axes: Axes, plot: Plot) -> None:
    """Return the place of the promise."""
    if plot.bar is not None:
        axes.axvline(plot.bar, color=TEXT, linestyle="--", linewidth=1)
        axes.annotate(
            "promised", (plot.bar, 1), (3, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=8, color=TEXT,
        )  # fmt: skip


def themed(drawn: str, title: str) -> str:
    """The stand-ins become variables, set for light pages and for dark ones."""
    for colour in COLOURS:
        drawn = drawn.replace(colour, f"var(--c{colour[-2:]})")
    light, dark = (
        "".join(f"--c{colour[-2:]}:{pair[theme]};" for colour, pair in COLOURS.items()) for theme in (0, 1)
    )
    style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    opening = re.search(r"<svg[^>]*>", drawn)
    assert opening  # an SVG has one
    return f"{drawn[: opening.end()]}\n <title>{title}</title>{style}{drawn[opening.end() :]}"
