"""The files of deploy/ fit each other and the settings: one socket, one port, settings that exist."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from opsboard.settings import BY_NAME

DEPLOY = Path(__file__).parents[2] / "deploy"
SOCKET = "unix:/run/opsboard/opsboard.sock"
UNITS = ("opsboard.service", "opsboard-migrate.service", "opsboard-journeys.service")


def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return parsed


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name)
    return parser


def test_everything_meets_at_one_socket() -> None:
    assert f"server {SOCKET} " in (DEPLOY / "nginx.conf").read_text()
    assert f"Environment=BIND={SOCKET}\n" in (DEPLOY / "opsboard.service").read_text()
    services = compose()["services"]
    assert services["service"]["environment"]["BIND"] == SOCKET
    assert "socket:/run/opsboard" in services["service"]["volumes"]
    assert "socket:/run/opsboard" in services["nginx"]["volumes"]
    assert unit("opsboard.service")["Service"]["RuntimeDirectory"] == "opsboard"


@pytest.mark.parametrize(
    "name", ["opsboard-migrate.service", "opsboard-backup.service", "opsboard-journeys.service"]
)
def test_every_unit_is_as_hardened_as_the_service(name: str) -> None:
    def hardening(unit_name: str) -> dict[str, str]:
        text = (DEPLOY / unit_name).read_text().partition("NoNewPrivileges=")
        lines = f"{text[1]}{text[2]}".partition("\n[")[0].split()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    assert hardening("opsboard.service") == hardening(name) and len(hardening(name)) >= 15


def test_no_unit_waits_for_ever() -> None:
    for file in DEPLOY.glob("*.service"):
        assert "TimeoutStartSec=infinity" not in file.read_text(), file.name


def test_only_settings_that_exist_are_set() -> None:
    inside = {
        name
        for service in ("migrate", "service", "journeys")
        for name in compose()["services"][service]["environment"]
    }
    dockerfile = (DEPLOY / "Dockerfile").read_text().partition("\nENV ")[2].partition("\nUSER ")[0]
    inside |= set(re.findall(r"(?m)^\s*(\w+)=", dockerfile)) - {"PATH", "PYTHONUNBUFFERED"}
    inside |= set(re.findall(r"(?m)^Environment=(\w+)=", (DEPLOY / "opsboard.service").read_text()))
    assert {"BIND", "OPSBOARD_ENV", "SECRET_KEY", "DATABASE_OWNER_URL", "OPSBOARD_DATA"} <= inside
    assert inside <= BY_NAME.keys()


def test_the_service_never_gets_the_owners_address() -> None:
    assert "DATABASE_OWNER_URL" not in compose()["services"]["service"]["environment"]
    assert "DATABASE_OWNER_URL" not in (DEPLOY / "opsboard.service").read_text()


def test_compose_starts_each_when_what_it_needs_is_there() -> None:
    services = compose()["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["service"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["journeys"]["depends_on"] == services["service"]["depends_on"]
    assert services["journeys"]["environment"] == {
        name: value for name, value in services["service"]["environment"].items() if name != "BIND"
    }
    assert services["nginx"]["depends_on"] == {"service": {"condition": "service_healthy"}}
    assert services["postgres"]["volumes"][0] == "database:/var/lib/postgresql"


def test_every_secret_of_compose_is_asked_for_and_none_is_in_the_file() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = (DEPLOY / "compose.env.example").read_text()
    names = set(re.findall(r"\$\{(\w+):\?set it in .env\}", text))
    assert names == {"SECRET_KEY", "POSTGRES_PASSWORD", "OPSBOARD_OWNER_PASSWORD", "OPSBOARD_APP_PASSWORD"}
    # Both places that say how many there are.
    operations = (DEPLOY.parent / "docs" / "operations.md").read_text()
    assert "four secrets" in text and "put in the four secrets" in operations
    for name in sorted(names):
        assert f"${{{name}:?set it in .env}}" in text
        assert f"\n{name}=\n" in example
    assert not re.search(r"(?i)(password|secret_key)\w*: (?!\$\{|\?)\S", text)


def test_the_image_runs_as_nobody_special_on_a_pinned_base() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert bases == ["python:3.11-slim-bookworm"] * 2
    assert "USER opsboard" in lines
    assert 'CMD ["opsboard", "serve"]' in lines
    assert any("opsboard.commands.alive" in line for line in lines)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = " ".join(line for line in lines if line.startswith("COPY") and "--from" not in line)
    for name in (line.removeprefix("!") for line in ignored if line.startswith("!")):
        assert re.search(rf"\b{re.escape(name)}\b", copied), f"{name} is sent to the builder and not used"


@pytest.mark.parametrize("name", UNITS)
def test_units_are_accepted_by_systemd(name: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    for each in UNITS:
        # It looks for the program, which is not installed here.
        text = (DEPLOY / each).read_text().replace("/opt/opsboard/bin/opsboard", "/bin/true")
        (tmp_path / each).write_text(text)
    done = subprocess.run([program, "verify", tmp_path / name], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "opsboard" in line]) == (0, [])


def test_the_unit_stops_later_than_gunicorn_gives_up() -> None:
    patience = int(unit("opsboard.service")["Service"]["TimeoutStopSec"])
    assert patience > BY_NAME["WEB_GRACEFUL_TIMEOUT"].default
    grace = compose()["services"]["service"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > BY_NAME["WEB_GRACEFUL_TIMEOUT"].default


def test_nginx_waits_longer_for_an_answer_than_a_request_may_take() -> None:
    site = (DEPLOY / "nginx.conf").read_text()
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", site)
    assert int(seconds) > BY_NAME["REQUEST_DEADLINE"].default + BY_NAME["DB_POOL_TIMEOUT"].default
    (kept,) = re.findall(r"\n    keepalive_timeout (\d+)s;  # below gunicorn's 75 s", site)
    (held,) = re.findall(r"\nkeepalive = (\d+)", (DEPLOY.parent / "gunicorn.conf.py").read_text())
    assert int(kept) < int(held) == 75
