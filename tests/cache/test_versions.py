"""The versions: exact while they are remembered, never wrong the dangerous way once they are forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsboard.cache.versions import Versions

TABLES = st.sampled_from(["jobs", "machines", "users"])
CHANGES = st.lists(st.tuples(st.integers(1, 4), st.frozensets(TABLES, min_size=1)), max_size=30)


def changed_since(changes: list, tenant_id: int, table: str, since: int) -> bool:
    return any(tenant == tenant_id and table in tables for tenant, tables in changes[since:])


@given(CHANGES, st.integers(0, 30), st.integers(1, 4), TABLES)
def test_a_table_is_unchanged_exactly_when_no_change_came_after(changes, since, tenant_id, table):
    versions = Versions()
    for tenant, tables in changes:
        versions.bump(tenant, tables)
    since = min(since, versions.now)

    assert versions.unchanged(tenant_id, {table}, since) is not changed_since(
        changes, tenant_id, table, since
    )


@given(CHANGES, st.integers(0, 30), st.integers(1, 4), TABLES)
def test_with_little_memory_no_change_is_ever_overlooked(changes, since, tenant_id, table):
    versions = Versions(max_tracked=3)
    for tenant, tables in changes:
        versions.bump(tenant, tables)
        assert len(versions) <= 3
    since = min(since, versions.now)

    if changed_since(changes, tenant_id, table, since):
        assert not versions.unchanged(tenant_id, {table}, since)
    assert versions.unchanged(tenant_id, {table}, versions.now)


def test_an_answer_from_no_table_is_never_outdated():
    versions = Versions()
    versions.bump(1, {"jobs"})

    assert versions.unchanged(1, frozenset(), 0)


def test_a_copy_does_not_learn_of_later_changes():
    versions = Versions()
    copy = versions.copy()
    versions.bump(1, {"jobs"})

    assert copy.unchanged(1, {"jobs"}, 0)
    assert not versions.unchanged(1, {"jobs"}, 0)


def test_a_change_of_an_old_acquaintance_is_not_forgotten_as_an_old_change():
    versions = Versions(max_tracked=3)
    for table in ("a", "b", "c", "a"):
        versions.bump(1, {table})
    before = versions.now - 1
    versions.bump(1, {"d"})

    assert not versions.unchanged(1, {"a"}, before)
