"""A real factory's records: every number of the dashboard equals one computed straight from the raw files."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsboard.auth.passwords import hash_password
from opsboard.db.embedded import Cluster
from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import run_import
from tests.application import Application, running_application
from tests.clusters import FreshDatabase, fresh_database
from tests.imports.logs import rows
from tests.seed import PASSWORD, Business

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "adventureworks"
MAPPING = ROOT / "docs" / "import" / "adventureworks.toml"
DAYS = [dt.date(2011, 12, 31), dt.date(2013, 6, 30), dt.date(2014, 6, 3)]

pytestmark = pytest.mark.skipif(
    not (FOLDER / "WorkOrder.csv").exists(), reason=f"the AdventureWorks files are not in {FOLDER}"
)


@dataclass(frozen=True)
class Factory:
    """The application over the imported factory, and the files that were imported."""

    app: Application
    folder: Path
    is_whole: bool

    def raw(self, name: str) -> list[list[str]]:
        """The lines of one of the two files without a header."""
        return [line.split("\t") for line in (self.folder / name).read_text().splitlines()]


def import_into(
    database: FreshDatabase, as_of: dt.date | None, folder: Path = FOLDER, **options: Any
) -> dict[str, Any]:
    summary = run_import(database.app_url, folder, load_mapping(MAPPING), "adventureworks", as_of, **options)
    return {one.table: one for one in summary.tables}


def look_at(factory: Factory, as_of: dt.date) -> None:
    """Import as of a day, unless it was the last one."""
    if rows(factory.app.database, "SELECT as_of FROM tenants") != [(as_of,)]:
        import_into(factory.app.database, as_of, factory.folder)


def add_business(database: FreshDatabase) -> Business:
    """The business, with one user of its own who can sign in."""
    insert = "INSERT INTO tenants (slug, name) VALUES ('adventureworks', 'AdventureWorks') RETURNING id"
    ((tenant_id,),) = rows(database, insert)
    user = (
        "INSERT INTO users (tenant_id, email, role, password_hash) "
        f"VALUES ({tenant_id}, 'admin@adventureworks.example', 'admin', '{hash_password(PASSWORD)}')"
    )
    rows(database, user)
    return Business(tenant_id, "adventureworks", "")


@pytest.fixture(scope="module", params=[10, pytest.param(1, marks=pytest.mark.slow)], ids=["a tenth", "all"])
def factory(
    request: pytest.FixtureRequest, cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Factory]:
    """All orders, or every tenth one with its routings; the other files are whole."""
    one_of = request.param
    folder = FOLDER if one_of == 1 else every_order_of(one_of, tmp_path_factory.mktemp("factory"))
    with fresh_database(cluster, template) as database:
        business = add_business(database)
        found = import_into(database, DAYS[0], folder)
        if one_of == 1:
            assert (found["jobs"].inserted, found["job_steps"].inserted) == (72591, 67131)
        with running_application(database, business, business, cache_enabled=False) as application:
            yield Factory(application, folder, one_of == 1)


def every_order_of(one_of: int, folder: Path) -> Path:
    """A copy of the files with one of so many orders."""
    shutil.copytree(FOLDER, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for name in ("WorkOrder.csv", "WorkOrderRouting.csv"):
        lines = (FOLDER / name).read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if int(line.split(b"\t")[0]) % one_of == 0]
        (folder / name).write_bytes(b"".join(kept))
    return folder


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stage(start: str, end: str, day: str, names: tuple[str, str, str]) -> str:
    return names[0] if start[:10] > day else names[2] if end[:10] <= day else names[1]


def role(person: dict[str, str], department: str) -> str:
    title = person["JobTitle"]
    if department == "Information Services" and title.endswith(("Administrator", "Manager")):
        return "admin"
    if title.startswith(("Chief ", "Vice President ")) or title.endswith("Manager") or "Supervisor" in title:
        return "manager"
    return "manager" if title == "Master Scheduler" else "operator"


@pytest.mark.parametrize("as_of", DAYS, ids=str)
def test_every_number_of_the_dashboard_equals_the_raw_files(factory: Factory, as_of: dt.date) -> None:
    day = as_of.isoformat()
    look_at(factory, as_of)
    client = factory.app.client("admin")
    stats: dict[str, Any] = client.get("/api/dashboard/stats").json  # type: ignore[assignment]

    orders = factory.raw("WorkOrder.csv")
    jobs = Counter(stage(row[5], row[6], day, ("draft", "active", "completed")) for row in orders)
    open_due = [row[7][:10] for row in orders if row[6][:10] > day]
    expected = {
        "total": len(orders),
        "draft": jobs["draft"],
        "active": jobs["active"],
        "on_hold": 0,
        "completed": jobs["completed"],
        "cancelled": 0,
        "overdue": sum(due < day for due in open_due),
        "due_today": open_due.count(day),
    }
    assert {name: stats["jobs"][name] for name in expected} == expected
    assert stats["today"] == day

    places = table("Location.csv")
    working = sum(place["Availability"] != "0" for place in places)
    machines = {"total": 14, "active": working, "maintenance": 0, "inactive": 14 - working}
    assert {name: stats["machines"][name] for name in machines} == machines

    departments = {
        person["BusinessEntityID"]: person["Department"] for person in table("vEmployeeDepartment.csv")
    }
    people = Counter(
        role(person, departments[person["BusinessEntityID"]]) for person in table("Employee.csv")
    )
    # And the one who signs in here.
    users = {"total": 291, "active": 291, "admin": people["admin"] + 1, "manager": people["manager"],
             "operator": people["operator"]}  # fmt: skip
    assert {name: stats["users"][name] for name in users} == users

    by_status = client.get("/api/dashboard/chart/jobs-by-status").json
    assert {item["status"]: item["count"] for item in by_status["items"] if item["count"]} == jobs  # type: ignore[index]
    by_month: Any = client.get("/api/dashboard/chart/jobs-by-month").json
    created = Counter(row[5][:7] for row in orders)
    completed = Counter(row[6][:7] for row in orders if row[6][:10] <= day)
    assert by_month["items"][-1]["month"] == day[:7]
    assert [(item["created"], item["completed"]) for item in by_month["items"]] == [
        (created[item["month"]], completed[item["month"]]) for item in by_month["items"]
    ]

    steps = Counter(
        stage(row[6], row[7], day, ("pending", "in_progress", "completed"))
        for row in factory.raw("WorkOrderRouting.csv")
    )
    for status, count in steps.items():
        assert client.get(f"/api/job-steps?status={status}&page_size=1").json["total"] == count  # type: ignore[index]
    assert not factory.is_whole or (len(orders), sum(steps.values())) == (72591, 67131)


def test_what_the_dashboard_does_not_count_equals_the_raw_files(factory: Factory) -> None:
    as_of = DAYS[1]
    day = as_of.isoformat()
    look_at(factory, as_of)
    products = {row["ProductID"]: row["Name"] for row in table("Product.csv")}
    orders = factory.raw("WorkOrder.csv")
    stored = rows(
        factory.app.database,
        "SELECT job_number, title, quantity, to_char(due_date, 'YYYY-MM-DD'), to_char(started_at, 'YYYY-MM-DD'), "
        "to_char(completed_at, 'YYYY-MM-DD'), to_char(created_at, 'YYYY-MM-DD') FROM jobs ORDER BY id",
    )
    assert stored == [
        (
            f"WO-{row[0]}", f"{products[row[1]]} x {row[2]}", int(row[2]), row[7][:10],
            row[5][:10] if row[5][:10] <= day else None, row[6][:10] if row[6][:10] <= day else None, row[5][:10],
        )
        for row in orders
    ]  # fmt: skip
    stocked = {row[0]: int(row[3]) for row in orders}
    names = {row["LocationID"]: row["Name"] for row in table("Location.csv")}
    steps = rows(
        factory.app.database,
        "SELECT j.job_number, s.step_order, m.name, p.name, s.quantity_done, to_char(s.planned_end, 'YYYY-MM-DD') "
        "FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id JOIN machines AS m ON m.id = s.machine_id "
        "JOIN processes AS p ON p.id = s.process_id ORDER BY s.id",
    )
    assert steps == [
        (
            f"WO-{row[0]}", int(row[2]), names[row[3]], names[row[3]],
            stocked[row[0]] if row[7][:10] <= day else 0, row[5][:10],
        )
        for row in factory.raw("WorkOrderRouting.csv")
    ]  # fmt: skip
    check_times_and_scrap(factory, orders)
    assert rows(
        factory.app.database, "SELECT count(*), count(email), count(phone), count(address) FROM customers"
    ) == [(701, 701, 701, 701)]
    assert rows(factory.app.database, "SELECT count(*) FROM jobs WHERE customer_id IS NOT NULL") == [(0,)]
    assert rows(
        factory.app.database,
        "SELECT count(*) FROM users WHERE external_id IS NOT NULL AND password_hash IS NULL",
    ) == [(290,)]


def check_times_and_scrap(factory: Factory, orders: list[list[str]]) -> None:
    """Minutes of each step, and pieces and reasons of each order that was scrapped in part."""
    minutes = rows(factory.app.database, "SELECT setup_minutes, seconds_per_piece FROM job_steps ORDER BY id")
    assert minutes == [(round(float(row[8]) * 60), 0) for row in factory.raw("WorkOrderRouting.csv")]
    reasons = {row["ScrapReasonID"]: row["Name"] for row in table("ScrapReason.csv")}
    assert rows(factory.app.database, "SELECT kind, name FROM reasons ORDER BY id") == [
        ("reject", name) for name in reasons.values()
    ]
    scrapped = "SELECT external_id, own_fields ->> 'Scrapped' FROM jobs WHERE own_fields <> '{}' ORDER BY id"
    assert rows(factory.app.database, scrapped) == [
        (row[0], f"{row[4]}: {reasons[row[8]]}") for row in orders if row[8]
    ]
    titles = (
        "SELECT external_id, own_fields ->> 'Job title' FROM users WHERE external_id IS NOT NULL ORDER BY id"
    )
    assert rows(factory.app.database, titles) == [
        (row["BusinessEntityID"], row["JobTitle"]) for row in table("Employee.csv")
    ]


@pytest.mark.parametrize("as_of", DAYS[1:], ids=str)
def test_the_risk_of_ending_late_is_better_than_the_base_rate_of_orders_that_were_due(
    factory: Factory, as_of: dt.date
) -> None:
    look_at(factory, as_of)
    client = factory.app.client("admin")
    found: Any = client.get("/api/jobs/risk-calibration").json
    sampled = found["learned_from"] + found["scored"]
    assert found["reason"] is None
    assert 900 <= sampled <= 1092
    assert found["scored"] == sampled // 4
    # From the file alone: of the orders that were added in the half year and are due, the share that ended late.
    first = (as_of - dt.timedelta(days=182)).isoformat()
    due = [
        row[6][:10] > row[7][:10]
        for row in factory.raw("WorkOrder.csv")
        if first < row[5][:10] and row[7][:10] < as_of.isoformat()
    ]
    assert found["base_rate"] == pytest.approx(sum(due) / len(due), abs=0.08)
    assert found["is_better"] is True
    risks = [item["risk"] for item in client.get("/api/jobs/at-risk?page_size=100").json["items"]]  # type: ignore[index]
    assert len(set(risks)) > 2


def test_a_second_run_leaves_all_rows_alone(factory: Factory) -> None:
    look_at(factory, DAYS[1])
    again = import_into(factory.app.database, DAYS[1], factory.folder)
    assert {(one.inserted, one.updated) for one in again.values()} == {(0, 0)}
    orders, steps = factory.raw("WorkOrder.csv"), factory.raw("WorkOrderRouting.csv")
    assert (again["jobs"].unchanged, again["job_steps"].unchanged) == (len(orders), len(steps))


LAST = -1
# Kind of damage -> the file, the number of the line, what becomes of it and what is told.
DAMAGE: dict[str, tuple[str, int, Callable[[bytes, bytes], bytes], str]] = {
    "bad date": ("WorkOrder.csv", 100, lambda line, _: line.replace(b"2011-", b"2011-31-", 1), "is not a date"),
    "duplicate key": ("WorkOrder.csv", 2000, lambda _, before: before, "is the key of line 1999"),
    "a column too many": ("WorkOrder.csv", 3000, lambda line, _: line[:-2] + b"\t\r\n", "has 11 columns"),
    "a column too few": ("WorkOrder.csv", 4000, lambda line, _: line.split(b"\t")[0] + b"\r\n", "has 1 column"),
    "not UTF-8": ("WorkOrder.csv", 5000, lambda line, _: line[:-4] + b"\xe4\r\n", "is not utf-8"),
    "NUL": ("WorkOrder.csv", LAST, lambda line, _: line[:-4] + b"\0\r\n", "has a NUL character"),
    "orphan": ("WorkOrderRouting.csv", 1000, lambda line, _: b"0" + line, "there is no job with this key"),
    "unknown location": (
        "WorkOrderRouting.csv",
        LAST,
        lambda line, _: b"\t".join([*line.split(b"\t")[:3], b"51", *line.split(b"\t")[4:]]),
        "there is no machine with this key",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "one_of"),
    [
        pytest.param(list(DAMAGE), 10, id="all in a tenth"),
        *(pytest.param([kind], 1, marks=pytest.mark.slow, id=kind) for kind in DAMAGE),
    ],
)
def test_a_damaged_copy_stores_nothing_and_lists_each_bad_line(
    database: FreshDatabase, tmp_path: Path, kinds: list[str], one_of: int
) -> None:
    add_business(database)
    copy = every_order_of(one_of, tmp_path / "files")
    places = {}
    for kind in kinds:
        file, number, change, _ = DAMAGE[kind]
        lines = (copy / file).read_bytes().splitlines(keepends=True)
        number = len(lines) if number == LAST else number
        lines[number - 1] = change(lines[number - 1], lines[number - 2])
        (copy / file).write_bytes(b"".join(lines))
        places[kind] = (file, number)
    with pytest.raises(ImportRejected) as refused:
        import_into(database, DAYS[0], copy, report=tmp_path / "errors.csv")
    faults = refused.value.rejection.first
    assert {(fault.file, fault.line) for fault in faults} == set(places.values())
    for kind in kinds:
        reason = DAMAGE[kind][3]
        assert any(reason in fault.reason for fault in faults if (fault.file, fault.line) == places[kind]), (
            kind
        )
    for table_name in ("jobs", "job_steps", "customers", "machines", "processes", "audit_logs"):
        assert rows(database, f"SELECT count(*) FROM {table_name}") == [(0,)]
