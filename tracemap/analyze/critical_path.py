"""Finding ``critical_path``: which step of which call path users' time is spent in."""

from __future__ import annotations

import polars as pl

from tracemap.model import CRITICAL_PATH

_ROOT = ["root_service", "root_operation"]


def critical_path(path_facts: pl.DataFrame, paths: pl.DataFrame) -> pl.DataFrame:
    """Return the time each call path spends on the critical path, over all traces.

    The time is exclusive: that of the step itself, without what it waited for others. So a root
    operation and the steps below it add up to the time of all its requests; a step that runs beside
    something longer has none. For a call it is the time between both sides (the gap), or all of the
    call where upstream recorded no spans. Steps without any time have a row only where a step
    below them has some.

    Args:
        path_facts: As `model.PATH_FACTS`, of the cells that count.
        paths: As `model.PATHS`.

    Returns:
        As `model.CRITICAL_PATH`: root operations by their time, their steps by depth and time.
    """
    sums = path_facts.group_by("path_id").agg(pl.col("calls", "critical_ns").sum())
    steps = _rooted(paths.unique("path_id").join(sums, on="path_id"))
    kept = _with_time(steps)
    requests = kept.filter(pl.col("parent_path_id") == 0).select(*_ROOT, requests="calls")
    whole = kept.group_by(_ROOT).agg(whole_ns=pl.col("critical_ns").sum())
    rows = kept.join(requests, on=_ROOT).join(whole, on=_ROOT)
    order = [*("whole_ns", *_ROOT, "depth", "critical_ns", "path_id")]
    return CRITICAL_PATH.conform(
        rows.sort(order, descending=[True, False, False, False, True, False])
    )


def _rooted(steps: pl.DataFrame) -> pl.DataFrame:
    """Return the steps that hang on a root, with the service and operation of it."""
    level = steps.filter(pl.col("parent_path_id") == 0).with_columns(
        root_service="service", root_operation="operation"
    )
    levels = [level]
    while not level.is_empty():
        above = level.select("path_id", *_ROOT)
        level = steps.join(above, left_on="parent_path_id", right_on="path_id")
        levels.append(level.select(levels[0].columns))
    return pl.concat(levels)


def _with_time(steps: pl.DataFrame) -> pl.DataFrame:
    """Return the steps that have time themselves or below them."""
    kept = steps.filter(pl.col("critical_ns") > 0)
    while True:
        above = steps.join(kept, left_on="path_id", right_on="parent_path_id", how="semi")
        missing = above.join(kept, on="path_id", how="anti")
        if missing.is_empty():
            return kept
        kept = pl.concat([kept, missing])
