"""Which origin each leaf of the flow is charged to.

One split of the change for the whole report: headline, flow, origins and blast radius all add up
the same leaves, so none of them can say another number than the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.blame import Row, counted
from tracemap.analyze.components import labels
from tracemap.model import FLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tracemap.analyze.call_tree import CallTree

_KINDS = {
    "self": ("self", "pauses"),
    "gap": ("gap", "hidden retries", "unanswered"),
    "virtual": ("virtual",),
    "calls": ("calls", "share", "retries"),
}
"""Kinds of components by the leaf at which their time ends."""


def charged(flow: pl.DataFrame, tree: CallTree, found: Sequence[Row]) -> pl.DataFrame:
    """Return the flow with the number of the origin each leaf is charged to, counted from 1.

    A leaf belongs to the component that moved at its place (the same service, calls and
    operation), and the component to the origin that most of it counts for. Leaves of nothing that
    moved, and those too small to follow, belong to nobody: null.

    Args:
        flow: As `model.FLOW`.
        tree: The call paths it was made from.
        found: Origins in order; ``components`` holds what they are made of, with the part of each.
    """
    owners = _owners(found)
    places = {path: row for row, path in enumerate(tree.paths["path_id"].to_list())}
    own, gap, virtual = labels(tree)
    called = [one or other for one, other in zip(gap, virtual, strict=True)]
    of_leaf = {"self": own, "gap": gap, "virtual": virtual, "calls": called}
    origin: list[int | None] = []
    for path, leaf in flow.select("path_id", "leaf").iter_rows():
        label = of_leaf[leaf][places[path]] if leaf in of_leaf else None
        keys = [] if label is None else [(kind, *label) for kind in _KINDS[leaf]]
        best = max((owners[key] for key in keys if key in owners), default=None)
        origin.append(None if best is None else -best[1])
    return FLOW.conform(flow.with_columns(origin=pl.Series(origin, dtype=pl.Int32)))


def felt_ns(
    flow: pl.DataFrame, tree: CallTree, requests: NDArray[np.int64], origins: int
) -> list[float | None]:
    """Return per origin what ends at it of the change of the mean user request; None: not known.

    Args:
        flow: As `charged` returns it.
        tree: The call paths it was made from.
        requests: Rows of the root entries that somebody waits for.
        origins: How many there are.
    """
    asked = tree.paths["path_id"].gather(requests.tolist())
    roots = flow.filter((pl.col("parent_path_id") == 0) & (pl.col("leaf") == ""))
    waited = roots.filter(pl.col("path_id").is_in(asked.implode()))
    served = waited["requests"].sum()
    if not served:
        return [None] * origins
    names = ["root_service", "root_operation"]
    leaves = flow.filter(pl.col("origin").is_not_null()).join(waited, on=names, how="semi")
    ended = leaves.group_by("origin").agg(
        total=(pl.col("share_ns") * pl.col("requests")).sum() / served
    )
    by_origin = dict(ended.iter_rows())
    return [by_origin.get(number, 0.0) for number in range(1, origins + 1)]


def _owners(found: Sequence[Row]) -> dict[tuple[str, ...], tuple[float, int]]:
    """Return for each component how much of it counts, and minus the number of its origin."""
    owners: dict[tuple[str, ...], tuple[float, int]] = {}
    for number, origin in enumerate(found, start=1):
        for row, part in origin["components"]:
            ends = row["downstream"], row["upstream"]
            # Pauses are own time of who paused, whoever made it try again.
            key = (row["kind"], *(("", ends[0]) if row["kind"] == "pauses" else ends))
            key = (*key, row["operation"])
            owners[key] = max(owners.get(key, (0.0, 0)), (counted(row) * part, -number))
    return owners
