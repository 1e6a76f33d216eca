"""One package per area of the API; the first word of a URL is the folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from apiflask import APIFlask

ALL = tuple(sorted(module.name for module in iter_modules(__path__) if module.ispkg))


def register_features(app: APIFlask) -> None:
    """Register the `area` of every area's routes.py."""
    for name in ALL:
        app.register_blueprint(import_module(f"{__name__}.{name}.routes").area)
