"""Makes pictures of every page in every look, from demonstration data: `bin/screens FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.pages.browser import LOOKS, Site, visiting
from tests.pages.screenshots import demonstration

WALL = {"color_scheme": "dark", "viewport": {"width": 3840, "height": 2160}}
# Beside the pages of the menu, which are found by themselves.
OTHERS = {
    "job": "/#/jobs/1",
    "new-job": "/#/jobs/new",
    "account": "/#/account",
    "design": "/design",
    "docs": "/docs",
}
WALLS = {f"wall-{area}": f"/wall#areas={area}" for area in ("jobs", "late", "machines", "sell")}


def main(folder: Path) -> None:
    """Take them all; print each file with its size."""
    folder.mkdir(parents=True, exist_ok=True)
    with demonstration() as (browser, site, token_of):
        pages = {**menu(browser, site, token_of("admin")), **OTHERS}
        for name, address in pages.items():
            for look in LOOKS:
                take(browser, site, token_of("admin"), look, address, folder / f"{name}-{look}.png")
        for role in ("operator", "manager"):
            take(browser, site, token_of(role), "light", "/", folder / f"board-of-{role}-light.png")
        LOOKS["wall"] = WALL
        for name, address in WALLS.items():
            take(browser, site, token_of("operator"), "wall", address, folder / f"{name}.png")


def menu(browser: Browser, site: Site, token: str) -> dict[str, str]:
    """The pages of the menu: a name for the file and the address."""
    with visiting(browser, site, "light", token) as visit:
        links = visit.open_board().locator("#areas .nav-entries a")
        found = links.evaluate_all("all => all.map(a => [a.textContent, a.getAttribute('href')])")
    return {words.lower().replace(" ", "-"): f"/{href}" for words, href in found if href.startswith("#")}


def take(browser: Browser, site: Site, token: str, look: str, address: str, file: Path) -> None:
    with visiting(browser, site, look, token) as visit:
        page = visit.open(address)
        settle(page)
        page.screenshot(path=file)
    print(f"{file.name}  {file.stat().st_size // 1000} kB", flush=True)


def settle(page: Page) -> None:
    """Wait until nothing is loaded any more; an answer that is polled for later changes nothing in a demonstration."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screens"))
