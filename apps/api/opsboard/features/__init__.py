"""One package per area of the API; the first word of a URL is the folder."""

from __future__ import annotations

from importlib import import_module

from apiflask import APIFlask

ALL = (
    "auth",
    "dashboard",
    "jobs",
    "job_steps",
    "job_status",
    "customers",
    "machines",
    "processes",
    "contacts",
    "conversations",
    "calls",
    "intelligence",
    "documents",
    "settings",
    "tenant",
    "users",
    "tokens",
    "journeys",
    "notifications",
    "audit",
    "leads",
    "workflow_approvals",
    "campaigns",
    "suppressions",
    "workflow_monitoring",
    "health",
    "metrics",
    "pages",
)


def register_features(app: APIFlask) -> None:
    """Register the `area` of every area's routes.py."""
    for name in ALL:
        app.register_blueprint(import_module(f"{__name__}.{name}.routes").area)
