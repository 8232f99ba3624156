from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.report import believable
from tests.report.browser import (
    HEIGHTS,
    SCREENSHOTS,
    THEMES,
    Opened,
    browser,
    executable,
    opened,
)
from tracemap.model import Findings
from tracemap.report import build

pytest.importorskip("playwright")
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
if executable() is None:
    pytest.skip("no Chromium: `make browser` installs it", allow_module_level=True)

pytestmark = pytest.mark.slow
REPORTS: dict[str, Callable[[], Findings]] = {
    "postmortem": believable.incident,
    "batch": lambda: believable.incident("batch"),
    "quiet": believable.quiet,
    "nothing": believable.nothing,
    "hostile": believable.hostile,
    "large": believable.large,
}
See = Callable[..., AbstractContextManager[Opened]]
VIEWS = [(width, theme) for width in HEIGHTS for theme in THEMES]
FEW_VIEWS = [(360, "dark"), (900, "light"), (1600, "dark")]
"""For situations that differ from the recipes' reports in what they say, not in how it is laid."""
_SIZES = """() => ({
  page: document.documentElement.scrollWidth,
  headline: document.querySelector('.headline').getBoundingClientRect().bottom,
  figure: document.querySelector('.plot')?.getBoundingClientRect().toJSON(),
})"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every report on disk."""
    folder = tmp_path_factory.mktemp("reports")
    made = {}
    for name, findings in REPORTS.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(build(findings()).html(), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def see(files: dict[str, Path]) -> Iterator[See]:
    """Open one of the reports in the one browser of this module."""
    with browser() as started:
        yield lambda name, width=1600, theme="light": opened(started, files[name], width, theme)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_sound_at_every_width_and_in_both_themes(name: str, see: See) -> None:
    """No error, no request, no scrolling sideways; the answer and its figure are seen at once."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, theme in VIEWS if name in {"postmortem", "batch"} else FEW_VIEWS:
        with see(name, width, theme) as shown:
            view = f"{name}-{width}-{theme}"
            sizes = shown.page.evaluate(_SIZES)
            shown.page.screenshot(path=SCREENSHOTS / f"{view}.png")
            undrawn = shown.page.locator(".plot:not(:has(.main-svg))").count()

            assert (view, shown.complaints, shown.requests) == (view, [], [])
            assert (view, sizes["page"], undrawn) == (view, width, 0)
            if name != "hostile":  # names of 200 letters need their room
                _require_answer_at_once(view, sizes, width)


def _require_answer_at_once(view: str, sizes: dict[str, Any], width: int) -> None:
    assert sizes["headline"] < HEIGHTS[width], view
    if sizes["figure"] is None:
        return
    seen = min(HEIGHTS[width], sizes["figure"]["bottom"]) - sizes["figure"]["top"]
    assert seen > 200 if width < 500 else seen >= sizes["figure"]["height"], (view, sizes)


@pytest.mark.parametrize("name", ["postmortem", "batch", "nothing"])
@pytest.mark.parametrize("theme", THEMES)
def test_accessibility_rules_find_nothing_serious(name: str, theme: str, see: See) -> None:
    """Contrast, names, roles, order of headings: what axe-core can tell."""
    with see(name, 900, theme) as shown:
        found = axe_playwright.Axe().run(shown.page).response["violations"]

    assert [
        (rule["id"], [node["target"] for node in rule["nodes"]][:3])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ] == []


def test_every_control_can_be_reached_by_keyboard(see: See) -> None:
    """Tab goes through all that can be worked with, and where it is can be seen."""
    with see("batch") as shown:
        wanted = shown.page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, input, select, summary')]
                 .filter(e => e.checkVisibility()).length"""
        )
        reached = set()
        for _ in range(2 * wanted):
            shown.page.keyboard.press("Tab")
            mark = shown.page.evaluate(
                """() => { const e = document.activeElement;
                     const all = document.querySelectorAll('[data-seen]');
                     if (!e.dataset.seen) e.dataset.seen = String(all.length + 1);
                     return [e.tagName, e.dataset.seen, getComputedStyle(e).outlineStyle]; }"""
            )
            if mark[0] == "BODY" or tuple(mark) in reached:
                break
            reached.add(tuple(mark))

    controls = [
        mark for mark in reached if mark[0] in {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY"}
    ]
    assert len(controls) == wanted
    assert {mark[2] for mark in controls} == {"solid"}
