"""Finding ``bottlenecks``: what requests spend their time on, by time on the critical path.

Exclusive times on the critical path add up to the durations of the requests, exactly, whatever ran
side by side; so shares add up to 1, and each share is what could be won there at most
(docs/methods.md#bottlenecks).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.analyze.callers import user_paths
from tracemap.analyze.consumers import consumers
from tracemap.analyze.statistics import jackknife
from tracemap.model import BOTTLENECKS, JACKKNIFE_BUCKETS, SECOND_NS, Facts, Window

FASTER = 0.1
"""`saved_per_second_ns` imagines that it takes this share less."""
_PLACE = ["service", "operation", "place", "downstream"]


def bottlenecks(facts: Facts, window: Window) -> pl.DataFrame:
    """Return where the time of requests goes, most first.

    A request is a root that does not consume a message, unless there are no others. Time on the
    critical path belongs to the operation that worked, to the network of an edge (client span minus
    what its server took), or to an upstream that recorded no spans.

    Args:
        facts: ``path_facts``, ``paths``, ``slack_facts`` and ``edge_facts`` of the window.
        window: How long it was.

    Returns:
        As `model.BOTTLENECKS`; places without any critical time are left out.
    """
    requested = _requested(facts)
    if requested.is_empty():
        return BOTTLENECKS.empty()
    roots = requested.filter(pl.col("depth") == 0)
    total_ns, requests = roots["duration_ns"].sum(), roots["calls"].sum()
    summed = (
        requested.group_by(_PLACE)
        .agg(pl.col("critical_ns", "calls", "hidden_calls", "slack_ns").sum())
        .filter(pl.col("critical_ns") > 0)
        .join(_intervals(requested, roots), on=_PLACE)
        .sort(["critical_ns", *_PLACE], descending=[True, False, False, False, False])
    )
    critical = pl.col("critical_ns")
    return BOTTLENECKS.conform(
        summed.with_columns(
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
            critical_share=critical / max(total_ns, 1),
            saved_per_second_ns=(critical * FASTER * SECOND_NS / max(window.duration_ns, 1))
            .round()
            .cast(pl.Int64),
            hidden_share=pl.col("hidden_calls") / pl.col("calls"),
            slack_ns=pl.when(pl.col("hidden_calls") > 0).then(
                pl.col("slack_ns") // pl.col("hidden_calls")
            ),
            critical_ns=critical // max(requests, 1),
        )
    )


def _requested(facts: Facts) -> pl.DataFrame:
    """Return the sums of each path and hash bucket below requests, with the place of its time."""
    paths = facts["paths"].unique("path_id")
    wanted = user_paths(paths, consumers(facts["edge_facts"]))
    answered = paths.filter(pl.col("step") == "entry").select(
        path_id="parent_path_id", has_entry=pl.lit(value=True)
    )
    is_call, has_entry = pl.col("step") == "call", pl.col("has_entry").is_not_null()
    places = wanted.join(answered.unique(), on="path_id", how="left").select(
        "path_id",
        "depth",
        "operation",
        service=pl.when(is_call).then("upstream").otherwise("service"),
        place=pl.when(~is_call)
        .then(pl.lit("own time"))
        .when(has_entry)
        .then(pl.lit("network"))
        .otherwise(pl.lit("no spans")),
        downstream=pl.when(is_call).then("service").otherwise(pl.lit("")),
    )
    sums = (
        facts["path_facts"]
        .group_by("path_id", "hash_bucket")
        .agg(pl.col("calls", "duration_ns", "critical_ns").sum())
    )
    slack = _slack(facts["slack_facts"], wanted)
    both = pl.concat([sums, slack], how="diagonal").group_by("path_id", "hash_bucket").sum()
    return both.join(places, on="path_id")


def _slack(slack_facts: pl.DataFrame, paths: pl.DataFrame) -> pl.DataFrame:
    """Return hidden calls and their slack per path: those of a call are its entry's, too."""
    own = slack_facts.group_by("path_id").agg(
        pl.col("hidden_calls", "slack_ns").sum(), hash_bucket=pl.lit(0, dtype=pl.UInt8)
    )
    entries = paths.filter(pl.col("step") == "entry").select("path_id", "parent_path_id")
    called = entries.join(own, left_on="parent_path_id", right_on="path_id")
    return pl.concat([own, called.select(own.columns)])


def _intervals(requested: pl.DataFrame, roots: pl.DataFrame) -> pl.DataFrame:
    """Return the 95 % interval of each place's share, by the jackknife over hash buckets."""
    by_bucket = requested.group_by(*_PLACE, "hash_bucket").agg(pl.col("critical_ns").sum())
    places = by_bucket.select(_PLACE).unique().sort(_PLACE).with_row_index("row")
    placed = by_bucket.join(places, on=_PLACE)
    cube = np.zeros((JACKKNIFE_BUCKETS, places.height))
    bucket = placed["hash_bucket"].cast(pl.Int64).to_numpy() % JACKKNIFE_BUCKETS
    np.add.at(cube, (bucket, placed["row"].to_numpy()), placed["critical_ns"].to_numpy())
    total = np.zeros(JACKKNIFE_BUCKETS)
    root_bucket = roots["hash_bucket"].cast(pl.Int64).to_numpy() % JACKKNIFE_BUCKETS
    np.add.at(total, root_bucket, roots["duration_ns"].to_numpy())
    estimate = cube.sum(axis=0) / max(total.sum(), 1.0)
    rest = np.maximum(total.sum() - total, 1.0)[:, None]
    half = jackknife((cube.sum(axis=0) - cube) / rest, estimate)
    known = bool((total > 0).sum() > 1)
    return places.select(_PLACE).with_columns(
        low_share=pl.Series(np.maximum(estimate - half, 0.0)) if known else pl.lit(None),
        high_share=pl.Series(np.minimum(estimate + half, 1.0)) if known else pl.lit(None),
    )
