"""The search over all records, and the words by which they are found."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.queries import load_queries
from tests.application import Application, run
from tests.contract.test_every_query import explain, nodes


@pytest.fixture
def stocked(own_app: Application) -> Application:
    client = own_app.client()
    for path, body in (
        ("jobs", {"job_number": "J-011999", "title": "Gehäuse für Pumpe"}),
        ("jobs", {"job_number": "J-012000", "title": "Bracket M8x020 for pump"}),
        (
            "customers",
            {"name": "Ångström & Søn", "email": "anna.berg@works.example", "phone": "+49 (0)30 5550142"},
        ),
        ("contacts", {"name": "Jean-Luc Böhm", "phone": "0171 99 88 77 6"}),
        ("leads", {"name": "Pumpenhaus", "email": "kontakt@pumpenhaus.example"}),
    ):
        answer = client.post(f"/api/{path}", json=body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
    return own_app


def found(application: Application, q: str, role: str = "admin", **more: Any) -> dict[str, list[str]]:
    answer: Any = application.client(role).get("/api/search", query_string={"q": q, **more})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {group["kind"]: [item["title"] for item in group["items"]] for group in answer.json["groups"]}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("11999", {"jobs": ["J-011999"]}),
        ("011999", {"jobs": ["J-011999"]}),
        ("J-011999", {"jobs": ["J-011999"]}),
        ("j11999", {"jobs": ["J-011999"]}),
        ("gehause", {"jobs": ["J-011999"]}),
        ("PUMPE geh", {"jobs": ["J-011999"]}),
        ("geh pumpe", {"jobs": ["J-011999"]}),
        ("geh bracket", {}),
        ("m8x20", {"jobs": ["J-012000"]}),
        ("pumpenh", {"leads": ["Pumpenhaus"]}),
        ("son angstrom", {"customers": ["Ångström & Søn"]}),
        ("anna.berg@works.example", {"customers": ["Ångström & Søn"]}),
        ("+49 30 555 0142", {"customers": ["Ångström & Søn"]}),
        ("030 / 5550142", {"customers": ["Ångström & Søn"]}),
        ("0142", {"customers": ["Ångström & Søn"]}),
        ("0171 998", {"contacts": ["Jean-Luc Böhm"]}),
        ("bohm jean", {"contacts": ["Jean-Luc Böhm"]}),
        ("äumpe", {}),
        ("--", {}),
    ],
)
def test_any_word_finds_by_its_beginning_in_any_order(
    stocked: Application, q: str, expected: dict[str, list[str]]
) -> None:
    assert found(stocked, q) == expected


def test_an_exact_word_comes_first_and_the_newest_of_them(stocked: Application) -> None:
    client = stocked.client()
    for title in ("pump one", "pump two", "pumping station"):
        assert client.post("/api/jobs", json={"title": title}).status_code == 201
    answer: Any = client.get("/api/search?q=pump&limit=3").json
    jobs, leads = answer["groups"]
    assert [item["detail"] for item in jobs["items"]] == ["pump two", "pump one", "Bracket M8x020 for pump"]
    assert (jobs["has_more"], jobs["is_complete"], leads["kind"]) == (True, True, "leads")
    assert jobs["items"][0]["link"] == f"/api/jobs/{jobs['items'][0]['id']}"


def test_an_operator_finds_nobody_by_an_address_and_no_user(stocked: Application) -> None:
    for q in ("anna.berg", "0142", "angstrom berg", "5550142"):
        assert found(stocked, q, "manager") == {"customers": ["Ångström & Søn"]}, q
        assert found(stocked, q, "operator") == {}, q
    assert found(stocked, "angstrom", "operator") == {"customers": ["Ångström & Søn"]}
    assert "users" in found(stocked, "canaryalpha", "manager")
    assert "users" not in found(stocked, "canaryalpha", "operator")


def test_words_follow_each_change_by_any_writer(stocked: Application) -> None:
    business = stocked.alpha.id
    run(
        stocked,
        "UPDATE jobs SET title = 'Flansch' WHERE job_number = 'J-011999' AND tenant_id = %s",
        business,
    )
    assert found(stocked, "gehause") == {}
    assert found(stocked, "flansch") == {"jobs": ["J-011999"]}
    run(stocked, "DELETE FROM jobs WHERE job_number = 'J-011999' AND tenant_id = %s", business)
    assert found(stocked, "flansch") == {}
    run(stocked, "DELETE FROM tenants WHERE id = %s", stocked.beta.id)
    run(stocked, "SELECT fold_words(100000)")
    assert run(stocked, "SELECT count(*) FROM search_words WHERE tenant_id = %s", stocked.beta.id) == [(0,)]


def test_filling_the_words_again_gives_the_same(own_app: Application) -> None:
    words = (
        "SELECT tenant_id, source, is_address, word, row_id, words FROM search_words ORDER BY 1, 2, 3, 4, 5"
    )
    run(own_app, "SELECT fold_words(100000)")
    before = run(own_app, words)
    assert len({source for _, source, *_ in before}) == 8
    run(own_app, "TRUNCATE search_words")
    with closing(psycopg2.connect(own_app.database.owner_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CALL fill_search_words()")
        cursor.execute("CALL fill_search_words()")
    assert run(own_app, words) == before


def test_a_common_word_reads_as_few_rows_as_a_rare_one(own_app: Application) -> None:
    """Of one word no more rows than are shown, of several no more than the bound for each, at any number of jobs."""
    run(
        own_app,
        "INSERT INTO jobs (tenant_id, job_number, title) "
        "SELECT %s, 'N-' || n, 'common ' || CASE WHEN n %% 2 = 0 THEN 'even' ELSE 'odd' END || ' thing ' || n "
        "FROM generate_series(1, 6000) AS n",
        own_app.alpha.id,
    )
    run(own_app, "SELECT fold_rollups(1000000), fold_words(1000000)")
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE jobs, search_words")
    (query,) = load_queries("opsboard.features.search")
    fixed = {"tenant_id": own_app.alpha.id, "role": "admin", "limit": 5, "most_read": 1000}
    for q, most in (
        ("common", 60),
        ("com", 60),
        ("4321 com", 300),
        ("common thing", 600),
        ("common even odd", 2_000),
    ):
        plan = explain(own_app, query.sql, {**fixed, "q": q}, ", ANALYZE, TIMING OFF, SUMMARY OFF")
        scans = [node for node in nodes(plan) if node.get("Relation Name") == "search_words"]
        read = sum(node["Actual Rows"] * node["Actual Loops"] for node in scans)
        removed = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in scans)
        assert (0 < read <= most, removed) == (True, 0), (q, read, removed)
    answer: Any = own_app.client().get("/api/search?q=common even odd").json
    assert answer["groups"] == [], "nothing has both"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jobs?q=11999", ["J-011999"]),
        ("jobs?q=pumpe geh", ["J-011999"]),
        ("jobs?q=J-0119", ["J-011999"]),
        ("jobs?q=geh bracket", []),
        ("customers?q=son angstrom", ["Ångström & Søn"]),
        ("customers?q=0142", ["Ångström & Søn"]),
        ("contacts?q=bohm", ["Jean-Luc Böhm"]),
        ("leads?q=pumpenhaus.example kontakt", ["Pumpenhaus"]),
    ],
)
def test_lists_find_the_same_way(stocked: Application, path: str, expected: list[str]) -> None:
    answer: Any = stocked.client().get(f"/api/{path}").json
    assert [item.get("job_number") or item["name"] for item in answer["items"]] == expected
    assert answer["total"] == len(expected)
    if path.startswith("customers?q=0"):
        assert stocked.client("operator").get(f"/api/{path}").json["items"] == []  # type: ignore[index]
