"""Each line of the log is in the form that LOG_FORMAT names, and explained in the documentation."""

from __future__ import annotations

import ast
import json
import re
import signal
from pathlib import Path

import opsboard
from tests.deploy.servers import free_port, running_gunicorn

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def test_with_json_every_line_is_json(tmp_path: Path) -> None:
    """Of gunicorn, of the service, of the database layer, and of a reload that is refused."""
    nobody = f"postgresql://opsboard_app@127.0.0.1:{free_port()}/opsboard"
    bind = f"127.0.0.1:{free_port()}"
    with running_gunicorn(
        "opsboard:create_app()", BIND=bind, DATABASE_URL=nobody, LOG_FORMAT="json"
    ) as server:
        assert server.client().get("/api/health/ready").status == 503
        server.signal(signal.SIGHUP)
        assert server.client().get("/api/health").status == 200
    lines = [json.loads(line) for line in server.said_at_end.splitlines()]
    events = " ".join(line["event"] for line in lines)
    assert "Listening at" in events and "request" in events and "database cannot be reached" in events
    assert all(line["level"] in LEVELS for line in lines)


def lines_of_the_log() -> dict[str, str]:
    """The beginning of each event that the service can log, and where."""
    found = {}
    for file in (ROOT / "apps" / "api" / "opsboard").rglob("*.py"):
        if "demo" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
                and isinstance(node.args[0], ast.Constant)
            ):
                found[re.split(r"%|:|, asked", str(node.args[0].value))[0].strip()] = file.name
    return found


def test_every_line_is_in_the_documentation() -> None:
    docs = "\n".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("operations.md", "measuring.md")
    )
    found = lines_of_the_log()
    assert len(found) > 20 and Path(opsboard.__file__).is_relative_to(ROOT)
    missing = {event: file for event, file in found.items() if f"`{event}" not in docs}
    assert not missing
