"""The README's pictures are there and small enough for a page."""

from __future__ import annotations

import struct

import pytest

from tests.pages.browser import LOOKS
from tests.pages.screenshots import IMAGES, PICTURES

LARGEST = 150_000


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_a_small_png_of_its_screen(name: str) -> None:
    content = (IMAGES / name).read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) < LARGEST
    look = LOOKS[PICTURES[name][1]]
    scale = look.get("device_scale_factor", 1)
    viewport = look["viewport"]
    assert struct.unpack(">II", content[16:24]) == (viewport["width"] * scale, viewport["height"] * scale)
