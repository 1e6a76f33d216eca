"""The README's curl lines, run as they are written."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from opsboard.db.embedded import Cluster
from opsboard.demo.generate import generate
from tests.clusters import fresh_database, migrate_template
from tests.deploy.servers import ROOT, free_port, running_gunicorn

BLOCK = re.compile(r"<!-- curl:begin -->\n```sh\n(.*?)```\n<!-- curl:end -->", re.S)


@pytest.fixture(scope="module")
def demo(cluster: Cluster) -> Iterator[str]:
    """The address of a service with the demo's businesses."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with fresh_database(cluster, migrate_template(cluster)) as database:
        generate(database.owner_url, 300, datetime.now(UTC), lambda *_: None)
        bind = f"127.0.0.1:{free_port()}"
        with running_gunicorn("opsboard:create_app()", DATABASE_URL=database.app_url, BIND=bind):
            yield f"http://{bind}"


def test_every_line_of_curl_works_as_written(demo: str) -> None:
    found = BLOCK.search((ROOT / "README.md").read_text())
    assert found, "the README has its lines of curl between two marks"
    sign_in, _, lines = found[1].partition('AUTH="')
    commands = [line for line in f'AUTH="{lines}'.replace("\\\n", " ").splitlines() if line.strip()]
    assert len(commands) > 25
    # Each by itself, so that one which fails is named; -f makes an error of a status of 400 and above.
    for command in commands[1:]:
        script = f"{sign_in}\n{commands[0]}\n{command}".replace("curl -s", "curl -sS -f")
        script = script.replace("URL=http://127.0.0.1:8000", f"URL={demo}")
        done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=60, check=False)
        # Behind a pipe curl's exit code is lost, and `head` may hang up on it, which is not a failure.
        failed = done.returncode or "curl: (22)" in done.stderr or not done.stdout.strip()
        assert not failed, f"{command}\n{done.stderr}{done.stdout[:500]}"
