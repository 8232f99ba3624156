"""One word for a report: incident, quiet or insufficient_data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.confidence import FEW_CALLS

if TYPE_CHECKING:
    from collections.abc import Mapping


_UNCHANGED = (
    "steady",
    "other mix",
    "sampled differently",
    "not observed",
    "not observed before",
    "too few calls",
)
"""Words of `drift` that ask nobody for anything."""


def drifted(tables: Mapping[str, pl.DataFrame]) -> str:
    """Return what a comparison of weeks comes to, in the words of `verdict`.

    ``incident``: an edge changed, or users wait longer or shorter. ``quiet``: nothing did, of edges
    that had enough calls to tell. ``insufficient_data``: none had, or there is no baseline.

    Args:
        tables: Findings by name: ``drift`` and ``regressions``.
    """
    drift, regressions = tables["drift"], tables["regressions"]
    changed = (~drift["change"].is_in(_UNCHANGED)).any()
    steady = regressions["verdict"].is_in(["steady", "too few calls"])
    if changed or not steady.all():
        return "incident"
    return "quiet" if (drift["change"] == "steady").any() else "insufficient_data"


def verdict(tables: Mapping[str, pl.DataFrame], *, judged: bool) -> str:
    """Return what the findings come to.

    ``incident``: something spiked, propagated by more than ordinary variation, or has a strong
    origin, other than another mix of requests. ``quiet``: nothing did, and there was enough data to
    tell. ``insufficient_data``: nothing did, and there was not; or somebody would be named but for
    a handful of calls. Where two windows were compared, that they had enough calls counts, not that
    the rest of the time has.

    Args:
        tables: Findings by name; missing ones count as empty.
        judged: Whether any unit had enough calls and cells to be judged.
    """
    origins, spikes = tables.get("origins"), tables.get("spikes")
    propagation = tables.get("propagation")
    spiked = any(
        bool(table["verdict"].is_in(["propagated", "amplified", "absorbed"]).any())
        for table in (propagation, tables.get("errors"))
        if table is not None
    )
    accused = None if origins is None else origins.filter(pl.col("cause") != "mix")
    strong = accused is not None and bool((accused["confidence"] == "strong").any())
    if strong or spiked or (spikes is not None and not spikes.is_empty()):
        return "incident"
    if accused is not None and bool((accused["doubt"] == FEW_CALLS).any()):
        return "insufficient_data"
    if propagation is not None and not propagation.is_empty():
        is_told = propagation["verdict"].is_in(["no spike", "within variation"]).any()
        return "quiet" if is_told else "insufficient_data"
    return "quiet" if judged else "insufficient_data"
