"""Own time of root operations, class by class: a changed mix of requests is not own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.call_tree import CallTree
from tracemap.analyze.component_rows import COMPONENTS, KEY
from tracemap.analyze.components import weighed
from tracemap.analyze.mean_rise import mean_rise, or_mean
from tracemap.analyze.mix import RootMix
from tracemap.analyze.statistics import jackknife

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds


def with_mix(
    moved: pl.DataFrame,
    mixes: list[RootMix],
    tree: CallTree,
    requests: NDArray[np.int64],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return components with the own time of root operations compared class by class.

    Operations that are called from elsewhere too are left as they are.

    Args:
        moved: Columns as `COMPONENTS`.
        mixes: The classes of requests of each root operation.
        tree: Call paths of both windows.
        requests: Rows of the root entries that somebody waits for.
        limits: Thresholds.
    """
    entries = zip(tree.rows("step"), tree.rows("service"), tree.rows("operation"), strict=True)
    inner = {
        (service, operation)
        for row, (step, service, operation) in enumerate(entries)
        if step == "entry" and tree.parent[row] >= 0
    }
    served = tree.sums["calls"][:, 1, requests].sum(axis=1)
    rows = []
    for one in mixes:
        if (one.service, one.operation) in inner or not served.all():
            continue
        often = one.sums["requests"][:, 1].sum(axis=1) / served
        usual, rise = (each * often for each in one.own_time())
        _, varied = (each * often[0] for each in one.own_time(by_cell=True))
        ratio_low, z = one.own_evidence()
        mean = mean_rise(usual[:1], rise[:, None], varied[:, None]).row(0, named=True)
        rows.append(
            {
                "kind": "self",
                "downstream": "",
                "upstream": one.service,
                "operation": one.operation,
                "excess": float(rise[0]),
                "half": float(jackknife(rise[1:, None], rise[:1])[0]),
                "ratio_low": ratio_low,
                "z": z,
                **mean,
            }
        )
    if not rows:
        return moved
    known = {name: COMPONENTS[name] for name in (*KEY, "excess", "half", "ratio_low", "z")}
    schema = known | dict.fromkeys(("mean_ratio_low", "mean_z"), pl.Float64())
    by_class = weighed(or_mean(pl.DataFrame(rows, schema=schema), limits), limits)
    by_class = by_class.drop("mean_ratio_low", "mean_z")
    return moved.update(by_class, on=KEY).select(COMPONENTS.names()).sort(KEY)
