"""Open reports in a real browser and note what it complains about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
"""Git-ignored: what the pages looked like when the tests last ran."""
HEIGHTS = {360: 740, 900: 1000, 1600: 900}
"""A phone, half a screen, a laptop: width and height of the first screen in pixels."""
THEMES = ("light", "dark")


def executable() -> str | None:
    """Return the path of an installed Chromium; None: there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium; without its sandbox only where root runs it, which Chromium insists on."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - optional

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=arguments)
        yield started
        started.close()


@dataclass
class Opened:
    """A page in the browser.

    Attributes:
        page: To be looked at and worked with.
        complaints: Errors and warnings on the console, and exceptions nobody caught.
        requests: Addresses the page asked for beside itself.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def resized(page: Page, width: int) -> None:
    """Make the window as wide as another device's, and wait until the figures are drawn again."""
    if page.viewport_size and page.viewport_size["width"] == width:
        return
    page.evaluate("delete document.documentElement.dataset.ready")
    page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    page.wait_for_selector("html[data-ready]", state="attached", timeout=20_000)


@contextmanager
def opened(started: Browser, file: Path, width: int, theme: str) -> Iterator[Opened]:
    """Open a file as somebody would who got it by e-mail, and wait until its figures are drawn."""
    context = started.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    made = Opened(page)
    page.on("console", lambda message: made.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("request", lambda request: made.requests.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached", timeout=20_000)
    made.requests.remove(file.as_uri())
    yield made
    context.close()
