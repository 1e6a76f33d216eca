"""A mapping is checked as a whole before any file is read."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from opsboard.imports.mapping_file import MappingError, load_mapping, parse_mapping
from tests.imports.workshop import MAPPING, Workshop

SHIPPED = sorted((Path(__file__).parents[2] / "docs" / "import").glob("*.toml"))


def faults(text: str) -> list[str]:
    with pytest.raises(MappingError) as refused:
        parse_mapping(text, "m.toml")
    return [line.removeprefix("m.toml: ") for line in str(refused.value).splitlines()]


def changed(*pairs: tuple[str, str]) -> list[str]:
    text = MAPPING
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return faults(text)


def test_the_example_and_the_shipped_mappings_are_valid() -> None:
    parse_mapping((files("opsboard.imports") / "example.toml").read_text(encoding="utf-8"))
    assert len([load_mapping(path) for path in SHIPPED]) == 7


def test_a_text_that_is_not_toml_is_told_with_its_place() -> None:
    assert faults("[files") == [
        "is not TOML: Expected ']' at the end of a table declaration (at end of document)"
    ]


def test_unknown_keys_are_refused_all_at_once() -> None:
    assert changed(
        ('path = "articles.csv"', 'path = "articles.csv"\nseparator = ";"'),
        ("distinct = true", "distinct = true\nunique = true"),
        ('{ parts = ["{Street}", "{Town}"], join = ", " }', '{ part = "{Street}" }'),
    ) == [
        "files.articles.separator: is not a key of a mapping",
        "tables.customers.columns.address.part: is not a key of a mapping",
        "tables.processes.unique: is not a key of a mapping",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('quantity = "{Pieces}"', 'amount = "{Pieces}"', "tables.jobs.columns.amount: jobs has no such column;"),
        ('job_number = "J-{No}"', "", "tables.jobs.columns: job_number is missing"),
        ('job_number = "J-{No}"', 'job_number = "J-{No"', "tables.jobs.columns.job_number.value: has a single {"),
        ('job_number = "J-{No}"', 'job_number = "J-{}"', "tables.jobs.columns.job_number.value: has {} with no column"),
        ('job = "{Order}"\n', "", "tables.job_steps.parents: job is missing"),
        ('customer = "{Client}"', 'client = "{Client}"', "tables.jobs.parents.client: jobs has no such parent;"),
        ('{ status = "draft" }', '{ status = "new" }', "tables.jobs.stages[0].status: new is not one of draft,"),
        ('since = "started_at"', 'since = "due_date"', "tables.jobs.stages[1].since: due_date is not a time"),
        (', since = "started_at"', "", "tables.jobs.stages[1].since: is missing"),
        ('name = "At {Centre}"', 'name = "{#line}"', "tables.processes.distinct: is of no use with {#line}"),
        ('file = "articles"', 'file = "article"', "tables.jobs.lookups.article.file: there is no files.article"),
        ('["completed"]', '["done"]', "tables.job_steps.columns.quantity_done.when_status: done is not a status"),
        (', until_then = "0"', "", "tables.job_steps.columns.quantity_done.until_then: is missing"),
        ('external_id = "{No}"', 'external_id = "No"', "tables.jobs.external_id: has no column"),
        ('path = "orders.txt"', 'path = "../orders.txt"', "files.orders.path: must be the name of a file inside"),
        ('path = "orders.txt"', 'path = "/etc/passwd"', "files.orders.path: must be the name of a file inside"),
        ('delimiter = ";"', 'delimiter = ";;"', "files.operations.delimiter: String should have at most 1"),
        ('delimiter = ";"', "delimiter = '\"'", "files.operations.quote: is the delimiter too"),
        ('"Due"]', '"No"]', "files.orders.columns: has No twice"),
        ('path = "clients.csv"', 'path = "c"\nencoding = "utf-7"', "files.clients.encoding: cannot be read line by"),
        ('path = "clients.csv"', 'path = "c"\nencoding = "utf8859"', "files.clients.encoding: is not the name of"),
        ('path = "clients.csv"', 'path = "c"\ndates = ["%d.%m"]', "files.clients.dates.0: needs a year"),
        ('path = "clients.csv"', 'path = "c"\ndates = ["%Q"]', "files.clients.dates.0: has %Q; known are"),
        ('due_date = "{Due}"', 'due_date = { value = "{Due}", otherwise = "x" }',
         "tables.jobs.columns.due_date: has otherwise without values"),
        ('due_date = "{Due}"', 'due_date = { value = "{Due}", first_of = ["{No}"] }',
         "tables.jobs.columns.due_date: needs one of value, first_of, parts, differences, members, max, min, sum "
         "and count"),
        ('due_date = "{Due}"', 'due_date.differences = { a = ["{Due}", "{No}"] }',
         "tables.jobs.columns.due_date: differences are what a column of changes has"),
        ('key = "Code"\n', "", "tables.jobs.lookups.article: needs a key, unless it picks the previous or the next"),
        ('key = "Code"\n', 'pick = "next"\n', "tables.jobs.lookups.article.file: only lines of the same file are"),
        ('path = "clients.csv"', 'path = "c"\nskip = -1', "files.clients.skip: Input should be greater than or"),
        ('path = "clients.csv"', 'path = "c"\nremarks = [{ says = "" }]', "files.clients.remarks.0.says: String"),
        ('due_date = "{Due}"', 'priority = { value = "{Due}", values = { "1" = "first" } }',
         "tables.jobs.columns.priority.values.1: first is not one of low, normal, high, urgent"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_place(old: str, new: str, fault: str) -> None:
    assert any(line.startswith(fault) for line in changed((old, new))), changed((old, new))


def test_an_unknown_table_is_told_with_the_known_ones() -> None:
    assert faults(MAPPING.replace("tables.processes", "tables.offers")) == [
        "tables.offers: is no table; known are customers, users, processes, role_process_permissions, machines, "
        "working_hours, holidays, routings, routing_steps, "
        "reasons, jobs, job_steps, work_records, machine_stops, leads, campaigns, campaign_recipients, suppressions, "
        "contacts, call_log, "
        "response_approvals, approval_queue, approval_history, workflows, workflow_execution_monitoring, "
        "notifications, audit_logs"
    ]


def test_files_and_columns_that_are_not_there_are_told_all_at_once(workshop: Workshop) -> None:
    workshop.write(clients="ClientNo,Names,Mail,Street\n", operations="")
    (workshop.folder / "articles.csv").unlink()
    with pytest.raises(MappingError) as refused:
        workshop.run()
    assert [fault.replace(f"{workshop.folder}/", "") for fault in refused.value.faults] == [
        "files.operations: operations.csv: is empty",
        "files.articles.path: articles.csv: No such file or directory",
        "tables.customers.columns.name: clients.csv has no Name; it has ClientNo, Names, Mail, Street",
        "tables.customers.columns.address[1]: clients.csv has no Town; it has ClientNo, Names, Mail, Street",
    ]


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (b"Code,Name,Code\n", "articles.csv: has the column Code twice"),
        (b"Code,N\xe4me\n", "articles.csv: line 1 byte 0xe4 (character 7) is not utf-8"),
        (b'Code,"Name\n', "articles.csv: line 1 a quote is opened and never closed"),
    ],
)
def test_a_damaged_header_is_told(workshop: Workshop, header: bytes, fault: str) -> None:
    workshop.write(articles=header)
    with pytest.raises(MappingError) as refused:
        workshop.run()
    assert refused.value.faults == [f"files.articles: {fault}"]
