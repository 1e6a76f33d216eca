"""The total of a list is counted once for all its pages, and kept as a body is: until a table of the list changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsboard.cache.body import Body
from opsboard.cache.key import Key, canonical
from opsboard.cache.store import Outcome
from opsboard.db.database import Row
from opsboard.db.list_statement import Page, is_total_cacheable
from opsboard.db.queries import Query
from opsboard.web.services import deadline, identity, services

# All totals are one endpoint of the cache, which may have a part of it: anybody can ask for any filter.
ENDPOINT = "lists.total"
SHARE = 4
# Its index in the row of a page.
TOTAL = 7


def page_of(query: Query, filters: Mapping[str, Any], page: Page) -> Row:
    """Return a page of a list for the caller (see db.list_statement.compose).

    The key has only the arguments that change the total. Without a cached total the page's own statement counts: one
    statement either way.
    """
    database, config, who = services().database, services().config, identity()
    if (
        not config.cache_enabled
        or config.cache_ttl_totals <= 0
        or not is_total_cacheable(query, filters, page)
    ):
        return database.fetch_list(query, who, filters, page)
    made: list[Row] = []

    def counted() -> Body:
        made.append(database.fetch_list(query, who, filters, page))
        return Body(str(made[0][TOTAL]).encode(), query.reads)

    asked = {**filters, "list": query.name, "only": query.sorts[page.sort].condition}
    key = Key(who.tenant_id, who.role, who.user_id, ENDPOINT, canonical(asked))
    found = services().store.get_or_load(key, config.cache_ttl_totals, query.reads, counted, deadline())
    if made:
        return made[0]
    # An older value is not acceptable here.
    total = None if found.outcome is Outcome.STALE else int(found.body.identity)
    return database.fetch_list(query, who, filters, replace(page, total=total))
