"""An area of the API: a blueprint that registers a list and its export from one declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import Response

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.web.access import only_for
from opsboard.web.endpoint import cache_list
from opsboard.web.exports import export_arguments, export_file
from opsboard.web.listing import ListArguments, list_page
from opsboard.web.schemas import Envelope
from opsboard.web.visibility import Addresses

List = TypeVar("List", bound=type[ListArguments])
View = Callable[..., Any]


@dataclass(frozen=True)
class ListDeclaration:
    """A list of an area. `always`: filters that the caller cannot change, beside the ids in the address."""

    path: str
    arguments: type[ListArguments]
    output: type[Envelope]
    roles: tuple[Role, ...] = ()
    always: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the list's query is the name of its view."""
        return self.arguments.query.name.rpartition(".")[2]

    def page_view(self) -> View:
        def page(arguments: ListArguments, **ids: int) -> Body:
            return list_page(arguments, {**arguments.filters(), **ids, **self.always})

        page.__name__ = page.__qualname__ = self.name
        page.__doc__ = self.arguments.__doc__
        return cache_list(page)

    def export_view(self) -> View:
        filename = self.path.rpartition("/")[2]

        def export(arguments: Any, **ids: int) -> Response:
            return export_file(
                arguments, {**arguments.filters(), **ids, **self.always}, filename, self.output
            )

        export.__name__ = export.__qualname__ = f"export_{self.name.removeprefix('list_')}"
        export.__doc__ = f"All rows of `GET {self.path}` as a file, with its filters, sort and fields."
        export.exports = True  # type: ignore[attr-defined]
        return export


class Area(APIBlueprint):
    """The routes of one area, under /api/<its name> unless another prefix is given."""

    def __init__(
        self,
        name: str,
        import_name: str,
        tag: str,
        url_prefix: str | None = None,
        addresses: Addresses | None = None,
        **options: Any,
    ) -> None:
        """`addresses`: the members that operators see of what is their own only."""
        prefix = f"/api/{name.replace('_', '-')}" if url_prefix is None else url_prefix
        super().__init__(name, import_name, url_prefix=prefix, tag=tag, **options)
        self.addresses = addresses
        self.lists: dict[str, ListDeclaration] = {}

    def list(
        self,
        rule: str,
        output: type[Envelope],
        *,
        roles: Iterable[Role] = (),
        always: Mapping[str, Any] | None = None,
    ) -> Callable[[List], List]:
        """Register a list and its export: `GET rule` and `GET rule/export`.

        @area.list("", Customers)
        class ListCustomers(ListArguments, query=sql.list_customers, default_sort="name"):
            \"\"\"Customers by name.\"\"\"

        The class has the filters that a caller may send, its docstring is the summary of the API, and its query names
        the view. Ids in the rule are filters too. A page is cached per user and arguments.
        """

        def declare(arguments: List) -> List:
            declared = ListDeclaration(
                f"{self.url_prefix}{rule}", arguments, output, tuple(roles), always or {}
            )
            self.lists[declared.name] = declared
            page = self.output(output)(declared.page_view())
            self._add(rule, arguments, page, declared.roles)
            self._add(f"{rule}/export", export_arguments(arguments), declared.export_view(), declared.roles)
            return arguments

        return declare

    def _add(self, rule: str, arguments: type[ListArguments], view: View, roles: tuple[Role, ...]) -> None:
        view = self.input(arguments, location="query", arg_name="arguments")(view)
        self.get(rule)(only_for(*roles)(view) if roles else view)
