"""Section "Errors", and origins that made requests fail or accuse nobody."""

from __future__ import annotations

import polars as pl

from tests.report import believable
from tracemap.model import ORIGINS, Findings
from tracemap.report.blocks import TableBlock
from tracemap.report.headline import headline
from tracemap.report.phrases import effect_words
from tracemap.report.sections.errors import errors
from tracemap.report.sections.origins import origins
from tracemap.report.story import Story


def _only(**origin: object) -> Findings:
    """Return an incident whose one origin is this one."""
    made = believable.incident()
    row = made.tables["origins"].head(1).to_dicts()[0] | {
        "edge_downstream": None, "edge_upstream": None, **origin,
    }  # fmt: skip
    made.tables["origins"] = pl.DataFrame([row], schema=ORIGINS.schema)
    made.tables["flow"] = made.tables["flow"].clear()
    return made


def _said(findings: Findings) -> str:
    return "".join(str(getattr(part, "text", part)) for part in headline(Story(findings)))


def test_the_table_shows_shares_and_intervals() -> None:
    """Offered, arrived and hardness of each edge, with what they mean."""
    section = errors(Story(believable.incident()))
    assert section is not None
    (table,) = [block for block in section.blocks if isinstance(block, TableBlock)]

    assert {"4 % to 6 %", "35 % to 45 %"} <= set(table.rows[0])
    assert {column.definition for column in table.columns} >= {"offered-failures", "edge-hardness"}


def test_no_failed_calls_no_section() -> None:
    """Nothing empty is shown."""
    assert errors(Story(believable.quiet())) is None


def test_the_headline_names_who_made_requests_fail() -> None:
    """In shares of requests, never in milliseconds."""
    failing = _only(cause="error", service="stock", excess_ns=0, excess_errors=0.05, share=0.0)

    assert "failures of stock" in _said(failing)
    assert "5 % more of all user requests failed" in _said(failing)
    assert "0 ms" not in _said(failing)


def test_time_that_retries_cost_is_told_as_time() -> None:
    """Where no request failed for good."""
    row = {"cause": "error", "excess_errors": 0.0, "excess_ms": 12.0}

    assert effect_words(row) == "12 ms per user request"


def test_failures_have_a_column_only_where_there_are_any() -> None:
    """Most incidents are slow, not failing."""
    for share, shown in ((0.05, True), (None, False)):
        section = origins(Story(_only(cause="error", excess_errors=share)))
        assert section is not None
        table = next(block for block in section.blocks if isinstance(block, TableBlock))
        assert ("excess_errors" in {column.key for column in table.columns}) is shown
