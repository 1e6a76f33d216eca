"""Named queries: each area's `queries.sql`, read and checked when the program starts.

A large area has more files of the kind beside it (`steps.sql`).

A query begins with a header of comment lines:

    -- name: list_jobs
    -- reads: jobs, customers
    -- Jobs of one tenant, newest first, with their customer's name.

`reads` (or `writes`) names every table the statement touches: it is the list by which cached answers are
dropped. A list query also declares what may be asked of it, each line the SQL that stands for it:

    -- from: jobs AS j
    -- filter status: j.status = ANY(%(status)s)
    -- sort created_at: j.created_at | timestamptz
    -- sort completed_at: j.completed_at | timestamptz | j.completed_at IS NOT NULL
    -- total status: jobs | c.label = ANY(%(status)s)
    -- within: customers AS w | w.id = %(customer_id)s

The query of one thing that can be changed says which row a change of it locks:

    -- locks: jobs AS j | j.tenant_id = %(tenant_id)s AND j.id = %(job_id)s

What a violated constraint means to the person who sent the value stands before the queries of the area:

    -- constraint jobs_customer_fkey: There is no such customer (customer_id).

What several queries of an area say in the same words stands in one of its files once, under `-- fragment: name`, and is
put where they say `/* include name */`. What several areas say stands in `fragments.sql` above them; with
`/* include name word word */` the words take the places of $1 and $2.

A sort is an expression that is never null, its type and, where it holds for some rows only, which. A total
is, for exactly these filters, the rollups (see rollup_counts) whose sum is the number of rows, and which of
their rows; for other filters the rows are counted. `within` is the row a list belongs to: without it the
list is not found, rather than empty. db/list_statement.py puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files

from opsboard.db.members import answer_members, item_members

HEADER = re.compile(
    r"^--\s*(?P<word>name|reads|writes|from|within|locks|filter|sort|total)\b(?:\s+(?P<label>[\w,]+))?\s*:\s*(?P<value>.*)$"
)
FRAGMENT = re.compile(r"(?m)^-- fragment:\s*(\w+)\n")
CONSTRAINT = re.compile(r"(?m)^-- constraint (\w+): (.+)\n")
FILTER = re.compile(r"(?m)^-- filter .*$")
INCLUDE = re.compile(r"/\* include (\w+)((?: (?!\*/)\S+)*) \*/")
SHARED = "fragments.sql"
PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Sort:
    """A column a list may be sorted by: an SQL expression and the type its text is cast back to.

    `condition` is the part of the rows that have it; a list sorted by it shows only those.
    """

    expression: str
    type: str
    condition: str = ""


@dataclass(frozen=True)
class Total:
    """The rollup of a list's total: the metrics of rollup_counts and a condition on its rows."""

    metrics: tuple[str, ...]
    condition: str = "true"


@dataclass(frozen=True)
class Query:
    """One statement with its name (`area.query`), the tables it reads and writes, and its meaning."""

    name: str
    sql: str
    doc: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    # Of a list: the table it pages over and its alias, `jobs AS j`.
    base: str = ""
    # The table of the row that the list belongs to with its alias, and which row it is.
    within: str = ""
    # Of one thing that can be changed: the table of its row with its alias, and the condition of the row.
    locks: str = ""
    filters: dict[str, str] = field(default_factory=dict)
    sorts: dict[str, Sort] = field(default_factory=dict)
    # The filters that are asked for -> the total kept for just these.
    totals: dict[frozenset[str], Total] = field(default_factory=dict)
    # The members of an item, or of the answer, each with its SQL; empty where they are not written out.
    members: dict[str, str] = field(default_factory=dict)
    # SQL sent in front of it, in the same message.
    before: str = ""
    # Constraints of the area's tables, each with the message for the person whose value violates it.
    constraints: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(PARAMETER.findall(self.sql))

    @property
    def lock(self) -> str:
        """The statement that locks the row of the thing until the transaction ends."""
        table, _, row = (part.strip() for part in self.locks.partition("|"))
        return f"SELECT FROM {table} WHERE {row} FOR NO KEY UPDATE"

    def showing(self, fields: Sequence[str] | None) -> str:
        """The SQL whose answer, or each of whose items, has these members, in this order; None: all.

        What only the others need is not there any more: Postgres leaves out a LEFT JOIN that nothing refers to.
        """
        if fields is None:
            return self.sql
        begin, end, _ = item_members(self.sql) if self.base else answer_members(self.sql)
        shown = ",\n        ".join(f"'{name}', {self.members[name]}" for name in fields)
        return f"{self.sql[:begin]}\n        {shown}\n    {self.sql[end:]}"


class Queries:
    """The queries of one area, each an attribute by its name."""

    def __init__(self, area: str, queries: dict[str, Query]) -> None:
        self.area = area
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no .sql file of {self.area} has a query named {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def load_queries(package: str) -> Queries:
    """Read the .sql files of a package; the package's last name becomes the first word of each query's name.

    They may include fragments of any of these files, and of `fragments.sql` in the package above, which areas share.
    Raises ValueError naming the file and query when a header is missing or a name is taken twice.
    """
    area = package.rpartition(".")[2]
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in sorted(files(package).iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    }
    fragments = shared_fragments(package)
    for text in texts.values():
        fragments = {**fragments, **split(text)[0]}
    found: dict[str, Query] = {}
    constraints: dict[str, str] = {}
    for name, text in texts.items():
        constraints.update(CONSTRAINT.findall(text))
        queries = parse(area, text, name, fragments)
        if twice := sorted(found.keys() & queries.keys()):
            raise ValueError(f"{area}/{name}: {', '.join(twice)} is in another file already")
        found |= queries
    return Queries(area, {name: replace(query, constraints=constraints) for name, query in found.items()})


def shared_fragments(package: str) -> dict[str, str]:
    """Those the package above has for all its areas."""
    above = package.rpartition(".")[0]
    if above and (shared := files(above) / SHARED).is_file():
        return split(shared.read_text(encoding="utf-8"))[0]
    return {}


def parse(
    area: str, text: str, file: str = "queries.sql", shared: Mapping[str, str] | None = None
) -> dict[str, Query]:
    """All queries of one file by name. `shared`: fragments of other files."""
    queries: dict[str, Query] = {}
    own, blocks = split(CONSTRAINT.sub("", text))
    fragments = {**(shared or {}), **own}
    for block in blocks:
        try:
            block = FILTER.sub(lambda line: on_one_line(fragments, line[0]), block)
            whole = INCLUDE.sub(lambda found: included(fragments, found), block)
        except KeyError as missing:
            raise ValueError(f"{area}/{file}: no fragment {missing.args[0]}") from None
        if "/* include" in whole:
            raise ValueError(f"{area}/{file}: an include that cannot be read, in: {block.splitlines()[0]}")
        query = parse_one(area, whole, file)
        short = query.name.partition(".")[2]
        if short in queries:
            raise ValueError(f"{area}/{file}: two queries are named {short}")
        queries[short] = query
    if not queries:
        raise ValueError(f"{area}/{file}: no query begins with '-- name:'")
    return queries


def split(text: str) -> tuple[dict[str, str], list[str]]:
    """The fragments of a file by name, and the texts of its queries."""
    fragments: dict[str, str] = {}
    blocks: list[str] = []
    for block in re.split(r"(?m)^(?=-- (?:name|fragment):)", text)[1:]:
        if fragment := FRAGMENT.match(block):
            fragments[fragment[1]] = block[fragment.end() :].strip()
        else:
            blocks.append(block)
    return fragments, blocks


def included(fragments: Mapping[str, str], found: re.Match[str]) -> str:
    """The fragment, with the words behind its name in place of $1, $2 ..., and what it includes itself."""
    text = fragments[found[1]]
    for number, word in enumerate(found[2].split(), 1):
        text = text.replace(f"${number}", word)
    return INCLUDE.sub(lambda inner: included(fragments, inner), text)


def on_one_line(fragments: Mapping[str, str], line: str) -> str:
    """A line of the header with the fragments in it, without their comments."""
    return INCLUDE.sub(
        lambda found: " ".join(
            part.strip() for part in included(fragments, found).splitlines() if not part.startswith("--")
        ),
        line,
    )


def parse_one(area: str, block: str, file: str = "queries.sql") -> Query:
    words: dict[str, str] = {}
    filters: dict[str, str] = {}
    sorts: dict[str, Sort] = {}
    totals: dict[frozenset[str], Total] = {}
    doc: list[str] = []
    lines = block.splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)
        if not (header := HEADER.match(line)):
            doc.append(line.removeprefix("--").strip())
        elif header["word"] == "filter":
            filters[header["label"]] = header["value"]
        elif header["word"] == "sort":
            sorts[header["label"]] = Sort(*(part.strip() for part in header["value"].split("|")))
        elif header["word"] == "total":
            metrics, _, condition = (part.strip() for part in header["value"].partition("|"))
            totals[tables(header["label"] or "")] = Total(tuple(metrics.split()), condition or "true")
        else:
            words[header["word"]] = header["value"].strip()
    where = f"{area}/{file}: {words.get('name', '?')}"
    sql = "\n".join(lines).strip().removesuffix(";")
    if not (words.keys() & {"reads", "writes"} and doc and sql):
        raise ValueError(f"{where}: needs '-- reads:' or '-- writes:', a sentence and a statement")
    if unknown := frozenset[str]().union(*totals) - filters.keys():
        raise ValueError(f"{where}: a total for {', '.join(sorted(unknown))}, which is no filter")
    try:
        members = item_members(sql)[2] if "from" in words else answered(words, sql)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return Query(
        name=f"{area}.{words['name']}",
        sql=sql,
        doc=" ".join(doc),
        reads=tables(words.get("reads", "")),
        writes=tables(words.get("writes", "")),
        base=words.get("from", ""),
        within=words.get("within", ""),
        locks=words.get("locks", ""),
        filters=filters,
        sorts=sorts,
        totals=totals,
        members=members,
    )


def answered(words: Mapping[str, str], sql: str) -> dict[str, str]:
    """The members of what a statement answers with; none of a write, or of an answer that is something else."""
    try:
        return {} if "writes" in words else answer_members(sql)[2]
    except ValueError:
        return {}


def tables(value: str) -> frozenset[str]:
    return frozenset(name.strip() for name in value.split(",") if name.strip())
