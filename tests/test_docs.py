from __future__ import annotations

import inspect
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
import typer

import tracemap as package
from tests.format_docs import formats_page, formats_table, with_formats_table
from tracemap import errors, recipe
from tracemap.analyze import Thresholds
from tracemap.analyze.cautions import cautions
from tracemap.analyze.why_missing import REASONS as REASONS_MISSING
from tracemap.cli import app
from tracemap.derive.quality import DISPOSITIONS, ODDITIES
from tracemap.ingest.kernels.layout import REASONS
from tracemap.ingest.reading import _PROBLEMS
from tracemap.model import FINDINGS, QUALITY_MEANINGS, Quality
from tracemap.report.sections import SECTIONS
from tracemap.store import schema_markdown
from tracemap.store.ledger import STORE_REASONS

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"
VERBS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """Return what stands below a second-level heading."""
    match = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match, f"no section {heading}"
    return match[1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_and_option_is_documented(verb: str) -> None:
    """commands.md has a section per command that names each of its options."""
    written = section(text("commands.md"), verb)
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    options = [option for parameter in command.params for option in parameter.opts]

    assert [option for option in options if option.startswith("--") and option not in written] == []


def test_every_reason_for_a_missing_edge_is_documented() -> None:
    """Whoever asks `why-missing` finds what the answer means."""
    page = section(text("commands.md"), "why-missing")

    assert [reason for reason in REASONS_MISSING if f"| `{reason}` |" not in page] == []


def test_every_exit_code_is_documented() -> None:
    """messages.md lists each code that an error can carry."""
    table = section(text("messages.md"), "Exit codes")
    codes = {
        error.exit_code
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, errors.TracemapError)
    }

    assert [code for code in sorted(codes) if f"| {code} |" not in table] == []


def test_every_format_is_documented() -> None:
    """formats.md and the table in the README are made of the registry, never by hand."""
    assert text("formats.md") == formats_page()
    assert README.read_text(encoding="utf-8").count(formats_table()) == 1


def explained(heading: str) -> set[str]:
    """Return what a section of messages.md explains: first cell, meaning and way out all given."""
    lines = section(text("messages.md"), heading).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return {row[0].strip("`") for row in rows if len(row) == 3 and row[0] and row[1] and row[2]}


def test_every_reject_has_a_meaning_and_a_way_out() -> None:
    """Whoever finds a reason in the ledger finds in messages.md what to do about it."""
    assert {*REASONS, *_PROBLEMS} - {""} - explained("Rejects") == set()


def test_every_reason_of_quality_has_a_meaning_and_a_way_out() -> None:
    """What derive counts, what reading marks, what the store adds."""
    marks = {flag.name.lower() for flag in Quality if flag.name}

    assert {*marks, *DISPOSITIONS, *ODDITIES, *STORE_REASONS} - explained("Quality") == set()
    assert set(QUALITY_MEANINGS) == set(Quality)


def test_every_error_has_a_meaning_and_a_way_out() -> None:
    """Each class of the tree, wherever it is defined."""
    for module in walk_packages(package.__path__, "tracemap."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    classes, known = [errors.TracemapError], set()
    while classes:
        one = classes.pop()
        known.add(one.__name__)
        classes += one.__subclasses__()

    assert known - explained("Errors") == {"TracemapError"}


def test_every_caution_has_a_meaning_and_a_way_out() -> None:
    """What `analyze.cautions` can be about."""
    source = Path(inspect.getfile(cautions)).read_text(encoding="utf-8")

    assert set(re.findall(r'_Caution\("(\w+)"', source)) - explained("Cautions") == set()


def test_every_recipe_key_finding_and_threshold_is_documented() -> None:
    """pipelines.md names all that a recipe may say."""
    page = text("pipelines.md")
    keys = [key for key in recipe.Recipe.model_fields if key != "name"]
    thresholds = [f"| `{field.name}` | {field.default:g} |" for field in fields(Thresholds)]

    assert [word for word in [*keys, *FINDINGS] if f"`{word}`" not in page] == []
    assert [line for line in thresholds if line not in page] == []


def test_recipes_may_name_exactly_the_sections_that_exist() -> None:
    """The list in `recipe` is a copy, so that checking a recipe stays cheap."""
    assert set(recipe.SECTIONS) == set(SECTIONS)


def test_every_section_is_explained() -> None:
    """reports.md says what each section shows."""
    page = text("reports.md")

    assert [name for name in SECTIONS if f"### {name}\n" not in page] == []


def test_schema_page_is_current() -> None:
    """schema.md is written by `python -m tests.test_docs`, never by hand."""
    assert text("schema.md") == schema_markdown()


def test_links_between_pages_lead_somewhere() -> None:
    """A link names a file that exists; mkdocs checks the anchors."""
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+\.(?:md|toml))(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


if __name__ == "__main__":
    (DOCS / "schema.md").write_text(schema_markdown(), encoding="utf-8")
    (DOCS / "formats.md").write_text(formats_page(), encoding="utf-8")
    README.write_text(with_formats_table(README.read_text(encoding="utf-8")), encoding="utf-8")
