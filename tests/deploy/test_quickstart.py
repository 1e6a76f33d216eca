"""A business is set up by the lines of docs/quickstart.md, as they are written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from opsboard.tenants.adding import add_tenant, add_user
from tests.clusters import FreshDatabase
from tests.deploy.servers import ROOT, free_port, running_gunicorn

BLOCK = re.compile(r"<!-- quickstart:begin -->\n```sh\n(.*?)```\n<!-- quickstart:end -->", re.S)
MOST_LINES = 40


def test_a_business_is_set_up_by_curl_alone(database: FreshDatabase) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    found = BLOCK.search((ROOT / "docs/quickstart.md").read_text())
    assert found, "the quickstart has its lines of curl between two marks"
    lines = [line for line in found[1].splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    (password,) = re.findall(r'"password": "([^"]*)"', found[1])
    add_tenant(database.app_url, "mill", "Hill Mill", "UTC")
    add_user(
        database.app_url, "mill", email="admin@mill.example", role="admin", full_name="Ada", password=password
    )
    bind = f"127.0.0.1:{free_port()}"
    with running_gunicorn("opsboard:create_app()", DATABASE_URL=database.app_url, BIND=bind):
        script = found[1].replace("http://127.0.0.1:8000", f"http://{bind}")
        done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=300, check=False)
    # Behind a pipe curl's exit code is lost; its words are not.
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:]
    assert len(re.findall(r"/set-password#", done.stdout)) == 10
    stats = json.loads(done.stdout[done.stdout.rindex('{"jobs"') :])
    assert (stats["jobs"]["active"], stats["jobs"]["total"]) == (20, 20)
    assert (stats["machines"]["total"], stats["users"]["total"]) == (3, 11)
