"""Each piece that separates businesses is removed, one at a time; each time a test must fail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from opsboard.cache import envelope
from opsboard.db import list_statement, list_total
from opsboard.features.job_status import status as job_status
from opsboard.web import cursors, endpoint, fast_path, idempotency, listing, remembered_requests, totals
from tests.application import Application
from tests.cache import test_envelope
from tests.contract import test_counted_totals, test_every_query, test_idempotency
from tests.contract.mutants import changed, changed_query, files_without_one_predicate
from tests.contract.test_every_query import QUERIES, TENANTLESS, text_of, unguarded
from tests.contract.test_tenancy import cursor, faults
from tests.features import test_job_status, test_lists
from tests.web import test_cached_routes, test_fast_path, test_remembered_requests
from tests.web.ways import Ways

Check = Callable[[Application], object]


def test_no_predicate_of_any_sql_file_can_be_taken_away_unnoticed() -> None:
    taken, unnoticed = 0, []
    for where, queries in files_without_one_predicate():
        # Queries without a tenant are guarded by other means, which that list names.
        guarded = [query for query in queries.values() if query.name not in TENANTLESS]
        before = [query for query in QUERIES if query.name in {query.name for query in guarded}]
        if [text_of(query) for query in guarded] == [text_of(query) for query in before]:
            continue
        taken += 1
        if not any(unguarded(text_of(query)) for query in guarded):
            unnoticed.append(where)
    assert unnoticed == []
    assert taken > 250


GENERATED = {
    "the rows of a list": ('conditions = [f"{alias}.tenant_id = %(tenant_id)s"]', 'conditions = ["true"]'),
    "the clock": ("WHERE t.id = %(tenant_id)s", "WHERE true"),
    "the row a list belongs to": ("{table.split()[-1]}.tenant_id = %(tenant_id)s AND", "true AND"),
    "the kept total": ("rollup_counts(%(tenant_id)s, ARRAY", "rollup_counts(1, ARRAY"),
}


@pytest.mark.parametrize("name", GENERATED)
def test_no_predicate_that_is_put_into_lists_can_be_taken_away_unnoticed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    old, new = GENERATED[name]
    if name == "the clock":  # a constant of the module
        monkeypatch.setattr(list_statement, "CLOCK", list_statement.CLOCK.replace(old, new))
        assert any(unguarded(text_of(query)) for query in QUERIES)
        return
    with changed(list_total if name == "the kept total" else list_statement, old, new):
        assert any(unguarded(text_of(query)) for query in QUERIES)
    test_every_query.test_each_mention_of_a_tenant_table_names_the_tenant(QUERIES[0])


def asked_both_ways(check: Callable[[Ways], None]) -> Check:
    return lambda app: check(Ways(app))


a_key = test_cached_routes.test_the_key_has_the_identity_the_endpoint_and_the_checked_arguments
after_a_change = test_counted_totals.test_a_change_is_in_the_total_of_the_next_page
a_total = test_counted_totals.test_nobody_is_told_the_total_of_another_nor_of_another_filter
a_cursor = test_lists.test_a_cursor_fits_its_own_list_filter_sort_and_tenant_only
elsewhere = test_lists.test_a_cursor_is_not_that_of_a_user_of_the_same_number_elsewhere
bodies = asked_both_ways(test_fast_path.test_nobody_gets_anothers_body)
spellings = asked_both_ways(test_fast_path.test_each_spelling_of_the_arguments_gets_its_own_answer)
tokens = asked_both_ways(test_fast_path.test_a_token_is_good_only_in_the_header_it_was_seen_in)
schemes = asked_both_ways(
    test_fast_path.test_a_spoofed_forwarded_header_changes_nothing_and_a_proxys_is_believed
)
a_link = test_job_status.test_each_link_has_the_answer_of_its_own_job
a_change = test_job_status.test_a_change_of_the_job_is_seen_at_once
a_write = test_idempotency.test_what_makes_two_requests_the_same
# The part removed from a key, and the test that must fail.
IN_CODE: list[tuple[Any, str, str, Check]] = [
    (endpoint, "tenant_id=who.tenant_id", "tenant_id=0", a_key),
    (endpoint, "role=who.role", 'role=""', a_key),
    (endpoint, "user_id=who.user_id if per_user else None", "user_id=None", a_key),
    (endpoint, 'endpoint=request.endpoint or ""', 'endpoint=""', a_key),
    (endpoint, "arguments=canonical(flat)", "arguments=()", a_key),
    (fast_path, 'environ.get("PATH_INFO", ""),', '"",', bodies),
    (fast_path, 'environ.get("QUERY_STRING", ""),', '"",', spellings),
    (fast_path, "            source,\n", '            "",\n', tokens),
    (fast_path, "blake2b(sent.encode()).digest(),", 'b"",', bodies),
    (fast_path, 'environ["wsgi.url_scheme"],', '"",', schemes),
    (listing, "(query.name, who.tenant_id,", '("", who.tenant_id,', a_cursor),
    (listing, "(query.name, who.tenant_id,", "(query.name, 0,", elsewhere),
    (listing, "who.user_id, canonical(filters))", "0, canonical(filters))", a_cursor),
    (listing, "who.user_id, canonical(filters))", "who.user_id, ())", a_cursor),
    (cursors, "+ context.encode() +", '+ b"" +', a_cursor),
    (cursors, 'b"\\0" + payload', 'b"\\0"', a_cursor),
    (envelope, "[self._namespace, epoch, key]", '["", epoch, key]', lambda _: all_of_envelopes()),
    (envelope, "[self._namespace, epoch, key]", '[self._namespace, "", key]', lambda _: all_of_envelopes()),
    (envelope, "[self._namespace, epoch, key]", '[self._namespace, epoch, ""]', lambda _: all_of_envelopes()),
    (envelope, 'b"body" + name + content', 'b"body" + content', lambda _: all_of_envelopes()),
    (idempotency, "[request.method.encode(),", '[b"",', a_write),
    (idempotency, "request.full_path.encode(),", 'b"",', a_write),
    (idempotency, "request.get_data(cache=True) if", 'b"" if', a_write),
    (idempotency, "parts.append(tags.encode())", 'parts.append(b"")', a_write),
    (
        remembered_requests,
        "return self.identity.tenant_id, self.identity.user_id",
        "return 0, self.identity.user_id",
        lambda _: test_remembered_requests.test_users_of_one_number_in_two_tenants_are_two_users(),
    ),
    (job_status, "tenant_id=link.tenant_id", "tenant_id=0", a_change),
    (job_status, 'canonical({"link_id": link.link_id, "', 'canonical({"', a_link),
    (
        job_status,
        '"link_id": link.link_id, "expires_at": link.expires_at}),',
        '"link_id": link.link_id}),',
        a_link,
    ),
    (job_status, "LinkHolder(link.tenant_id)", "LinkHolder(2)", a_link),
    (totals, "Key(who.tenant_id, ", "Key(0, ", after_a_change),
    (totals, "who.role, who.user_id, ENDPOINT", '"", None, ENDPOINT', a_total),
    (totals, "canonical(asked)", "()", a_total),
]


def all_of_envelopes() -> None:
    test_envelope.test_another_secret_release_or_life_neither_finds_nor_opens()
    for change in test_envelope.CHANGES:
        test_envelope.test_anothers_body_under_this_name_is_refused(change)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", range(len(IN_CODE)), ids=[f"{row[0].__name__}: {row[2].strip()}" for row in IN_CODE]
)
def test_no_part_of_a_key_can_be_taken_away_unnoticed(own_app: Application, number: int) -> None:
    module, old, new, check = IN_CODE[number]
    check_is_red(changed(module, old, new), partial(check, own_app))


@pytest.mark.parametrize("number", [0, 6, 10, 16, 20, 25])
def test_parts_of_some_keys_cannot_be_taken_away_unnoticed(own_app: Application, number: int) -> None:
    """The short form of the test above: one part of each kind of key."""
    module, old, new, check = IN_CODE[number]
    check_is_red(changed(module, old, new), partial(check, own_app))


def check_is_red(mutant: AbstractContextManager[None], check: Callable[[], object]) -> None:
    with mutant, pytest.raises((Exception, pytest.fail.Exception)):
        check()


@pytest.mark.parametrize("condition", ["k.user_id = %(user_id)s", "k.key = %(idempotency_key)s"])
def test_the_kept_answer_of_a_write_is_found_by_all_of_its_key(own_app: Application, condition: str) -> None:
    check_is_red(
        changed_query(idempotency.sql, "kept_answer", condition),
        partial(test_idempotency.test_each_key_has_the_answer_of_its_own_write, own_app),
    )


@pytest.mark.parametrize("columns", ["tenant_id, key", "tenant_id, user_id"])
def test_a_key_of_a_write_is_unique_for_its_user_alone(own_app: Application, columns: str) -> None:
    test_idempotency.do(own_app, "DELETE FROM idempotency_keys")
    test_idempotency.do(
        own_app,
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey, "
        f"ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY ({columns})",
    )
    with pytest.raises(AssertionError):
        test_idempotency.test_each_key_has_the_answer_of_its_own_write(own_app)


def test_no_policy_can_be_taken_away_or_opened_unnoticed(app: Application) -> None:
    unnoticed, tried = [], 0
    with cursor(app.database.superuser_url) as cur:
        cur.execute("CREATE FUNCTION anybody() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
        cur.execute(
            "SELECT tablename, policyname, with_check IS NOT NULL, roles <> '{public}' FROM pg_policies "
            "WHERE schemaname = 'public' ORDER BY 1, 2"
        )
        for table, name, checks, for_some in cur.fetchall():
            for change in (
                f"DROP POLICY {name} ON {table}",
                f"ALTER POLICY {name} ON {table} USING (anybody())",
                *([f"ALTER POLICY {name} ON {table} WITH CHECK (anybody())"] if checks else []),
                *([f"ALTER POLICY {name} ON {table} TO PUBLIC"] if for_some else []),
            ):
                cur.execute("SAVEPOINT before")
                cur.execute(change)
                tried += 1
                if faults(cur) == []:
                    unnoticed.append(change)
                cur.execute("ROLLBACK TO before")
    assert unnoticed == []
    assert tried > 140


def test_no_condition_inside_a_function_of_counts_can_be_taken_away_unnoticed(app: Application) -> None:
    """Row security holds there as well; as superuser, whom it does not bind, the counts themselves must tell."""
    unnoticed, tried = [], 0
    with cursor(app.database.superuser_url) as cur:
        cur.execute(
            "SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc AS p "
            "WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^(rollup|recount)' ORDER BY 1"
        )
        functions = cur.fetchall()
        # Some of it folded, some not yet.
        cur.execute("SELECT fold_rollups(1000000)")
        for business in (app.alpha, app.beta):
            cur.execute("INSERT INTO customers (tenant_id, name) VALUES (%s, 'new')", (business.id,))
            # So many that their moments are in lists.
            cur.execute(
                "INSERT INTO jobs (tenant_id, job_number, title) "
                "SELECT %s, 'new' || n, 'new' FROM generate_series(1, 5) AS n",
                (business.id,),
            )
            cur.execute(
                "UPDATE work_records SET quantity_good = quantity_good + 1 "
                "WHERE tenant_id = %s AND ended_at IS NOT NULL RETURNING 1",
                (business.id,),
            )
            assert cur.fetchall(), "no record of work has ended"
        for name, definition in functions:
            for condition in ("tenant_id = tenant", "t.id = tenant"):
                for place in range(definition.count(condition)):
                    parts = definition.split(condition)
                    begin, end = condition.join(parts[: place + 1]), condition.join(parts[place + 1 :])
                    if end.lstrip().startswith("AND NULL::"):
                        continue  # a table that is not counted by day or subject: this part gives no row
                    gone = begin + ("tenant_id IS NOT NULL" if "_id" in condition else "t.id > 0") + end
                    cur.execute("SAVEPOINT before")
                    cur.execute(gone)
                    cur.execute("SELECT count(*) FROM rollup_differences(%s)", (app.alpha.id,))
                    tried += 1
                    if cur.fetchone() == (0,):
                        unnoticed.append(f"{name}: {condition} #{place}")
                    cur.execute("ROLLBACK TO before")
    assert unnoticed == []
    assert tried >= 20
