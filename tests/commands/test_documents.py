"""opsboard documents sweep removes the files that no document names, and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsboard.features.documents.store import DocumentStore
from tests.application import Application
from tests.commands.conftest import Run
from tests.commands.test_rollups import addresses
from tests.features.test_document_content import noted, put, sha256, store_of, stored

DAY = 24 * 3600


def make_old(path: Path, seconds: float = 2 * DAY) -> None:
    written = path.stat().st_mtime - seconds
    os.utime(path, (written, written))


def test_only_old_files_that_no_document_names_are_removed(own_app: Application, run: Run) -> None:
    client, root = own_app.client(), store_of(own_app)
    path = noted(client)
    for data in (b"replaced", b"kept"):
        assert put(client, path, data).status_code == 200
    named, mine = stored(own_app) - {f"1/{sha256(b'replaced')}"}, root / str(own_app.alpha.id)
    for name in (sha256(b"replaced"), f"{'b' * 64}.0123abcd.part", "a note of somebody.txt"):
        (mine / name).write_bytes(b"x")
        make_old(mine / name)
    (mine / sha256(b"young")).write_bytes(b"x")
    # Named by the other business: that does not keep it here. And of a business that is gone.
    (other,) = (root / str(own_app.beta.id)).iterdir()
    gone = root / "999"
    gone.mkdir()
    for folder in (mine, gone):
        (folder / other.name).write_bytes(b"x")
        make_old(folder / other.name)
    for name in named:
        make_old(root / name)
    before, settings = stored(own_app), {**addresses(own_app), "DOCUMENT_STORE": str(root)}
    said = run("documents", "sweep", "--dry-run", **settings)
    assert said.exit_code == 0 and "4 to remove" in said.output
    assert stored(own_app) == before
    done = run("documents", "sweep", **settings)
    assert done.exit_code == 0 and "4 removed" in done.output
    assert stored(own_app) == named | {"1/a note of somebody.txt", f"1/{sha256(b'young')}"}
    assert client.get(path).data == b"kept"
    assert "0 removed" in run("documents", "sweep", **settings).output


def test_without_a_store_there_is_nothing_to_sweep(own_app: Application, run: Run) -> None:
    result = run("documents", "sweep", **addresses(own_app))
    assert "DOCUMENT_STORE" in str(result.exception)


def test_an_upload_that_the_sweep_overtook_is_written_again(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = DocumentStore.write, []

    def overtaken(self: DocumentStore, tenant_id: int, name: str, content: object) -> None:
        write(self, tenant_id, name, content)  # type: ignore[arg-type]
        written.append(name)
        if len(written) == 1:
            self.remove(tenant_id, name)

    monkeypatch.setattr(DocumentStore, "write", overtaken)
    client = own_app.client()
    path = noted(client)
    assert put(client, path, b"twice").status_code == 200
    assert len(written) == 2
    assert client.get(path).data == b"twice"
