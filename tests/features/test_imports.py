"""Imports over the API: a process beside the worker reads the files and stores all rows, or none with every fault."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from werkzeug.test import TestResponse

from opsboard.imports.mapping_file import parse_mapping
from opsboard.web.scopes import TABLE
from tests.application import Application, running_application
from tests.contract.test_every_route import assert_problem

CUSTOMERS = b"Client No,Company,E-Mail\nK1,Fox,fox@example.com\nK2,Mill,\nK3,Hill,hill@example.com\n"
BROKEN = b"Client No,Company,E-Mail\nK1,Fox,fox@example.com\nK2,,no address\nK3,Hill,hill@example.com\n"
MAPPING = """
[files.customers]
path = "customers.csv"

[tables.customers]
file = "customers"
external_id = "{Client No}"
[tables.customers.columns]
name = "{Company}"
email = "{E-Mail}"
"""


def send(client: FlaskClient, path: str, mapping: str | None = None, **files: bytes) -> TestResponse:
    parts: dict[str, Any] = {
        "file": [(io.BytesIO(data), name.replace("__", ".")) for name, data in files.items()]
    }
    if mapping is not None:
        parts["mapping"] = mapping
    return client.post(path, data=parts, content_type="multipart/form-data")


def events(answer: TestResponse) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.mimetype) == (200, "application/jsonl")
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def names(app: Application) -> set[str]:
    items: Any = app.client().get("/api/customers?page_size=100").json
    return {item["name"] for item in items["items"]}


def workbook(rows: list[list[Any]]) -> bytes:
    book, data = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]  # a new workbook has a sheet
    book.save(data)
    return data.getvalue()


def test_files_are_looked_at_guessed_checked_and_stored(own_app: Application) -> None:
    client = own_app.client()
    found: Any = send(client, "/api/imports/preview", customers__csv=CUSTOMERS).json
    (file,) = found["files"]
    assert (file["path"], file["columns"]) == ("customers.csv", ["Client No", "Company", "E-Mail"])
    assert [(row["line"], row["fields"]) for row in file["rows"]][:2] == [
        (2, ["K1", "Fox", "fox@example.com"]),
        (3, ["K2", "Mill", ""]),
    ]
    assert found["mapping"]["tables"]["customers"]["external_id"] == "{Client No}"
    assert parse_mapping(found["toml"]).tables["customers"].columns["name"].value == "{Company}"
    assert {"customers", "jobs", "machines"} <= {target["table"] for target in found["targets"]}

    before = names(own_app)
    sent = json.dumps(found["mapping"])
    checked = events(send(client, "/api/imports?dry_run=true", sent, customers__csv=CUSTOMERS))
    assert checked[-1]["outcome"] == "checked"
    assert checked[-1]["tables"] == [{"table": "customers", "inserted": 3, "updated": 0, "unchanged": 0}]
    assert names(own_app) == before

    stored = events(send(client, "/api/imports", sent, customers__csv=CUSTOMERS))
    assert stored[-1]["outcome"] == "stored"
    own_app.poll_changes()
    assert names(own_app) - before == {"Fox", "Mill", "Hill"}
    # The mapping that is given back does the same again: nothing is left to do.
    (given,) = [event["toml"] for event in stored if event["event"] == "mapping"]
    again = events(send(client, "/api/imports", given, customers__csv=CUSTOMERS))
    assert again[-1]["tables"] == [{"table": "customers", "inserted": 0, "updated": 0, "unchanged": 3}]
    audit: Any = client.get("/api/audit?page_size=5").json
    entry = next(one for one in audit["items"] if one["action"] == "import")
    assert entry["user"]["name"] == "canaryalpha admin"


def test_every_fault_is_told_at_its_cell_and_nothing_is_stored(own_app: Application) -> None:
    before = names(own_app)
    (*_, end) = events(send(own_app.client(), "/api/imports", MAPPING, customers__csv=BROKEN))
    assert (end["outcome"], end["fault_count"]) == ("rejected", 2)
    places = [(fault["file"], fault["line"], fault["column"], fault["value"]) for fault in end["faults"]]
    assert places == [("customers.csv", 3, "Company", None), ("customers.csv", 3, "E-Mail", "no address")]
    own_app.poll_changes()
    assert names(own_app) == before


def test_a_workbook_is_read(own_app: Application) -> None:
    data = workbook([["Machine", "Location"], ["Lathe 7", "Hall 2"], ["Saw 3", "Hall 1"]])
    found: Any = send(own_app.client(), "/api/imports/preview", machines__xlsx=data).json
    assert found["files"][0]["columns"] == ["Machine", "Location"]
    (*_, end) = events(
        send(own_app.client(), "/api/imports", json.dumps(found["mapping"]), machines__xlsx=data)
    )
    assert (end["outcome"], end["tables"][0]["inserted"]) == ("stored", 2)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("", "files: Field required"),
        ("{", "is not JSON"),
        ("[files", "is not TOML"),
        (MAPPING.replace("{Company}", "{Firm}"), "Firm"),
        (
            MAPPING.replace("customers.csv", "../../../etc/passwd"),
            "must be the name of a file inside the folder",
        ),
        (MAPPING.replace("customers.csv", "others.csv"), "others.csv"),
    ],
)
def test_a_mapping_that_does_not_fit_is_told_without_our_paths(
    app: Application, mapping: str, words: str
) -> None:
    (*_, end) = events(send(app.client(), "/api/imports?dry_run=true", mapping, customers__csv=CUSTOMERS))
    assert end["outcome"] == "unusable_mapping"
    assert words in " ".join(end["faults"]) and "opsboard-import" not in json.dumps(end)


def test_files_that_are_like_nothing_can_be_mapped_by_hand(app: Application) -> None:
    found: Any = send(app.client(), "/api/imports/preview", x__csv=b"q1;q2\n1;2\n", y__pdf=b"%PDF").json
    by_path = {file["path"]: file for file in found["files"]}
    assert by_path["x.csv"]["columns"] == ["q1", "q2"] and by_path["x.csv"]["settings"]["delimiter"] == ";"
    assert "not read" in by_path["y.pdf"]["problem"]
    assert found["mapping"] == {"files": {}, "tables": {}} and found["detail"]


@pytest.mark.parametrize("name", ["", ".csv", "..", "a/../..", "x" * 120, "a\tb.csv"])
def test_names_that_could_lead_elsewhere_are_refused(app: Application, name: str) -> None:
    parts = {"file": [(io.BytesIO(b"a,b\n1,2\n"), name)]} if name else {}
    answer = app.client().post("/api/imports/preview", data=parts, content_type="multipart/form-data")
    assert_problem(answer, 400, "invalid_input")


def test_what_is_no_form_of_files_is_refused(app: Application) -> None:
    client = app.client()
    assert_problem(client.post("/api/imports", json={}), 400, "invalid_input")
    assert_problem(send(client, "/api/imports", MAPPING), 400, "invalid_input")
    twice = {"file": [(io.BytesIO(b"a"), "a.csv"), (io.BytesIO(b"b"), "a.csv")]}
    assert_problem(client.post("/api/imports", data=twice), 400, "invalid_input")
    other = {"file": [(io.BytesIO(b"a"), "a.csv")], "folder": "/etc"}
    assert_problem(client.post("/api/imports", data=other), 400, "invalid_input")


def test_files_above_the_limit_are_413(app: Application) -> None:
    with running_application(app.database, app.alpha, app.beta, import_max_bytes=1000) as small:
        for size in (1001, 3 << 20):
            answer = send(small.client(), "/api/imports/preview", a__csv=b"x" * size)
            assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("role", ["manager", "operator"])
def test_only_admins_import(app: Application, role: str) -> None:
    for path in ("/api/imports", "/api/imports/preview"):
        assert_problem(send(app.client(role), path, MAPPING, customers__csv=CUSTOMERS), 403, "forbidden")


def test_a_token_needs_the_scope_to_write(app: Application) -> None:
    table = app.flask.extensions[TABLE]
    assert {table["imports.run_import", "POST"], table["imports.preview_import", "POST"]} == {"write"}


def test_an_import_reaches_the_business_of_its_caller_alone(own_app: Application) -> None:
    client = own_app.client("admin", own_app.beta)
    assert events(send(client, "/api/imports", MAPPING, customers__csv=CUSTOMERS))[-1]["outcome"] == "stored"
    own_app.poll_changes()
    assert "Fox" not in names(own_app)


def children() -> set[str]:
    """Processes of imports that this process started."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as words, open(f"/proc/{pid}/stat") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
                if "opsboard.imports.process" in words.read() and parent == os.getpid():
                    found.add(pid)
        except OSError:
            continue
    return found


@contextmanager
def waiting_imports(app: Application) -> Iterator[None]:
    """Imports of the first business wait here for their turn, as behind another one."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection:
        connection.cursor().execute("SELECT id FROM tenants WHERE id = %s FOR UPDATE", (app.alpha.id,))
        yield


def begun(app: Application) -> TestResponse:
    """An import that has sent its first line."""
    parts = {"mapping": MAPPING, "file": (io.BytesIO(CUSTOMERS), "customers.csv")}
    answer = app.client().post("/api/imports", data=parts, buffered=False)
    assert answer.status_code == 200
    assert json.loads(next(iter(answer.response)))["event"] == "mapping"
    return answer


def test_a_reader_that_goes_away_ends_the_import_and_frees_its_place(own_app: Application) -> None:
    before, running = names(own_app), []
    with waiting_imports(own_app):
        for _ in range(3):  # more than run at once
            answer = begun(own_app)
            running.append(len(children()))
            answer.close()
            assert children() == set()
    assert 1 in running
    own_app.poll_changes()
    assert names(own_app) == before


def test_an_import_that_breaks_off_says_so(own_app: Application) -> None:
    with waiting_imports(own_app):
        answer = begun(own_app)
        for pid in children():
            os.kill(int(pid), signal.SIGKILL)
        *_, last = answer.response
    end = json.loads(last)
    assert (end["event"], end["outcome"]) == ("end", "failed") and "nothing was stored" in end["detail"]
    assert children() == set()


def test_more_imports_than_may_run_at_once_are_503(own_app: Application) -> None:
    share = own_app.flask.extensions["opsboard.imports"]
    held = 0
    while share.take(own_app.alpha.id):
        held += 1
    answer = send(own_app.client(), "/api/imports/preview", customers__csv=CUSTOMERS)
    assert_problem(answer, 503, "too_many_imports")
    assert answer.headers["Retry-After"] and held > 0
    share.give_back(own_app.alpha.id)
    assert send(own_app.client(), "/api/imports/preview", customers__csv=CUSTOMERS).status_code == 200


def test_the_outcome_comes_as_text_for_those_who_take_no_lines_of_json(own_app: Application) -> None:
    data = {"file": [(io.BytesIO(b"nothing"), "a.csv")], "mapping": "nothing"}
    answer = own_app.client().post(
        "/api/imports", data=data, content_type="multipart/form-data", headers={"Accept": "text/plain"}
    )
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert json.loads(answer.get_data(as_text=True).splitlines()[-1])["outcome"] == "unusable_mapping"
