"""Conditions that make a report a check."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.report import believable, week
from tracemap.errors import PipelineError, ThresholdError
from tracemap.model import FINDINGS
from tracemap.pipeline.fail_on import FIGURES, check, conditions

ALL = list(FINDINGS)
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("p95_ratio>1.2", True),
        ("p95_ratio > 2.5", False),
        ("p95_ratio>=2.5", True),
        ("new_edges>=1", False),
        ("re_routed_edges >= 2", True),
        ("slower_edges<3", True),
        ("user_ms<=32", False),
        ("user_ms>32", True),
        ("budget_used>3.9", True),
        ("budget_used>4", False),
        ("spikes>0", False),
        ("spike_ratio>1", False),
        ("excess_ms>0", False),
        ("origins>0", False),
    ],
)
def test_a_condition_is_checked_on_the_findings(text: str, fails: bool) -> None:  # noqa: FBT001
    """Each operator, each side of the limit."""
    findings, wanted = week.weekly(), conditions([text], ALL)

    if fails:
        with pytest.raises(ThresholdError, match=r"is [0-9.]+ ") as raised:
            check(wanted, findings, "weekly.html")
        assert raised.value.exit_code == 6
    else:
        check(wanted, findings, "weekly.html")


@pytest.mark.parametrize("figure", ["slower_edges", "error_edges", "re_routed_edges"])
def test_an_edge_counts_for_all_that_changed_about_it(figure: str) -> None:
    """Not only for the word that comes first."""
    findings = week.weekly()
    both = pl.lit(["slower", "more errors", "re-routed"])
    findings.tables["drift"] = findings.tables["drift"].head(1).with_columns(changes=both)

    with pytest.raises(ThresholdError, match=f"{figure} is 1 "):
        check(conditions([f"{figure}>=1"], ALL), findings, "weekly.html")


def test_every_condition_that_holds_is_named() -> None:
    """Not only the first."""
    wanted = conditions(["p95_ratio>1.2", "new_edges>0", "slower_edges>0"], ALL)

    with pytest.raises(ThresholdError) as raised:
        check(wanted, week.weekly(), "weekly.html")
    assert raised.value.what == (
        "p95_ratio is 2.5 (p95_ratio>1.2); slower_edges is 2 (slower_edges>0)"
    )


@pytest.mark.parametrize("text", ["origins>=1", "excess_ms>0"])
@pytest.mark.parametrize(("cause", "fails"), [("mix", False), ("self", True)])
def test_another_mix_of_requests_fails_no_check(text: str, cause: str, *, fails: bool) -> None:
    """It accuses nobody, however certain it is; a service's own time does."""
    findings = believable.incident()
    rows = findings.tables["origins"].head(1).with_columns(cause=pl.lit(cause))
    findings.tables["origins"] = rows

    if fails:
        with pytest.raises(ThresholdError):
            check(conditions([text], ALL), findings, "postmortem.html")
    else:
        check(conditions([text], ALL), findings, "postmortem.html")


def test_too_little_data_fails_nothing() -> None:
    """Insufficient data is an answer, not an alarm."""
    findings = week.weekly()
    findings.verdict = "insufficient_data"

    check(conditions(["p95_ratio>1.2"], ALL), findings, "weekly.html")


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("p95_ration>1.2", "unknown figure 'p95_ration'", "did you mean 'p95_ratio'?"),
        ("zzz>1", "unknown figure 'zzz'", "there are spikes, "),
        ("p95_ratio>fast", "'fast' is no number", "such as 1.2"),
        ("p95_ratio>nan", "'nan' is no number", "such as 1.2"),
        ("p95_ratio=1.2", "'p95_ratio=1.2' is no condition", "write it such as"),
        ("p95_ratio", "'p95_ratio' is no condition", "write it such as"),
        ("p95_ratio>1 and new_edges>1", "is no condition", "write it such as"),
        ("__import__('os')>1", "is no condition", "write it such as"),
    ],
)
def test_mistakes_get_the_nearest_right_word(text: str, what: str, hint: str) -> None:
    """Before anything is read."""
    with pytest.raises(PipelineError) as raised:
        conditions([text], ALL)

    assert what in raised.value.what
    assert raised.value.hint.startswith(hint)


def test_a_figure_that_the_recipe_does_not_compute_is_a_mistake() -> None:
    """Else it would never fail, and nobody would know."""
    with pytest.raises(PipelineError, match="does not compute 'drift'") as raised:
        conditions(["p95_ratio>1.2"], ["edges", "spikes"])

    assert (
        raised.value.hint == "this recipe has spikes, spike_ratio; or add 'drift' to its findings"
    )


def test_every_figure_is_documented() -> None:
    """With its finding and meaning."""
    page = (DOCS / "automation.md").read_text(encoding="utf-8")

    assert [
        name for name, each in FIGURES.items()
        if f"| `{name}` | `{each.finding}` | {each.meaning} |" not in page
    ] == []  # fmt: skip
