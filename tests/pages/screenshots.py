"""Makes the README's pictures from demonstration data: `python -m tests.pages.screenshots`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import opsboard
from opsboard.config import load_config
from opsboard.demo.generate import generate
from tests.application import SECRET
from tests.clusters import cluster_folder, fresh_database, migrate_template, running_cluster
from tests.pages.browser import Site, start_chromium, visiting

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {"dashboard-light.png": "light", "dashboard-dark.png": "dark", "phone.png": "phone"}
JOBS = 20_000
CREDENTIALS = {"email": "manager@north.example", "password": "opsboard-demo"}


def main(folder: Path) -> None:
    """Start everything, take the pictures, stop everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        cluster_folder() as data,
        running_cluster(data / "18") as cluster,
        fresh_database(cluster, migrate_template(cluster)) as database,
        sync_playwright() as playwright,
    ):
        generate(database.owner_url, JOBS, datetime.now(UTC), lambda *_: None)
        config = load_config({"DATABASE_URL": database.app_url, "SECRET_KEY": SECRET}, env_file=None)
        app = opsboard.create_app(config.with_values(log_level="warning"))
        token = app.test_client().post("/api/auth/login", json=CREDENTIALS).json["access_token"]
        site, browser = Site(app), start_chromium(playwright)
        try:
            for name, look in PICTURES.items():
                take(browser, site, look, token, folder / name)
        finally:
            browser.close()
            site.go_away()
            app.extensions["opsboard"].change_feed.stop()


def take(browser: Browser, site: Site, look: str, token: str, file: Path) -> None:
    """A picture of the board as it looks when all of it is there."""
    with visiting(browser, site, look, token) as visit:
        page = visit.open_board()
        page.wait_for_selector("#floor li")
        page.screenshot(path=file)
        visit.assert_clean()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
