"""Finding ``budget``: failed user requests, charged to the service at which the failure began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.callers import user_paths
from tracemap.analyze.consumers import consumers
from tracemap.analyze.drift.sides import both
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.windows import sided
from tracemap.model import BUDGET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracemap.model import Facts, Window


def budget(
    facts: Facts,
    window: Window,
    baseline: Window,
    *,
    limits: Thresholds | None = None,
    owners: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return who used the error budget of user requests, in the window and in the baseline.

    The budget is the share of user requests that may fail (1 - `Thresholds.success_objective`).
    Every failed request is charged once, to the step that it failed of (`derive.failures`). What
    requests survived (by a retry, by a fallback, or because they did not need the answer) is
    charged to nobody. A call that failed though no entry below it did is charged to the upstream it
    called.

    With sampling, each recorded request counts as the number of requests it stands for, by the
    sampling of its root; where that is not known, as one.

    Args:
        facts: ``path_facts``, ``paths`` and ``edge_facts`` of both windows.
        window: What is looked at.
        baseline: What it is compared with.
        limits: Thresholds; None: the defaults.
        owners: Owner by service.

    Returns:
        As `model.BUDGET`: what is charged most first; services without a failure are left out.
    """
    limits = limits or Thresholds()
    rooted = user_paths(facts["paths"], consumers(facts["edge_facts"]))
    sums = sided(facts["path_facts"], window, baseline).join(rooted, on="path_id")
    where = pl.when(pl.col("step") == "call").then("upstream").otherwise("service")
    charged = sums.filter(pl.col("request_errors") > 0).group_by("during", service=where).agg(
        failed=pl.coalesce("request_errors_weighted", "request_errors").sum()
    )  # fmt: skip
    requests = _requests(sums)
    allowed = 1 - limits.success_objective
    rows = (
        both(charged, ["failed"], by="service")
        .with_columns(
            pl.col("failed", "baseline_failed").fill_null(0.0),
            owner=pl.col("service").replace_strict(
                dict(owners or {}), default=None, return_dtype=pl.String
            ),
            requests=pl.lit(requests[True]),
            baseline_requests=pl.lit(requests[False]),
        )
        .with_columns(
            budget_share=_share("failed", "requests", allowed),
            baseline_budget_share=_share("baseline_failed", "baseline_requests", allowed),
        )
        .with_columns(pl.col("requests", "baseline_requests").round())
    )
    return BUDGET.conform(rows).sort(
        "failed", "baseline_failed", "service", descending=[True, True, False]
    )


def _requests(sums: pl.DataFrame) -> dict[bool, float]:
    """Return the user requests of the window (true) and of the baseline."""
    stand_for = pl.coalesce("requests_weighted", "calls").sum()
    roots = sums.filter(pl.col("parent_path_id") == 0)
    counts = dict(roots.group_by("during").agg(stand_for).iter_rows())
    return {during: float(counts.get(during, 0.0)) for during in (True, False)}


def _share(failed: str, requests: str, allowed: float) -> pl.Expr:
    """Return the part of the budget that these failures use; null: no budget, or no requests."""
    budget_of = pl.col(requests) * allowed
    return pl.when(budget_of > 0).then(pl.col(failed) / budget_of)
