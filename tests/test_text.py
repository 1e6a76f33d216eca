"""The forms of texts, by Python and by the database, and the check of addresses."""

from __future__ import annotations

import re
import unicodedata
from contextlib import closing

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.auth.passwords import hash_password, password_fits
from opsboard.imports.addresses import LONGEST_PLAIN, PLAIN
from opsboard.text import email_address, normal_form, stored_password
from tests.clusters import FreshDatabase

SPACES = "\u00a0\u2003\u200b\u200c\u200d\u200e\ufeff\u2060\u00ad\u202a\u202c \t\n"
ODD = [
    "e\u0301", "\ufb01", "\u212b", "\uff21", "\u1100\u1161", "\u0344", "\u0958", "\u03c2", "\u00df",
    "\U0001f468\u200d\U0001f469",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\x00")
TEXTS = st.lists(st.sampled_from([*SPACES, *ODD]) | CHARACTERS).map("".join)


def ask(database: FreshDatabase, function: str, values: list[str]) -> list[str]:
    with closing(psycopg2.connect(database.app_url)) as connection, connection.cursor() as cursor:
        query = f"SELECT array_agg({function}(v) ORDER BY n) FROM unnest(%s) WITH ORDINALITY AS x (v, n)"
        cursor.execute(query, (values,))
        row = cursor.fetchone()
        assert row is not None
        found: list[str] = row[0]
        return found


@given(TEXTS)
def test_the_stored_form_is_composed_trimmed_and_stays_as_it_is(value: str) -> None:
    stored = normal_form(value)
    assert normal_form(stored) == stored == unicodedata.normalize("NFC", stored)
    assert normal_form(unicodedata.normalize("NFD", value)) == normal_form(
        unicodedata.normalize("NFC", value)
    )
    assert not set(stored) & set("\u200b\ufeff\u2060\u00ad")
    assert normal_form(f"\ufeff {value}\u200b \u202c") == stored


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(TEXTS, min_size=40, max_size=40))
def test_database_and_door_have_one_stored_form(database: FreshDatabase, values: list[str]) -> None:
    assert ask(database, "normal_form", values) == [normal_form(value) for value in values]


def test_database_and_door_have_one_stored_form_on_each_server(any_database: FreshDatabase) -> None:
    values = [f"{a}{b}{a}" for a in SPACES for b in ODD]
    assert ask(any_database, "normal_form", values) == [normal_form(value) for value in values]


ALIKE = [
    ["Jos\u00e9", "jose\u0301", "JOSE", "jo\u00adse\u200b"],
    ["Stra\u00dfe", "STRASSE", "stra\u1e9ee"],
    ["\u039d\u03af\u03ba\u03bf\u03c2", "\u039d\u0399\u039a\u039f\u03a3", "\u03bd\u03b9\u03ba\u03bf\u03c3"],
    ["\uff21\uff22\uff23 1", "abc 1", "ABC\u00a01"],
    ["\u0141\u00f3d\u017a", "lodz"],
    ["\u00d8rsted", "orsted"],
    ["\ufb01nal", "FINAL"],
]


@pytest.mark.parametrize("alike", ALIKE, ids=lambda alike: alike[-1])
def test_what_looks_alike_is_searched_alike(any_database: FreshDatabase, alike: list[str]) -> None:
    assert len(set(ask(any_database, "search_form", alike))) == 1


def test_addresses_are_one_whatever_their_case_and_two_by_their_accents(any_database: FreshDatabase) -> None:
    same = ["Jos\u00e9@X.example", "jose\u0301@x.EXAMPLE", "JOSE\u0301@x.example", "jos\u00e9@\uff58.example"]
    assert set(ask(any_database, "address_form", same)) == {"jos\u00e9@x.example"}
    assert ask(any_database, "address_form", ["jose@x.example"]) == ["jose@x.example"]
    numbers = ["+49 (0)30 555-12", "0049 30 55512", "49 ( 0 ) 30 555 12", "\uff14\uff19 30/55512"]
    assert set(ask(any_database, "phone_form", numbers)) == {"493055512"}
    assert ask(any_database, "recipient_form", ["+49 (0)30 1", "(0)30 1", "Kim@x", "Halle 3"]) == [
        "49301", "0301", "kim@x", "halle 3",
    ]  # fmt: skip


@settings(max_examples=30)  # they are long
@given(st.from_regex(re.compile(PLAIN, re.ASCII), fullmatch=True))
def test_what_an_import_takes_as_it_is_passes_the_check_unchanged(value: str) -> None:
    if len(value) <= LONGEST_PLAIN:
        assert email_address(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "a",
        "@b",
        "a@x.de\u200b",
        "a@x.de;b@x.de",
        "a@b",
        "Kim <a@x.de>",
        "a b@x.de",
        "",
        "a@" + "x" * 250 + ".de",
    ],
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        email_address(value)


def test_a_password_fits_in_either_form_and_its_spaces_count() -> None:
    composed, decomposed = "p\u00e4ssw\u00f6rd 1", "pa\u0308sswo\u0308rd\u00a01"
    for password in (composed, decomposed):
        stored = hash_password(password)
        assert password_fits(stored, composed) and password_fits(stored, decomposed)
        assert not password_fits(stored, "password 1") and not password_fits(stored, composed + " ")
    assert stored_password(decomposed) == composed


def test_a_password_that_was_set_decomposed_before_still_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsboard.auth.passwords.stored_password", lambda password: password)
    stored = hash_password("pa\u0308ssword")
    monkeypatch.undo()
    assert password_fits(stored, "p\u00e4ssword") and password_fits(stored, "pa\u0308ssword")
