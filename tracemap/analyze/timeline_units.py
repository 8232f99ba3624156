"""What a timeline shows: which units, and which stretch of time."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tracemap.analyze.spikes import UNIT
from tracemap.model import MINUTE_NS, Window

_SPIKES = 8
_ORIGINS = 3
_VICTIMS = 5


def timeline_units(tables: Mapping[str, pl.DataFrame], latency_facts: pl.DataFrame) -> pl.DataFrame:
    """Return the units worth a line over time: what spiked, where it began, whom it reached.

    Those of the worst spikes; every unit of the first origins (own time, server, and the client and
    gap units of edges into them); the server unit of the operations that lost most, and
    of the two between which most spread.

    Args:
        tables: Findings by name; missing ones count as empty.
        latency_facts: As `model.LATENCY_FACTS`.

    Returns:
        Columns unit, service, operation, downstream; distinct, sorted.
    """
    known = latency_facts.select(UNIT).unique()
    chosen = [known.clear()]
    spikes, origins, flow = (tables.get(name) for name in ("spikes", "origins", "flow"))
    if spikes is not None:
        chosen.append(spikes.select(UNIT).unique(maintain_order=True).head(_SPIKES))
    if origins is not None and not origins.is_empty():
        first = origins.sort("rank").head(_ORIGINS)
        own = known.filter(pl.col("service").is_in(first["service"].implode()))
        servers = own.filter(pl.col("unit") == "server")
        chosen += [own, servers.with_columns(downstream=pl.lit("")).unique()]
        edges = first.select(downstream="edge_downstream", service="edge_upstream")
        chosen.append(known.join(edges, on=["downstream", "service"], how="semi"))
    if flow is not None:
        steps = pl.concat(
            [
                _hardest_hit(flow).head(_VICTIMS).select("service", "operation"),
                flow.filter(pl.col("leaf").eq("") & pl.col("share_ns").gt(0)).select(
                    "service", "operation"
                ),
            ]
        ).unique()
        servers = steps.with_columns(unit=pl.lit("server"), downstream=pl.lit(""))
        callers = known.filter(pl.col("unit") == "server")
        chosen.append(servers.select(UNIT))
        chosen.append(callers.join(steps, on=["service", "operation"], how="semi"))
    spread = tables.get("propagation")
    if spread is not None:
        chosen.append(_spread(spread, known))
    if not any(frame.height for frame in chosen):
        chosen.append(_busiest(latency_facts))
    return pl.concat(chosen).unique().sort(UNIT)


def _spread(propagation: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the server units of the pair of operations between which most spread, if any did."""
    pairs = propagation.filter(pl.col("verdict").is_in(["propagated", "amplified"]))
    by = ["offered_ns", "downstream", "downstream_operation", "upstream", "upstream_operation"]
    first = pairs.sort(by, descending=[True, *[False] * 4]).head(1)
    ends = pl.concat(
        first.select(service=end, operation=f"{end}_operation")
        for end in ("upstream", "downstream")
    )
    servers = known.filter(pl.col("unit") == "server")
    found = servers.join(ends, on=["service", "operation"], how="semi")
    return pl.concat([found, found.with_columns(downstream=pl.lit(""))]).unique()


def _busiest(latency_facts: pl.DataFrame) -> pl.DataFrame:
    """Return the server units of the root operations with most requests: quiet, but looked at."""
    roots = latency_facts.filter(pl.col("unit").eq("server") & pl.col("downstream").eq(""))
    counted = roots.group_by(UNIT).agg(pl.col("count").sum())
    return counted.sort(["count", *UNIT], descending=[True, *[False] * 4]).head(_VICTIMS)[UNIT]


def _hardest_hit(flow: pl.DataFrame) -> pl.DataFrame:
    """Return the user-visible operations by the rise of their mean, largest first.

    Args:
        flow: As `model.FLOW`.

    Returns:
        Columns service, operation, change_ns; one row per root.
    """
    return (
        flow.filter(pl.col("leaf") != "")
        .group_by(service="root_service", operation="root_operation")
        .agg(change_ns=pl.col("share_ns").sum())
        .sort("change_ns", "service", "operation", descending=[True, False, False])
    )


def timeline_window(shown: Window, baseline: Window | None, covered: Window) -> Window:
    """Return the time that a timeline should show.

    The window and its baseline where they lie close together, with a margin; a baseline weeks away
    would flatten everything, so it is left out then.
    """
    margin_ns = max(shown.duration_ns // 2, 5 * MINUTE_NS)
    start_ns, end_ns = shown.start_ns - margin_ns, shown.end_ns + margin_ns
    if baseline is not None:
        both = Window(min(start_ns, baseline.start_ns), max(end_ns, baseline.end_ns))
        if both.duration_ns <= 4 * (shown.duration_ns + baseline.duration_ns):
            start_ns, end_ns = both.start_ns, both.end_ns
    return Window(max(start_ns, covered.start_ns), min(end_ns, covered.end_ns))
