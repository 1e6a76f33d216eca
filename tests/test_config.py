"""Settings: read from the environment and .env, all faults at once, and no secret ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest
from dotenv import dotenv_values

from opsboard.commands.settings_table import with_table
from opsboard.config import Config, SettingTypes, load_config
from opsboard.errors import ConfigError
from opsboard.settings import PLACEHOLDER_SECRET, SETTINGS, env_example
from opsboard.web.endpoint import cache_route

ROOT = Path(__file__).parents[1]
LONG = "0123456789abcdef0123456789abcdef"
SAFE = {
    "OPSBOARD_ENV": "production",
    "SECRET_KEY": LONG,
    "DATABASE_URL": "postgresql://opsboard_app@db/opsboard",
}
CANARY = "canarycanarycanarycanarycanarycanary"


def faults(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(environ, None)
    return caught.value.faults


def read(file: Path | None = None, **environ: str) -> Config:
    return load_config(environ, file)


def test_each_setting_has_its_type() -> None:
    types = get_type_hints(SettingTypes)
    assert list(types) == [setting.name.lower() for setting in SETTINGS]
    for setting in SETTINGS:
        expected = types[setting.name.lower()]
        assert type(setting.default) is (get_origin(expected) or expected), setting.name


def test_a_misspelt_setting_is_an_error_of_mypy(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    for name, errors in (("cache_ttl_stats", 0), ("cache_tll_stats", 1)):
        module.write_text(
            f"from opsboard.config import Config\n\ndef ttl(c: Config) -> float:\n    return c.{name}\n"
        )
        mypy = [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            os.devnull,
            "--follow-imports=silent",
            str(module),
        ]
        done = subprocess.run(mypy, cwd=ROOT, env={**os.environ, "MYPYPATH": "apps/api"}, capture_output=True)
        assert done.returncode == errors, done.stdout.decode()


@pytest.mark.parametrize(
    "mistake", [{"ttl": "cache_tll_stats"}, {"ttl": 30, "max_entries": "cache_max_setings"}]
)
def test_a_view_that_names_no_setting_is_refused_at_the_start(mistake: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match="there is no setting cache_"):
        cache_route(**mistake)


def test_only_settings_can_be_replaced() -> None:
    with pytest.raises(AttributeError, match="there is no setting cache_tll"):
        read().with_values(cache_tll=1)


def test_env_example_is_what_config_example_prints() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


def test_env_example_read_back_gives_the_defaults_and_no_secret() -> None:
    example = load_config({}, ROOT / ".env.example")
    assert example.values == load_config({}, None).values
    assert example.secret_key == ""


@pytest.mark.parametrize("mode", ["development", "production"])
def test_a_secret_that_anybody_knows_is_refused_in_every_mode(mode: str) -> None:
    (fault,) = faults(**{**SAFE, "OPSBOARD_ENV": mode, "SECRET_KEY": PLACEHOLDER_SECRET})
    assert fault.startswith("SECRET_KEY has a publicly known value")


def test_env_example_in_production_is_refused() -> None:
    example = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}
    assert [fault.split()[0] for fault in faults(**{**example, "OPSBOARD_ENV": "production"})] == [
        "SECRET_KEY", "DATABASE_URL",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ({"HOST": "0.0.0.0"}, True), ({"HOST": "::"}, True), ({"HOST": "192.0.2.1"}, True),
        ({"HOST": "app.example"}, True),
        ({"BIND": "0.0.0.0:80"}, True), ({"BIND": "tcp://[::]:80"}, True), ({"BIND": ":80"}, True),
        ({"HOST": "127.0.0.1"}, False), ({"HOST": "127.0.0.9"}, False), ({"HOST": "::1"}, False),
        ({"HOST": "localhost"}, False), ({"HOST": "0.0.0.0", "BIND": "unix:/run/a.sock"}, False),
        ({"BIND": "127.0.0.1:80"}, False), ({"BIND": "[::1]:80"}, False),
        ({"HOST": "0.0.0.0", "BEHIND_PROXY": "on"}, False),
    ],
)  # fmt: skip
def test_production_listens_for_other_machines_behind_a_proxy_only(
    address: dict[str, str], refused: bool
) -> None:
    assert not read(**address).production
    if refused:
        (fault,) = faults(**SAFE, **address)
        assert fault.startswith("HOST or BIND is an address that other machines reach")
    else:
        assert read(**SAFE, **address).production


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set in production"),
        ({"SECRET_KEY": LONG[1:]}, "SECRET_KEY has 31 bytes; production needs 32 or more"),
        ({"OPSBOARD_DEBUG": "1"}, "OPSBOARD_DEBUG must be off in production"),
        ({"DATABASE_URL": ""}, "DATABASE_URL must be set in production"),
    ],
)
def test_production_refuses_what_is_unsafe_and_names_the_setting(change: dict[str, str], told: str) -> None:
    assert read(**SAFE).production
    (fault,) = faults(**{**SAFE, **change})
    assert fault.startswith(told)
    assert not read(**{**SAFE, **change, "OPSBOARD_ENV": "development"}).production


def test_all_contradictions_are_told_at_once() -> None:
    found = faults(OPSBOARD_ENV="production", OPSBOARD_DEBUG="on", DB_POOL_MIN_CONNECTIONS="11")
    assert [fault.split()[0] for fault in found] == [
        "DB_POOL_MIN_CONNECTIONS", "SECRET_KEY", "OPSBOARD_DEBUG", "DATABASE_URL",
    ]  # fmt: skip


def test_all_wrong_values_are_told_at_once_one_line_each() -> None:
    wrong = {
        "OPSBOARD_ENV": "prod", "OPSBOARD_DEBUG": "maybe", "LOG_LEVEL": "loud", "TOKEN_TTL": "59",
        "DATABASE_URL": "mysql://root@db", "DB_POOL_MAX_CONNECTIONS": "0", "DB_POOL_TIMEOUT": "nan",
        "REQUEST_DEADLINE": "-1", "CACHE_MAX_BYTES": "64M", "PORT": "65536", "WEB_CONCURRENCY": "1.5",
    }  # fmt: skip
    found = faults(**wrong)
    assert [fault.split()[0] for fault in found] == list(wrong)
    assert not any("\n" in fault for fault in found)
    assert "PORT must be a whole number from 0 to 65535, not '65536'" in found


@pytest.mark.parametrize(
    ("environ", "least", "most", "origins"),
    [
        ({}, 2, 10, ("default", "default")),
        (
            {"DB_POOL_MIN_CONNECTIONS": "3", "DB_POOL_MAX_CONNECTIONS": "30"},
            3, 30, ("DB_POOL_MIN_CONNECTIONS", "DB_POOL_MAX_CONNECTIONS"),
        ),
        (
            {"DB_MIN_CONNECTIONS": "4", "DB_MAX_CONNECTIONS": "40"},
            4, 40, ("DB_MIN_CONNECTIONS", "DB_MAX_CONNECTIONS"),
        ),
        (
            {"DB_POOL_SIZE": "5", "DB_MAX_OVERFLOW": "7"},
            5, 12, ("DB_POOL_SIZE", "DB_POOL_SIZE+DB_MAX_OVERFLOW"),
        ),
        ({"DB_POOL_SIZE": "5"}, 5, 15, ("DB_POOL_SIZE", "DB_POOL_SIZE+DB_MAX_OVERFLOW")),
        ({"DB_POOL_SIZE": "5", "DB_MAX_OVERFLOW": ""}, 5, 15, ("DB_POOL_SIZE", "DB_POOL_SIZE+DB_MAX_OVERFLOW")),
        ({"DB_POOL_SIZE": "5", "DB_MAX_OVERFLOW": "0"}, 5, 5, ("DB_POOL_SIZE", "DB_POOL_SIZE+DB_MAX_OVERFLOW")),
        ({"DB_MAX_OVERFLOW": "7"}, 2, 17, ("default", "DB_POOL_SIZE+DB_MAX_OVERFLOW")),
        (
            {"DB_MAX_OVERFLOW": "7", "DB_MAX_CONNECTIONS": "40"},
            2, 40, ("default", "DB_MAX_CONNECTIONS"),
        ),
        (
            {"DB_POOL_MAX_CONNECTIONS": "30", "DB_MAX_CONNECTIONS": "40", "DB_POOL_SIZE": "5"},
            5, 30, ("DB_POOL_SIZE", "DB_POOL_MAX_CONNECTIONS"),
        ),
    ],
)  # fmt: skip
def test_three_spellings_of_the_pool_settings_are_read(
    environ: dict[str, str], least: int, most: int, origins: tuple[str, str]
) -> None:
    config = read(**environ)
    assert (config.db_pool_min_connections, config.db_pool_max_connections) == (least, most)
    assert (config.origins["DB_POOL_MIN_CONNECTIONS"], config.origins["DB_POOL_MAX_CONNECTIONS"]) == origins


def test_a_size_and_an_overflow_may_stand_in_two_places(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_POOL_SIZE=4\nDB_MAX_OVERFLOW=6\n")
    config = read(tmp_path / ".env", DB_MAX_OVERFLOW="1")
    assert (config.db_pool_min_connections, config.db_pool_max_connections) == (4, 5)
    assert config.origins["DB_POOL_MAX_CONNECTIONS"] == "DB_POOL_SIZE+DB_MAX_OVERFLOW"


def test_an_overflow_that_is_no_number_is_named() -> None:
    (fault,) = faults(DB_MAX_OVERFLOW="many")
    assert fault.startswith("DB_POOL_SIZE+DB_MAX_OVERFLOW must be a whole number") and "'many'" in fault


def test_the_environment_is_stronger_than_the_file_whatever_the_spelling(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1234\nDB_POOL_MAX_CONNECTIONS=30\nWEB_THREADS=3\n")
    config = read(tmp_path / ".env", PORT="4321", DB_MAX_CONNECTIONS="40")
    assert (config.port, config.db_pool_max_connections, config.web_threads) == (4321, 40, 3)
    assert config.origins["WEB_THREADS"] == "WEB_THREADS (.env)"


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.secret])
def test_each_secret_can_be_in_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    value = "redis://cache:6379/0" if name == "CACHE_URL" else "postgresql://me@db/opsboard"
    file.write_text(f"{value}\n")
    config = read(**{f"{name}_FILE": str(file)})
    assert (config.values[name], config.origins[name]) == (value, f"{name}_FILE")
    (tmp_path / ".env").write_text(f"{name}_FILE={file}\n")
    assert read(tmp_path / ".env").origins[name] == f"{name}_FILE (.env)"
    # The environment is stronger than the file, in either spelling.
    assert read(tmp_path / ".env", **{name: value}).origins[name] == name
    (fault,) = faults(**{name: value, f"{name}_FILE": str(file)})
    assert fault == f"{name} and {name}_FILE are both set; remove one of them"
    (fault,) = faults(**{f"{name}_FILE": str(tmp_path / "missing")})
    assert fault.startswith(f"{name}_FILE: ") and "cannot be read" in fault
    file.write_text("\n")
    (fault,) = faults(**{f"{name}_FILE": str(file)})
    assert fault.endswith("is empty")


def test_keys_that_are_accepted_are_as_long_as_the_one_that_signs() -> None:
    assert read(SECRET_KEYS=f"{'a' * 32}, {'b' * 32},").accepted_secrets == ("a" * 32, "b" * 32)
    assert "SECRET_KEYS has a publicly known value" in faults(SECRET_KEYS="change-me-please")[0]
    production = {
        "OPSBOARD_ENV": "production",
        "SECRET_KEY": "x" * 32,
        "DATABASE_URL": "postgresql://app@db/x",
    }
    assert "SECRET_KEYS has a key of 5 bytes" in faults(SECRET_KEYS="short", **production)[0]


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.secret])
def test_no_secret_is_shown_by_a_config_or_its_faults(name: str) -> None:
    values = {"SECRET_KEY": CANARY, "CACHE_URL": f"redis://:{CANARY}@cache:6379/0"}
    value = values.get(name, f"postgresql://me:{CANARY}@db/opsboard")
    config = read(**{name: value})
    assert config.values[name] == value
    assert CANARY not in f"{config!r} {config} {config.masked()} {config.origins}"
    assert CANARY not in " ".join(faults(**{"PORT": "x", name: f"mysql://{CANARY}"}))


def test_every_secret_is_marked_as_one() -> None:
    assert {s.name for s in SETTINGS if s.secret} == {
        "SECRET_KEY",
        "SECRET_KEYS",
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "DATABASE_BACKUP_URL",
        "CACHE_URL",
        "METRICS_TOKEN",
        "SMTP_PASSWORD",
    }


@pytest.mark.parametrize(
    "url",
    [
        "cache.example:6379",
        "http://cache.example",
        "redis://",
        "redis://cache:port/0",
        "redis://cache:0",
        "redis-cluster://cache:6379",
        "unix://",
    ],
)
def test_an_address_of_a_shared_cache_that_makes_no_sense_is_a_fault(url: str) -> None:
    assert [fault.split()[0] for fault in faults(CACHE_URL=url)] == ["CACHE_URL"]


def test_a_shared_cache_without_its_library_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("redis://cache", "rediss://:word@cache:6379/0", "unix:///run/redis.sock"):
        assert read(CACHE_URL=url).cache_url == url
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert faults(CACHE_URL="redis://cache") == [
        "CACHE_URL needs the redis library, which is not installed: pip install 'opsboard[redis]'"
    ]
    assert read().cache_url == "", "nor is it missed without one"


def test_the_table_in_the_documentation_is_that_of_the_settings() -> None:
    document = (ROOT / "docs" / "configuration.md").read_text()
    assert document == with_table(document), (
        "python -m opsboard.commands.settings_table docs/configuration.md"
    )
    assert document.count("\n| `") == len(SETTINGS) + 3  # and the three spellings
