"""The alert rules ask for what is exported, at the thresholds that were wanted; nginx keeps /metrics inside."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsboard.commands.prometheus_rules import document
from opsboard.observability.durations import BOUNDS
from tests.application import Application
from tests.deploy.conftest import Person
from tests.deploy.http_client import Client
from tests.deploy.servers import Gunicorn
from tests.waiting import eventually

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-rules.yml"
THRESHOLDS = {
    "OpsboardErrors": "> 0.01", "OpsboardAnswersSlow": "> 0.1", "OpsboardQuerySlow": "> 0.2",
    "OpsboardPoolBusy": "> 0.8", "OpsboardCacheMisses": "< 0.5", "OpsboardDatabaseProcessors": "> 0.8",
}  # fmt: skip
WORDS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)")
METRIC = re.compile(r"\b[a-z][a-z0-9]*(?:[_:][a-z0-9_:]+)+\b")
FUNCTIONS = {"histogram_quantile"}


def rules() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def asked_for(expression: str) -> set[str]:
    return set(METRIC.findall(WORDS.sub("", expression))) - FUNCTIONS


def test_each_rule_asks_for_metrics_that_are_exported_or_recorded(app: Application) -> None:
    app.client().get("/api/dashboard/stats")
    text = app.flask.test_client().get("/metrics").get_data(as_text=True)
    families = list(text_string_to_metric_families(text))
    known = {sample.name for family in families for sample in family.samples}
    # Of some there is no sample, because nothing of the kind was looked at yet.
    known |= {family.name for family in families if family.type == "gauge"}
    known |= {rule["record"] for rule in rules() if "record" in rule}
    for rule in rules():
        names = {name for name in asked_for(rule["expr"]) if not name.startswith("node_")}
        assert names <= known, f"{rule.get('alert') or rule['record']}: {names - known}"
        assert names or "node_" in rule["expr"]


def test_the_file_is_what_the_table_of_alerts_makes() -> None:
    assert RULES.read_text(encoding="utf-8") == document()


def test_bounds_that_rules_name_are_buckets_that_exist() -> None:
    bounds = {bound for rule in rules() for bound in re.findall(r'le="([^"]+)"', rule["expr"])}
    assert bounds == {"1.0"} and bounds <= set(map(str, BOUNDS))
    assert {0.1, 0.2} <= set(BOUNDS), "a threshold between two bounds could only be guessed at"


def test_alerts_ring_at_the_wanted_thresholds_and_say_what_to_do() -> None:
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    for name, threshold in THRESHOLDS.items():
        assert threshold in alerts[name]["expr"], name
    assert all({"summary", "action"} <= alert["annotations"].keys() for alert in alerts.values())


def test_slow_requests_are_those_outside_of_the_bucket() -> None:
    (rule,) = [rule for rule in rules() if "slower_than_1s" in rule.get("record", "")]
    everything, minus, bucket = rule["expr"].partition(" - ")
    assert minus and "_count[5m]" in everything and '_bucket{le="1.0"}' in bucket


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


def said_by(*command: object, **how: Any) -> str:
    """Return the output of a program that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **how)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_prometheus_accepts_the_rules_and_they_do_what_they_say(promtool: str, tmp_path: Path) -> None:
    said_by(promtool, "check", "rules", RULES)
    tests = tmp_path / "rules.test.yml"
    tests.write_text(
        (Path(__file__).parent / "prometheus-rules.test.yml").read_text().replace("RULES", str(RULES))
    )
    said_by(promtool, "test", "rules", tests)


def test_prometheus_has_nothing_to_say_about_the_metrics(promtool: str, app: Application) -> None:
    app.client().get("/api/dashboard/stats")
    text = app.flask.test_client().get("/metrics").get_data(as_text=True)
    assert "machine_cpus" in text
    assert said_by(promtool, "check", "metrics", input=text) == ""


def test_one_scrape_speaks_for_all_workers_and_nginx_lets_nobody_scrape(
    gunicorn: Gunicorn, nginx: int, people: list[Person]
) -> None:
    def reported() -> bool:
        answer = gunicorn.client().get("/metrics")
        assert answer.status == 200, answer.body
        families = text_string_to_metric_families(answer.body.decode())
        found = {family.name: family.samples for family in families}
        places = {sample.labels["worker"] for sample in found["process_resident_memory_bytes"]}
        return places == {"0", "1"}

    eventually("both workers are in one scrape, by their place", reported, 20)
    for path in ("/metrics", "/metrics?scope=fleet", "//metrics", "/%6detrics", "/./metrics"):
        outside = Client(nginx, people[0].token).get(path)
        assert (outside.status, outside.json["code"]) == (404, "not_found"), path


def test_a_worker_that_replaces_another_takes_its_place(gunicorn: Gunicorn) -> None:
    def places() -> dict[str, float]:
        families = text_string_to_metric_families(gunicorn.client().get("/metrics").body.decode())
        starts = next(family for family in families if family.name == "process_start_time_seconds")
        return {sample.labels["worker"]: sample.value for sample in starts.samples}

    eventually("both report", lambda: places().keys() == {"0", "1"}, 20)
    before = places()
    victim = min(gunicorn.workers())

    os.kill(victim, signal.SIGKILL)
    eventually(
        "the same places, one of them begun anew",
        lambda: (
            (now := places()).keys() == {"0", "1"} and sum(now[place] > before[place] for place in now) == 1
        ),
        30,
    )
