from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.report import believable, week
from tests.report.browser import (
    HEIGHTS,
    SCREENSHOTS,
    THEMES,
    Opened,
    browser,
    executable,
    opened,
    resized,
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
    "weekly": week.weekly,
    "quiet": believable.quiet,
    "nothing": believable.nothing,
    "hostile": believable.hostile,
    "large": believable.large,
}
AUDITED = {
    ("postmortem", "light"), ("postmortem", "dark"), ("batch", "light"), ("weekly", "dark"),
    ("nothing", "dark"),
}  # fmt: skip
"""What axe-core looks at, a second or more each: themes differ in colours, which pages share."""
See = Callable[..., AbstractContextManager[Opened]]
_SIZES = """() => ({
  page: document.documentElement.scrollWidth,
  headline: document.querySelector('.headline').getBoundingClientRect().bottom,
  figure: document.querySelector('.plot')?.getBoundingClientRect().toJSON(),
  misfit: [...document.querySelectorAll('.plot')].filter(plot =>
    Math.abs(plot.querySelector('.main-svg')?.clientWidth - plot.clientWidth) > 1).length,
})"""


_DIFFERENT = """html => {
  const written = new DOMParser().parseFromString(html, 'text/html');
  const cells = (page, id) => [...page.querySelectorAll(`#${id} tbody tr`)].slice(0, 30)
    .map(row => [...row.children].map(cell => cell.textContent));
  return [...written.querySelectorAll('table[id]')].flatMap(({id}) => {
    const [one, other] = [cells(written, id), cells(document, id)].map(rows => rows.flat());
    const at = one.findIndex((cell, place) => cell !== other[place]);
    return at < 0 ? [] : [[id, one[at], other[at]]];
  });
}"""


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
    """No error, no request, no scrolling sideways; the answer and its figure are seen at once.

    Reports of recipes are looked at in every view, and by axe-core (contrast, names, roles, order
    of headings); other situations differ in what they say, not in how it is laid.
    """
    SCREENSHOTS.mkdir(exist_ok=True)
    is_recipe = name in {"postmortem", "batch", "weekly"}
    for theme in THEMES if is_recipe else ("dark",):
        with see(name, 360, theme) as shown:
            for width in HEIGHTS if is_recipe else (360, 1600):
                view = f"{name}-{width}-{theme}"
                resized(shown.page, width)
                sizes = shown.page.evaluate(_SIZES)
                shown.page.screenshot(path=SCREENSHOTS / f"{view}.png")
                undrawn = shown.page.locator(".plot:not(:has(.main-svg))").count()

                assert (view, sizes["page"], undrawn, sizes["misfit"]) == (view, width, 0, 0)
                if name != "hostile":  # names of 200 letters need their room
                    _require_answer_at_once(view, sizes, width)
            assert (shown.complaints, shown.requests) == ([], [])
            if (name, theme) in AUDITED:
                assert _serious(shown) == []


def _serious(shown: Opened) -> list[tuple[str, list[Any]]]:
    """Return what axe-core finds serious: the rule, and where."""
    found = axe_playwright.Axe().run(shown.page).response["violations"]
    return [
        (rule["id"], [node["target"] for node in rule["nodes"]][:3])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def _require_answer_at_once(view: str, sizes: dict[str, Any], width: int) -> None:
    assert sizes["headline"] < HEIGHTS[width], view
    if sizes["figure"] is None:
        return
    seen = min(HEIGHTS[width], sizes["figure"]["bottom"]) - sizes["figure"]["top"]
    assert (
        seen >= min(200, sizes["figure"]["height"])
        if width < 500
        else seen >= sizes["figure"]["height"]
    ), (view, sizes)


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


_NODES = """id => document.getElementById(id).data
  .filter(trace => trace.customdata).flatMap(trace => trace.customdata.map(each => each[0]))"""


@pytest.mark.parametrize("name", ["batch", "large"])
def test_a_graph_can_be_searched_and_focused(name: str, see: See) -> None:
    """Any service of 500 with its neighbours, by typing; then all that lies upstream of it."""
    with see(name) as shown:
        find = shown.page.get_by_label("Find", exact=True)
        find.fill("paym")
        find.press("Enter")
        near = shown.page.evaluate(_NODES, "graph-figure")
        shown.page.screenshot(path=SCREENSHOTS / f"{name}-focused.png")
        shown.page.get_by_label("and show").select_option("upstream")
        upstream = shown.page.evaluate(_NODES, "graph-figure")
        shown.page.get_by_label("and show").select_option("downstream")
        downstream = shown.page.evaluate(_NODES, "graph-figure")
        shown.page.get_by_role("button", name="Whole graph").press("Enter")
        shown.page.wait_for_function("!document.querySelector('.explore .count').textContent")
        whole = shown.page.evaluate(_NODES, "graph-figure")

        assert set(near) == {"payment", "checkout", "card-db"}
        assert set(upstream) == {"payment", "card-db"}
        assert set(downstream) == {"payment", "checkout", "storefront", "user"}
        assert len(whole) > len(near)
        assert shown.complaints == []


def test_a_click_on_a_node_shows_its_neighbours(see: See) -> None:
    """The same as searching for it; a name that nobody has is said to be unknown."""
    with see("batch") as shown:
        shown.page.locator("#graph-figure").scroll_into_view_if_needed()
        at = shown.page.evaluate(
            """() => { const plot = document.getElementById('graph-figure');
                 const trace = plot.data.find(each => each.customdata);
                 const place = trace.customdata.findIndex(each => each[0] === 'checkout');
                 const { xaxis, yaxis } = plot._fullLayout;
                 const box = plot.getBoundingClientRect();
                 return [box.x + xaxis._offset + xaxis.d2p(trace.x[place]),
                         box.y + yaxis._offset + yaxis.d2p(trace.y[place])]; }"""
        )
        shown.page.mouse.move(*at)
        shown.page.mouse.click(*at)
        shown.page.wait_for_function("document.querySelector('.explore .count').textContent")
        said = shown.page.locator(".explore .count").inner_text()
        find = shown.page.get_by_label("Find", exact=True)
        find.fill("no such thing")
        find.press("Enter")
        unknown = shown.page.locator(".explore .count").inner_text()

    assert said == "checkout: 1 downstream, 4 upstream"
    assert unknown == "No node is called so."


@pytest.mark.parametrize("name", ["postmortem", "batch", "weekly"])
def test_tables_say_the_same_with_the_script_as_without(
    name: str, see: See, files: dict[str, Path]
) -> None:
    """The script makes the rows anew, by the same rules as Python wrote them."""
    with see(name) as shown:
        different = shown.page.evaluate(_DIFFERENT, files[name].read_text(encoding="utf-8"))

    assert different == []


def test_a_table_downloads_whole_and_runs_nothing_in_a_spreadsheet(see: See) -> None:
    """All rows and columns, also those that are not shown; formulas are text."""
    with see("hostile") as shown:
        with shown.page.expect_download() as download:
            shown.page.locator("[data-table=propagation-table] button", has_text="CSV").click()
        written = Path(download.value.path()).read_text(encoding="utf-8-sig")
    head, *lines = written.splitlines()

    assert '"baseline_calls"' in head
    assert len(lines) == len(believable.hostile().tables["propagation"])
    assert any("\"'=HYPERLINK" in line for line in lines)
    assert not any(re.search(r'(^|,)"[=+\-@]', line) for line in lines)
