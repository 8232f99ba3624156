"""Finding ``budget``: failed user requests, charged to the service at which the failure began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.callers import user_paths
from tracemap.analyze.consumers import consumers
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

    The budget is the share of user requests that may fail (1 - `Thresholds.success_objective`). A
    failed step passes its failures on to failed calls below it, as far as these go, and keeps the
    rest; from the user's request down, this charges every failed request once. From sums: a step
    whose calls failed without harm to it (a retry helped) is charged no more than its own failures.

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
    sums = (
        sided(facts["path_facts"], window, baseline)
        .group_by("during", "path_id")
        .agg(pl.col("calls", "errors").sum())
        .join(rooted, on="path_id")
    )
    requests = dict(
        sums.filter(pl.col("parent_path_id") == 0).group_by("during").agg(pl.col("calls").sum())
        .iter_rows()
    )  # fmt: skip
    charged = {
        during: _charged(sums.filter(pl.col("during") == during)) for during in (True, False)
    }
    allowed = 1 - limits.success_objective
    rows = [
        {
            "service": service,
            "owner": (owners or {}).get(service),
            "requests": requests.get(True, 0),
            "failed": charged[True].get(service, 0.0),
            "baseline_requests": requests.get(False, 0),
            "baseline_failed": charged[False].get(service, 0.0),
            "budget_share": _share(charged[True].get(service, 0.0), requests.get(True), allowed),
            "baseline_budget_share": _share(
                charged[False].get(service, 0.0), requests.get(False), allowed
            ),
        }
        for service in sorted({*charged[True], *charged[False]})
    ]
    made = pl.DataFrame(rows, schema=BUDGET.schema)
    return made.sort("failed", "baseline_failed", "service", descending=[True, True, False])


def _share(failed: float, requests: int | None, allowed: float) -> float | None:
    """Return the part of the budget that so many failures use; None: nothing may fail, or came."""
    return failed / (requests * allowed) if requests and allowed > 0 else None


def _charged(sums: pl.DataFrame) -> dict[str, float]:
    """Return failed user requests by the service at which they began.

    Args:
        sums: One side: path_id, parent_path_id, depth, step, service, upstream, errors.
    """
    below: dict[int, list[int]] = {}
    rows = {row["path_id"]: row for row in sums.sort("depth", "path_id").iter_rows(named=True)}
    for path, row in rows.items():
        if row["parent_path_id"] and row["errors"]:
            below.setdefault(row["parent_path_id"], []).append(path)
    flowing = {
        path: float(row["errors"]) for path, row in rows.items() if not row["parent_path_id"]
    }
    charged: dict[str, float] = {}
    for path, row in rows.items():
        failed = flowing.get(path, 0.0)
        if not failed:
            continue
        children = below.get(path, [])
        total = sum(rows[child]["errors"] for child in children)
        passed = min(failed, total)
        for child in children:
            flowing[child] = passed * rows[child]["errors"] / total
        kept = failed - passed
        if kept > 0:
            # a failed call with nothing recorded below: upstream is where it was lost
            service = row["upstream"] if row["step"] == "call" else row["service"]
            charged[service] = charged.get(service, 0.0) + kept
    return charged
