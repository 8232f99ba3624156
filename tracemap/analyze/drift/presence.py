"""Edges that come and go. An edge that was not observed is called gone only on evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import USER

if TYPE_CHECKING:
    from tracemap.analyze.drift.sides import Sides
    from tracemap.analyze.thresholds import Thresholds

_WORDS = {True: ("gone", "not observed"), False: ("new", "not observed before")}
_AS_MUCH = 0.25
"""What one upstream lost and another gained is a move if the two differ by less than this share."""
_WORTH_MOVING = 0.02
"""Calls per request that moved; less is noise between optional calls."""


def presence(sides: Sides, rates: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the edges that were seen on one side only: what they are called, and why.

    ``gone`` (and, mirrored, ``new``) needs all of this; else the edge is ``not observed`` (``not
    observed before``), which says nothing about whether it is there:

    - downstream's calling operations were served on the silent side, as often as would have made
      `Thresholds.min_call_count` calls at the rate of the other side;
    - downstream recorded calls to somebody on the silent side: else its calls may have lost their
      instrumentation rather than their upstream;
    - the edge was called on so many days (cells) of the other side that as many silent days as
      there were are less likely by chance than `Thresholds.absence_chance`.

    Args:
        sides: Both sides.
        rates: As `rates.operation_rates` returns them.
        limits: Thresholds.

    Returns:
        ``edge``, ``presence`` (the word) and ``reason``, sorted by edge.
    """
    seen = sides.calls.group_by("edge").agg(
        sides=pl.col("during").n_unique(),
        during=pl.col("during").first(),
        calls=pl.col("calls").sum(),
        cells=pl.col("cell").n_unique(),
    )
    single = seen.filter(pl.col("sides") == 1).join(sides.edges, on="edge")
    served = _served(sides, rates)
    calling = {
        (name, during)
        for name, during in sides.calls.select("downstream", "during").unique().iter_rows()
    }
    before, now = sides.cell_counts
    rows = []
    for row in single.sort("edge").iter_rows(named=True):
        silent = not row["during"]
        here, there = (now, before) if row["during"] else (before, now)
        expected = row["calls"] * served.get((row["edge"], silent), 0.0)
        reason = _unearned(
            row, expected, limits,
            is_calling=(row["downstream"], silent) in calling,
            chance=_absence(row["cells"], here, there),
        )  # fmt: skip
        words = _WORDS[not row["during"]]
        rows.append(
            {
                "edge": row["edge"],
                "presence": words[bool(reason)],
                "reason": reason
                or f"none of about {expected:,.0f} calls to be expected {_side(row)}",
            }
        )
    schema = {"edge": pl.Int64, "presence": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema)


def _served(sides: Sides, rates: pl.DataFrame) -> dict[tuple[int, bool], float]:
    """Return how many requests of the calling operations a side had, per one of the other side.

    By edge and side. For requests from outside: how many requests came from outside at all.
    """
    totals = rates.group_by("edge", "operation", "during").agg(pl.col("calls", "requests").sum())
    both = totals.pivot(on="during", index=["edge", "operation"], values=["calls", "requests"])
    for name in ("calls_true", "calls_false", "requests_true", "requests_false"):
        if name not in both.columns:
            both = both.with_columns(pl.lit(0).alias(name))
    both = both.fill_null(0)
    found: dict[tuple[int, bool], float] = {}
    for silent, (there, here) in {True: ("true", "false"), False: ("false", "true")}.items():
        rate = pl.col(f"requests_{there}") / pl.col(f"requests_{here}")
        made = pl.col(f"calls_{here}")
        expected = both.filter(made > 0).group_by("edge").agg((rate * made).sum() / made.sum())
        found |= {(edge, silent): value for edge, value in expected.iter_rows()}
    outside = sides.calls.filter(pl.col("downstream") == USER)
    counts = dict(outside.group_by("during").agg(pl.col("calls").sum()).iter_rows())
    if len(counts) == 2:  # noqa: PLR2004
        for edge in outside["edge"].unique():
            found |= {
                (edge, silent): counts[silent] / counts[not silent] for silent in (True, False)
            }
    return found


def _absence(seen: int, here: int, there: int) -> float:
    """Return how likely an edge that was seen in `seen` of `here` cells is silent in `there`."""
    return (1 - seen / (here + 1)) ** there if there else 1.0


def _side(row: dict[str, object]) -> str:
    """Return the side on which the edge was silent, in words."""
    return "in the baseline" if row["during"] else "in the window"


def _unearned(
    row: dict[str, object],
    expected: float,
    limits: Thresholds,
    *,
    is_calling: bool,
    chance: float,
) -> str:
    """Return why absence proves nothing; '' where it proves that the edge is gone."""
    side = _side(row)
    if expected == 0:
        return f"who calls it was not observed {side}"
    if expected < limits.min_call_count:
        return f"only {expected:,.0f} calls were to be expected {side}"
    if not is_calling:
        return f"who calls it records no calls at all {side}"
    if chance > limits.absence_chance:
        return f"it is called so seldom that its absence {side} may be chance"
    return ""


def moves(rates: pl.DataFrame, sides: Sides, limits: Thresholds) -> pl.DataFrame:
    """Return pairs of edges between which calls moved: what one upstream lost the other gained.

    Within the same operation of the same downstream, calls per request of one upstream fell by
    what those of another rose. Upstreams with an operation of the same name come first; without
    one, a pair counts only where no other upstream could be meant.

    Returns:
        ``edge``, ``other``: each edge of a pair with the other's number.
    """
    changes = _changed_rates(rates, limits).join(
        sides.edges.select("edge", "downstream", "upstream"), on="edge"
    )
    lost, gained = changes.filter(pl.col("change") < 0), changes.filter(pl.col("change") > 0)
    size, size_to = -pl.col("change"), pl.col("change_to")
    pairs = (
        lost.join(gained, on=["downstream", "operation"], suffix="_to")
        .with_columns(apart=(size - size_to).abs() / pl.max_horizontal(size, size_to))
        .filter(pl.col("apart") <= _AS_MUCH)
        .join(_alike(sides), on=["edge", "edge_to"], how="left")
        .with_columns(pl.col("alike").fill_null(value=False))
    )
    alike = pairs.filter(pl.col("alike")).sort("apart", "edge", "edge_to")
    alike = alike.unique("edge", keep="first", maintain_order=True)
    alike = alike.unique("edge_to", keep="first", maintain_order=True).select("edge", "edge_to")
    others = pairs.join(alike, on="edge", how="anti").join(alike, on="edge_to", how="anti")
    others = others.select("edge", "edge_to").unique()
    only = others.filter(pl.len().over("edge").eq(1) & pl.len().over("edge_to").eq(1))
    found = pl.concat([alike, only])
    there = found.select("edge", other="edge_to")
    return pl.concat([there, found.select(edge="edge_to", other="edge")]).sort("edge")


def _changed_rates(rates: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the change of calls per request of each edge and downstream operation."""
    totals = (
        rates.group_by("edge", "operation", "during")
        .agg(pl.col("calls", "requests").sum())
        .with_columns(rate=pl.col("calls") / pl.col("requests"))
    )
    now, before = (totals.filter(pl.col("during") == side) for side in (True, False))
    enough = pl.max_horizontal("calls", "calls_before") >= limits.min_call_count
    return (
        now.join(before, on=["edge", "operation"], suffix="_before")
        .with_columns(change=pl.col("rate") - pl.col("rate_before"))
        .filter(enough & (pl.col("change").abs() >= _WORTH_MOVING))
        .select("edge", "operation", "change")
    )


def _alike(sides: Sides) -> pl.DataFrame:
    """Return pairs of edges of one downstream that call an operation of the same name."""
    known = pl.col("upstream_operation") != ""  # that two do not say proves nothing
    called = sides.calls.filter(known).select("edge", "downstream", "upstream_operation").unique()
    return (
        called.join(called, on=["downstream", "upstream_operation"], suffix="_to")
        .filter(pl.col("edge") != pl.col("edge_to"))
        .select("edge", "edge_to", alike=pl.lit(value=True))
        .unique()
    )
