"""The content of documents: stored whole under its sha256 or not at all, and given back to the same business only."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from opsboard.config import load_config
from opsboard.errors import ConfigError
from opsboard.features.documents.download import safe_name
from opsboard.features.documents.store import DocumentStore, DocumentStoreUnavailable
from tests.application import Application, run, running_application
from tests.contract.test_every_route import assert_problem
from tests.seed import ROLES, content

PDF = b"%PDF-1.7 a drawing\n" * 100
HTML = b"<script>alert(document.cookie)</script>"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def store_of(app: Application) -> Path:
    return Path(app.services.config.document_store)


def stored(app: Application) -> set[str]:
    """Every file of the store, by its path in it."""
    root = store_of(app)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def noted(client: FlaskClient, **more: object) -> str:
    answer = client.post("/api/documents", json={"title": "A file", "file_name": "a.pdf", **more})
    assert answer.status_code == 201
    return f"{answer.headers['Location']}/content"


def put(
    client: FlaskClient, path: str, data: bytes = PDF, kind: str = "application/pdf", **headers: str
) -> TestResponse:
    return client.put(
        path, data=data, content_type=kind, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_what_was_stored_is_read_back_with_its_row_and_in_the_audit_log(own_app: Application) -> None:
    client = own_app.client("operator")
    path = noted(client, file_name="flange ä.pdf")
    assert_problem(client.get(path), 404, "not_found")
    answer = put(client, path)
    assert answer.status_code == 200
    document: Any = client.get(path.removesuffix("/content")).json
    assert answer.json == {name: value for name, value in document.items() if name != "active_for"}
    assert (document["size_bytes"], document["sha256"]) == (len(PDF), sha256(PDF))
    assert document["media_type"] == "application/pdf" and document["content_stored_at"]
    got = client.get(path)
    assert (got.status_code, got.data, got.headers["X-Queries"]) == (200, PDF, "1")
    assert got.headers["ETag"] == f'"{sha256(PDF)}"'
    assert got.headers["Content-Length"] == str(len(PDF))
    names = "filename=\"flange a.pdf\"; filename*=UTF-8''flange%20%C3%A4.pdf"
    assert got.headers["Content-Disposition"] == f"attachment; {names}"
    assert client.get(path, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert client.head(path).headers["Content-Length"] == str(len(PDF))
    newest: Any = own_app.client().get("/api/audit?entity=document").json["items"][0]  # type: ignore[index]
    assert newest["action"] == "update" and newest["changes"]["sha256"] == [None, sha256(PDF)]
    assert f"{own_app.alpha.id}/{sha256(PDF)}" in stored(own_app)


@pytest.mark.parametrize("role", ROLES)
def test_another_business_reads_and_writes_nothing(own_app: Application, role: str) -> None:
    path = noted(own_app.client())
    assert put(own_app.client(), path).status_code == 200
    other, before = own_app.client(role, own_app.beta), stored(own_app)
    assert_problem(other.get(path), 404, "not_found")
    assert_problem(put(other, path, b"other"), 404, "not_found")
    assert stored(own_app) == before
    # Not by naming the same sha256 either: what is stored belongs to one business.
    named = noted(other, sha256=sha256(PDF))
    assert_problem(other.get(named), 404, "not_found")
    assert own_app.client().get(path).data == PDF


def test_every_role_reads_and_operators_write_their_own(own_app: Application) -> None:
    path = noted(own_app.client("manager"))
    for role in ("admin", "manager"):
        assert put(own_app.client(role), path, role.encode()).status_code == 200
    before = stored(own_app)
    assert_problem(put(own_app.client("operator"), path, b"mine"), 403, "forbidden")
    assert stored(own_app) == before
    for role in ROLES:
        assert own_app.client(role).get(path).data == b"manager"
    assert put(own_app.client("operator"), noted(own_app.client("operator"))).status_code == 200
    assert_problem(own_app.client(None).get(path), 401, "not_signed_in")
    assert_problem(put(own_app.client(None), path), 401, "not_signed_in")


def test_content_with_another_hash_is_never_stored(own_app: Application) -> None:
    client, before = own_app.client(), stored(own_app)
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(b'other').digest()).decode()}:"
    path = noted(client)
    assert_problem(put(client, path, Content_Digest=digest), 400, "invalid_input")
    assert_problem(put(client, path, Content_Digest="sha-256=:short:"), 400, "invalid_input")
    named = noted(client, sha256=sha256(b"other"))
    assert_problem(put(client, named), 409, "conflict")
    assert stored(own_app) == before
    assert client.get(path).status_code == client.get(named).status_code == 404
    # The right bytes are; after that the content may be replaced.
    assert put(client, named, b"other", Content_Digest=f"md5=:x:, {digest}").status_code == 200
    assert put(client, named).status_code == 200


def test_the_size_is_bounded_here_and_as_before_elsewhere(own_app: Application) -> None:
    most = 2 << 20
    settings = {"document_max_bytes": most, "document_store": str(store_of(own_app))}
    with running_application(own_app.database, own_app.alpha, own_app.beta, **settings) as app:
        client, before = app.client(), stored(app)
        path = noted(client)
        answer = put(client, path, bytes(most + 1))
        assert_problem(answer, 413, "body_too_large")
        assert str(most) in answer.json["detail"]  # type: ignore[index]
        # Without a length, as chunks are.
        chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        answer = client.put(path, input_stream=BytesIO(bytes(most + 1)), environ_overrides=chunked)
        assert_problem(answer, 413, "body_too_large")
        assert stored(app) == before
        assert put(client, path, bytes(most)).status_code == 200
        assert client.get(path).data == bytes(most)
        assert_problem(client.post("/api/jobs", data=bytes((1 << 20) + 1)), 413, "body_too_large")


@pytest.mark.parametrize(
    ("sent", "kept", "given"),
    [
        ("application/pdf", "application/pdf", "application/pdf"),
        ("IMAGE/PNG", "image/png", "image/png"),
        ("text/plain; charset=utf-8", "text/plain", "text/plain"),
        ("text/html", "text/html", "application/octet-stream"),
        ("image/svg+xml", "image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "text/javascript", "application/octet-stream"),
        ("application/x-www-form-urlencoded", "image/gif", "image/gif"),
        ("", "image/gif", "image/gif"),
    ],
)
def test_no_media_type_makes_a_page_of_it(own_app: Application, sent: str, kept: str, given: str) -> None:
    client = own_app.client()
    path = noted(client, media_type="image/gif")
    assert put(client, path, HTML, sent).json["media_type"] == kept  # type: ignore[index]
    got = client.get(path)
    assert (got.data, got.headers["Content-Type"]) == (HTML, given)
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "kind", ["pdf", "a/b/c", "multipart/form-data; boundary=x", "text/" + "x" * 100, "a/b\x01"]
)
def test_what_is_no_media_type_is_refused(own_app: Application, kind: str) -> None:
    client, before = own_app.client(), stored(own_app)
    assert_problem(put(client, noted(client), kind=kind), 400, "invalid_input")
    assert stored(own_app) == before


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"; filename=b.html', "a_; filename=b.html"),
        ("C:\\x.pdf", "C__x.pdf"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie_ x"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("...", "document"),
        (".htaccess", "htaccess"),
    ],
)
def test_names_of_downloads_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_if_match_compares_with_the_content_and_a_key_stores_once(own_app: Application) -> None:
    client = own_app.client()
    path = noted(client)
    for tag in ("*", f'"{sha256(b"")}"'):  # nothing is stored yet
        assert_problem(put(client, path, If_Match=tag), 412, "precondition_failed")
    key = {"Idempotency_Key": "once"}
    first = put(client, path, **key)
    assert (first.status_code, put(client, path, **key).headers["Idempotency-Replayed"]) == (200, "true")
    assert_problem(put(client, path, b"other", **key), 422, "idempotency_key_misused")
    assert client.get(path).data == PDF
    assert_problem(put(client, path, b"new", If_Match='"old"'), 412, "precondition_failed")
    assert put(client, path, b"new", If_Match=f'"{sha256(PDF)}"').status_code == 200
    assert_problem(put(client, path, b"newer", If_Match=f'"{sha256(PDF)}"'), 412, "precondition_failed")
    assert client.get(path).data == b"new"


def test_without_a_store_the_routes_say_so(own_app: Application) -> None:
    with running_application(own_app.database, own_app.alpha, own_app.beta, document_store="") as app:
        client = app.client()
        path = noted(client)
        assert_problem(put(client, path), 503, "document_store_off")
        assert_problem(client.get(path), 404, "not_found")
        (first,) = run(app, "SELECT min(id) FROM documents WHERE tenant_id = %s", app.alpha.id)
        assert_problem(client.get(f"/api/documents/{first[0]}/content"), 503, "document_store_off")


def test_a_store_that_fails_is_503_and_changes_no_row(own_app: Application) -> None:
    client = own_app.client()
    path = noted(client)
    folder = store_of(own_app) / str(own_app.alpha.id)
    folder.rename(folder.with_name("away"))
    folder.write_text("a file where the folder was")
    assert_problem(put(client, path), 503, "document_store_unavailable")
    assert client.get(path).status_code == 404
    folder.unlink()
    (first,) = run(own_app, "SELECT min(id) FROM documents WHERE tenant_id = %s", own_app.alpha.id)
    assert_problem(client.get(f"/api/documents/{first[0]}/content"), 503, "document_content_lost")


KILLED = """
import io, os, shutil, signal, sys
from opsboard.features.documents import store
def copy(source, target, size):
    target.write(b"half"); target.flush(); print("half", flush=True); os.kill(os.getpid(), signal.SIGKILL)
store.shutil.copyfileobj = copy
store.DocumentStore(sys.argv[1]).write(1, "a" * 64, io.BytesIO(b"whole"))
"""


def test_a_kill_in_between_leaves_no_half_file_under_the_name(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "half\n"), done.stderr
    store = DocumentStore(str(tmp_path))
    assert not store.has(1, "a" * 64)
    # The rest is recorded as unfinished, for the sweep.
    assert [file.name.endswith(".part") for file in store.files()] == [True]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DocumentStoreUnavailable):
        DocumentStore(str(tmp_path)).write(1, "a" * 64, BytesIO(b"x"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_row_that_is_not_changed_leaves_only_a_file_for_the_sweep(
    own_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = own_app.client()
    path = noted(client)
    run(own_app, "ALTER TABLE documents ADD CONSTRAINT none_stored CHECK (size_bytes <> 1) NOT VALID")
    assert put(client, path, b"1").status_code == 400
    assert client.get(path).status_code == 404


def test_any_store_that_fsspec_knows_will_do(own_app: Application) -> None:
    address = f"memory://documents-{own_app.database.name}"
    with running_application(own_app.database, own_app.alpha, own_app.beta, document_store=address) as app:
        client = app.client()
        path = noted(client)
        assert put(client, path).status_code == 200
        assert client.get(path).data == PDF
        assert [file.name for file in DocumentStore(address).files()] == [sha256(PDF)]
    fsspec.filesystem("memory").rm(f"/documents-{own_app.database.name}", recursive=True)


@pytest.mark.parametrize("value", ["relative/folder", "nothing://bucket", "s3"])
def test_a_store_that_cannot_be_used_is_told_at_the_start(value: str) -> None:
    with pytest.raises(ConfigError, match="DOCUMENT_STORE"):
        load_config({"DOCUMENT_STORE": value}, env_file=None)


def test_the_content_of_the_seed_is_that_of_each_business(app: Application) -> None:
    for business in (app.alpha, app.beta):
        client = app.client("operator", business)
        (first,) = run(app, "SELECT min(id) FROM documents WHERE tenant_id = %s", business.id)
        assert client.get(f"/api/documents/{first[0]}/content").data == content(business.canary)


def test_the_memory_of_a_transfer_does_not_grow_with_its_size(own_app: Application) -> None:
    client, size = own_app.client(), 20 << 20
    path, data = noted(client), BytesIO(bytes(size))
    put(client, path, b"what is loaded at first use")
    tracemalloc.start()
    try:
        headers = {"Content-Length": str(size)}
        assert client.put(path, input_stream=data, headers=headers).status_code == 200
        answer = client.get(path)  # read a piece at a time
        assert sum(map(len, answer.iter_encoded())) == size
        answer.close()
        assert tracemalloc.get_traced_memory()[1] < size // 5
    finally:
        tracemalloc.stop()
