"""/ the page, /docs the API to read, /static their files; nothing comes from another host."""

from __future__ import annotations

from pathlib import Path

import chartkick
from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, render_template, send_from_directory

from opsboard.web.access import open_to_all

bp = APIBlueprint("pages", __name__, enable_openapi=False, template_folder="templates")

STATIC = Path(__file__).parent / "static"
# Chart.js comes from the files of a package, not from this repository.
CHARTS = Path(chartkick.__file__).parent / "django" / "static" / "chartkick"
A_DAY = 86400


@bp.get("/")
@open_to_all
def page() -> str:
    """The page; it signs in and polls by itself."""
    return render_template("page.html")


@bp.get("/docs")
@open_to_all
def docs() -> str:
    """The API to read."""
    return render_template("docs.html", spec=current_app.spec)  # type: ignore[attr-defined]


@bp.get("/static/<path:name>")
@open_to_all
def static(name: str) -> Response:
    """The page's own files."""
    return send_from_directory(STATIC, name)


@bp.get("/static/charts/Chart.bundle.js")
@open_to_all
def charts() -> Response:
    """Chart.js as the chartkick package ships it."""
    return send_from_directory(CHARTS, "Chart.bundle.js", max_age=A_DAY)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)
