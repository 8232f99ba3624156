"""Own time of root operations, class by class: a changed mix of requests is not own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.calltree import CallTree
from tracemap.analyze.component_rows import COMPONENTS, KEY
from tracemap.analyze.components import weighed
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
        rise = one.own_rise() * one.sums["requests"][:, 1].sum(axis=1) / served
        ratio_low, z = one.own_evidence()
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
            }
        )
    if not rows:
        return moved
    schema = {name: COMPONENTS[name] for name in (*KEY, "excess", "half", "ratio_low", "z")}
    by_class = weighed(pl.DataFrame(rows, schema=schema), limits)
    return moved.update(by_class, on=KEY).select(COMPONENTS.names()).sort(KEY)
