"""The report as one HTML file that needs nothing else: no network, no fonts, no other file.

The page's policy (Content-Security-Policy) allows the two scripts in it by their hashes and forbids
everything else, so that even a mistake in escaping could not run a script or fetch a byte.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tracemap.report.blocks import (
    Block,
    FactsBlock,
    FigureBlock,
    Name,
    Page,
    Section,
    TableBlock,
    WaterfallBlock,
)
from tracemap.report.definitions import DEFINITIONS, GLOSSARY_LINE
from tracemap.report.safe_json import dumps
from tracemap.report.trace_url import linked
from tracemap.report.words import cell_text, significant

ROWS_WITHOUT_SCRIPT = 30
"""Rows of a table that stand in the HTML; the page's script shows the others on demand."""
_NUMERIC = ("count", "number", "ms", "ratio", "share", "bytes", "range")
_PARTS_OF_NAME = re.compile(r"(?<=[/._])(?=[^/._])")


def html(page: Page) -> str:
    """Return the whole document."""
    environment = _environment()
    script, plotly = _script("page.js"), _plotly()
    figures = [block for block in _blocks(page) if isinstance(block, FigureBlock)]
    scripts = [script, plotly] if figures else [script]
    return environment.get_template("page.html.j2").render(
        page=page,
        sections=[*((page.proof,) if page.proof else ()), *page.sections],
        glossary=GLOSSARY_LINE,
        definitions=_used_definitions(page),
        policy=_policy(scripts),
        style=Markup(_template("page.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        plotly=Markup(plotly) if figures else "",  # noqa: S704 - the library
        data=Markup(dumps(_data(page))),  # noqa: S704 - escaped by dumps
        rows_shown=ROWS_WITHOUT_SCRIPT,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tracemap.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["cell"] = cell_text
    environment.filters["breakable"] = breakable
    environment.filters["trace_link"] = lambda trace_id, template: linked(template, trace_id)
    environment.filters["significant"] = significant
    environment.tests["name_part"] = lambda part: isinstance(part, Name)
    environment.tests["numeric"] = lambda kind: kind in _NUMERIC
    return environment


def breakable(name: str) -> Markup:
    """Return a name for HTML, escaped, that may be broken behind its slashes, dots and lines.

    Names of operations are long words: without that one of them makes a column, and its table,
    wider than the page.
    """
    return Markup("<wbr>").join(_PARTS_OF_NAME.split(str(name)))


@cache
def _plotly() -> str:
    """Return plotly.js as it ships with plotly; its version is the one installed."""
    source = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return (files("tracemap.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _script(name: str) -> str:
    return _template(name)


def _policy(scripts: list[str]) -> str:
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _blocks(page: Page) -> list[Block]:
    sections: list[Section] = [*((page.proof,) if page.proof else ()), *page.sections]
    return [block for section in sections for block in section.blocks]


def _tables(page: Page) -> list[TableBlock]:
    tables: list[TableBlock] = []
    for block in _blocks(page):
        if isinstance(block, TableBlock):
            tables.append(block)
        elif isinstance(block, FigureBlock | WaterfallBlock) and block.table is not None:
            tables.append(block.table)
    return tables


def _data(page: Page) -> dict[str, Any]:
    """Return what the page's script works on: figures and whole tables, as values."""
    return {
        **({"traceUrl": page.trace_url} if page.trace_url else {}),
        "figures": {
            block.id: block.spec for block in _blocks(page) if isinstance(block, FigureBlock)
        },
        "graphs": {
            block.id: block.explore
            for block in _blocks(page)
            if isinstance(block, FigureBlock) and block.explore is not None
        },
        "tables": {
            table.id: {
                "columns": [
                    {
                        "key": column.key,
                        "title": column.title,
                        "kind": column.kind,
                        **({"extra": True} if column.is_extra else {}),
                    }
                    for column in table.columns
                ],
                "rows": table.rows,
            }
            for table in _tables(page)
        },
    }


def _used_definitions(page: Page) -> list[Any]:
    """Return the definitions this page links to, in the order of the docs."""
    used = {column.definition for table in _tables(page) for column in table.columns}
    for block in _blocks(page):
        if isinstance(block, FactsBlock):
            used |= {fact.definition for fact in block.facts}
        if isinstance(block, WaterfallBlock):
            used |= {"own-time", "critical-path"}
    return [definition for definition in DEFINITIONS.values() if definition.id in used]
