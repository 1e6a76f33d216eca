"""The tables an import may fill.

A further table is one more entry in one of the lists, after the tables its rows point to. A test holds them against
the migrated schema.
"""

from __future__ import annotations

from opsboard.imports.target import Target
from opsboard.imports.targets_history import HISTORY
from opsboard.imports.targets_sales import SALES
from opsboard.imports.targets_shop import SHOP
from opsboard.imports.targets_work import WORK

# Parents before children: rows are stored in this order.
TARGETS: dict[str, Target] = {target.table: target for target in (*SHOP, *WORK, *SALES, *HISTORY)}
