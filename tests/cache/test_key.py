"""The key: every part of it separates answers, and arguments have one spelling."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import combinations
from uuid import UUID

import pytest

from opsboard.cache import Body, Key, Outcome, Store, canonical
from opsboard.cache.key import matches_prefix

KEY = Key(1, "manager", 7, "jobs.list_jobs", canonical({"status": "late", "page": 2}), "en")
OTHER_PARTS = {
    "tenant_id": 2,
    "role": "operator",
    "user_id": 8,
    "endpoint": "jobs.get_job",
    "arguments": canonical({"status": "late", "page": 3}),
    "locale": "de",
    "of_list": True,
}


def test_every_part_has_a_counter_example_here():
    assert set(OTHER_PARTS) == set(Key._fields)


@pytest.mark.parametrize("part", OTHER_PARTS)
def test_another_value_of_any_part_is_another_entry(part: str):
    store = Store(100, 10**6)
    other = KEY._replace(**{part: OTHER_PARTS[part]})

    store.get_or_load(KEY, 60, frozenset(), lambda: Body(b"for one"))
    found = store.get_or_load(other, 60, frozenset(), lambda: Body(b"for the other"))

    assert (found.outcome, found.body.identity) == (Outcome.MISS, b"for the other")
    assert store.get_or_load(KEY, 60, frozenset(), lambda: Body(b"unused")).body.identity == b"for one"


def test_an_answer_for_everybody_is_not_the_answer_for_one():
    assert KEY._replace(user_id=None) != KEY._replace(user_id=0)


def test_the_order_of_arguments_and_absent_ones_make_no_difference():
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1, "c": None})


def test_values_that_python_holds_equal_are_kept_apart():
    values = [1, True, "1", "True", 1.0, ["1"], [1], ["1", "1"], ["1','1"], "", [], date(2024, 1, 1)]

    for one, other in combinations(values, 2):
        assert canonical({"x": one}) != canonical({"x": other}), (one, other)


def test_an_argument_cannot_pass_for_two():
    assert canonical({"a": "1", "b": "2"}) != canonical({"a": "1'), ('b', '2"})


def test_enums_count_by_their_value():
    class Status(StrEnum):
        LATE = "late"

    assert canonical({"status": Status.LATE}) == canonical({"status": "late"})
    assert canonical({"id": UUID(int=1)}) == canonical({"id": UUID(int=1)})


def test_an_argument_without_a_lasting_spelling_is_refused():
    with pytest.raises(TypeError, match="object cannot be part of a cache key"):
        canonical({"x": object()})


@pytest.mark.parametrize(
    "prefix",
    ["", "dash", "dashboard", "dashboard.", "dashboard.stats", "dashboard_stats", "get_dashboard_stats"],
)
def test_an_endpoint_answers_to_both_spellings_of_its_name(prefix: str):
    assert matches_prefix("dashboard.stats", prefix)


@pytest.mark.parametrize(
    "prefix", ["stats", "dashboard.stats2", "get_jobs", "Dashboard", "get.dashboard", "*"]
)
def test_an_endpoint_does_not_answer_to_other_names(prefix: str):
    assert not matches_prefix("dashboard.stats", prefix)
