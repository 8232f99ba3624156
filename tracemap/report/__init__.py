"""Report: findings become a view model, and from it HTML, Markdown and JSON.

``build`` makes the report of a recipe; ``rows`` and ``graph`` give single findings to the command
line. The report adds words and pictures to the findings; it computes no more than sums and shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tracemap.model import Findings
from tracemap.report import html_page as _page
from tracemap.report import images as _images
from tracemap.report import json_document as _document
from tracemap.report import markdown as _markdown
from tracemap.report import text as _text
from tracemap.report import trace_url as _trace_url
from tracemap.report import view as _view
from tracemap.report import write as _write
from tracemap.report.blocks import Page, plain
from tracemap.report.graph_text import GRAPH_FORMATS, graph
from tracemap.report.rows import Row, rows
from tracemap.report.sections import SECTIONS
from tracemap.report.story import Story

__all__ = ["GRAPH_FORMATS", "SECTIONS", "Report", "Row", "build", "graph", "rows"]


@dataclass
class Report:
    """A report that is ready to be written.

    Attributes:
        findings: What it is made of.
        view: The view model: plain values, the same for every format.
    """

    findings: Findings
    view: Page

    @cached_property
    def headline(self) -> str:
        """The answer in one sentence."""
        return plain(self.view.headline)

    def html(self) -> str:
        """Return one self-contained HTML page."""
        return _page.html(self.view)

    def markdown(self) -> str:
        """Return GitHub-flavoured Markdown."""
        return _markdown.markdown(self.view, Story(self.findings))

    def json(self) -> str:
        """Return the JSON document (docs/reports.md#json)."""
        return _document.document(self.findings, self.view)

    def text(self) -> str:
        """Return a dozen lines of plain text for a chat."""
        return _text.text(self.view, Story(self.findings))

    def write(self, folder: Path, *, pictures: Sequence[str] = ()) -> list[Path]:
        """Write ``folder/<recipe>.html``, ``.md`` and ``.json``; return the paths.

        Args:
            folder: Where to.
            pictures: ``png``, ``svg`` or both: each figure also as ``<recipe>-<figure>.<ending>``.

        Raises:
            PipelineError: If the folder cannot be written to, or pictures cannot be drawn here.
        """
        documents: dict[str, str | bytes] = {
            ".html": self.html(), ".md": self.markdown(), ".json": self.json(),
        }  # fmt: skip
        for ending in pictures:
            for figure, picture in _images.images(self.view, ending):
                documents[f"-{figure.removesuffix('-figure')}.{ending}"] = picture
        return _write.write(folder, self.findings.recipe, documents)


def build(findings: Findings, *, trace_url: str = "") -> Report:
    """Return the report on `findings`.

    Args:
        findings: What it is made of.
        trace_url: Template of links to traces in the back end, with ``{trace_id}`` in it.

    Raises:
        PipelineError: If a section is asked for that does not exist, or `trace_url` is no template
            of an http or https address.
    """
    return Report(findings, _view.page(findings, _trace_url.checked(trace_url)))
