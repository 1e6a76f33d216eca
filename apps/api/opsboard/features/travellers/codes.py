"""QR codes of terminal addresses, as SVG that stands in a page."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import segno
from markupsafe import Markup

MOST_KEPT = 512  # codes, of about 3 kB each


def terminal_address(public_address: str, kind: Literal["job", "step"], record_id: int) -> str:
    """Return the address that opens a step, or the next step of a job, on the terminal."""
    return f"{public_address}/#/work?{kind}={record_id}"


@lru_cache(maxsize=MOST_KEPT)
def qr_code(address: str) -> Markup:
    """Return the code as an <svg> element. It has a white ground of its own, so that it can be read on a dark page."""
    code = segno.make(address, micro=False, error="m")
    return Markup(
        code.svg_inline(
            omitsize=True, light="#fff", title=f"Code of {address}", svgclass=None, lineclass=None
        )
    )
