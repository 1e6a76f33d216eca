"""Fixtures of the import's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clusters import FreshDatabase
from tests.imports.workshop import Workshop


@pytest.fixture
def workshop(database: FreshDatabase, tmp_path: Path) -> Workshop:
    """A business in a database of its own, and its files as they should be."""
    (tmp_path / "files").mkdir()
    workshop = Workshop(database, tmp_path / "files")
    workshop.add_tenant("mill")
    workshop.write()
    return workshop
