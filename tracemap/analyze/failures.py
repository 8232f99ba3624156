"""Components of failures: where failed requests began, in shares of all user requests.

- ``failed``: an operation failed though no call it waited for did;
- ``lost``: a call failed though the entry it reached did not, or none was recorded: the caller
  left, the way was cut, or whoever was called records no spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_tree import CallTree, added, per
from tracemap.analyze.callers import rooted
from tracemap.analyze.component_rows import COMPONENTS, KEY, Label, component_rows, indexed
from tracemap.analyze.components import labels, weighed
from tracemap.analyze.rates import rate_rise
from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds
    from tracemap.model import Window


def failures(
    tree: CallTree,
    requests: NDArray[np.int64],
    path_facts: pl.DataFrame,
    incident: Window,
    baseline: Window,
    *,
    limits: Thresholds,
) -> pl.DataFrame:
    """Return the components of failures with their change and evidence.

    Every failed request counts at one step (`derive.failures`), so the parts add up to the change
    of the share of requests that fail, but for another mix of paths.

    Args:
        tree: Call paths of both windows.
        requests: Rows of the root entries that somebody waits for.
        path_facts: As `model.PATH_FACTS`, both windows cut into cells of time.
        incident: The window to explain.
        baseline: The window to compare with.
        limits: Thresholds.

    Returns:
        Columns as `COMPONENTS`, sorted by `KEY`; ``excess`` is a share of user requests.
    """
    asked = tree.paths["path_id"].gather(requests.tolist())
    below = rooted(tree.paths).filter(pl.col("root_id").is_in(asked.implode()))
    visible = tree.paths["path_id"].is_in(below["path_id"].implode()).to_list()
    both: list[pl.DataFrame] = []
    own, gap, virtual = labels(tree)
    lost = [one or other for one, other in zip(gap, virtual, strict=True)]
    for kind, named in (("failed", own), ("lost", lost)):
        waited = [label if seen else None for label, seen in zip(named, visible, strict=True)]
        both.append(_measured(kind, waited, tree, requests, sided(path_facts, incident, baseline)))
    rows = weighed(pl.concat(both), limits)
    enough = pl.col("more_errors") >= limits.min_errors
    rows = rows.with_columns(pl.when(enough).then("weight").otherwise(0.0).alias("weight"))
    return rows.select(COMPONENTS.names()).sort(KEY)


def _measured(
    kind: str,
    named: list[Label | None],
    tree: CallTree,
    requests: NDArray[np.int64],
    facts: pl.DataFrame,
) -> pl.DataFrame:
    """Return the components of one kind, with evidence and ``more_errors``: how many more."""
    index, known = indexed(named)
    sums, size = tree.sums, len(known)
    served = sums["calls"][:, :, requests].sum(axis=2, keepdims=True)
    often = per(sums["calls"], np.broadcast_to(served, sums["calls"].shape))[:, 1]
    ratio = per(sums["request_errors"], sums["calls"])
    rise = (ratio[:, 1] - ratio[:, 0]) * (sums["calls"].min(axis=1) > 0)
    calls, count = (added(sums[name], index, size) for name in ("calls", "request_errors"))
    excess = added(rise * often, index, size)
    rows = component_rows(kind, known, calls[0], per(count, calls)[0], excess)
    of_path = pl.DataFrame({"path_id": tree.paths["path_id"], "unit": pl.Series(index)})
    cells = (
        facts.join(of_path.filter(pl.col("unit") >= 0), on="path_id")
        .group_by("unit", "during", "window_start_ns")
        .agg(events=pl.col("request_errors").sum(), trials=pl.col("calls").sum())
    )
    evidence = pl.DataFrame({"unit": range(size)}, schema={"unit": pl.Int64}).join(
        rate_rise(cells), on="unit", how="left", maintain_order="left"
    )
    more = pl.Series(count[0, 1] - per(count, calls)[0, 0] * calls[0, 1])
    return pl.concat([rows, evidence.select("ratio_low", "z")], how="horizontal").with_columns(
        more_errors=more
    )
