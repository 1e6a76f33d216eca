"""Routes are registered without compiling what only `url_for` needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from opsboard.web.url_rules import UrlRule


def test_addresses_are_built_as_werkzeug_builds_them() -> None:
    built = []
    for rule_class in (UrlRule, Rule):
        app = Flask(__name__)
        app.url_rule_class = rule_class
        app.add_url_rule("/jobs/<int:job_id>/steps", "steps", lambda job_id: "")
        app.add_url_rule("/jobs", "jobs", lambda: "")
        with app.test_request_context():
            built.append(
                [url_for("steps", job_id=3), url_for("steps", job_id=3, page=2), url_for("jobs", q="a b")]
            )
    assert built[0] == built[1] == ["/jobs/3/steps", "/jobs/3/steps?page=2", "/jobs?q=a+b"]


def test_nothing_is_compiled_before_an_address_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    original = Rule._compile_builder

    def counted(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled.append(rule.rule)
        return original(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", counted)
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = UrlRule
    app.add_url_rule("/jobs", "jobs", lambda: "")
    assert compiled == []
    with app.test_request_context():
        url_for("jobs"), url_for("jobs")
    assert compiled == ["/jobs"]
