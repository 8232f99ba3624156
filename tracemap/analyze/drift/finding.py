"""Finding ``drift``: what became of each edge between two windows, from facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.drift.latency import latency, means
from tracemap.analyze.drift.presence import moves, presence
from tracemap.analyze.drift.rates import call_rates, error_rates, operation_rates
from tracemap.analyze.drift.sides import EDGE, Sides, both, sides
from tracemap.analyze.drift.since import since
from tracemap.analyze.drift.words import ORDER, changes_of
from tracemap.analyze.statistics import discoveries
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import DRIFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tracemap.model import Facts, Window

_KINDS = (("p50_chance", "p95_chance", "p99_chance"), ("error_chance",), ("calls_chance",))
"""What is tested, by kind."""


def drift(
    facts: Facts,
    window: Window,
    baseline: Window,
    limits: Thresholds | None = None,
) -> pl.DataFrame:
    """Return each edge seen in either window, with all that differs between them.

    What counts as a change, and what an edge must show before it is called gone, is in
    docs/methods.md#drift. Edges with too few calls to be judged say so. Cells of time are taken as
    clusters: what differs from day to day anyway is no drift. All tests of the run together, and
    those of one kind among themselves, keep the false discovery rate. Swapping the windows mirrors
    the result.

    Args:
        facts: ``edge_facts``, ``latency_facts`` and ``version_facts``, in cells of both windows
            (`clusters.cell_width_ns`).
        window: What is looked at.
        baseline: What it is compared with.
        limits: Thresholds; None: the defaults.

    Returns:
        As `model.DRIFT`, sorted by key.
    """
    limits = limits or Thresholds()
    compared = sides(facts["edge_facts"], facts["latency_facts"], window, baseline)
    if compared.edges.is_empty():
        return DRIFT.empty()
    rates = operation_rates(compared)
    rows = compared.edges
    for part in (
        both(_counts(compared), ["calls", "evidence", "rules", "protocols"]),
        presence(compared, rates, limits),
        _moved(compared, moves(rates, compared, limits)),
        latency(compared, limits),
        means(compared),
        call_rates(rates, limits),
        error_rates(compared, limits),
        since(compared, rates, facts["version_facts"], (window, baseline), limits),
    ):
        rows = rows.join(part, on="edge", how="left")
    rows = _with_versions(
        _surely_moved(_tested(rows, limits)), facts["version_facts"], window, baseline
    )
    rows = rows.with_columns(pl.col("calls", "baseline_calls").fill_null(0))
    judged = pl.DataFrame(
        [changes_of(row, limits) for row in rows.iter_rows(named=True)],
        schema={
            "change": pl.String,
            "changes": pl.List(pl.String),
            "detail": pl.String,
            "since_service": pl.String,
            "since_version": pl.String,
        },
    )
    return DRIFT.conform(rows.hstack(judged)).sort(EDGE)


def by_importance(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the finding, the most telling change first, then by calls."""
    order = pl.col("change").replace_strict(ORDER, range(len(ORDER)), return_dtype=pl.Int32)
    return rows.sort(
        order, pl.max_horizontal("calls", "baseline_calls"), *EDGE,
        descending=[False, True, False, False, False],
    )  # fmt: skip


def _counts(compared: Sides) -> pl.DataFrame:
    """Return calls per edge and side, and by which rules and protocols they were seen."""

    def seen(column: str) -> pl.DataFrame:
        return (
            compared.calls.group_by("edge", "during", column)
            .agg(pl.col("calls").sum())
            .sort("edge", "during", "calls", column, descending=[False, False, True, False])
            .group_by("edge", "during", maintain_order=True)
            .agg(
                pl.format("{} {}", column, "calls").str.join(", ").alias("words"),
                pl.struct(pl.col(column).alias("name"), "calls").alias("counts"),
                pl.col("calls").sum(),
            )
        )

    rules = seen("evidence").rename({"words": "evidence", "counts": "rules"})
    protocols = seen("protocol").select("edge", "during", protocols="counts")
    return rules.join(protocols, on=["edge", "during"])


def _moved(compared: Sides, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the name of the other upstream of edges between which calls moved."""
    names = compared.edges.select(other="edge", instead="upstream")
    return pairs.join(names, on="other").select("edge", "other", "instead")


def _surely_moved(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep ``instead`` only where both edges changed beyond chance, and in opposite ways."""
    way = (
        pl.when(pl.col("presence") == "gone").then(-1)
        .when(pl.col("presence") == "new").then(1)
        .when(pl.col("presence").is_null() & pl.col("calls_certain"))
        .then(pl.col("calls_ratio").log().sign())
    )  # fmt: skip
    ways = rows.select("edge", way=way.cast(pl.Float64))
    others = ways.select(other="edge", way_of_other="way")
    joined = rows.join(ways, on="edge", how="left").join(others, on="other", how="left")
    is_sure = (pl.col("way") * pl.col("way_of_other")).eq(-1)
    return joined.with_columns(instead=pl.when(is_sure).then("instead")).drop(
        "other", "way", "way_of_other"
    )


def _tested(rows: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Add which of the differences are too unlikely by chance.

    A test must pass among all tests together and among those of its kind: otherwise thirty slower
    edges would make a change of errors easier to call.
    """
    together = _called(rows, [name for kind in _KINDS for name in kind], limits)
    for kind in _KINDS:
        among = _called(rows, kind, limits)
        for name in kind:
            certain = pl.Series(name.replace("_chance", "_certain"), among[name] & together[name])
            rows = rows.with_columns(certain)
    return rows


def _called(
    rows: pl.DataFrame, names: Sequence[str], limits: Thresholds
) -> dict[str, NDArray[np.bool_]]:
    """Return by column which of these tests may be called, all of them taken together."""
    chances = np.concatenate([rows[name].to_numpy().astype(np.float64) for name in names])
    known = np.isfinite(chances)
    called = np.zeros(chances.size, dtype=np.bool_)
    called[known] = discoveries(chances[known], limits.spike_false_discovery_rate)
    return dict(zip(names, np.split(called, len(names)), strict=True))


def _with_versions(
    rows: pl.DataFrame, version_facts: pl.DataFrame, window: Window, baseline: Window
) -> pl.DataFrame:
    """Add the versions of both ends, on both sides: first seen first."""
    for side, stretch in (("", window), ("baseline_", baseline)):
        named = (
            version_facts.filter(
                stretch.contains(pl.col("window_start_ns")) & (pl.col("version") != "")
            )
            .group_by("service", "version")
            .agg(pl.col("first_ns").min())
            .sort("service", "first_ns", "version")
            .group_by("service", maintain_order=True)
            .agg(pl.col("version").str.join(", ").alias("versions"))
        )
        for end in ("downstream", "upstream"):
            column = f"{side}{end}_versions"
            rows = rows.join(
                named.rename({"service": end, "versions": column}), on=end, how="left"
            ).with_columns(pl.col(column).fill_null(""))
    return rows
