"""Faults of a mapping that show only when its parts are held against each other and against the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsboard.imports import templates
from opsboard.imports.file_mapping import File
from opsboard.imports.mapping import ImportMapping, Stage, Table, Value
from opsboard.imports.target import Column, Target
from opsboard.imports.targets import TARGETS


def faults_of(mapping: ImportMapping) -> list[str]:
    """Every fault with its place in the file; what the CSV files lack shows later, in column_faults."""
    faults: list[str] = []
    for name, file in mapping.files.items():
        faults += [f"files.{name}.{fault}" for fault in _file_faults(file)]
    for name, table in mapping.tables.items():
        target = TARGETS.get(table.table or name)
        if target is None:
            faults.append(f"tables.{name}: is no table; known are {_words(TARGETS)}")
            continue
        faults += [f"tables.{name}.{fault}" for fault in _table_faults(table, target, mapping)]
    return faults


def column_faults(mapping: ImportMapping, columns: dict[str, list[str]]) -> list[str]:
    """Columns the mapping names that their file does not have; `columns` says what each file has."""
    named = [
        (f"tables.{name}.{place}", file, column)
        for name, table in mapping.tables.items()
        for place, file, column in named_columns(table)
    ]
    named += [
        (f"files.{name}.{place}", name, column)
        for name, file_ in mapping.files.items()
        for place, column in remarked_columns(file_)
    ]
    return [
        f"{place}: {mapping.files[file].path} has no {column}; it has {_words(columns[file])}"
        for place, file, column in named
        if file in columns and column not in columns[file]
    ]


def remarked_columns(file: File) -> Iterator[tuple[str, str]]:
    """Every column the remarks on a file are about, with its place in the mapping."""
    for number, remark in enumerate(file.remarks):
        for column in (*remark.where, *remark.repeated):
            yield f"remarks[{number}]", column


def named_columns(table: Table) -> Iterator[tuple[str, str, str]]:
    """Every column a table's rows are made from: its place in the mapping, its file, its name."""
    for place, template in table.templates.items():
        for name in templates.placeholders(template):
            lookup, column = table.resolve(name)
            if table.items and templates.is_of_item(name):
                continue
            if column in (templates.LINE, templates.PLACE) or (
                table.each and name in (templates.EACH, templates.COLUMN)
            ):
                continue
            yield place, table.lookups[lookup].file if lookup else table.file, column
    for column in table.where:
        yield "where", table.file, column
    for column in table.where_not:
        yield "where_not", table.file, column
    for column in table.each:
        yield "each", table.file, column
    if table.items:
        yield "items", table.file, table.items
    for name, lookup_ in table.lookups.items():
        if lookup_.key:
            yield f"lookups.{name}.key", lookup_.file, lookup_.key
        for column in (*lookup_.where, *lookup_.where_not):
            yield f"lookups.{name}.where", lookup_.file, column


def _file_faults(file: File) -> Iterator[str]:
    if file.delimiter == file.quote:
        yield "quote: is the delimiter too"
    for name in file.columns or []:
        if (file.columns or []).count(name) > 1:
            yield f"columns: has {name} twice"
            return


def _table_faults(table: Table, target: Target, mapping: ImportMapping) -> Iterator[str]:
    for place, name in [
        ("file", table.file),
        *((f"lookups.{k}.file", v.file) for k, v in table.lookups.items()),
    ]:
        if name not in mapping.files:
            yield f"{place}: there is no files.{name}"
    if table.distinct is True and any(
        templates.LINE in templates.placeholders(text) for text in table.templates.values()
    ):
        yield f"distinct: is of no use with {{{templates.LINE}}}, which differs in each line"
    yield from _key_faults(table)
    if table.items and table.each:
        yield "items: cannot go with each"
    if not templates.placeholders(table.external_id):
        yield "external_id: has no column, so all rows would have the same"
    known = {column.name: column for column in target.columns}
    for name, value in table.columns.items():
        if name in known:
            yield from (
                f"columns.{name}{fault}" for fault in _value_faults(value, known[name], table, target)
            )
        else:
            yield f"columns.{name}: {target.table} has no such column; it has {_words(known)}"
    for column in target.columns:
        if column.required and column.name not in table.columns:
            yield f"columns: {column.name} is missing"
    if table.columns and all(value.once for value in table.columns.values()) and not table.stages:
        yield "columns: all are once, so that a second import could change nothing"
    yield from _parent_faults(table, target)
    yield from _stage_faults(table.stages, table, target)
    yield from _look_up_faults(table)


def _key_faults(table: Table) -> Iterator[str]:
    """{#n} and what is made over the lines of a key."""
    numbered = templates.PLACE in templates.placeholders(table.external_id)
    if numbered and table.numbered_by is None:
        yield f"numbered_by: is missing, as {{{templates.PLACE}}} is a part of external_id"
    if table.numbered_by and templates.PLACE in templates.placeholders(table.numbered_by):
        yield f"numbered_by: {{{templates.PLACE}}} cannot count itself"
    for name, lookup in table.lookups.items():
        if templates.PLACE in templates.placeholders(lookup.equals):
            yield f"lookups.{name}.equals: {{{templates.PLACE}}} is known only after look-ups"
    if table.distinct is True and any(
        templates.PLACE in templates.placeholders(text) for text in table.templates.values()
    ):
        yield f'distinct: is of no use with {{{templates.PLACE}}}; "first" and "last" are'
    for name, value in table.columns.items():
        if not value.over_lines:
            continue
        if table.distinct not in ("first", "last"):
            yield f'columns.{name}.{value.over_lines[0]}: needs distinct = "first" or "last", one row for each key'
        if numbered or any(templates.PLACE in templates.placeholders(text) for text in value.sources):
            yield f"columns.{name}.{value.over_lines[0]}: cannot go with {{{templates.PLACE}}}"


def _value_faults(value: Value, column: Column, table: Table, target: Target) -> Iterator[str]:
    constants = {f".values.{text}": ours for text, ours in value.values.items()}
    constants |= {".otherwise": value.otherwise or "", ".default": value.default or ""}
    if value.value and not value.values and not templates.placeholders(value.value):
        constants[""] = "".join(str(part) for part in templates.parse(value.value))
    for place, constant in constants.items():
        if constant and column.one_of and constant not in column.one_of:
            yield f"{place}: {constant} is not one of {_words(column.one_of)}"
    if value.differences is not None and column.kind != "changes":
        yield ": differences are what a column of changes has, and no other"
    if value.members is not None and column.kind != "members":
        yield ": members are what own fields have, and no other"
    if column.kind == "members" and not (value.members or value.value):
        yield ": needs members, or a value with an object of JSON"
    if column.kind == "changes" and not (value.differences or value.value):
        yield ": needs differences, or a value with an object of JSON"
    if value.times is not None and column.kind not in ("integer", "seconds"):
        yield f".times: {column.name} is no number"
    if value.times is not None and value.count is not None:
        yield ".times: cannot go with count"
    if value.plus is not None and column.kind not in ("date", "timestamp"):
        yield f".plus: {column.name} is no date"
    if (
        value.over_lines
        and value.over_lines[0] != "count"
        and column.kind in ("text", "boolean", "changes", "members")
    ):
        yield f".{value.over_lines[0]}: {column.name} is neither a number nor a date"
    if value.over_lines and value.over_lines[0] == "sum" and column.kind in ("date", "timestamp"):
        yield f".sum: {column.name} is no number"
    if value.dates and column.kind not in ("date", "timestamp"):
        yield f".dates: {column.name} is no date"
    if value.when_status:
        yield from _when_status_faults(value, column, table, target)


def _when_status_faults(value: Value, column: Column, table: Table, target: Target) -> Iterator[str]:
    statuses = {stage.status for stage in table.stages}
    if "status" in table.columns:
        statuses |= set(target.column("status").one_of)
    for status in value.when_status:
        if status not in statuses:
            yield f".when_status: {status} is not a status of tables.{target.table}.stages, and status no column"
    if value.until_then is None and not column.nullable:
        yield f".until_then: is missing, and {column.name} cannot be empty"
    if value.until_then is not None and column.kind not in ("text", "integer", "seconds"):
        yield ".until_then: only a text or a number can have one"
    elif value.until_then and column.kind in ("integer", "seconds") and not value.until_then.isdecimal():
        yield ".until_then: is not a whole number"


def _parent_faults(table: Table, target: Target) -> Iterator[str]:
    known = {parent.name for parent in target.parents}
    for name in table.parents:
        if name not in known:
            yield f"parents.{name}: {target.table} has no such parent; it has {_words(known) or 'none'}"
    for parent in target.parents:
        if parent.required and parent.name not in table.parents:
            yield f"parents: {parent.name} is missing"


def _stage_faults(stages: list[Stage], table: Table, target: Target) -> Iterator[str]:
    if not stages:
        return
    status = next((column for column in target.columns if column.name == "status"), None)
    if status is None:
        yield f"stages: {target.table} has no status"
        return
    times = {column.name for column in target.columns if column.kind == "timestamp" and column.nullable}
    for number, stage in enumerate(stages):
        if stage.status not in status.one_of:
            yield f"stages[{number}].status: {stage.status} is not one of {_words(status.one_of)}"
        if number == 0 and stage.since is not None:
            yield "stages[0].since: the first status holds from the beginning"
        if number > 0 and stage.since is None:
            yield f"stages[{number}].since: is missing"
        if stage.since is not None and (stage.since not in times or stage.since not in table.columns):
            yield f"stages[{number}].since: {stage.since} is not a time among the columns"


def _look_up_faults(table: Table) -> Iterator[str]:
    # Each may use the ones above it.
    before: list[str] = []
    for name, lookup in table.lookups.items():
        for placeholder in templates.placeholders(lookup.equals):
            other, _ = table.resolve(placeholder)
            if other and other not in before:
                yield f"lookups.{name}.equals: {other} must be a look-up above this one"
            if lookup.is_neighbour and (other or placeholder in (templates.EACH, templates.COLUMN)):
                yield f"lookups.{name}.equals: lines are neighbours by columns of their own only"
        if lookup.is_neighbour and lookup.file != table.file:
            yield f"lookups.{name}.file: only lines of the same file are neighbours"
        before.append(name)


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)
