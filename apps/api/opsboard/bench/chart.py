"""Draws the ratios as bars with their spread: an SVG that fits light and dark pages."""

from __future__ import annotations

from html import escape

from opsboard.bench.figures import ratios, spread
from opsboard.bench.run import Section

WIDTH, LABELS, VALUES = 760, 250, 60
LINE, BAR, TOP, BOTTOM = 34, 18, 10, 34
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.scale { fill: #59636e; font-size: 11px; }
.bar { fill: #9aa7b4; } .ours { fill: #0969da; }
.grid { stroke: #d1d9e0; } .spread { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .scale { fill: #9198a1; }
  .bar { fill: #5b6672; } .ours { fill: #4493f8; }
  .grid { stroke: #3d444d; } .spread { stroke: #e6edf3; }
}
"""


def svg(section: Section) -> str:
    """One bar a row, from 0 to 1 or to the highest ratio of any round."""
    rows = [(row.scenario, spread(ratios(row.rates, section.reference.rates))) for row in section.rows]
    scale = (WIDTH - LABELS - VALUES) / max(1.0, *(ratio.high for _, ratio in rows))
    bottom = TOP + LINE * len(rows)
    parts = [grid_line(LABELS + scale * step / 4, bottom, step / 4) for step in range(5)]
    for number, (scenario, ratio) in enumerate(rows):
        middle = TOP + LINE * number + LINE / 2
        kind = "ours" if scenario.contender.application is None else "bar"
        low, high = LABELS + scale * ratio.low, LABELS + scale * ratio.high
        parts += [
            f'<text x="{LABELS - 10}" y="{middle + 4:.0f}" text-anchor="end">{label(scenario.label)}</text>',
            f'<rect class="{kind}" x="{LABELS}" y="{middle - BAR / 2:.1f}" '
            f'width="{scale * ratio.middle:.1f}" height="{BAR}" rx="2"/>',
            f'<path class="spread" d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 4:.1f}v8'
            f'M{high:.1f} {middle - 4:.1f}v8"/>',
            f'<text x="{WIDTH - 8}" y="{middle + 4:.0f}" text-anchor="end">{ratio.middle:.2f}</text>',
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM}" role="img" '
        f'width="{WIDTH}"><title>Requests a second as a ratio to the bare WSGI callable</title>'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def grid_line(x: float, bottom: int, value: float) -> str:
    return (
        f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>'
        f'<text class="scale" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'
    )


def label(markdown: str) -> str:
    return escape(markdown.replace("`", ""))
