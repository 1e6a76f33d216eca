"""Texts that a spreadsheet would execute are guarded, and the guard can be taken off again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.web.spreadsheet import guard, unguard

FORMULA = "=1+1"


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "-1",
        "@A",
        "\t=1",
        "\r1",
        "\n1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A",
        "\ufe66A",
        "\ufe62A",
    ]
    + [
        f"{before}=1"
        for before in ("\u00a0", "\ufeff", "\u200b", "\u202e", "\0", "\x1f", "\u3000", " \ufeff ")
    ],
)
def test_forms_of_a_formula_are_guarded(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert guard(f"'{text}") == f"''{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "'", "'a", " a", "1-1", "(=1)", "ä+", "'' a", " =1", "' =1"])
def test_other_texts_are_as_they_were(text: str) -> None:
    assert guard(text) == unguard(text) == text


@given(st.text(st.sampled_from("'=+-@a1 \t\ufeff\uff1d"), max_size=6) | st.text(max_size=9))
def test_every_text_comes_back(text: str) -> None:
    assert unguard(guard(text)) == text
