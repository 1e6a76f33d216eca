"""New passwords: long enough, not common, not the person's own name; what is else is nobody's business."""

from __future__ import annotations

import pytest

from opsboard.auth.password_rules import check_new_password
from opsboard.demo.catalogue import PASSWORD as OF_THE_DEMO
from tests.seed import PASSWORD

NAMES = ("kim.sand@north.example", "Kim Sandström", "north-works")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password", "10 to 200"), ("123456789", "10 to 200"), ("x" * 201, "10 to 200"), ("e\u0301" * 9, "10 to 200"),
        ("1234567890", "guessed"), ("Password123", "guessed"), ("QWERTYUIOP", "guessed"), ("aaaaaaaaaaaaaa", "guessed"),
        ("iloveyou!!!!", "guessed"), ("abababababab", "guessed"),
        ("kim.sand@north.example", "a name"), ("KimSand2026", "a name"), ("north-works", "a name"),
        ("Sandström-2026", "a name"),
    ],
)  # fmt: skip
def test_a_password_that_would_be_guessed_is_refused(password: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_new_password(password, NAMES)


@pytest.mark.parametrize(
    "password",
    [
        OF_THE_DEMO,
        PASSWORD,
        "a long secret",
        "x7 Kq%2mZp9",
        "ein langer Satz ohne Zahl",
        "Kim likes tall trees",
    ],
)
def test_any_other_password_is_good_without_rules_of_composition(password: str) -> None:
    check_new_password(password, NAMES)
