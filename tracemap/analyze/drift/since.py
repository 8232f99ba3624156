"""With which version an edge changed: upstream's for its answers, downstream's for its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.since_version import since_version

if TYPE_CHECKING:
    from tracemap.analyze.drift.sides import Sides
    from tracemap.analyze.thresholds import Thresholds
    from tracemap.model import Window


def since(
    sides: Sides,
    rates: pl.DataFrame,
    version_facts: pl.DataFrame,
    windows: tuple[Window, Window],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return the new version with which each measure of an edge changed, if it changed.

    Args:
        sides: Both sides.
        rates: As `rates.operation_rates` returns them.
        version_facts: As `model.VERSION_FACTS`.
        windows: Window and baseline.
        limits: Thresholds.

    Returns:
        ``edge``, ``latency_since``, ``errors_since`` (versions of upstream) and ``calls_since``
        (of downstream, which decides whom to call); null: with none.
    """
    by_client = (pl.col("client_calls").sum().over("edge", "during") > 0).all().over("edge")

    def seen(client: str, server: str) -> pl.Expr:
        return pl.when(by_client).then(client).otherwise(server)

    measures = {
        "latency_since": sides.calls.select(
            "edge", "during", "cell", service="upstream",
            amount=seen("client_ns", "server_ns"), count=seen("client_calls", "server_calls"),
        ),
        "errors_since": sides.calls.select(
            "edge", "during", "cell", service="upstream",
            amount=seen("errors_downstream", "errors_upstream"), count="calls",
        ),
        "calls_since": rates.join(sides.edges.select("edge", service="downstream"), on="edge")
        .select("edge", "during", "cell", "service", amount="calls", count="requests"),
    }  # fmt: skip
    rows = sides.edges.select("edge")
    for name, cells in measures.items():
        found = since_version(cells.rename({"edge": "unit"}), version_facts, windows, limits)
        rows = rows.join(
            found.rename({"unit": "edge", "since_version": name}), on="edge", how="left"
        )
    return rows
