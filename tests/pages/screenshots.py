"""Makes the README's pictures from demonstration data: `python -m tests.pages.screenshots`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import opsboard
from opsboard.config import load_config
from opsboard.demo.generate import generate
from tests.application import SECRET
from tests.clusters import cluster_folder, fresh_database, migrate_template, running_cluster
from tests.pages.browser import Site, start_chromium, visiting

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "dashboard-light.png": ("manager", "light", "/"),
    "dashboard-dark.png": ("manager", "dark", "/"),
    "phone.png": ("manager", "phone", "/"),
    "operator.png": ("operator", "light", "/"),
    "jobs.png": ("manager", "light", "/#/jobs"),
    "wall.png": ("operator", "light", "/wall#areas=jobs"),
}
JOBS = 20_000
PASSWORD = "opsboard-demo"
COLOURS = 128


def main(folder: Path) -> None:
    """Start everything, take the pictures, stop everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with demonstration() as (browser, site, token_of):
        for name, (role, look, address) in PICTURES.items():
            take(browser, site, look, token_of(role), address, folder / name)


@contextmanager
def demonstration() -> Iterator[tuple[Browser, Site, Callable[[str], str]]]:
    """A browser, the service with demonstration data, and the tokens of its roles."""
    with (
        cluster_folder() as data,
        running_cluster(data / "18") as cluster,
        fresh_database(cluster, migrate_template(cluster)) as database,
        sync_playwright() as playwright,
    ):
        generate(database.owner_url, JOBS, datetime.now(UTC), lambda *_: None)
        config = load_config({"DATABASE_URL": database.app_url, "SECRET_KEY": SECRET}, env_file=None)
        app = opsboard.create_app(config.with_values(log_level="warning"))

        @cache
        def token_of(role: str) -> str:
            sent = {"email": f"{role}@north.example", "password": PASSWORD}
            answer: Any = app.test_client().post("/api/auth/login", json=sent).json
            return str(answer["access_token"])

        site, browser = Site(app), start_chromium(playwright)
        try:
            yield browser, site, token_of
        finally:
            browser.close()
            site.go_away()
            app.extensions["opsboard"].change_feed.stop()


def take(browser: Browser, site: Site, look: str, token: str, address: str, file: Path) -> None:
    """A picture of a page as it looks when all of it is there."""
    with visiting(browser, site, look, token) as visit:
        page = visit.open_board(address.removeprefix("/"))
        page.wait_for_load_state("networkidle")
        page.screenshot(path=file)
        visit.assert_clean()
    shrink(file)


def shrink(file: Path) -> None:
    """Keep 128 colours: a third of the size, and nobody sees the difference."""
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    small.save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
