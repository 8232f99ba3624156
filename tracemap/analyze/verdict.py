"""One word for a report: incident, quiet or insufficient_data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.confidence import FEW_CALLS

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_NS = 1_000_000
"""What users wait longer counts from 1 ms on, as everywhere."""
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
    """Return the verdict on a comparison of weeks, in the words of `verdict`.

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
    """Return the verdict on the findings.

    ``incident``: something spiked, was absorbed, or has a strong origin, other than another mix of
    requests; failures reached downstream; or something propagated, and a user-visible operation
    became slower, both by more than ordinary variation. What propagated between two services and
    reached no user is a lead. ``quiet``: nothing did, and there was enough data to tell.
    ``insufficient_data``: nothing did, and there was not; or somebody would be named but for a
    handful of calls. Where two windows were compared, that they had enough calls counts, not that
    the rest of the time has.

    Args:
        tables: Findings by name; missing ones count as empty.
        judged: Whether any unit had enough calls and cells to be judged.
    """
    origins, spikes = tables.get("origins"), tables.get("spikes")
    propagation = tables.get("propagation")
    spiked = (
        _any(tables.get("errors"), "propagated", "amplified", "absorbed")
        or _any(propagation, "absorbed")
        or (_any(propagation, "propagated", "amplified") and _is_felt(tables.get("flow")))
    )
    accused = None if origins is None else origins.filter(pl.col("cause") != "mix")
    strong = accused is not None and bool((accused["confidence"] == "strong").any())
    if strong or spiked or (spikes is not None and not spikes.is_empty()):
        return "incident"
    if accused is not None and bool((accused["doubt"] == FEW_CALLS).any()):
        return "insufficient_data"
    if propagation is not None and not propagation.is_empty():
        is_told = (propagation["verdict"] != "too few calls").any()
        return "quiet" if is_told else "insufficient_data"
    return "quiet" if judged else "insufficient_data"


def _any(table: pl.DataFrame | None, *verdicts: str) -> bool:
    return table is not None and bool(table["verdict"].is_in(verdicts).any())


def _is_felt(flow: pl.DataFrame | None) -> bool:
    """Return whether an operation of users became slower, not within ordinary variation.

    A change of which the interval is not known counts. Without a flow nothing is known of users.
    """
    if flow is None:
        return True
    roots = flow.filter(pl.col("parent_path_id") == 0, pl.col("share_ns") >= LEAST_NS)
    low, high = pl.col("low_ns"), pl.col("high_ns")
    is_known = low.is_not_null() & low.ne(high)
    return not roots.filter(~is_known | low.gt(0)).is_empty()
