"""Writes the rules for Prometheus from the table of alerts: `python -m opsboard.commands.prometheus_rules FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from opsboard.features.health.alert_rules import RULES, UNITS, Rule

HEAD = """\
# Rules for a Prometheus server that scrapes /metrics of every machine; see docs/operations.md.
# Numbers are of the last five minutes; an alert has to last before it fires.
# Generated from apps/api/opsboard/features/health/alert_rules.py: python -m opsboard.commands.prometheus_rules FILE

groups:
  - name: opsboard
    rules:
"""


def recorded() -> list[tuple[str, str]]:
    """The series that dashboards and alerts use, by name."""
    duration = "rate(http_request_duration_seconds_bucket[5m])"
    quantiles = [
        (f"opsboard:http_request_duration_seconds:p{percent}",
         f"histogram_quantile(0.{percent}, sum by (endpoint, le) ({duration}))")
        for percent in (50, 95, 99)
    ]  # fmt: skip
    return [
        ("opsboard:http_requests:rate5m", "sum(rate(http_requests_total[5m]))"),
        *quantiles,
        ("opsboard:query_duration_seconds:p95",
         "histogram_quantile(0.95, sum by (query, le) (rate(opsboard_query_duration_seconds_bucket[5m])))"),
        # A bucket counts what took at most its bound: the slow ones are all without it.
        ("opsboard:http_requests_slower_than_1s:rate5m",
         "sum by (endpoint) (rate(http_request_duration_seconds_count[5m])) "
         '- sum by (endpoint) (rate(http_request_duration_seconds_bucket{le="1.0"}[5m]))'),
        ("opsboard:cache_hit_rate",
         "sum(rate(cache_hits_total[5m])) / (sum(rate(cache_requests_total[5m])) > 0)"),
        ("opsboard:pool_use", "sum(opsboard_pool_size - opsboard_pool_available) / sum(opsboard_pool_max)"),
        ("opsboard:pool_wait_seconds",
         "sum(rate(opsboard_pool_requests_wait_seconds_total[5m])) "
         "/ (sum(rate(opsboard_pool_requests_queued_total[5m])) > 0)"),
    ]  # fmt: skip


def expression(expr: str) -> str:
    """An expression as a block, which needs no quotes and may be long."""
    return f"        expr: >-\n          {expr}\n"


def summary(rule: Rule) -> str:
    subject = f"{{{{ $labels.{rule.label} }}}}" if rule.label else "the service"
    return rule.says.format(subject=subject, value=f"{{{{ $value{UNITS[rule.unit]} }}}}")


def alert(rule: Rule) -> str:
    lasts = f"        for: {rule.lasts}s\n" if rule.lasts else ""
    return (
        f"      - alert: {rule.name}\n{expression(rule.expr)}{lasts}"
        f"        labels: {{severity: {rule.severity}}}\n"
        f'        annotations:\n          summary: "{summary(rule)}"\n          action: "{rule.action}"\n'
    )


def document() -> str:
    """The whole file."""
    records = "".join(f"      - record: {name}\n{expression(expr)}" for name, expr in recorded())
    return f"{HEAD}{records}\n  - name: opsboard-alerts\n    rules:\n{''.join(map(alert, RULES))}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
