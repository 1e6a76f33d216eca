"""The commands in bin/ install what is needed, once, and say so when they cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bare_machine import PYTHON, ROOT, Machine

SCRIPTS = sorted((ROOT / "bin").iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_plain_shell(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    for shell in filter(shutil.which, ("sh", "dash", "bash")):
        subprocess.run([shell, "-n", script], check=True)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"PYTHON_VERSION": "3.9"},
            "bin/setup: Python 3.11 or newer with pip is needed; {path}/python3 is 3.9.",
        ),
        (
            {"PYTHON_VERSION": "2.7"},
            "bin/setup: Python 3.11 or newer with pip is needed; {path}/python3 is 2.7.",
        ),
        (
            {"NO_PIP": "python3"},
            "bin/setup: {path}/python3 has no pip; install it (Debian, Ubuntu: apt install python3-pip).",
        ),
    ],
)
def test_unfit_python_is_named_in_one_line(machine: Machine, environment: dict[str, str], said: str) -> None:
    status, out, err = machine.run("setup", **environment)
    assert (status, out, err) == (1, "", said.format(path=machine.path) + "\n")
    assert not (machine.checkout / ".tools").exists()


def test_machine_without_python_is_told_what_is_needed(machine: Machine) -> None:
    (machine.path / "python3").unlink()
    assert machine.run("setup")[2] == "bin/setup: Python 3.11 or newer with pip is needed.\n"


def test_newer_python_is_found_beside_an_older_one(machine: Machine) -> None:
    machine.install("python3.12", PYTHON)
    machine.install("python3", PYTHON.replace("${PYTHON_VERSION-3.12}", "3.9"))
    assert machine.run("setup")[0] == 0
    assert any(f"--python {machine.path}/python3.12" in line for line in machine.asked())


@pytest.mark.parametrize(("without_pip", "used"), [("python3", "base"), ("base", "python3")])
def test_activated_virtualenv_or_what_it_was_made_from_is_used(
    machine: Machine, without_pip: str, used: str
) -> None:
    machine.install("base", PYTHON)
    base = str(machine.path / "base")
    assert machine.run("setup", BASE_PYTHON=base, NO_PIP=without_pip)[0] == 0
    assert any(f"--python {machine.path}/{used} " in line for line in machine.asked())


def test_pip_is_not_needed_twice(machine: Machine) -> None:
    machine.run("setup")
    with open(machine.checkout / "uv.lock", "a") as file:
        file.write("\n")
    assert machine.run("setup", NO_PIP="python3")[0] == 0


def test_second_run_does_nothing_and_needs_no_python(machine: Machine) -> None:
    assert machine.run("setup", "dev", "embedded")[0] == 0
    asked = machine.asked()
    (machine.path / "python3").unlink()
    assert machine.run("setup", "dev", "embedded") == (0, "", "")
    assert machine.run("setup", "embedded") == (0, "", "")
    assert machine.asked() == asked


@pytest.mark.parametrize("name", ["uv.lock", "setup.cfg", "pyproject.toml"])
def test_changed_dependencies_are_installed_into_the_same_virtualenv(machine: Machine, name: str) -> None:
    machine.run("setup", "dev")
    before = machine.asked()
    with open(machine.checkout / name, "a") as file:
        file.write("\n")
    machine.run("setup", "dev")
    assert [line.split()[:2] for line in machine.asked()[len(before) :]] == [["uv", "export"], ["uv", "pip"]]


def test_extras_another_command_asked_for_stay(machine: Machine) -> None:
    machine.run("setup", "dev")
    machine.run("setup", "demo")
    exports = [line for line in machine.asked() if line.startswith("uv export")]
    assert "--extra dev --extra demo " in exports[-1]
    assert machine.run("setup", "demo", "dev") == (0, "", "")


def test_two_runs_at_once_install_once(machine: Machine) -> None:
    running = [machine.start("setup", "dev") for _ in range(2)]
    assert [process.communicate(timeout=30) and process.returncode for process in running] == [0, 0]
    assert len([line for line in machine.asked() if line.startswith("uv pip")]) == 1


def test_moved_checkout_gets_a_new_virtualenv(machine: Machine) -> None:
    machine.run("setup")
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    machine.run("setup")
    assert len([line for line in machine.asked() if line.startswith("uv venv")]) == 2


def test_virtualenv_of_a_removed_python_is_made_anew(machine: Machine) -> None:
    machine.run("setup")
    (machine.checkout / ".venv" / "bin" / "python").unlink()
    assert machine.run("setup")[0] == 0
    assert len([line for line in machine.asked() if line.startswith("uv venv")]) == 2


def test_failed_install_is_told_and_tried_again(machine: Machine) -> None:
    machine.run("setup")
    lock = machine.checkout / "uv.lock"
    whole = lock.read_text()
    lock.write_text(whole + "\n")
    status, _, err = machine.run("setup", BROKEN_INDEX="1")
    assert status == 1
    assert err.endswith("see above. Is the package index reachable?\n")
    # Back at what was installed last, but the failed run may have left half of something else.
    lock.write_text(whole)
    before = len(machine.asked())
    assert machine.run("setup")[0] == 0
    assert len(machine.asked()) > before


def test_settings_of_pip_reach_uv_and_no_python_is_downloaded(machine: Machine) -> None:
    config = "global.index-url='https://mirror.example/simple'\nglobal.cert='/etc/firm.pem'"
    machine.run("setup", PIP_CONFIG=config)
    asked = " index=https://mirror.example/simple certificates=/etc/firm.pem downloads=never"
    assert [line for line in machine.asked() if line.startswith("uv ") and not line.endswith(asked)] == []
    assert any(line.startswith("uv pip") for line in machine.asked())


def test_environment_of_pip_goes_before_its_files(machine: Machine) -> None:
    config = "global.index-url='https://mirror.example/simple'"
    machine.run("setup", PIP_CONFIG=config, PIP_INDEX_URL="https://nearer.example/simple")
    assert {
        line.rpartition("index=")[2].split()[0] for line in machine.asked() if line.startswith("uv ")
    } == {"https://nearer.example/simple"}


def test_demo_on_a_server_of_ones_own_installs_no_postgres(machine: Machine) -> None:
    machine.run("demo", DATABASE_URL="postgresql:///mine")
    exports = [line for line in machine.asked() if line.startswith("uv export")]
    assert exports
    assert not any("embedded" in line for line in exports)


def test_slow_tests_are_added_by_their_flag_and_arguments_stay_whole(machine: Machine) -> None:
    told = "<-m><pytest><-o><faulthandler_timeout={}><-n><2><-m><{}><a b>"
    assert machine.run("test", "a b", "-x")[1] == told.format(600, "not slow") + "<-x>"
    assert machine.run("test", "a b", "--slow")[1] == told.format(7200, "")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_ignores_what_the_commands_make_and_nothing_that_is_kept(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    made = [
        ".venv/bin/python",
        ".tools/lock",
        "apps/api/opsboard.egg-info/PKG-INFO",
        "tests/__pycache__/a.pyc",
        ".env",
    ]
    kept = ["uv.lock", ".env.example", ".ci/run", "bin/demo", "docs/a.png", ".squawk.toml"]
    told = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", *made, *kept], capture_output=True, text=True, check=False
    )
    assert told.stdout.split() == made
