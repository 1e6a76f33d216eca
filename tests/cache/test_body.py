"""A body: its bytes, its gzip'd bytes, its ETags, and what If-None-Match says about them."""

from __future__ import annotations

import dataclasses
import gzip
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.cache import Body, matches
from opsboard.cache.body import OVERHEAD

LONG = b'{"status":"active"}' * 100


def test_the_gzipped_bytes_hold_the_same_answer():
    body = Body(LONG)

    assert body.gzipped is not None
    assert gzip.decompress(body.gzipped) == LONG
    assert len(body.gzipped) < len(LONG)


def test_short_answers_and_answers_that_do_not_compress_are_not_gzipped():
    assert Body(b"x" * 499).gzipped is None
    assert Body(b"x" * 500).gzipped is not None
    assert Body(os.urandom(5000)).gzipped is None


def test_another_process_at_another_time_makes_equal_bytes_and_etags():
    script = (
        "import time; time.time = lambda: 4e9\n"
        "from opsboard.cache import Body\n"
        f"b = Body({LONG!r})\n"
        "print(b.etag, b.gzip_etag, b.gzipped.hex())"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    body = Body(LONG)

    assert told == [body.etag, body.gzip_etag, (body.gzipped or b"").hex()]
    assert (body.gzipped or b"")[4:8] == b"\0\0\0\0", "no time of day in the gzip header"


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_etags_are_equal_exactly_when_the_bytes_are(one: bytes, other: bytes):
    assert (Body(one).etag == Body(other).etag) == (one == other)


def test_the_two_representations_have_two_strong_etags():
    body = Body(LONG)

    assert body.etag != body.gzip_etag
    for etag in (body.etag, body.gzip_etag):
        assert etag.startswith('"')
        assert etag.endswith('"')


def test_a_body_cannot_be_changed():
    body = Body(LONG)

    with pytest.raises(dataclasses.FrozenInstanceError):
        body.identity = b"other"  # type: ignore[misc]


def test_size_counts_both_representations():
    body = Body(LONG)

    assert body.size == len(LONG) + len(body.gzipped or b"") + OVERHEAD
    assert Body(b"").size == OVERHEAD


BODY = Body(LONG)


@pytest.mark.parametrize(
    "header",
    [
        BODY.etag,
        BODY.gzip_etag,
        f"W/{BODY.etag}",
        f"W/{BODY.gzip_etag}",
        "*",
        " * ",
        f'"other", {BODY.etag}',
        f'{BODY.gzip_etag},"other"',
        f', "a,b" ,,W/{BODY.etag} ,',
    ],
)
def test_if_none_match_that_names_the_body_matches(header: str):
    assert matches(header, BODY)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        '"other"',
        BODY.etag.strip('"'),
        BODY.etag[:-1],
        f"w/{BODY.etag}",
        f'"other" {BODY.etag}',
        f'"*", {BODY.etag}x',
        f"*, {BODY.etag}",
        '"' * 8000,
        ", " * 4000 + "x",
    ],
)
def test_if_none_match_that_does_not_name_the_body_does_not_match(header: str | None):
    assert not matches(header, BODY)


@given(st.text(max_size=60))
def test_any_text_as_if_none_match_is_answered(header: str):
    assert matches(header, BODY) == (header.strip() == "*")
