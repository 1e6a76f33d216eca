"""queries.sql is read strictly: a missing header, sentence or statement is found when the program starts."""

from __future__ import annotations

import pytest

from opsboard.db.queries import Sort, load_queries, parse, shared_fragments

GOOD = """
-- fragment: members
        'id', j.id

-- name: list_things
-- reads: jobs, customers
-- from: jobs AS j
-- filter status: j.status = %(status)s
-- sort done: j.completed_at | timestamptz | j.completed_at IS NOT NULL
-- Things, newest first,
-- with their customers.
SELECT json_build_object(
/* include members */
) AS item
FROM jobs AS j;

-- name: add_thing
-- writes: jobs
-- Add a thing.
INSERT INTO jobs (title) VALUES (%(title)s)
"""


def test_headers_fragments_and_statements_are_read() -> None:
    queries = parse("things", GOOD)
    listed = queries["list_things"]
    assert listed.name == "things.list_things"
    assert listed.doc == "Things, newest first, with their customers."
    assert (listed.reads, listed.writes, listed.base) == ({"jobs", "customers"}, frozenset(), "jobs AS j")
    assert listed.filters == {"status": "j.status = %(status)s"}
    assert listed.sorts == {"done": Sort("j.completed_at", "timestamptz", "j.completed_at IS NOT NULL")}
    assert "'id', j.id" in listed.sql and "include" not in listed.sql and not listed.sql.endswith(";")
    assert queries["add_thing"].writes == {"jobs"} and queries["add_thing"].parameters == {"title"}


def test_fragments_include_each_other_and_take_words() -> None:
    shared = {"outer": "a /* include inner */ '$1' $2", "inner": "b", "own": "c"}
    text = "-- fragment: own\nd\n-- name: a\n-- reads:\n-- One.\n/* include outer job j */ /* include own */"
    assert parse("things", text, "queries.sql", shared)["a"].sql == "a b 'job' j d"
    text = "-- name: a\n-- reads:\n-- One.\n/* include outer j.id (x->>'id')::bigint */"
    assert parse("things", text, "queries.sql", shared)["a"].sql == "a b 'j.id' (x->>'id')::bigint"


def test_what_areas_share_lies_in_the_package_above() -> None:
    (bulk,) = [
        query for query in load_queries("opsboard.features.machines") if query.name == "machines.bulk_status"
    ]
    assert shared_fragments("opsboard.features.machines")["bulk_given"] in bulk.sql
    assert shared_fragments("opsboard.auth") == shared_fragments("opsboard") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1", "no query"),
        ("-- name: a\n-- reads:\n-- One.\n/* include b */", "no fragment b"),
        ("-- name: a\n-- reads:\n-- One.\n/* include  b */", "an include that cannot be read"),
        ("-- name: a\n-- A sentence.\nSELECT 1", "needs '-- reads:'"),
        ("-- name: a\n-- reads: jobs\nSELECT 1", "a sentence"),
        ("-- name: a\n-- reads: jobs\n-- A sentence.\n", "a statement"),
        ("-- name: a\n-- reads:\n-- One.\nSELECT 1\n-- name: a\n-- reads:\n-- Two.\nSELECT 2", "two queries"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"things/queries.sql.*{message}"):
        parse("things", text)
