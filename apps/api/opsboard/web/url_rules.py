"""Routes that cost little to register."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class UrlRule(Rule):
    """A rule that compiles the functions behind `url_for` at their first use.

    Werkzeug compiles two for each rule when it is registered. That is most of the time in which the application is
    built, and Opsboard writes its few addresses itself.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, *values: Any, **named: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, *values, **named)

        return build
